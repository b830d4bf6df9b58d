import pytest

from shared.units import PriceE4, SizeE6, WallMs
from shared.venue import rules
from shared.venue.faults import Unparseable

NOW_MS = WallMs(1_790_000_000_250)


def test_hundred_shares_at_one_half_cost_the_documented_fee() -> None:
    assert rules.taker_fee(PriceE4(5000), SizeE6(100_000_000), 70_000) == 1_750_000


def test_fee_is_rounded_down_to_a_hundred_thousandth_and_below_it_is_none() -> None:
    assert rules.taker_fee(PriceE4(5000), SizeE6(10_000), 70_000) == 170
    assert rules.taker_fee(PriceE4(1), SizeE6(1_000_000), 70_000) == 0
    assert rules.taker_fee(PriceE4(5000), SizeE6(571), 70_000) == 0
    assert rules.taker_fee(PriceE4(5000), SizeE6(572), 70_000) == 10


def test_fee_is_none_at_the_ends_and_without_a_rate() -> None:
    assert rules.taker_fee(PriceE4(0), SizeE6(10**9), 70_000) == 0
    assert rules.taker_fee(PriceE4(10_000), SizeE6(10**9), 70_000) == 0
    assert rules.taker_fee(PriceE4(5000), SizeE6(10**9), 0) == 0


def test_shortest_expiration_is_taken_at_once_and_until_the_margin() -> None:
    expiration_s = rules.shortest_expiration_s(NOW_MS, 2_000)
    assert expiration_s == 1_790_000_183
    assert rules.is_expiration_taken(expiration_s, NOW_MS)
    assert rules.is_expiration_taken(expiration_s, WallMs(NOW_MS + 2_000))
    assert not rules.is_expiration_taken(expiration_s, WallMs(NOW_MS + 3_000))


def test_expiration_is_taken_up_to_and_including_three_minutes_before_it() -> None:
    last = rules.last_arrival_ms(1_790_000_200)
    assert last == 1_790_000_020_000
    assert rules.is_expiration_taken(1_790_000_200, WallMs(last - 1))
    assert rules.is_expiration_taken(1_790_000_200, last)
    assert not rules.is_expiration_taken(1_790_000_200, WallMs(last + 1))


@pytest.mark.req("EX-28")
def test_shortest_order_ends_within_about_two_minutes() -> None:
    expiration_s = rules.shortest_expiration_s(NOW_MS, 2_000)
    assert 120_000 <= rules.order_end_ms(expiration_s) - NOW_MS <= 123_000


def test_condition_id_of_62_digits_is_padded_at_its_end() -> None:
    short = "0x" + "0177" + "ab" * 29
    assert rules.normal_condition_id(short, "market") == short + "00"
    assert rules.normal_condition_id("0x" + "AB" * 32, "market") == "0x" + "ab" * 32


@pytest.mark.parametrize("text", ["", "0x", "0x" + "ab" * 30, "ab" * 33, "0x" + "zz" * 32])
def test_other_text_is_no_condition_id(text: str) -> None:
    with pytest.raises(Unparseable):
        rules.normal_condition_id(text, "market")


def test_only_the_two_known_protocols_are_traded() -> None:
    assert rules.normal_version("v1", "version") == "v1"
    assert rules.normal_version("v2", "version") == "v2"
    for text in (None, "", "v3", "V2"):
        with pytest.raises(Unparseable):
            rules.normal_version(text, "version")
