"""DQ-5: how many frames came in the last seconds, and how many of them were refused."""

from collections import deque

import msgspec

from shared.units import NS_PER_S, Instant

WINDOW_S = 10
"""Long enough that a feed of a few frames a second has a share, short enough that a venue gone bad
is seen within seconds."""


class _Second(msgspec.Struct):
    """One second's count."""

    number: int
    frames: int = 0
    rejected: int = 0


class FrameWindow:
    """Counts by seconds."""

    def __init__(self) -> None:
        """Begin with none."""
        self._seconds: deque[_Second] = deque(maxlen=WINDOW_S)

    def frame(self, now: Instant) -> None:
        """Count a frame, whatever becomes of it."""
        self._present(now).frames += 1

    def reject(self, now: Instant) -> None:
        """Count that a frame was refused."""
        self._present(now).rejected += 1

    def counts(self, now: Instant) -> tuple[int, int]:
        """Return the frames of the window, and how many were refused; never more than came."""
        from_second = now.monotonic_ns // NS_PER_S - WINDOW_S
        kept = [second for second in self._seconds if second.number > from_second]
        frames = sum(second.frames for second in kept)
        return frames, min(frames, sum(second.rejected for second in kept))

    def _present(self, now: Instant) -> _Second:
        number = now.monotonic_ns // NS_PER_S
        if not self._seconds or self._seconds[-1].number != number:
            self._seconds.append(_Second(number))
        return self._seconds[-1]
