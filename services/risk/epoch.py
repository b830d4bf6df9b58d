"""The epoch: account-wide, only grows, never used twice by two runs.

Counts from what is reserved on disk beforehand, so that no fence waits for a write. A fence
may use an epoch that is not reserved yet (blocking needs no disk); a grant may not.
The next epoch stands above execution's too, whatever database was restored.
"""

RESERVE = 1_000
"""Epochs reserved ahead: weeks of fences for one write."""


class EpochCounter:
    """The newest epoch of this run, and how far the disk lets it go.

    Attributes:
        current: Newest epoch; 0 before the first.
    """

    def __init__(self, used_max: int, reserved: int) -> None:
        """Start above everything that an earlier run may have used."""
        assert 0 <= used_max <= reserved, "reserved before it was used"
        self.current = used_max
        self._reserved = reserved
        self._asked = reserved

    def take(self) -> int:
        """Return the next epoch; it is current from now on."""
        self.current += 1
        return self.current

    def raise_above(self, seen: int) -> None:
        """Make the next epoch higher than one that somebody else has seen."""
        self.current = max(self.current, seen)

    def reservation_due(self) -> int | None:
        """Return the epoch up to which to reserve now, None when enough is left or asked for."""
        if self.current + RESERVE // 2 < self._asked:
            return None
        self._asked = self.current + RESERVE
        return self._asked

    def reserved_up_to(self, reserved: int) -> None:
        """Take note that a reservation is on disk."""
        self._reserved = max(self._reserved, reserved)

    def is_durable(self) -> bool:
        """Tell whether the current epoch may carry a grant: no later run can take it again."""
        return 0 < self.current <= self._reserved

    def next_is_durable(self) -> bool:
        """Tell whether the next epoch, too, would be one that may carry a grant."""
        return self.current < self._reserved
