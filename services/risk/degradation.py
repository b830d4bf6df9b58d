"""DG-4: from the conditions that hold to one level, with hysteresis. Pure, and the only place.

A level is taken once a condition of it, or of a worse one, has held for a time without a
break; it is left once none has for a longer time. So what flaps keeps the level that it has.
SHUTDOWN is left by nobody: it ends with the process, and its latch with an operator.
"""

import msgspec

from shared.level import LEVELS, Level, rank
from shared.units import BootNs


class Cause(msgspec.Struct, frozen=True):
    """One condition that holds.

    Attributes:
        level: That it asks for.
        name: Stable word.
        text: For people, with the numbers.
    """

    level: Level
    name: str
    text: str


class LevelShift(msgspec.Struct, frozen=True):
    """The level has changed.

    Attributes:
        cause: Everything that holds, or that nothing does any more.
    """

    before: Level
    after: Level
    cause: str


class _Step(msgspec.Struct):
    """One level above NORMAL: since when something asks for it, and since when nothing does."""

    asked_ns: BootNs | None = None
    clear_ns: BootNs | None = None


class Degradation:
    """The level in force.

    Attributes:
        level: NORMAL until conditions have held for their time.
        since_ns: Since when; None before the first change.
    """

    def __init__(self, worse_after_ns: int, better_after_ns: int) -> None:
        """Begin at NORMAL.

        Args:
            worse_after_ns: For so long a condition holds before the level follows.
            better_after_ns: For so long none holds before the level is left.
        """
        self.level: Level = "NORMAL"
        self.since_ns: BootNs | None = None
        self._worse_after_ns = worse_after_ns
        self._better_after_ns = better_after_ns
        self._steps: dict[Level, _Step] = {level: _Step() for level in LEVELS[1:]}

    def judge(self, causes: tuple[Cause, ...], now_ns: BootNs) -> LevelShift | None:
        """Take what holds now; return the change of the level, None when there is none."""
        worst = max((rank(cause.level) for cause in causes), default=0)
        for level, step in self._steps.items():
            is_asked = worst >= rank(level)
            if is_asked and step.asked_ns is None:
                step.asked_ns = now_ns
            elif not is_asked and step.clear_ns is None:
                step.clear_ns = now_ns
            if is_asked:
                step.clear_ns = None
            else:
                step.asked_ns = None
        after = self._reached(now_ns)
        if after == self.level:
            return None
        before, self.level, self.since_ns = self.level, after, now_ns
        text = "; ".join(f"{cause.name}: {cause.text}" for cause in causes)
        return LevelShift(before, after, text or "nothing holds any more")

    def _reached(self, now_ns: BootNs) -> Level:
        """Return the worst level that is reached, or not left yet."""
        if self.level == "SHUTDOWN":
            return "SHUTDOWN"
        for level in reversed(LEVELS[1:]):
            step = self._steps[level]
            if step.asked_ns is not None and now_ns >= step.asked_ns + self._worse_after_ns:
                return level
            is_held = rank(level) <= rank(self.level)
            clear_ns = step.clear_ns
            if is_held and (clear_ns is None or now_ns < clear_ns + self._better_after_ns):
                return level
        return "NORMAL"
