from decimal import Decimal

import pytest

from shared.units import MoneyE6, PriceE4, ReferenceE18, SizeE6
from shared.venue import decimals
from shared.venue.faults import Unparseable


@pytest.mark.parametrize(
    ("raw", "price"),
    [
        ("0.5", 5000),
        (".48", 4800),
        ("0.490", 4900),
        ("0.50000000", 5000),
        ("1", 10_000),
        ("0", 0),
        (0.01, 100),
        (0.0025, 25),
        (1, 10_000),
        (1e-4, 1),
        (Decimal("0.513"), 5130),
    ],
)
def test_price_is_read_from_every_spelling_that_the_venue_uses(
    raw: decimals.Number, price: int
) -> None:
    assert decimals.parse_price(raw, "price") == price


@pytest.mark.parametrize(
    "raw",
    [
        "", ".", "-", "-.", "abc", "0.5x", "1e-4", "0x1", " 0.5", "0,5",
        "0.00001", "1.0001", "-0.1",
        "NaN", "inf", "\u0660.5", "1_0", float("nan"), float("inf"), True, Decimal("NaN"), 1e300,
        "0" * 41,
    ],
)  # fmt: skip
def test_price_that_cannot_be_one_is_an_error_naming_the_field(raw: decimals.Number) -> None:
    with pytest.raises(Unparseable) as caught:
        decimals.parse_price(raw, "bids[0].price")
    assert caught.value.field == "bids[0].price"
    assert len(caught.value.raw) <= 80


@pytest.mark.req("INV-10")
def test_size_finer_than_a_millionth_is_refused_and_not_rounded() -> None:
    assert decimals.parse_size("219.217767", "size") == 219_217_767
    assert decimals.parse_size("219.2177670", "size") == 219_217_767
    with pytest.raises(Unparseable):
        decimals.parse_size("219.2177671", "size")


def test_size_below_zero_is_refused_but_money_below_zero_is_a_loss() -> None:
    with pytest.raises(Unparseable):
        decimals.parse_size("-1", "size")
    assert decimals.parse_money("-1.5", "money") == -1_500_000


@pytest.mark.parametrize("raw", ["", None])
def test_empty_text_of_an_optional_number_is_none_and_never_zero(raw: str | None) -> None:
    assert decimals.parse_optional_price(raw, "best_bid") is None
    assert decimals.parse_optional_size(raw, "size_matched") is None


def test_zero_of_an_optional_number_stays_zero() -> None:
    assert decimals.parse_optional_price("0", "best_bid") == 0
    assert decimals.parse_optional_size("0", "size_matched") == 0


def test_reference_price_keeps_eighteen_places() -> None:
    text = "79697.730000000000000001"
    value = decimals.parse_reference(text, "full_accuracy_value")
    assert value == 79_697_730_000_000_000_000_001
    assert decimals.format_reference(value) == text


@pytest.mark.parametrize("raw", ["0", "-1", "", "1e5"])
def test_reference_price_not_above_zero_is_an_error(raw: str) -> None:
    with pytest.raises(Unparseable):
        decimals.parse_reference(raw, "value")


def test_stamp_in_seconds_and_stamp_in_milliseconds_are_the_same_moment() -> None:
    assert decimals.parse_wall_ms("1762776436", "timestamp") == 1_762_776_436_000
    assert decimals.parse_wall_ms("1762776436000", "timestamp") == 1_762_776_436_000
    assert decimals.parse_wall_ms(1748779200, "created_at") == 1_748_779_200_000


def test_stamps_on_either_side_of_the_boundary_take_their_unit() -> None:
    assert decimals.parse_wall_ms("99999999999", "t") == 99_999_999_999_000
    assert decimals.parse_wall_ms("100000000000", "t") == 100_000_000_000


@pytest.mark.parametrize("raw", ["", "0", "-5", "1.5", "soon"])
def test_stamp_that_is_no_moment_is_an_error(raw: str) -> None:
    with pytest.raises(Unparseable):
        decimals.parse_wall_ms(raw, "timestamp")


def test_canonical_text_has_no_trailing_zeros() -> None:
    assert decimals.format_price(PriceE4(5000)) == "0.5"
    assert decimals.format_price(PriceE4(10_000)) == "1"
    assert decimals.format_price(PriceE4(25)) == "0.0025"
    assert decimals.format_size(SizeE6(93_805_180_000)) == "93805.18"
    assert decimals.format_size(SizeE6(100_000_000)) == "100"
    assert decimals.format_size(SizeE6(0)) == "0"
    assert decimals.format_money(MoneyE6(-1_750)) == "-0.00175"
    assert decimals.format_reference(ReferenceE18(10**18)) == "1"


@pytest.mark.parametrize(("shares", "is_taken"), [(10**12, True), (10**12 + 1, False)])
def test_size_that_would_not_travel_is_refused(shares: int, *, is_taken: bool) -> None:
    if is_taken:
        assert decimals.parse_size(str(shares), "size") == decimals.SIZE_E6_MAX
    else:
        with pytest.raises(Unparseable):
            decimals.parse_size(str(shares), "size")


@pytest.mark.parametrize("late_ms", [0, 1])
def test_stamp_after_the_last_year_is_refused(late_ms: int) -> None:
    stamp = decimals.WALL_MS_MAX + late_ms
    if late_ms == 0:
        assert decimals.parse_wall_ms(stamp, "timestamp") == stamp
    else:
        with pytest.raises(Unparseable):
            decimals.parse_wall_ms(stamp, "timestamp")
