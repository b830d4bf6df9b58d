"""A whole group that trades while its market data runs at twice the busiest rate it must bear.

The benchmark stands outside: it asks risk over the operator's socket, kills and stops processes
by their ids, hears risk's decisions on the bus and reads the venue's log. All their stamps
are CLOCK_MONOTONIC of this machine.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType

import msgspec

from bus import clock
from bus.tap import Tap
from ops import control
from ops.bench.place import Place, place
from ops.bench.results import BenchFailed, TooBusy
from ops.bench.venue_log import OPEN_STATUSES, Row, VenueLog
from ops.group import Asked
from ops.observe import observe
from ops.start import Begun, Say, start
from ops.stop import stop
from ops.trading import reasons_not_trading
from ops.waiting import wait_for
from shared.effects import Received
from shared.facts import Transition
from shared.identifiers import Component
from shared.operator import FenceTimes, Halt, Halted, LatchName, Resume, Resumed
from shared.topics import FEED_MARKET, FEED_PRICE, FEED_USER, RISK, STATE
from shared.units import NS_PER_S, MonotonicNs

PEAK_FRAMES_PER_S = 500
PEAK_BURST_FRAMES_PER_S = 2_000
TIMES = 2
"""Measured is at twice the peak: 500 frames a second, and 2000 in a burst of a second."""

BURST_EVERY_S = 10
COUNTED_NS = 3 * NS_PER_S
REACHED = 0.8
"""A machine that is full sends fewer frames; below this part the figures would say nothing."""

TRADES_WITHIN_S = 120.0
HALTED_WITHIN_S = 60.0
FENCED_WITHIN_S = 10.0


KILLS_MAX = 1_000
"""Ends of one component that a run may cause, more than it ever does."""

CHANGES = MappingProxyType(
    {
        "[simulator]\n": f"[simulator]\nframes_per_second = {TIMES * PEAK_FRAMES_PER_S}\n"
        f"burst_frames_per_second = {TIMES * PEAK_BURST_FRAMES_PER_S}\n"
        f"burst_every_s = {BURST_EVERY_S}\n",
        # Markets that end while a fence is measured would be taken for what it does.
        "interval_s = 60": "interval_s = 14_400",
        # What is killed and stopped here is not taken for something that flaps.
        "[account]\n": "".join(
            f"[components.{name}]\nrestarts_max = {KILLS_MAX}\n"
            for name in (FEED_PRICE, FEED_USER, STATE)
        )
        + "[account]\n",
    }
)


class Decision(msgspec.Struct, frozen=True):
    """A fence as risk's core has decided it.

    Attributes:
        decided_ns: Instant of the turn that decided.
        why: In risk's words.
    """

    decided_ns: MonotonicNs
    why: str


class TradingGroup:
    """The group, and what is seen of it.

    Attributes:
        log: Of its venue.
    """

    def __init__(self, where: Place, tap: Tap) -> None:
        self.log = VenueLog(where.settings.config.venue.clob_url)
        self._run = where.settings.run_directory
        self._tap = tap
        self._open: set[str] = set()

    def wait_until_trading(self) -> None:
        """Return when the group trades and an order rests.

        Raises:
            TooBusy: It did not come to that.
        """
        reasons: tuple[str, ...] = ()

        def look() -> bool | None:
            nonlocal reasons
            reasons = reasons_not_trading(observe(self._run))
            self.note()
            return True if not reasons and self._open else None

        if not wait_for(look, TRADES_WITHIN_S):
            raise TooBusy(f"the group does not trade within {TRADES_WITHIN_S:.0f} s: {reasons}")

    def note(self) -> list[Row]:
        """Read on in the venue's log, and keep which orders rest."""
        rows = self.log.read()
        for row in rows:
            if row.kind == "order" and row.owner:
                held = self._open.add if row.status in OPEN_STATUSES else self._open.discard
                held(row.order_id)
        return rows

    def emptied_ns(self, rows: list[Row], resting: set[str], since_ns: int) -> int:
        """Return when the last of some orders had ended, as rows of the log tell.

        Raises:
            BenchFailed: One of them has not.
        """
        left = set(resting)
        at_ns = since_ns
        for row in rows:
            if row.kind == "order" and row.order_id in left and row.status not in OPEN_STATUSES:
                left.discard(row.order_id)
                at_ns = max(at_ns, row.at_ns)
        if left:
            raise BenchFailed(f"{len(left)} orders rest after zero was proven")
        return at_ns

    def resting(self) -> set[str]:
        """Return the orders that rest, as the log was read last."""
        return set(self._open)

    def halt(self) -> tuple[LatchName, FenceTimes]:
        """Halt the account; returns when zero is proven.

        Raises:
            BenchFailed: It was not.
        """
        answer = control.ask(self._run, Halt(reason="benchmark"), HALTED_WITHIN_S)
        if not isinstance(answer, Halted) or answer.fence is None:
            raise BenchFailed(f"halt: {answer}")
        return answer.latch, answer.fence

    def resume(self, latch: LatchName) -> None:
        """Clear the halt.

        Raises:
            BenchFailed: Risk refuses.
        """
        request = Resume(latches=(latch,), reason="benchmark")
        answer = control.ask(self._run, request, HALTED_WITHIN_S)
        if not isinstance(answer, Resumed):
            raise BenchFailed(f"resume: {answer}")

    def signal(self, component: Component, number: signal.Signals) -> int:
        """Send a signal to a component; return the moment just before.

        Raises:
            BenchFailed: Risk knows no such process.
        """
        status = observe(self._run).risk()
        heard = () if status is None else status.components
        found = [one.pid for one in heard if one.component == component and one.alive]
        if not found:
            raise BenchFailed(f"{component} does not run")
        at_ns = clock.read().monotonic_ns
        os.kill(found[0], number)
        return at_ns

    def decision_after(self, since_ns: int) -> Decision:
        """Return the first fence that was decided after a moment.

        Raises:
            BenchFailed: There was none in time.
        """
        until_ns = MonotonicNs(clock.read().monotonic_ns + int(FENCED_WITHIN_S * NS_PER_S))
        while (heard := self._tap.receive(until_ns)) is not None:
            fact = heard.fact
            if not isinstance(fact, Received) or not isinstance(fact.body, Transition):
                continue
            if fact.body.what == "fence" and fact.input_ns >= since_ns:
                return Decision(fact.input_ns, fact.body.cause)
        raise BenchFailed(f"no fence within {FENCED_WITHIN_S:.0f} s")


def _check_rate(where: Place) -> None:
    """Count what the market feed publishes.

    Raises:
        TooBusy: It is too little for twice the peak.
    """
    with Tap(where.settings.run_directory, (FEED_MARKET,), ("feed.market",)) as tap:
        until_ns = MonotonicNs(clock.read().monotonic_ns + COUNTED_NS)
        frames = 0
        while tap.receive(until_ns) is not None and clock.read().monotonic_ns < until_ns:
            frames += 1
    a_second = frames * NS_PER_S // COUNTED_NS
    if a_second < REACHED * TIMES * PEAK_FRAMES_PER_S:
        raise TooBusy(f"only {a_second} market frames a second")


@contextmanager
def trading_group(say: Say) -> Iterator[tuple[Place, TradingGroup]]:
    """Run a group for the length of a block; it trades when the block begins."""
    with place(CHANGES) as where:
        settings = where.settings
        begun = start(Asked(settings.path, settings.run_directory, settings.data_directory), say)
        if not isinstance(begun, Begun):
            raise BenchFailed(f"the group did not start: {begun}")
        try:
            with Tap(settings.run_directory, (RISK,), ("risk.transition",)) as tap:
                group = TradingGroup(where, tap)
                try:
                    say("a group at twice the peak")
                    group.wait_until_trading()
                    _check_rate(where)
                    yield where, group
                finally:
                    group.log.close()
        finally:
            stop(settings, say, without_proof=True)
