"""Time of a machine: it passes when an action lets it, and never otherwise."""

from shared.units import NS_PER_MS, BootNs, Instant, MonotonicNs, WallNs

START_WALL_MS = 1_790_000_040_000
"""A whole minute, at which windows of every length begin."""

START_BOOT_MS = 1_000_000


class Clock:
    """All three clocks, which run together."""

    def __init__(self) -> None:
        """Begin at the start of a window."""
        self._ms = 0

    @property
    def now(self) -> Instant:
        """Return the present moment."""
        boot_ns = (START_BOOT_MS + self._ms) * NS_PER_MS
        wall_ns = (START_WALL_MS + self._ms) * NS_PER_MS
        return Instant(BootNs(boot_ns), MonotonicNs(boot_ns), WallNs(wall_ns))

    @property
    def elapsed_ms(self) -> int:
        """Return how long the machine has run."""
        return self._ms

    def advance(self, milliseconds: int) -> None:
        """Let time pass."""
        assert milliseconds >= 0
        self._ms += milliseconds
