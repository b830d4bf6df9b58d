"""How many requests a minute are written one by one; the others are counted and summed up.

A trail that anybody on this machine could make grow without bound would fill the disk that
the latches need. Deliberately knows no request: what is written is decided by who asks here.
"""

from shared.units import NS_PER_S, BootNs

SUM_EVERY_NS = 60 * NS_PER_S
"""What was left out is summed up in one row a minute."""


class AuditBudget:
    """A token bucket of rows.

    Attributes:
        left_out: Rows not written since the last sum.
    """

    def __init__(self, burst: int, every_ns: int, now_ns: BootNs) -> None:
        """Begin full.

        Args:
            burst: Rows that may be written at once.
            every_ns: One more is allowed after so long.
            now_ns: Of the start.
        """
        self.left_out = 0
        self._burst = burst
        self._every_ns = every_ns
        self._full_ns = now_ns
        self._summed_ns = now_ns

    def take(self, now_ns: BootNs) -> bool:
        """Take one row's place; False, and counted, when there is none left."""
        full_ns = max(self._full_ns, now_ns) + self._every_ns
        if full_ns > now_ns + self._burst * self._every_ns:
            self.left_out += 1
            return False
        self._full_ns = BootNs(full_ns)
        return True

    def sum_due(self, now_ns: BootNs) -> int:
        """Return how many were left out once a sum is due, and begin anew; 0 for none."""
        if not self.left_out or now_ns < self._summed_ns + SUM_EVERY_NS:
            return 0
        left_out, self.left_out = self.left_out, 0
        self._summed_ns = now_ns
        return left_out
