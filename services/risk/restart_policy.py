"""How often a program may end by itself before a restart is no answer any more. Pure.

OTP's restart intensity: so many in a window, and one more means that the fault is not transient.
supervisord restarts for ever and counts nothing; this counts, from the events that watch and
risk have written down, and decides nothing else.

Not every end weighs the same. A crash weighs two: the program found no way on. The kill of a hung
program weighs one, since a host that stood still looks like a hang of everybody, and a restart
heals neither; twice as many are let pass. So does an end with status 0 that nobody asked
supervisord for: somebody's SIGTERM, most likely, but a program that keeps ending is no service.
An end that supervisord was asked for weighs nothing: an operator at work must not stop his own
group.
"""

from collections import deque
from typing import Final

import msgspec

from shared.program_events import ProgramEvent
from shared.units import NS_PER_S, BootNs

CRASH_WEIGHT: Final = 2
MILD_WEIGHT: Final = 1

ENDS_KEPT_MAX: Final = 4_000
"""Ends remembered for one program: more than the largest limit has in its window."""

KILLED_KEPT_MAX: Final = 16
"""Kills of one program whose ends have not been told yet."""


class Limit(msgspec.Struct, frozen=True):
    """What one program may do.

    Attributes:
        crashes_max: Crashes in the window that are let pass; at least 1.
        window_ns: Length of the window.
    """

    crashes_max: int
    window_ns: int


class Ends:
    """The ends of one program.

    Attributes:
        is_flapping: Whether it was found to end too often; stays until `clear`.
        is_down: Whether it was seen stopped after that.
    """

    def __init__(self, limit: Limit) -> None:
        """Begin without any."""
        self._limit = limit
        self._ends: deque[tuple[BootNs, int]] = deque(maxlen=ENDS_KEPT_MAX)
        self._killed: deque[int] = deque(maxlen=KILLED_KEPT_MAX)
        self.is_flapping = False
        self.is_down = False

    def take(self, event: ProgramEvent) -> None:
        """Take one event of this program in, in the order in which they were written."""
        match event.kind:
            case "exited" | "backoff":
                self._ends.append((event.boot_ns, self._weigh(event)))
            case "killed":
                self._killed.append(event.pid)
            case "stopped":
                self.is_down = self.is_flapping
            case "flapping":
                self.is_flapping = True
            case "cleared":
                self.clear()
            case _:
                pass

    def clear(self) -> None:
        """Count anew."""
        self._ends.clear()
        self.is_flapping = self.is_down = False

    def is_over(self, now_ns: BootNs) -> bool:
        """Tell whether it has ended too often in the window that ends now."""
        return self.weight(now_ns) > CRASH_WEIGHT * self._limit.crashes_max

    def weight(self, now_ns: BootNs) -> int:
        """Return the weight of its ends in the window.

        A stamp that lies ahead is of an earlier life of the machine, and counts for nothing.
        """
        since_ns = now_ns - self._limit.window_ns
        return sum(weight for at_ns, weight in self._ends if since_ns < at_ns <= now_ns)

    def words(self, now_ns: BootNs) -> str:
        """Return how often it has ended, for people."""
        since_ns = now_ns - self._limit.window_ns
        weights = [weight for at_ns, weight in self._ends if since_ns < at_ns <= now_ns]
        crashes = weights.count(CRASH_WEIGHT)
        others = len(weights) - crashes
        besides = f" and {others} milder ends" if others else ""
        return f"{crashes} crashes{besides} in {self._limit.window_ns // NS_PER_S} s"

    def _weigh(self, event: ProgramEvent) -> int:
        if event.pid in self._killed:
            self._killed.remove(event.pid)
            return MILD_WEIGHT
        return MILD_WEIGHT if event.expected else CRASH_WEIGHT
