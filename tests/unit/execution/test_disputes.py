"""Trades of which the venue has said both ends stay in doubt, restart or not."""

from typing import Any

import pytest

from services.execution.disputes import DOUBTED_NS, WRITTEN_EVERY_NS
from services.execution.position import Position
from services.execution.positions import Positions
from services.execution.startup import OpenedLedger
from shared.identifiers import TokenId, TradeId
from shared.ledger_schema import FillRecord
from shared.units import NS_PER_MS, NS_PER_S, Instant, WallMs, WallNs
from tests.builders.execution import Rig, identity
from tests.builders.ledger_rows import build_fill_record
from tests.builders.markets import MARKET, UP, instant

SHARE = 1_000_000
NOW = instant()
HOUR_MS = 3_600_000
DOUBTED_MS = DOUBTED_NS // NS_PER_MS


def leg(trade: str = "t1", age_ms: int = 0, **spoil: Any) -> FillRecord:
    """Return two confirmed shares of UP; matched and told so long before now."""
    fields: dict[str, Any] = {
        "trade_id": TradeId(trade),
        "market": MARKET,
        "token": UP,
        "side": "BUY",
        "settlement": "CONFIRMED",
        "match_ms": WallMs(NOW.wall_ms - age_ms),
        "updated_wall_ns": WallNs(NOW.wall_ns - age_ms * NS_PER_MS),
    }
    return build_fill_record(**{**fields, **spoil})


def held(positions: Positions, token: TokenId = UP) -> Position:
    return positions.of_token(token)


def rows(positions: Positions) -> list[FillRecord]:
    return [row for row in positions.unjournaled if isinstance(row, FillRecord)]


def restarted(positions: Positions) -> Positions:
    """Return the positions of a ledger that took every row."""
    newest = {(row.trade_id, row.order_id): row for row in rows(positions)}
    return Positions(newest.values(), ())


def after(milliseconds: int) -> Instant:
    return instant(1_000 + milliseconds)


@pytest.mark.req("EX-9")
@pytest.mark.parametrize(("first", "second"), [("CONFIRMED", "FAILED"), ("FAILED", "CONFIRMED")])
def test_dispute_survives_a_restart(first: str, second: str) -> None:
    before = Positions((), ())
    before.take(leg(settlement=first, age_ms=HOUR_MS))
    before.take(leg("t2", age_ms=1_000))
    before.take(leg(settlement=second))
    assert [row.trade_id for row in rows(before)] == ["t1", "t2", "t1"], "written again"
    again = restarted(before)
    for positions in (before, again):
        assert held(positions).most_e6 == 4 * SHARE, "at most both"
        assert held(positions).confirmed_e6 <= 2 * SHARE, "no end is built on"
        assert fill_settlements(positions)["t1"] == first


def fill_settlements(positions: Positions) -> dict[str, str]:
    return {str(fill.trade_id): fill.settlement for fill in positions.unsettled()}


@pytest.mark.req("EX-9")
def test_record_that_is_read_after_a_restart_decides() -> None:
    before = Positions((), ())
    before.take(leg())
    before.take(leg(settlement="FAILED"))
    again = restarted(before)
    assert held(again).matched_e6 == 2 * SHARE
    assert again.take(leg(settlement="FAILED"), asked=True) == "changed"
    assert (held(again).matched_e6, held(again).most_e6) == (0, 0)
    assert again.unsettled() == ()
    assert again.disputes.since_ms() is None


@pytest.mark.parametrize(
    ("age_ms", "is_doubted"),
    [(DOUBTED_NS // NS_PER_MS - 1, True), (DOUBTED_NS // NS_PER_MS, False)],
)
def test_start_doubts_the_ends_that_were_told_last(age_ms: int, *, is_doubted: bool) -> None:
    positions = Positions((leg("old", age_ms), leg("new")), ())
    assert ("old" in fill_settlements(positions)) is is_doubted
    assert positions.disputes.since_ms() == NOW.wall_ms - (age_ms if is_doubted else 0)


@pytest.mark.parametrize("spoil", [{"settlement": "MINED"}, {"role": "ADOPTED"}])
def test_start_doubts_no_leg_that_has_no_told_end(spoil: dict[str, Any]) -> None:
    assert Positions((leg(**spoil),), ()).disputes.since_ms() is None


def test_whole_read_that_contradicts_nothing_ends_what_a_start_doubts() -> None:
    positions = Positions((leg("old", 60_000), leg("new")), ())
    assert held(positions).confirmed_e6 == 0
    positions.take_whole_read(NOW.wall_ms - 30_000)
    assert fill_settlements(positions) == {"old": "CONFIRMED"}, "it was matched before"
    positions.take_whole_read(NOW.wall_ms - 60_000)
    assert positions.unsettled() == ()
    assert held(positions).confirmed_e6 == 4 * SHARE


def test_record_without_an_end_leaves_what_a_start_doubts_in_dispute() -> None:
    positions = Positions((leg(),), ())
    assert positions.take(leg(settlement="MINED"), asked=True) == ""
    positions.take_whole_read(0)
    assert fill_settlements(positions) == {"t1": "CONFIRMED"}
    positions.take(leg(), asked=True)
    assert positions.unsettled() == ()


def test_disputed_leg_is_written_again_while_it_lasts_and_no_faster() -> None:
    positions = Positions((), ())
    positions.take(leg())
    positions.take(leg(settlement="FAILED"))
    for _ in range(3):
        positions.take(leg(settlement="FAILED"))
    assert len(rows(positions)) == 2
    every = WRITTEN_EVERY_NS // NS_PER_MS
    for at_ms, count in ((every - 1, 2), (every, 3), (every + 1, 3), (2 * every, 4)):
        positions.watch_unsettled(after(at_ms))
        assert len(rows(positions)) == count
    assert rows(positions)[-1].updated_wall_ns == after(2 * every).wall_ns
    assert positions.take(leg(), asked=True) == ""
    positions.watch_unsettled(after(9 * every))
    assert len(rows(positions)) == 4


def test_nobody_is_told_of_what_a_start_has_not_asked_for_yet() -> None:
    positions = Positions((leg(age_ms=0),), ())
    positions.watch_unsettled(after(HOUR_MS))
    assert positions.troubles == []
    assert rows(positions) == []


@pytest.mark.req("EX-9", "EX-5")
def test_start_reads_back_to_the_oldest_end_that_it_doubts() -> None:
    match_ms = instant(0).wall_ms - 5 * HOUR_MS
    told_ns = WallNs(instant(0).wall_ns - 4 * NS_PER_S)
    late = leg("late", match_ms=WallMs(match_ms), updated_wall_ns=told_ns)
    newest = leg("newest", match_ms=WallMs(instant(0).wall_ms - 4_000), updated_wall_ns=told_ns)
    rig = Rig(OpenedLedger(epoch=5, fills=(late, newest)))
    rig.tell(identity())
    rig.run(8_000)
    assert rig.pong().proven_start, rig.pong().start_state
    asked_s = [
        int(read.path.split("after=")[1].split("&")[0]) for read in rig.venue.seen("/data/trades")
    ]
    assert asked_s[0] <= match_ms // 1_000
    assert asked_s[-1] > match_ms // 1_000, "once"
    assert rig.core._parts.positions.unsettled() == ()
