"""Recorded reference prices: a table of ticks, read whole, and what follows from them.

Pure: lines in, prices out. The columns are found by name; each tick keeps when it was the
price and when the server told of it, so that its lateness and the holes of the day stay.

Source of the form: the recorded Chainlink topic of the production feed (2026-07-24), columns
feed_ts_ms, value, full_accuracy_value (1e-18 USD), server_ts_ms, recv_ms.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate, pairwise

import msgspec

AT = "feed_ts_ms"
TOLD = "server_ts_ms"
PRICE = "full_accuracy_value"
"""In 1e-18 USD; `value` beside it is a rounded double, and `recv_ms` is the collector's."""

POINTS_MAX = 5_000_000
"""Two months at one a second: what a process may well hold."""

_E18_TO_E8 = 10**10
_SAMPLE_MS = 60_000
_SAMPLE_SHORT_MS = 1_000
_SAMPLES_MIN = 10
_DEVIATION_MIN = 1e-7
"""Relative, per square-root second; a price that never moves has no fair value to speak of."""


class Unreadable(Exception):
    """A recording, or what is said of it, is not what it should be.

    Attributes:
        where: File and line, or the setting.
        what: What is wrong there.
    """

    def __init__(self, where: str, what: str) -> None:
        """Take both."""
        super().__init__(f"{where}: {what}")
        self.where = where
        self.what = what


class Prices(msgspec.Struct, frozen=True):
    """Ticks of one asset, oldest first; the same moment twice is a correction.

    Attributes:
        at_ms: Moment of each price, Unix time.
        told_ms: When the server told of it, not before `at_ms`.
        price_e8: In 1e-8 USD.
        sums_e8: Of all prices before each place, one more than there are prices.
    """

    at_ms: tuple[int, ...]
    told_ms: tuple[int, ...]
    price_e8: tuple[int, ...]
    sums_e8: tuple[int, ...]

    def __len__(self) -> int:
        """Return the number of ticks, at least one."""
        return len(self.at_ms)

    def first_from(self, at_ms: int) -> int:
        """Return the price at a moment, or the first after it; the last where there is none.

        So did the venue settle its markets on the spot: this rule gives the outcome of all 288
        five-minute markets of the recorded day (2026-07-24), and the last price before the
        boundary that of 283.
        """
        place = bisect_left(self.at_ms, at_ms)
        if place == len(self):
            return self.price_e8[-1]
        return self.price_e8[bisect_right(self.at_ms, self.at_ms[place]) - 1]

    def average(self, at_ms: int, lookback_ms: int) -> int:
        """Return the mean of the prices of a time before a moment, at it included.

        Where none is in that time it is the price before, or the first of all.
        """
        begin = bisect_right(self.at_ms, at_ms - lookback_ms)
        end = bisect_right(self.at_ms, at_ms)
        if end > begin:
            return (self.sums_e8[end] - self.sums_e8[begin]) // (end - begin)
        return self.price_e8[max(end - 1, 0)]

    def settle_e8(self, at_ms: int, lookback_ms: int) -> int:
        """Return the price that settles at a moment: an average, or with 0 the spot."""
        return self.average(at_ms, lookback_ms) if lookback_ms else self.first_from(at_ms)

    def deviation(self) -> float:
        """Return the relative standard deviation of the price per square-root second.

        From one price a minute: from second to second an aggregate is smoother than it is over
        the minutes that a market lasts.
        """
        span_ms = self.at_ms[-1] - self.at_ms[0]
        step_ms = _SAMPLE_MS if span_ms >= _SAMPLES_MIN * _SAMPLE_MS else _SAMPLE_SHORT_MS
        moments = range(self.at_ms[0], self.at_ms[-1] + 1, step_ms)
        prices = [self.price_e8[bisect_right(self.at_ms, moment) - 1] for moment in moments]
        if len(prices) < 2:
            return _DEVIATION_MIN
        moves = [math.log(later / sooner) for sooner, later in pairwise(prices)]
        variance = sum(move * move for move in moves) / len(moves) / (step_ms / 1000)
        return max(math.sqrt(variance), _DEVIATION_MIN)


def make_prices(points: Iterable[tuple[int, int, int]]) -> Prices:
    """Return prices of points of (moment, telling, 1e-8 USD), at least one, in order."""
    at_ms, told_ms, price_e8 = zip(*points, strict=True)
    return Prices(at_ms, told_ms, price_e8, (0, *accumulate(price_e8)))


def read_prices(name: str, lines: Iterable[str]) -> Prices:
    """Read a table of comma-separated numbers under a line of names.

    Args:
        name: Of the file, for people.
        lines: With or without their ends; empty ones are passed over.

    Raises:
        Unreadable: A column is missing, or a line is not the tick that should follow.
    """
    rows = iter(lines)
    header = next(rows, "").strip().split(",")
    missing = [column for column in (AT, PRICE, TOLD) if column not in header]
    if missing:
        raise Unreadable(f"{name} line 1", f"has no column `{missing[0]}`")
    points = list(_points(name, header, rows))
    if not points:
        raise Unreadable(name, "holds no price")
    return make_prices(points)


def _points(name: str, header: list[str], rows: Iterator[str]) -> Iterator[tuple[int, int, int]]:
    places = [header.index(column) for column in (AT, TOLD, PRICE)]
    last_ms = 0
    for number, row in enumerate(rows, 2):
        cells = row.strip().split(",")
        if cells == [""]:
            continue
        where = f"{name} line {number}"
        if number > POINTS_MAX:
            raise Unreadable(where, f"is one too many: {POINTS_MAX} are taken at most")
        if len(cells) != len(header):
            raise Unreadable(where, f"has {len(cells)} cells where {len(header)} should be")
        at_ms, told_ms, price_e18 = (
            _number(where, header[place], cells[place]) for place in places
        )
        if at_ms < last_ms:
            raise Unreadable(where, f"goes back in time, by {last_ms - at_ms} ms")
        if told_ms < at_ms:
            raise Unreadable(where, f"was told {at_ms - told_ms} ms before it was the price")
        price_e8 = price_e18 // _E18_TO_E8
        if price_e8 <= 0:
            raise Unreadable(where, f"`{PRICE}` is {price_e18}, below 1e-8 USD")
        last_ms = at_ms
        yield at_ms, told_ms, price_e8


def _number(where: str, column: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise Unreadable(where, f"`{column}` is {text!r}, no whole number")
    return int(text)
