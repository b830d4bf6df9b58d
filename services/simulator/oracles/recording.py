"""A recording as it is to be played: which part, how fast, and how it maps to the present.

Pure. Recorded time t is shown at base + (t - from) / speed; windows shrink with it, so that a
window of 300 s at speed 5 is one of 60 s for the whole system.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import blake2b

import msgspec

from services.simulator.oracles.markets_file import RecordedMarket
from services.simulator.oracles.prices_file import Prices, Unreadable
from shared.identifiers import Asset

END_GAP_MS = 5_000
"""A last window whose ticks end so shortly before it does is whole."""

_PPM = 1_000_000
_DAY_S = 86_400


class Recording(msgspec.Struct, frozen=True):
    """One asset's prices and markets, checked against each other.

    Attributes:
        markets: By start; empty when the venue's own rule decides all.
        interval_ms: Length of a window in recorded time.
        speed_ppm: Recorded time per time, in parts per million.
        from_ms: Start of the first window that is played, recorded time.
        until_ms: End of the last one.
        name: Tells two recordings, or two ways to play one, apart.
    """

    asset: Asset
    prices: Prices
    markets: dict[int, RecordedMarket]
    interval_ms: int
    speed_ppm: int
    from_ms: int
    until_ms: int
    name: str

    @property
    def window_count(self) -> int:
        """Return how many windows are played."""
        return (self.until_ms - self.from_ms) // self.interval_ms

    def starts(self) -> range:
        """Return the starts of the windows that are played, recorded time."""
        return range(self.from_ms, self.until_ms, self.interval_ms)


def make_recording(
    prices: Prices,
    markets: Sequence[RecordedMarket] = (),
    *,
    asset: str,
    interval_s: int,
    speed: float = 1.0,
    begin: str = "",
    windows: int | None = None,
) -> Recording:
    """Return what is to be played.

    Args:
        prices: Of the asset.
        markets: Of any assets; those of this one are taken.
        asset: Whose prices they are.
        interval_s: Length of a window for the system that trades.
        speed: Recorded time per time.
        begin: Moment from which the window is played first, as `parse_moment` takes it; empty
            for the first whole window.
        windows: At most so many; None for all.

    Raises:
        Unreadable: They do not fit together; `where` is the setting to look at.
    """
    speed_ppm = round(speed * _PPM)
    length = interval_s * speed_ppm
    if length % _PPM:
        raise Unreadable(
            "simulator.prices_speed", f"{interval_s} s times {speed} is no whole second"
        )
    interval_ms = length // _PPM * 1000
    taken = [market for market in markets if market.asset == asset]
    if markets and not taken:
        raise Unreadable("simulator.markets_file", f"holds no market of {asset}")
    for market in taken:
        if market.interval_s * 1000 != interval_ms:
            raise Unreadable(
                "markets.interval_s",
                f"{market.slug} lasted {market.interval_s} s: interval_s times prices_speed must "
                f"be that, and is {interval_ms // 1000}",
            )
    from_ms = _first_window(prices, interval_ms, begin)
    until_ms = (prices.at_ms[-1] + END_GAP_MS) // interval_ms * interval_ms
    if until_ms <= from_ms:
        what = f"{_span(prices)} holds no whole window of {interval_ms // 1000} s to play"
        raise Unreadable("simulator.prices_file", what)
    if windows is not None:
        until_ms = min(until_ms, from_ms + windows * interval_ms)
    return Recording(
        asset=Asset(asset),
        prices=prices,
        markets={market.start_ms: market for market in taken},
        interval_ms=interval_ms,
        speed_ppm=speed_ppm,
        from_ms=from_ms,
        until_ms=until_ms,
        name=_name(prices, taken, (asset, interval_ms, speed_ppm, from_ms)),
    )


def parse_moment(text: str, day_ms: int) -> int:
    """Return a moment in milliseconds of Unix time.

    Args:
        text: `13:05` or `13:05:00` UTC of a day, `2026-07-24T13:05:00Z`, or Unix seconds.
        day_ms: Any moment of that day.

    Raises:
        Unreadable: It is none of these.
    """
    if text.isascii() and text.isdigit():
        return int(text) * 1000
    day = datetime.fromtimestamp(day_ms // 1000 // _DAY_S * _DAY_S, UTC)
    try:
        moment = datetime.fromisoformat(f"{day:%Y-%m-%d}T{text}" if _is_clock(text) else text)
    except ValueError:
        raise Unreadable(
            "simulator.prices_from",
            f"{text!r} is neither 13:05, 2026-07-24T13:05:00Z nor Unix seconds",
        ) from None
    return round(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000)


def _is_clock(text: str) -> bool:
    return 0 < text.find(":") <= 2


def _first_window(prices: Prices, interval_ms: int, begin: str) -> int:
    first_ms, last_ms = prices.at_ms[0], prices.at_ms[-1]
    if not begin:
        return -(-first_ms // interval_ms) * interval_ms
    moment_ms = parse_moment(begin, first_ms)
    if not first_ms <= moment_ms <= last_ms:
        raise Unreadable("simulator.prices_from", f"{begin} is not within {_span(prices)}")
    return moment_ms // interval_ms * interval_ms


def _span(prices: Prices) -> str:
    first, last = (iso(at_ms) for at_ms in (prices.at_ms[0], prices.at_ms[-1]))
    return f"the recording ({first} to {last})"


def iso(at_ms: int) -> str:
    """Return a moment for people, to the second."""
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _name(prices: Prices, markets: list[RecordedMarket], way: tuple[object, ...]) -> str:
    parts = (prices.at_ms, prices.told_ms, prices.price_e8, markets, way)
    return blake2b(msgspec.json.encode(parts), digest_size=8).hexdigest()


class Playback:
    """A recording at its place in the present.

    Attributes:
        base_ms: Wall time at which the recording's first window begins; None before it is known.
    """

    def __init__(self, recording: Recording) -> None:
        """Take what is played."""
        self.recording = recording
        self.base_ms: int | None = None

    @property
    def interval_ms(self) -> int:
        """Return the length of a window of wall time."""
        return self.recording.interval_ms * _PPM // self.recording.speed_ppm

    def begin(self, wall_ms: int) -> None:
        """Let the window that runs now be the first one."""
        self.base_ms = wall_ms - wall_ms % self.interval_ms

    def wall_of(self, recorded_ms: int) -> int:
        """Return when a recorded moment is shown."""
        assert self.base_ms is not None
        passed_ms = recorded_ms - self.recording.from_ms
        return self.base_ms + passed_ms * _PPM // self.recording.speed_ppm

    def recorded_of(self, wall_ms: int) -> int:
        """Return which recorded moment is shown."""
        assert self.base_ms is not None
        passed_ms = wall_ms - self.base_ms
        return self.recording.from_ms + passed_ms * self.recording.speed_ppm // _PPM

    def plays(self, start_ms: int) -> bool:
        """Tell whether the window that starts at a wall time is one that is played."""
        recorded_ms = self.recorded_of(start_ms)
        return self.recording.from_ms <= recorded_ms < self.recording.until_ms

    def market(self, start_ms: int) -> RecordedMarket | None:
        """Return what was recorded of the window that starts at a wall time."""
        return self.recording.markets.get(self.recorded_of(start_ms))

    def span_ms(self, recorded_ms: int) -> int:
        """Return how long a recorded span takes."""
        return recorded_ms * _PPM // self.recording.speed_ppm
