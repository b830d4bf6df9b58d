"""Whether both price sockets tell the same: one oracle, so the same second has one price.

Compares each tick of the older socket with those of the current one that bear its stamp, or
stand within a second of it, since one of the two floors its stamps. So many in a row that differ
make an asset doubtful, and so many that agree end it. A comparison that cannot be made says
nothing: it neither raises a doubt nor ends one.
"""

from collections import deque
from collections.abc import Iterable

from shared.facts import ReferencePrice
from shared.units import MonotonicNs

NEAR_MS = 1_000
"""The older socket tells one tick a second, stamped with its second."""

PENDING_MAX = 16
"""Ticks of the older socket that wait for the current one to come as far."""

BPS = 10_000


class Agreement:
    """The comparison of one asset's prices of one source.

    Attributes:
        doubt: In what they disagree; empty while they do not.
        compared_ns: When two prices were compared last, None for never.
    """

    def __init__(self, bps_max: int, samples: int) -> None:
        """Start with nothing compared.

        Args:
            bps_max: Difference in 1e-4 that still counts as equal.
            samples: Comparisons in a row that decide.
        """
        self._bps_max = bps_max
        self._samples = samples
        self._pending: deque[ReferencePrice] = deque(maxlen=PENDING_MAX)
        self._differing = 0
        self._agreeing = 0
        self.doubt = ""
        self.compared_ns: MonotonicNs | None = None

    def forget(self) -> None:
        """Drop what waits to be compared, as when prices are read anew; a doubt stands."""
        self._pending.clear()
        self._differing = self._agreeing = 0

    def take(self, tick: ReferencePrice, current: Iterable[ReferencePrice]) -> bool:
        """Take a live tick of either socket; return whether the doubt began or ended.

        Args:
            tick: The new one; of the current socket it is among `current` already.
            current: Recent ticks of the current socket, newest first by their stamps.
        """
        if tick.socket == "legacy":
            self._pending.append(tick)
        if not self._pending:
            return False
        recent = tuple(_since(current, self._pending[0].venue_ms - NEAR_MS))
        newest_ms = recent[0].venue_ms if recent else 0
        was = bool(self.doubt)
        while self._pending and self._pending[0].venue_ms <= newest_ms:
            self._compare(self._pending.popleft(), recent, tick.received_ns)
        return bool(self.doubt) != was

    def _compare(
        self, older: ReferencePrice, recent: tuple[ReferencePrice, ...], at_ns: MonotonicNs
    ) -> None:
        near = [each for each in recent if abs(each.venue_ms - older.venue_ms) <= NEAR_MS]
        same = [each for each in near if each.venue_ms == older.venue_ms]
        if not near:
            return
        self.compared_ns = at_ns
        best = min(same or near, key=lambda each: abs(each.value_e18 - older.value_e18))
        apart = abs(best.value_e18 - older.value_e18)
        if apart * BPS <= self._bps_max * best.value_e18:
            self._agreeing += 1
            self._differing = 0
            if self._agreeing >= self._samples:
                self.doubt = ""
            return
        self._differing += 1
        self._agreeing = 0
        if self._differing >= self._samples:
            self.doubt = (
                f"{older.source}: current {best.value_e18 / 10**18:.2f}, "
                f"legacy {older.value_e18 / 10**18:.2f}"
            )


def _since(ticks: Iterable[ReferencePrice], oldest_ms: int) -> Iterable[ReferencePrice]:
    for tick in ticks:
        if tick.venue_ms < oldest_ms:
            return
        yield tick
