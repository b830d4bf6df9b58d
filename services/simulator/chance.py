"""Chance as explicit state: the same seed gives the same venue, event by event.

Splitmix64, whose state is one integer. It must not be used for anything secret.
Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
"""

import hashlib

_MASK = (1 << 64) - 1
_GAMMA = 0x9E3779B97F4A7C15

PPM = 1_000_000
"""Probabilities are integers in parts per million."""

_CHUNK = 1 << 16
_CHUNKS = 4
_NORMAL_MEAN = _CHUNKS * (_CHUNK - 1) // 2
# Standard deviation of the sum of four uniform 16-bit numbers: sqrt(4 * (2**32 - 1) / 12).
_NORMAL_DEVIATION = 37_837


class Chance:
    """A stream of pseudorandom numbers."""

    __slots__ = ("_state",)

    def __init__(self, seed: int) -> None:
        """Start the stream; equal seeds give equal streams."""
        self._state = seed & _MASK

    @property
    def state(self) -> int:
        """Return what a stream must be started with to go on from here."""
        return self._state

    def bits(self) -> int:
        """Return the next 64 bits."""
        self._state = (self._state + _GAMMA) & _MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return mixed ^ (mixed >> 31)

    def below(self, bound: int) -> int:
        """Return a number of 0..bound-1; the bias is below bound / 2**64."""
        assert bound > 0
        return self.bits() * bound >> 64

    def skip(self) -> None:
        """Go on by one number that nobody looks at."""
        self._state = (self._state + _GAMMA) & _MASK

    def between(self, low: int, high: int) -> int:
        """Return a number of low..high, both included."""
        assert high >= low
        return low + (self.bits() * (high - low + 1) >> 64)

    def happens(self, probability_ppm: int) -> bool:
        """Return True with a probability in parts per million."""
        if probability_ppm <= 0:
            # Most faults of a run never happen; which numbers the others get stays the same.
            self.skip()
            return False
        return self.bits() * PPM >> 64 < probability_ppm

    def normal_e9(self) -> int:
        """Return a roughly normal number of deviation one, in 1e-9, within 3.5 deviations."""
        bits = self.bits()
        total = 0
        for shift in (0, 16, 32, 48):
            total += bits >> shift & (_CHUNK - 1)
        return (total - _NORMAL_MEAN) * 1_000_000_000 // _NORMAL_DEVIATION

    def wait_ns(self, mean_ns: int) -> int:
        """Return a waiting time of this mean, uniform on half to one and a half of it."""
        return mean_ns // 2 + self.below(max(1, mean_ns))


def derive(seed: int, *labels: str) -> int:
    """Return 256 bits that depend on the seed and the labels alone.

    Ids, keys and the seeds of independent streams come from here, so that they survive a
    restart of the simulator.
    """
    text = ":".join((str(seed), *labels))
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")


def stream(seed: int, *labels: str) -> Chance:
    """Return a stream of its own for one purpose, so that others do not shift it."""
    return Chance(derive(seed, *labels) & _MASK)
