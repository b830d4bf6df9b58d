"""What a benchmark found."""

from collections.abc import Sequence

import msgspec


class Result(msgspec.Struct, frozen=True):
    """One benchmark; all times in nanoseconds.

    Attributes:
        what: In words, from where to where.
        floor: What the same way costs without us, in words.
        ratio: Median over the floor's median, rounded to two digits.
        bound_ns: What is promised of `p99_ns`; None where nothing is.
        per_second: How many of what is counted one core does in a second of its own time; None
            where nothing is counted.
        floor_per_second: Likewise of the floor.
    """

    name: str
    what: str
    samples: int
    median_ns: int
    p99_ns: int
    max_ns: int
    floor: str
    floor_median_ns: int
    floor_p99_ns: int
    ratio: float
    bound_ns: int | None = None
    per_second: int | None = None
    floor_per_second: int | None = None


class BenchFailed(Exception):
    """What was to be measured did not happen in time; says what."""


class TooBusy(BenchFailed):
    """It happened, but other load on this machine kept it from the rate that is measured."""


def summarise(
    name: str, what: str, measured: Sequence[int], floor: str, floors: Sequence[int]
) -> Result:
    """Put samples and those of the floor together.

    Raises:
        BenchFailed: One of them is empty.
    """
    if not measured or not floors:
        raise BenchFailed(f"{name}: nothing was measured")
    median_ns, floor_ns = quantile(measured, 50), quantile(floors, 50)
    return Result(
        name=name,
        what=what,
        samples=len(measured),
        median_ns=median_ns,
        p99_ns=quantile(measured, 99),
        max_ns=max(measured),
        floor=floor,
        floor_median_ns=floor_ns,
        floor_p99_ns=quantile(floors, 99),
        ratio=round(median_ns / floor_ns, 2) if floor_ns else 0.0,
    )


def quantile(values: Sequence[int], percent: int) -> int:
    """Return the smallest value that at least so many percent do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def added(*parts: Sequence[int]) -> tuple[int, ...]:
    """Return floors of steps after one another, sample by sample."""
    return tuple(sum(values) for values in zip(*parts, strict=False))


def halved(round_trips: Sequence[int]) -> tuple[int, ...]:
    """Return one way of round trips."""
    return tuple(value // 2 for value in round_trips)
