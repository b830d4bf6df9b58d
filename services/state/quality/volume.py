"""DQ-8: a volume many times higher than any before it, flagged and checked."""

from services.state.quality.freshness import Witness
from services.state.quality.readings import Complaint, shown
from shared.units import Instant


class VolumeRange:
    """The highest volume that was accepted, 1e-18."""

    def __init__(self, times_max: int) -> None:
        """Begin with no past.

        Args:
            times_max: Of the highest one; more is flagged, and refused unless a second source
                tells the same.
        """
        self._times_max = times_max
        self._highest: int | None = None

    def judge(self, value: int, witness: Witness) -> Complaint | None:
        """Return what is against a volume, None when nothing is."""
        if value < 0:
            return Complaint("negative", "refused", shown(value), "at least 0")
        highest = self._highest
        if not highest or value <= highest * self._times_max:
            return None
        opinion = witness(value)
        told = f"{shown(value)}, {value / highest:.1f} times {shown(highest)}"
        limit = f"{self._times_max} times the highest"
        if opinion.verdict == "confirmed":
            return Complaint("volume", "suspect", told, limit, opinion.said)
        return Complaint("volume", opinion.refusal, told, limit, opinion.said)

    def accept(self, value: int, now: Instant) -> None:
        """Take a volume that is used."""
        self._highest = max(value, self._highest or 0)
