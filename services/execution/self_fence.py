"""When execution fences itself: the lease ran out and risk did not say why.

A lease that risk withholds while it speaks (paused, halted, fenced) is risk's own order
and answered by cancels alone. Silence is not: then execution cancels everything, says so
in every pong, and waits for a newer epoch. It never clears a latch.
"""

from services.execution.lease import Standing
from shared.control import SelfFenced
from shared.units import NS_PER_MS, Instant


class SelfFence:
    """Holds the present self-fence, if there is one.

    Attributes:
        fenced: What every pong repeats until a newer epoch arrives; None without.
    """

    def __init__(self, lease_ms: int) -> None:
        """Begin unfenced: a process that never had a lease has nothing in the market."""
        self._lease_ns = lease_ms * NS_PER_MS
        self._had_lease = False
        self.fenced: SelfFenced | None = None

    def judge(self, standing: Standing, now: Instant) -> bool:
        """Look at the lease; return whether it has run out since the last look."""
        leased = standing.is_leased(now)
        lost = self._had_lease and not leased
        self._had_lease = leased
        if lost and not self._is_ordered(standing, now):
            self.fence(standing.epoch, "lease ran out", now)
        return lost

    def forget_lease(self) -> None:
        """Note that the lease was given up on purpose: its end is no news."""
        self._had_lease = False

    def fence(self, epoch: int, cause: str, now: Instant) -> None:
        """Fence for a cause of our own; the first cause of an epoch stands."""
        if self.fenced is None:
            self.fenced = SelfFenced(epoch, cause, now.boot_ns)

    def hear_epoch(self, epoch: int) -> None:
        """Take a newer epoch in: it is risk's answer."""
        if self.fenced is not None and epoch > self.fenced.epoch:
            self.fenced = None

    def _is_ordered(self, standing: Standing, now: Instant) -> bool:
        """Whether risk spoke within the last lease and itself orders that nothing be placed."""
        if now.boot_ns - standing.heard_ns >= self._lease_ns:
            return False
        return standing.is_fenced or standing.trading_state in ("PAUSED", "HALTED")
