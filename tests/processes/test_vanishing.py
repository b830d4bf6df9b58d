"""What must vanish, and when, after a process dies or hangs: judged by the venue's own stamps."""

import signal

import pytest

from bus import clock
from ops.waiting import wait_for
from shared.topics import EXECUTION, MARKET_MAKING, RISK
from shared.units import NS_PER_S
from tests.processes.fences import fences_since
from tests.processes.group import GroupUnderTest

GRACE_S = 3.0
"""On top of a limit, only for the log to be read; the judgement is by stamps."""

ORACLE_PAUSES_S = 4.0
ORACLE_CANCELS_S = 11.0
"""The settings' 3 s and 10 s, three confirming samples, and a cancel's way to the venue."""

SEEN_WITHIN_S = 60.0
"""Guards against waiting for ever; nothing is judged by it."""

SHUTDOWN_S = 5.0
"""Strategies end first, and each is waited for; execution cancels as soon as it is told."""

KILL = signal.SIGKILL
HANG = signal.SIGSTOP

EVERYTHING = [
    pytest.param("execution", KILL, 1.0, marks=pytest.mark.req("KS-7", "CP-1", "TST-3")),
    pytest.param("execution", HANG, 1.0, marks=pytest.mark.req("KS-7", "CP-7")),
    pytest.param("risk", KILL, 1.0, marks=pytest.mark.req("KS-7", "INV-3")),
    pytest.param("risk", HANG, 1.0, marks=pytest.mark.req("KS-7", "CP-9")),
    pytest.param("feed_market", KILL, 2.5, marks=pytest.mark.req("KS-4")),
    pytest.param("feed_market", HANG, 2.5, marks=pytest.mark.req("KS-4")),
    pytest.param("feed_user", KILL, 3.5, marks=pytest.mark.req("KS-2")),
    pytest.param("feed_user", HANG, 3.5, marks=pytest.mark.req("KS-2")),
    pytest.param("state", KILL, 3.5, marks=pytest.mark.req("CP-1")),
    pytest.param("state", HANG, 3.5, marks=pytest.mark.req("CP-1")),
    pytest.param("feed_price", HANG, 11.0, marks=pytest.mark.req("KS-3", "CP-7")),
]
"""Component, signal, seconds. Supervisord starts what was killed again, so every row also shows
that trading resumes by itself. A killed price feed is back before its silence counts."""


def judge_emptied(group: GroupUnderTest, at_ns: int, limit_s: float) -> None:
    """Assert that our book was empty at the venue within a limit of a moment."""
    emptied_ns = wait_for(lambda: group.venue.emptied_ns(at_ns), limit_s + GRACE_S)
    assert emptied_ns is not None, f"not empty\n{group.log_tails()}"
    took_s = (emptied_ns - at_ns) / NS_PER_S
    assert took_s <= limit_s, f"empty after {took_s:.3f} s\n{group.log_tails()}"


def resume(group: GroupUnderTest, component: str, pid: int) -> None:
    """Let a stopped process go on, unless it was killed or replaced meanwhile."""
    if group.pid(component) == pid:
        group.signal(component, signal.SIGCONT)


@pytest.mark.parametrize(("component", "number", "limit_s"), EVERYTHING)
def test_orders_vanish_when_process_dies_or_hangs(
    trading: GroupUnderTest, component: str, number: signal.Signals, limit_s: float
) -> None:
    pid = trading.pid(component)
    with trading.venue.stillness():
        at_ns = trading.signal(component, number)
        try:
            judge_emptied(trading, at_ns, limit_s)
        finally:
            resume(trading, component, pid)
    trading.wait_until_trading()


@pytest.mark.req("CP-3")
@pytest.mark.parametrize("number", [KILL, HANG])
def test_bids_vanish_when_their_strategy_dies_or_hangs(
    trading: GroupUnderTest, number: signal.Signals
) -> None:
    """What it held is the caretaker's to offer, so that offers of ours may follow at once."""
    pid = trading.pid(MARKET_MAKING)
    venue = trading.venue
    with venue.stillness():
        at_ns = trading.signal(MARKET_MAKING, number)

        def emptied_ns() -> int | None:
            bids = venue.open_orders(lambda row: bool(row["side"] == "BUY"))
            return bids.emptied_ns(at_ns, venue.seen_to_ns)

        try:
            found_ns = wait_for(emptied_ns, 1.0 + GRACE_S)
        finally:
            resume(trading, MARKET_MAKING, pid)
        assert found_ns is not None, trading.log_tails()
        assert found_ns - at_ns <= NS_PER_S, trading.log_tails()
    trading.wait_until_trading()


@pytest.mark.req("KS-3")
def test_silent_oracle_stops_placing_then_cancels(trading: GroupUnderTest) -> None:
    """Three seconds without a price: nothing new; ten: nothing at all; fresh again: trading."""
    with trading.venue.stillness():
        at_ns = clock.read().monotonic_ns
        trading.venue.fault(kind="silence", stream="price")
        trading.venue.fault(kind="silence", stream="rtds")
        judge_emptied(trading, at_ns, ORACLE_CANCELS_S)
        paused_ns = at_ns + int(ORACLE_PAUSES_S * NS_PER_S)
        assert not trading.placed_within(paused_ns, ORACLE_CANCELS_S - ORACLE_PAUSES_S)
        trading.venue.clear_faults()
    trading.wait_until_trading()


@pytest.mark.req("CP-4")
@pytest.mark.parametrize("number", [KILL, HANG])
def test_trading_goes_on_when_recorder_dies_or_hangs(
    trading: GroupUnderTest, number: signal.Signals
) -> None:
    """Sizes may be halved meanwhile, which replaces orders; nothing is fenced for a recorder."""
    pid = trading.pid("recorder")
    wall_ns = clock.read().wall_ns
    trading.signal("recorder", number)

    def is_seen() -> bool | None:
        status = trading.view().risk()
        rows = () if status is None else status.components
        seen = [row for row in rows if row.component == "recorder"]
        return True if any(not row.alive or row.pid != pid for row in seen) else None

    try:
        assert wait_for(is_seen, SEEN_WITHIN_S), trading.log_tails()
        assert trading.placed_within(clock.read().monotonic_ns, SEEN_WITHIN_S)
    finally:
        resume(trading, "recorder", pid)
    fences = [line.fields for line in fences_since(trading.run, wall_ns)]
    assert not any("recorder" in str(fields) for fields in fences), fences


@pytest.mark.req("CP-8", "KS-12")
def test_orders_vanish_when_supervisord_is_killed(own_group: GroupUnderTest) -> None:
    assert own_group.up().status == 0
    own_group.wait_until_trading()
    with own_group.venue.stillness():
        at_ns = own_group.signal("supervisord", KILL)
        judge_emptied(own_group, at_ns, 1.0)
    gone = wait_for(lambda: None if own_group.pid(EXECUTION) or own_group.pid(RISK) else True, 30)
    assert gone, "a group without its supervisord ends"


@pytest.mark.req("KS-12")
def test_orders_vanish_when_supervisord_is_told_to_end(own_group: GroupUnderTest) -> None:
    """What a machine that shuts down does: SIGTERM, no command of ours."""
    assert own_group.up().status == 0
    own_group.wait_until_trading()
    with own_group.venue.stillness():
        at_ns = own_group.signal("supervisord", signal.SIGTERM)
        judge_emptied(own_group, at_ns, SHUTDOWN_S)
    gone = wait_for(lambda: None if own_group.pid("supervisord") else True, 60)
    assert gone
    assert not own_group.venue.open_orders().open


@pytest.mark.req("EX-18", "EX-28")
def test_venue_dead_man_ends_orders_when_all_three_are_killed(own_group: GroupUnderTest) -> None:
    with own_group.kill_while_orders_rest(RISK, EXECUTION, "supervisord") as at_ns:
        judge_emptied(own_group, at_ns, 15.0)
    assert any(row["at_ns"] > at_ns for row in own_group.venue.of_kind("dead_man"))
