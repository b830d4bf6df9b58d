"""Seeded chance for jitter, so that a replay waits as long as the original did.

Source: splitmix64, https://prng.di.unimi.it/splitmix64.c (public domain).
"""

_MASK = (1 << 64) - 1


class Chance:
    """A sequence of numbers that follows from its seed alone."""

    def __init__(self, seed: int) -> None:
        """Start the sequence.

        Args:
            seed: Any integer; a process takes its incarnation.
        """
        self._state = seed & _MASK

    def below(self, bound: int) -> int:
        """Return the next number, 0..bound-1; 0 for a bound of 0."""
        assert bound >= 0
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return ((mixed ^ (mixed >> 31)) * bound) >> 64
