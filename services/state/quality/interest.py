"""DQ-7: an open interest below zero, or far from the one before it."""

from services.state.quality.freshness import Witness
from services.state.quality.readings import Complaint, apart_percent, is_apart, shown
from shared.units import Instant


class InterestRange:
    """The last open interest that was accepted, 1e-18 contracts."""

    def __init__(self, percent_max: int) -> None:
        """Begin with no past.

        Args:
            percent_max: Of change; more needs a second source.
        """
        self._percent_max = percent_max
        self._last: int | None = None

    def judge(self, value: int, witness: Witness) -> Complaint | None:
        """Return what is against an open interest, None when nothing is."""
        if value < 0:
            return Complaint("negative", "refused", shown(value), "at least 0")
        if self._last is None or not is_apart(value, self._last, self._percent_max):
            return None
        opinion = witness(value)
        if opinion.verdict == "confirmed":
            return None
        told = f"{shown(value)}, {apart_percent(value, self._last):+.1f} % from {shown(self._last)}"
        limit = f"{self._percent_max} % without a second source"
        return Complaint("interest", opinion.refusal, told, limit, opinion.said)

    def accept(self, value: int, now: Instant) -> None:
        """Take an open interest that is used."""
        self._last = value
