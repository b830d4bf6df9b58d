"""Prices over two sockets of a real group: one dead, both dead, both telling something else."""

from collections.abc import Callable

import pytest

from bus import clock
from ops.waiting import wait_for
from shared.facts import PriceCarrier
from shared.topics import FEED_PRICE
from shared.units import NS_PER_S
from tests.processes.group import GroupUnderTest

WAIT_S = 90.0
"""Guards against waiting for ever; nothing is judged by it."""

CANCELS_NS = 11 * NS_PER_S
"""KS-3 would have cancelled and placed nothing for so long after the last price."""


def carrier(group: GroupUnderTest) -> PriceCarrier | None:
    status = group.view().feeds().get(FEED_PRICE)
    return status.carriers[0] if status is not None and status.carriers else None


def tripped(group: GroupUnderTest) -> set[str]:
    risk = group.view().risk()
    return set() if risk is None else {one.name for one in risk.switches}


def waits_for(group: GroupUnderTest, what: Callable[[], bool]) -> None:
    assert wait_for(lambda: what() or None, WAIT_S), group.log_tails()


def is_carried_by(group: GroupUnderTest, socket: str) -> bool:
    row = carrier(group)
    return row is not None and row.socket == socket


def is_empty(group: GroupUnderTest) -> bool:
    return not group.venue.open_orders().open


@pytest.mark.req("VEN-5", "KS-3")
def test_older_socket_carries_on_and_both_silent_stop_trading(trading: GroupUnderTest) -> None:
    """Orders are placed long after KS-3 would have ended it; without either price none are left."""
    waits_for(trading, lambda: is_carried_by(trading, "current"))
    at_ns = clock.read().monotonic_ns
    trading.venue.fault(kind="silence", stream="price")
    waits_for(trading, lambda: is_carried_by(trading, "legacy"))
    assert trading.placed_within(at_ns + CANCELS_NS, WAIT_S), trading.log_tails()
    assert is_carried_by(trading, "legacy")
    row = carrier(trading)
    assert row is not None
    assert row.since_ns > at_ns
    assert row.why
    with trading.venue.stillness():
        trading.venue.fault(kind="silence", stream="rtds")
        waits_for(trading, lambda: "oracle_stale" in tripped(trading))
        waits_for(trading, lambda: is_empty(trading))
        trading.venue.clear_faults()
    trading.wait_until_trading()
    waits_for(trading, lambda: is_carried_by(trading, "current"))


@pytest.mark.req("VEN-5")
def test_sockets_that_differ_rest_the_asset_until_they_agree(trading: GroupUnderTest) -> None:
    trading.venue.fault(kind="move_price", percent=1, stream="rtds")
    waits_for(trading, lambda: "abnormal_market" in tripped(trading))
    waits_for(trading, lambda: is_empty(trading))
    row = carrier(trading)
    assert row is not None
    assert "legacy" in row.doubt
    trading.venue.clear_faults()
    trading.wait_until_trading()


@pytest.mark.req("VEN-5")
def test_refused_key_leaves_the_older_socket_and_trading_goes_on(trading: GroupUnderTest) -> None:
    trading.venue.fault(kind="refuse_auth", text="auth_invalid")
    trading.venue.fault(kind="drop_streams", stream="price", count=1)
    at_ns = clock.read().monotonic_ns

    def is_refused() -> bool:
        row = carrier(trading)
        return row is not None and row.refused and row.socket == "legacy"

    waits_for(trading, is_refused)
    assert trading.placed_within(at_ns + CANCELS_NS, WAIT_S), trading.log_tails()
    assert is_refused()
