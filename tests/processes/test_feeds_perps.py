"""Perpetual futures in a real group: CB-3 by depth and funding, an error, and a feed that is gone.

One group, in which what is abnormal rests for seconds instead of a minute, and answers are asked
for every second.
"""

import signal
from collections.abc import Callable, Iterator

import pytest

from bus import clock
from ops.waiting import wait_for
from shared.facts import Evidence
from shared.topics import FEED_PERP
from shared.units import NS_PER_S
from tests.processes.group import FREE_LOSSES, GroupUnderTest

WAIT_S = 90.0
"""Guards against waiting for ever; nothing is judged by it."""

FAST = "\n[abnormal]\npause_ms = 4000\nrebuild_every_ms = 10000\n"
PERP = {
    "[perp]\nenabled = false": (
        '[perp]\nenabled = true\nsample_ms = 1000\nbook = "fast"\n'
        "context_stale_ms = 3000\nbook_stale_ms = 3000"
    )
}
"""Changes of the profile."""

USUAL_NS = 18 * NS_PER_S
"""Risk has heard books for long enough to know which depth is usual."""


class Perps:
    """The group, and what it says of its perpetual futures."""

    def __init__(self) -> None:
        self.group = GroupUnderTest(extra=FAST, changes={**FREE_LOSSES, **PERP})
        ran = self.group.up()
        assert ran.status == 0, repr(ran)
        self.group.wait_until_trading()
        self.waits_for(self.is_connected)
        self.began_ns = clock.read().monotonic_ns

    def waits_for(self, what: Callable[[], bool]) -> None:
        assert wait_for(lambda: what() or None, WAIT_S), self.group.log_tails()

    def reasons(self) -> str:
        """Return why the asset rests, empty when it does not."""
        risk = self.group.view().risk()
        assert risk is not None
        rows = [row for row in risk.switches if row.name == "abnormal_market"]
        return "; ".join(f"{row.reason} {row.evidence}" for row in rows)

    def level(self) -> str:
        risk = self.group.view().risk()
        return "" if risk is None else risk.level

    def is_empty(self) -> bool:
        return not self.group.venue.open_orders().open

    def is_connected(self) -> bool:
        status = self.group.view().feeds().get(FEED_PERP)
        return status is not None and status.connected

    def evidence(self) -> tuple[Evidence, ...]:
        status = self.group.view().feeds().get(FEED_PERP)
        return () if status is None else status.evidence

    def sessions(self) -> int:
        status = self.group.view().feeds().get(FEED_PERP)
        return 0 if status is None else status.session

    def knows_the_usual_depth(self) -> bool:
        return clock.read().monotonic_ns >= self.began_ns + USUAL_NS


@pytest.fixture(scope="module")
def shared_perps() -> Iterator[Perps]:
    made = Perps()
    try:
        yield made
    finally:
        made.group.close()


@pytest.fixture
def perps(shared_perps: Perps) -> Perps:
    """The module's group, trading, with every stream of the perpetual futures evident."""
    shared_perps.group.venue.clear_faults()
    shared_perps.group.wait_until_trading()
    shared_perps.waits_for(
        lambda: (
            bool(shared_perps.evidence())
            and all(row.evident_ns is not None for row in shared_perps.evidence())
        )
    )
    return shared_perps


@pytest.mark.req("CB-3")
def test_funding_that_answers_confirm_rests_the_asset_and_goes_on(perps: Perps) -> None:
    perps.group.venue.fault(kind="scale_perp", event="funding", percent=3_000)
    perps.waits_for(lambda: "funding" in perps.reasons())
    perps.waits_for(perps.is_empty)
    perps.waits_for(lambda: not perps.reasons())
    perps.group.wait_until_trading()


@pytest.mark.req("CB-3", "DQ-7")
def test_error_of_the_socket_alone_is_read_anew_before_anything_goes_on(perps: Perps) -> None:
    sessions = perps.sessions()
    perps.group.venue.fault(kind="move_price", event="perp", percent=25)
    perps.waits_for(lambda: "perp price" in perps.reasons() or "perpetual" in perps.reasons())
    perps.waits_for(perps.is_empty)
    perps.waits_for(lambda: perps.sessions() > sessions)
    perps.waits_for(lambda: "contradicted" in perps.reasons())
    perps.group.venue.clear_faults()
    perps.waits_for(lambda: not perps.reasons())
    perps.group.wait_until_trading()


@pytest.mark.req("CB-3")
def test_depth_that_is_gone_rests_the_asset_and_goes_on(perps: Perps) -> None:
    """Once a quarter of a minute of books has shown what is usual."""
    perps.waits_for(perps.knows_the_usual_depth)
    perps.group.venue.fault(kind="scale_perp", event="depth", percent=-98)
    perps.waits_for(lambda: "depth" in perps.reasons())
    perps.waits_for(perps.is_empty)
    perps.waits_for(lambda: not perps.reasons())
    perps.group.wait_until_trading()


@pytest.mark.req("DG-1", "NET-1")
def test_feed_that_is_silent_or_gone_lowers_the_level_and_trading_goes_on(perps: Perps) -> None:
    group = perps.group
    group.venue.fault(kind="silence", stream="perp")
    perps.waits_for(lambda: perps.level() == "REDUCED" and not perps.is_connected())
    at_ns = clock.read().monotonic_ns
    assert group.placed_within(at_ns, WAIT_S), group.log_tails()
    assert perps.level() == "REDUCED", "no emergency: no order rests on it"
    group.venue.clear_faults()
    perps.waits_for(perps.is_connected)
    before = group.pid(FEED_PERP)
    group.signal(FEED_PERP, signal.SIGKILL)
    at_ns = clock.read().monotonic_ns
    assert group.placed_within(at_ns, WAIT_S), group.log_tails()
    perps.waits_for(lambda: group.pid(FEED_PERP) not in (0, before))
    perps.waits_for(perps.is_connected)
