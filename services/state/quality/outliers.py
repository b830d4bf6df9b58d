"""DQ-9: a step many standard deviations larger than the steps before it, flagged.

Steps are judged and not values: a price that trends is far from its mean without being odd.
"""

import math
from collections import deque

from services.state.quality.readings import Complaint, shown
from shared.units import Instant

STEPS_MIN = 30
"""With fewer steps a deviation is a guess: its relative error is 13 % here."""

STEPS_MAX = 240
"""Four minutes at a tick a second."""

_BP = 10_000


class Outliers:
    """The newest relative steps of one stream."""

    def __init__(self, deviations_max: int, floor_bp: int) -> None:
        """Begin with no steps.

        Args:
            deviations_max: Of the steps before; more is flagged.
            floor_bp: Smaller steps, in 0.01 %, are never flagged.
        """
        self._deviations_max = deviations_max
        self._floor = floor_bp / _BP
        self._last: int | None = None
        self._steps: deque[float] = deque(maxlen=STEPS_MAX)
        self._sum = 0.0
        self._squares = 0.0

    def judge(self, value: int) -> Complaint | None:
        """Return that a value is an outlier, None when it is not or nobody can tell."""
        step = self._step(value)
        if step is None or len(self._steps) < STEPS_MIN or abs(step) < self._floor:
            return None
        count = len(self._steps)
        mean = self._sum / count
        deviation = math.sqrt(max(0.0, self._squares / count - mean * mean))
        if abs(step - mean) <= self._deviations_max * deviation:
            return None
        score = f"{abs(step - mean) / deviation:.1f}" if deviation else "infinitely many"
        told = f"{shown(value)}, a step of {step:+.4%}, {score} deviations"
        return Complaint("outlier", "suspect", told, f"{self._deviations_max} deviations")

    def accept(self, value: int, now: Instant) -> None:
        """Take a value that is used into the steps."""
        step = self._step(value)
        self._last = value
        if step is None:
            return
        if len(self._steps) == STEPS_MAX:
            self._forget(self._steps[0])
        self._steps.append(step)
        self._sum += step
        self._squares += step * step

    def _step(self, value: int) -> float | None:
        """Return the relative step from the last value, None without one."""
        return value / self._last - 1.0 if self._last else None

    def _forget(self, step: float) -> None:
        self._sum -= step
        self._squares -= step * step
