"""The switches that watch the host and the reference prices, in one group that trades."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bus import clock
from ops.waiting import wait_for
from shared.topics import EXECUTION, RISK
from shared.units import NS_PER_MS
from tests.processes.group import GroupUnderTest

SEES_WITHIN_S = 15.0
RECOVERS_WITHIN_S = 40.0

SETTINGS = """
[clock]
measure_every_ms = 1000
unknown_ms = 2000
"""
"""The switches' times shortened; what they are in production is judged under a clock that moves."""


class Environment:
    """A group whose host can be spoiled where it is read."""

    def __init__(self) -> None:
        self.group = GroupUnderTest(extra=SETTINGS)
        self._wrong_clock = self.group.directory / "wrong-clock"
        self.clock_wrong_by(0)
        self.group.environment[clock.WRONG_CLOCK_VARIABLE] = str(self._wrong_clock)
        ran = self.group.up()
        assert ran.status == 0, repr(ran)

    def clock_wrong_by(self, offset_ms: int) -> None:
        """Set the wall clock of all processes of the group; the venue's stays right."""
        clock.be_wrong_by(self._wrong_clock, offset_ms * NS_PER_MS)

    def make_right(self) -> None:
        """Spoil nothing any more, and wait until it trades."""
        self.clock_wrong_by(0)
        self.group.venue.clear_faults()
        self.group.wait_until_trading()

    def alerted(self, name: str) -> bool:
        """Tell whether risk has ever told people of something."""
        log = self.group.run / "log" / "risk.log"
        return f'"risk.alert.{name}"' in log.read_text(errors="replace")

    def tripped(self) -> set[str]:
        """Return the names of the switches that are tripped."""
        risk = self.group.view().risk()
        return set() if risk is None else {one.name for one in risk.switches}

    def waits_for(self, what: Callable[[], Any], within_s: float = SEES_WITHIN_S) -> None:
        """Wait until something holds."""
        found = wait_for(lambda: what() or None, within_s)
        assert found, f"not within {within_s} s\n{self.group.log_tails()}"

    def is_empty(self) -> bool:
        """Tell whether nothing of ours is open at the venue."""
        return not self.group.venue.open_orders().open

    def resume(self) -> tuple[int, str]:
        """Ask for a resume of everything; return the status and what was said."""
        ran = self.group.command("resume", "--reason", "test")
        return ran.status, ran.out + ran.err


@pytest.fixture(scope="module")
def spoilt() -> Iterator[Environment]:
    """One group for all switches of this file."""
    environment = Environment()
    try:
        yield environment
    finally:
        environment.group.close()


@pytest.fixture
def environment(spoilt: Environment) -> Environment:
    """The group, trading again after whatever the test before did to it."""
    spoilt.make_right()
    return spoilt


@pytest.mark.req("KS-9")
def test_clock_off_by_more_than_a_second_is_told_and_stops_nothing(
    environment: Environment,
) -> None:
    group = environment.group
    execution = group.pid(EXECUTION)
    environment.clock_wrong_by(1_500)
    environment.waits_for(lambda: environment.alerted("clock_drifts"))
    seen_ns = clock.read().monotonic_ns
    assert group.placed_within(seen_ns, SEES_WITHIN_S), "trading goes on"
    assert not environment.tripped()
    assert group.pid(EXECUTION) == execution


@pytest.mark.req("CK-1")
def test_clock_that_nobody_vouches_for_pauses_until_somebody_does(
    environment: Environment,
) -> None:
    venue = environment.group.venue
    venue.fault(kind="silence", stream="time")
    environment.waits_for(lambda: environment.alerted("clock_unknown"))
    seen_ns = clock.read().monotonic_ns
    assert environment.group.placed_within(seen_ns, SEES_WITHIN_S), "the venue still vouches"
    venue.fault(kind="refuse", path="/time", status=503)
    environment.waits_for(lambda: "clock_unknown" in environment.tripped())
    environment.waits_for(environment.is_empty)
    venue.clear_faults()
    environment.group.wait_until_trading(RECOVERS_WITHIN_S)


@pytest.mark.req("KS-9", "CK-2", "INV-9")
def test_clock_off_by_more_than_five_seconds_halts_until_it_is_corrected_and_resumed(
    environment: Environment,
) -> None:
    """Every process begins anew when the clock is set, risk latches, and a resume is refused."""
    group = environment.group
    execution = group.pid(EXECUTION)
    environment.clock_wrong_by(6_000)
    environment.waits_for(lambda: "clock_off" in environment.tripped())
    environment.waits_for(environment.is_empty)
    environment.waits_for(lambda: group.pid(EXECUTION) not in (0, execution))
    status, words = environment.resume()
    assert status != 0
    assert "ahead" in words, words
    group.kill_at_once(RISK)
    environment.waits_for(lambda: "clock_off" in environment.tripped())
    halted_ns = clock.read().monotonic_ns
    environment.clock_wrong_by(0)
    environment.waits_for(lambda: environment.resume()[0] == 0, RECOVERS_WITHIN_S)
    group.wait_until_trading(RECOVERS_WITHIN_S)
    resumed = [order for order in group.placed_within(halted_ns, SEES_WITHIN_S)]
    assert resumed
