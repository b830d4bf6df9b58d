"""The bounds of a drill: kept up to the last nanosecond, missed by one more, never seen missed."""

import msgspec
import pytest

from shared.drill import BOUNDS_MS, misses
from shared.operator import FenceTimes
from shared.units import NS_PER_MS

KEPT = FenceTimes(
    fence_id=3,
    blocked_ns=10 * NS_PER_MS,
    quiet_ns=None,
    zero_ns=6_000 * NS_PER_MS,
    cancel_ns=25 * NS_PER_MS,
    empty_ns=1_000 * NS_PER_MS,
)


def test_every_time_at_its_bound_is_kept() -> None:
    assert misses(KEPT) == ()


@pytest.mark.req("TST-10")
@pytest.mark.parametrize(("field", "words", "bound_ms"), BOUNDS_MS)
def test_time_over_its_bound_or_never_seen_is_missed(field: str, words: str, bound_ms: int) -> None:
    late = msgspec.structs.replace(KEPT, **{field: bound_ms * NS_PER_MS + 1})
    assert [text.startswith(words) for text in misses(late)] == [True]
    unseen = msgspec.structs.replace(KEPT, **{field: None})
    assert misses(unseen) == (f"{words}: not seen, allowed {bound_ms} ms",)
