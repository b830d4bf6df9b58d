"""Perpetual futures as integers: what cannot be is refused, what is unlikely passes."""

from typing import Any

import msgspec
import pytest

from shared.identifiers import Asset
from shared.perps.parse import COINS_E8_MAX, coin_of, perp_book, perp_context, perp_trade
from shared.perps.wire import PerpBookData, PerpCtx, PerpTradeRow
from shared.units import MonotonicNs
from shared.venue.faults import WireFault
from tests.builders import perps
from tests.builders.feeds import WALL_START_MS

BTC = Asset("btc")
AT = MonotonicNs(7)


def context(**spoil: Any) -> Any:
    return perp_context(BTC, msgspec.convert(perps.ctx(**spoil), PerpCtx), "socket", AT)


def book(**sides: Any) -> Any:
    return perp_book(BTC, msgspec.convert(perps.book_data(**sides), PerpBookData), "socket", AT)


def trade(**spoil: Any) -> Any:
    row = msgspec.convert(perps.trade(5, **spoil), PerpTradeRow)
    return perp_trade(BTC, row, replayed=False, received_ns=AT)


def test_context_becomes_integers() -> None:
    told = context()
    assert told.mark_e18 == 80_640 * 10**18
    assert told.oracle_e18 == 806_847 * 10**17
    assert told.mid_e18 == 806_395 * 10**17
    assert told.open_interest_e8 == 3_610_025_812_000
    assert told.funding_e12 == 6_100_000
    assert told.premium_e12 == -554_008_400
    assert told.day_volume_e6 == 4_490_636_699_328_773, "rounded down: the wire is finer"
    assert (told.source, told.received_ns) == ("socket", AT)


def test_coin_without_a_book_has_neither_mid_nor_premium() -> None:
    told = context(midPx=None, premium=None, impactPxs=None)
    assert told.mid_e18 is None
    assert told.premium_e12 is None


@pytest.mark.req("DQ-7")
@pytest.mark.parametrize(("told", "is_taken"), [("0.0", True), ("-0.00001", False)])
def test_open_interest_below_zero_is_refused(told: str, is_taken: bool) -> None:
    if is_taken:
        assert context(openInterest=told).open_interest_e8 == 0
        return
    with pytest.raises(WireFault, match="openInterest"):
        context(openInterest=told)


@pytest.mark.req("DQ-5")
@pytest.mark.parametrize(
    "spoil",
    [
        {"markPx": "0"},
        {"markPx": "-1"},
        {"markPx": "NaN"},
        {"oraclePx": ""},
        {"midPx": "1e5"},
        {"funding": "10.0000001"},
        {"funding": "-10.0000001"},
        {"funding": "0.0000000000001"},
        {"dayNtlVlm": "-1"},
        {"openInterest": "10000000001"},
        {"openInterest": "9" * 60},
    ],
)
def test_number_that_cannot_be_is_refused(spoil: dict[str, str]) -> None:
    with pytest.raises(WireFault):
        context(**spoil)


def test_numbers_at_their_ends_are_taken() -> None:
    assert context(openInterest="10000000000").open_interest_e8 == COINS_E8_MAX
    assert context(funding="10").funding_e12 == 10**13
    assert context(funding="-10").funding_e12 == -(10**13)


def test_book_has_its_best_levels_last() -> None:
    told = book()
    assert [price // 10**18 for price, _ in told.bids] == [80_638, 80_639]
    assert [price // 10**18 for price, _ in told.asks] == [80_641, 80_640]
    assert told.bids[0][1] == 150_000_000
    assert told.venue_ms == WALL_START_MS


def test_book_of_which_a_side_is_empty_is_taken() -> None:
    assert book(bids=()).bids == ()
    assert book(asks=()).asks == ()


@pytest.mark.req("DQ-3")
@pytest.mark.parametrize(
    "sides",
    [
        {"bids": ("80640.0",)},
        {"bids": ("80638.0", "80639.0")},
        {"bids": ("80639.0", "80639.0")},
        {"asks": ("80641.0", "80640.0")},
        {"bids": tuple(f"{80_600 - place}.0" for place in range(21))},
    ],
)
def test_book_that_contradicts_itself_is_refused(sides: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(WireFault):
        book(**sides)


@pytest.mark.parametrize(("told", "side"), [("B", "BUY"), ("A", "SELL")])
def test_side_of_a_trade_is_the_takers(told: str, side: str) -> None:
    assert trade(side=told).side == side


@pytest.mark.req("DQ-5")
@pytest.mark.parametrize(
    "spoil", [{"sz": "0"}, {"sz": "-1"}, {"px": "0"}, {"tid": -1}, {"tid": 1 << 63}, {"time": 0}]
)
def test_trade_that_cannot_be_is_refused(spoil: dict[str, Any]) -> None:
    with pytest.raises(WireFault):
        trade(**spoil)


def test_asset_is_spelled_as_a_coin() -> None:
    assert coin_of(Asset("doge")) == "DOGE"
