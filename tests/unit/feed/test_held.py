"""Held markets: a window long past stays followed while our money is in it."""

import pytest

from services.feed.held import HELD_EVERY_NS, HELD_MAX, HeldMarkets
from shared.facts import PositionFact, Positions
from shared.identifiers import ConditionId, StrategyName, TokenId
from shared.units import NS_PER_MS, MoneyE6, SizeE6
from shared.venue.faults import WireFault
from shared.venue.wire import encode
from tests.builders.feeds import WALL_START_MS, at
from tests.unit.feed.test_discovery import described, resolved

START_S = WALL_START_MS // 1_000
OLD = f"btc-updown-60s-{START_S - 3_600}"
MARKET = ConditionId(f"0x{START_S - 3_600:064x}")
OTHER = ConditionId("0x" + "ee" * 32)
EVERY_MS = HELD_EVERY_NS // NS_PER_MS


def _positions(*markets: ConditionId) -> Positions:
    size = SizeE6(5_000_000)
    return Positions(
        tuple(
            PositionFact(
                StrategyName("market_making"),
                market,
                TokenId("1"),
                size,
                size,
                size,
                MoneyE6(2_500_000),
            )
            for market in markets
        )
    )


def _following(*markets: ConditionId) -> HeldMarkets:
    held = HeldMarkets(5_000)
    held.follow(_positions(*markets))
    return held


def _listing(*rows: object) -> bytes:
    return encode({"markets": rows})


def test_market_that_the_clock_names_is_not_looked_up_twice() -> None:
    assert _following(MARKET).due({MARKET}, at(0)) is None


@pytest.mark.req("MR-2")
def test_held_market_is_looked_up_by_its_id_closed_and_open_in_turn() -> None:
    held = _following(MARKET)
    paths = []
    for turn in range(3):
        due = held.due(set(), at(turn * EVERY_MS))
        assert due is not None
        paths.append(due.path(at(turn * EVERY_MS)))
        held.failed(MARKET)
    assert paths == [
        f"/markets/keyset?condition_ids={MARKET}&closed={closed}"
        for closed in ("true", "false", "true")
    ]


@pytest.mark.parametrize(("later_ms", "is_due"), [(EVERY_MS - 1, False), (EVERY_MS, True)])
def test_look_ups_of_a_market_are_spaced(later_ms: int, is_due: bool) -> None:
    held = _following(MARKET)
    first = held.due(set(), at(0))
    assert first is not None
    first.path(at(0))
    held.failed(MARKET)
    assert (held.due(set(), at(later_ms)) is not None) is is_due


def test_look_up_under_way_is_not_repeated() -> None:
    held = _following(MARKET)
    first = held.due(set(), at(0))
    assert first is not None
    first.path(at(0))
    assert held.due(set(), at(10 * EVERY_MS)) is None


@pytest.mark.req("MR-2")
def test_resolved_market_is_told_and_asked_for_no_more() -> None:
    held = _following(MARKET)
    assert held.answered(MARKET, _listing(resolved(OLD, winner=1)))
    (info,) = held.infos(set())
    assert (info.condition_id, info.winner) == (MARKET, 1)
    assert held.due(set(), at(10 * EVERY_MS)) is None


def test_listing_without_the_market_leaves_it_unknown() -> None:
    held = _following(MARKET)
    assert not held.answered(MARKET, _listing())
    assert not held.answered(MARKET, _listing(described(f"btc-updown-60s-{START_S}")))
    assert held.infos(set()) == ()


def test_listing_that_cannot_be_read_is_a_fault() -> None:
    with pytest.raises(WireFault):
        _following(MARKET).answered(MARKET, b"<html>")


def test_market_is_let_go_with_its_position() -> None:
    held = _following(MARKET, OTHER)
    held.answered(MARKET, _listing(resolved(OLD, winner=0)))
    held.follow(_positions(OTHER))
    assert held.infos(set()) == ()
    due = held.due(set(), at(0))
    assert due is not None
    assert due.market == OTHER


@pytest.mark.parametrize("surplus", [-1, 0, 1])
def test_markets_followed_at_once_are_bounded(surplus: int) -> None:
    markets = tuple(ConditionId(f"0x{number:064x}") for number in range(HELD_MAX + surplus))
    held = _following(*markets)
    looked_up = 0
    while (due := held.due(set(), at(0))) is not None:
        due.path(at(0))
        looked_up += 1
    assert looked_up == min(len(markets), HELD_MAX)
