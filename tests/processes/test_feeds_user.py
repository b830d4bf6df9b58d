"""The own-order stream of a real group: gone, silent while a fill happens, and back with a gap."""

import functools
from collections.abc import Callable
from typing import Any

import pytest

from bus import clock
from ops.waiting import wait_for
from shared.topics import FEED_USER
from shared.units import NS_PER_S
from tests.processes.accounts import VenueSide
from tests.processes.group import GroupUnderTest
from tests.processes.rival import Rival
from tests.processes.wire_log import WireRecord

WAIT_S = 90.0
"""Guards against waiting for ever; nothing is judged by it."""

EMPTY_S = 3.5
"""KS-2: 3 s without evidence, a status, and a cancel's way to the venue; judged by its stamps."""

STAYS_S = 2.0
"""A group that may place again does so within a second."""

TRIES_MAX = 8
"""A bid that is replaced just then is missed by whoever sells into it."""


def waits_for(group: GroupUnderTest, what: Callable[[], Any]) -> Any:
    found = wait_for(lambda: what() or None, WAIT_S)
    assert found, group.log_tails()
    return found


def tripped(group: GroupUnderTest) -> set[str]:
    risk = group.view().risk()
    return set() if risk is None else {one.name for one in risk.switches}


def is_told(group: GroupUnderTest, session: int) -> bool:
    """Tell whether the stream is connected, in a session after this one."""
    status = group.view().feeds().get(FEED_USER)
    return status is not None and status.connected and status.session > session


def session_of(group: GroupUnderTest) -> int:
    status = waits_for(group, lambda: group.view().feeds().get(FEED_USER))
    return int(status.session)


def drop(group: GroupUnderTest) -> None:
    group.venue.fault(kind="drop_streams", stream="user", count=1)


def ours_at_venue(group: GroupUnderTest) -> VenueSide:
    group.venue.read()
    side = VenueSide(group.address)
    side.take(group.venue.records)
    return side


def legs_in_ledger(group: GroupUnderTest) -> list[tuple[str, str]]:
    ran = group.command("fills", "--json", "--rows", "1000")
    assert ran.status == 0, repr(ran)
    return [(row["trade_id"], row["order_id"]) for row in ran.json["fills"]]


@pytest.mark.req("KS-2")
def test_stream_that_is_gone_cancels_all_and_is_waited_for(trading: GroupUnderTest) -> None:
    with trading.venue.stillness():
        at_ns = clock.read().monotonic_ns
        trading.venue.fault(kind="refuse_stream", stream="user")
        drop(trading)
        emptied_ns = waits_for(trading, lambda: trading.venue.emptied_ns(at_ns))
        assert (emptied_ns - at_ns) / NS_PER_S <= EMPTY_S, trading.log_tails()
        assert "own_order_feed_stale" in waits_for(trading, lambda: tripped(trading))
        assert not trading.placed_within(clock.read().monotonic_ns, STAYS_S)
    trading.venue.clear_faults()
    trading.wait_until_trading()


@pytest.mark.req("KS-2", "EX-9", "NET-3")
def test_fill_while_the_stream_was_dead_is_known_once_after_it(trading: GroupUnderTest) -> None:
    """The stream is silent while somebody sells to us, and then breaks: it is told by nobody."""
    rival = Rival(trading.venue)
    known = set(ours_at_venue(trading).fills)
    fresh: set[tuple[str, str]] = set()
    for _ in range(TRIES_MAX):
        session = session_of(trading)
        trading.venue.fault(kind="silence", stream="user")
        for bid in bids(trading):
            rival.sells_into(bid)
        fresh = set(ours_at_venue(trading).fills) - known
        trading.venue.clear_faults()
        drop(trading)
        waits_for(trading, functools.partial(is_told, trading, session))
        trading.wait_until_trading()
        if fresh:
            break
    assert fresh, "every bid was replaced before somebody sold into it"
    waits_for(trading, lambda: fresh <= set(legs_in_ledger(trading)))
    legs = legs_in_ledger(trading)
    assert len(legs) == len(set(legs))
    assert not ours_at_venue(trading).told_twice


def bids(group: GroupUnderTest) -> list[WireRecord]:
    resting = group.venue.open_orders().open.values()
    return [order for order in resting if order["side"] == "BUY"][:2]


@pytest.mark.req("KS-2", "NET-3")
def test_nothing_is_placed_before_the_gap_has_been_read(trading: GroupUnderTest) -> None:
    """Connected again, with its orders read, and still without the trades of the gap."""
    session = session_of(trading)
    trading.venue.fault(
        kind="refuse", method="GET", path="/data/trades", status=503, text="upstream"
    )
    drop(trading)
    waits_for(trading, lambda: is_told(trading, session))
    waits_for(trading, lambda: "own_order_feed_stale" in tripped(trading))
    waits_for(trading, lambda: not trading.venue.open_orders().open)
    assert not [
        order
        for order in trading.placed_within(clock.read().monotonic_ns, STAYS_S)
        if order["side"] == "BUY"
    ]
    assert is_told(trading, session)
    trading.venue.clear_faults()
    trading.wait_until_trading()
