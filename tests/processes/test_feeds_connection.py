"""NET-1 to NET-3 against the whole group: connections that break, stall, or are refused.

Every test loses one feed at the simulated venue, sees by the venue's stamps that our orders go,
and by risk's own stamps that trading came back only after every step of the recovery.
"""

import signal

import pytest

from bus import clock
from ops.waiting import wait_for
from shared.facts import FeedStatus, Reconnection
from shared.topics import FEED_MARKET, FEED_USER
from shared.units import NS_PER_S
from tests.processes.group import GroupUnderTest

WAIT_S = 90.0
"""Guards against a hang alone."""

GONE_S = 2.0
"""A loss is told within 100 ms; three samples, a cancel, and a busy machine."""

BARRED_LOOKS_S = 4.0
"""A connection that is tried in a loop would have been tried four times by then."""


def feed(group: GroupUnderTest, name: str) -> FeedStatus | None:
    return group.view().feeds().get(name)


def reconnection(group: GroupUnderTest) -> Reconnection | None:
    risk = group.view().risk()
    return None if risk is None else risk.reconnection


def count(group: GroupUnderTest) -> int:
    found = reconnection(group)
    return 0 if found is None else found.number


def judge_emptied(group: GroupUnderTest, at_ns: int, limit_s: float) -> None:
    emptied_ns = wait_for(lambda: group.venue.emptied_ns(at_ns), WAIT_S)
    assert emptied_ns is not None, group.log_tails()
    assert emptied_ns - at_ns <= limit_s * NS_PER_S, group.log_tails()


def judge_recovery(group: GroupUnderTest, before: int) -> None:
    """Assert that trading came back after every step, in their order, within ten seconds."""

    def look() -> Reconnection | None:
        found = reconnection(group)
        is_over = found is not None and found.number > before and found.whole_ms is not None
        return found if is_over else None

    found = wait_for(look, WAIT_S)
    assert found is not None, f"{reconnection(group)}\n{group.log_tails()}"
    after_ms = {step.name: step.after_ms for step in found.steps}
    assert None not in after_ms.values(), found
    times = [step.after_ms for step in found.steps if step.after_ms is not None]
    assert after_ms["trading"] == max(times), "nothing is placed before every step is done"
    assert (after_ms["snapshot"] or 0) >= (after_ms["connected"] or 0)
    assert found.whole_ms is not None
    assert found.whole_ms <= found.limit_ms, found


@pytest.mark.req("NET-1", "NET-2", "NET-3", "KS-2")
def test_connection_that_cannot_be_opened_again_is_recovered_from_in_order(
    trading: GroupUnderTest,
) -> None:
    venue = trading.venue
    before = count(trading)
    with venue.stillness():
        at_ns = clock.read().monotonic_ns
        venue.fault(kind="refuse_stream", stream="user")
        venue.fault(kind="drop_streams", stream="user", count=1)
        judge_emptied(trading, at_ns, GONE_S)
        venue.clear_faults()
    trading.wait_until_trading()
    judge_recovery(trading, before)


@pytest.mark.req("NET-1", "NET-3", "KS-4")
def test_stall_behind_answered_pings_is_noticed_by_data(trading: GroupUnderTest) -> None:
    """The books are what is missing: every ping is answered and the socket stays open."""
    venue = trading.venue
    with venue.stillness():
        at_ns = clock.read().monotonic_ns
        venue.fault(kind="silence", stream="market")
        venue.fault(kind="refuse", path="/book", status=500)
        judge_emptied(trading, at_ns, 4.0)
        venue.clear_faults()
    trading.wait_until_trading()


@pytest.mark.req("NET-1", "NET-3", "KS-4")
def test_half_a_frame_and_nothing_after_it_is_noticed_by_data(trading: GroupUnderTest) -> None:
    venue = trading.venue
    before = count(trading)
    at_ns = clock.read().monotonic_ns
    venue.fault(kind="cut_frames", stream="market", count=1)
    found = wait_for(lambda: True if count(trading) > before else None, WAIT_S)
    assert found, f"{feed(trading, FEED_MARKET)}\n{trading.log_tails()}"
    judge_emptied(trading, at_ns, WAIT_S)
    trading.wait_until_trading()
    judge_recovery(trading, before)


@pytest.mark.req("NET-2", "KS-2")
def test_refused_credentials_stop_everything_and_are_not_tried_in_a_loop(
    trading: GroupUnderTest,
) -> None:
    venue = trading.venue
    with venue.stillness():
        at_ns = clock.read().monotonic_ns
        venue.fault(kind="refuse", path="/ws/user", status=401, text="Unauthorized/Invalid api key")
        venue.fault(kind="drop_streams", stream="user", count=1)
        judge_emptied(trading, at_ns, GONE_S)
        barred = wait_for(lambda: _barred(trading), WAIT_S)
        assert barred is not None, trading.log_tails()
        assert "401" in barred.cause
        again = wait_for(lambda: _tried_again(trading, barred), BARRED_LOOKS_S)
        assert again is None, "it is called in a loop"
        venue.clear_faults()
    # Credentials that changed would be tried at once; so does a new run of the feed.
    trading.signal(FEED_USER, signal.SIGKILL)
    trading.wait_until_trading()


def _barred(group: GroupUnderTest) -> FeedStatus | None:
    status = feed(group, FEED_USER)
    return status if status is not None and status.state == "barred" else None


def _tried_again(group: GroupUnderTest, before: FeedStatus) -> FeedStatus | None:
    status = feed(group, FEED_USER)
    is_other = status is not None and status.reconnects != before.reconnects
    return status if is_other else None
