"""How long turns take, and where a slow one went."""

from typing import Final

from bus import clock
from shared.effects import Log
from shared.units import NS_PER_MS, BootNs

SLOW_TURN_NS: Final = 100 * NS_PER_MS
"""A ping's time: a slower turn is on its way to cost the lease, and says where it went."""


class TurnTimes:
    """Times of the present turn.

    Attributes:
        lag_ns: Longest turn since the last pong.
    """

    def __init__(self) -> None:
        self.lag_ns = 0
        self._phases: list[tuple[str, BootNs]] = []

    def mark(self, phase: str) -> None:
        """Note when a phase of this turn was over."""
        self._phases.append((phase, clock.read().boot_ns))

    def end(self, woke_ns: BootNs, effects: int) -> Log | None:
        """End a turn; return what is to be logged of a slow one."""
        lasted_ns = clock.read().boot_ns - woke_ns
        self.lag_ns = max(self.lag_ns, lasted_ns)
        phases, self._phases = self._phases, []
        if lasted_ns <= SLOW_TURN_NS:
            return None
        fields: dict[str, object] = {"lasted_us": lasted_ns // 1_000, "effects": effects}
        before_ns = woke_ns
        for phase, over_ns in phases:
            fields[f"{phase}_us"] = (over_ns - before_ns) // 1_000
            before_ns = over_ns
        return Log("loop.slow", fields, "warning")
