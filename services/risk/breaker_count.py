"""How many circuit breakers have tripped on a UTC day (CB-6): one warns, two or more are critical.

The count survives a restart of risk, and rolls at 00:00 UTC. It stops nothing: each breaker has
done that itself.
"""

from collections.abc import Iterator

import msgspec

from services.risk.messages import BreakerTripped, StoredState
from services.risk.notes import Severity
from services.risk.samples import ACCOUNT, Sample
from services.risk.source import Notice
from shared.effects import Message
from shared.losses import day_of
from shared.risk_schema import Kept
from shared.switches import BREAKER_COUNT, BY_NAME
from shared.units import Instant

KEPT_NAME = "breakers"
CRITICAL_COUNT = 2
NAMES_MAX = 20
"""Names kept of a day; further ones are counted alone."""


class KeptCount(msgspec.Struct, frozen=True):
    """What survives a restart."""

    day: int
    count: int
    names: tuple[str, ...]


class BreakerCount:
    """The source of the count.

    Attributes:
        count: Of the present day.
    """

    def __init__(self, stored: StoredState) -> None:
        self.count = 0
        self._names: tuple[str, ...] = ()
        self._day = -1
        self._told = 0
        text = stored.kept.get(KEPT_NAME, "")
        try:
            kept = msgspec.json.decode(text, type=KeptCount) if text else KeptCount(-1, 0, ())
        except msgspec.MsgspecError:
            return
        self._day, self.count, self._names = kept.day, kept.count, kept.names
        self._told = self.count

    def hear(self, message: Message, now: Instant) -> None:
        """Count a breaker that has tripped."""
        if not isinstance(message, BreakerTripped):
            return
        switch = BY_NAME.get(message.name)
        if switch is None or switch is BREAKER_COUNT or not switch.requirement.startswith("CB-"):
            return
        self._roll(now)
        self.count += 1
        self._names = (*self._names, message.name)[:NAMES_MAX]

    def data(self, now: Instant) -> Iterator[Sample | Notice | Kept]:
        """Yield the count as a switch that stops nothing, and tell of each further one."""
        self._roll(now)
        names = ", ".join(self._names)
        words = f"{self.count} breakers tripped today (UTC): {names}"
        if self.count > self._told:
            self._told = self.count
            severity: Severity = "critical" if self.count >= CRITICAL_COUNT else "warning"
            yield Notice(severity, f"breakers {self.count}", words, BREAKER_COUNT.runbook)
            yield Kept(
                KEPT_NAME,
                msgspec.json.encode(KeptCount(self._day, self.count, self._names)).decode(),
            )
        yield Sample(BREAKER_COUNT, "", ACCOUNT, self.count > 0, words)

    def _roll(self, now: Instant) -> None:
        day = day_of(now.wall_ns)
        if day != self._day:
            self._day, self.count, self._told, self._names = day, 0, 0, ()
