"""What a kill drill must keep to: from the decision to the proof, on one machine.

Source of the bounds: the requirement that placements end within 10 ms of the decision,
cancel-all is on the wire within 25 ms, the book is empty within 1 s, and zero is proven within
6 s where the venue answers.
"""

from shared.operator import FenceTimes
from shared.units import NS_PER_MS

BOUNDS_MS: tuple[tuple[str, str, int], ...] = (
    ("blocked_ns", "placements blocked", 10),
    ("cancel_ns", "cancel-all on the wire", 25),
    ("empty_ns", "book empty", 1_000),
    ("zero_ns", "zero proven", 6_000),
)
"""Field of `FenceTimes`, words for people, longest time from the decision in milliseconds."""


def misses(times: FenceTimes) -> tuple[str, ...]:
    """Return what was late or never came, in words; empty when every time is in its bound."""
    found = []
    for field, words, bound_ms in BOUNDS_MS:
        took_ns: int | None = getattr(times, field)
        if took_ns is None:
            found.append(f"{words}: not seen, allowed {bound_ms} ms")
        elif took_ns > bound_ms * NS_PER_MS:
            found.append(f"{words}: {took_ns / NS_PER_MS:.1f} ms, allowed {bound_ms} ms")
    return tuple(found)
