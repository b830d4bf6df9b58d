from decimal import ROUND_FLOOR, Decimal, localcontext

from hypothesis import given
from hypothesis import strategies as st

from shared.identifiers import Asset
from shared.units import PriceE4, SizeE6, WallMs
from shared.venue import rules, slugs


@given(st.integers(0, 10_000), st.integers(0, 10**13), st.integers(0, 10**6), st.integers(1, 4))
def test_fee_equals_the_documented_formula_in_decimals(
    price: int, size: int, rate: int, exponent: int
) -> None:
    with localcontext() as context:
        context.prec = 80
        p = Decimal(price).scaleb(-4)
        fee = Decimal(size).scaleb(-6) * Decimal(rate).scaleb(-6) * (p * (1 - p)) ** exponent
        expected = fee.quantize(Decimal("0.00001"), rounding=ROUND_FLOOR)
    found = rules.taker_fee(PriceE4(price), SizeE6(size), rate, exponent)
    assert Decimal(found).scaleb(-6) == expected


@given(st.integers(0, 10_000), st.integers(0, 10**13), st.integers(0, 10**6))
def test_fee_is_the_same_for_either_token(price: int, size: int, rate: int) -> None:
    one = rules.taker_fee(PriceE4(price), SizeE6(size), rate)
    assert one == rules.taker_fee(PriceE4(10_000 - price), SizeE6(size), rate)


@given(st.integers(10**12, 10**13), st.integers(0, 10_000), st.integers(0, 20_000))
def test_order_is_taken_exactly_until_a_margin_of_at_most_a_second_more(
    wall_ms: int, margin_ms: int, late_ms: int
) -> None:
    expiration_s = rules.shortest_expiration_s(WallMs(wall_ms), margin_ms)
    taken = rules.is_expiration_taken(expiration_s, WallMs(wall_ms + late_ms))
    assert taken or late_ms > margin_ms
    assert not taken or late_ms < margin_ms + 1_000


@given(st.sampled_from(["btc", "eth", "doge"]), st.integers(1, 99_999), st.integers(0, 10**6))
def test_slug_of_a_window_names_the_window(asset: str, interval_s: int, number: int) -> None:
    window = slugs.Window(Asset(asset), interval_s, interval_s * number)
    assert slugs.parse_window_slug(slugs.window_slug(window)) == window
