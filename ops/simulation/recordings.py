"""Recordings for the command: found, read, and compared with the venue's own rule."""

from pathlib import Path

import msgspec

from services.simulator.oracles.markets_file import RecordedMarket, read_markets
from services.simulator.oracles.oracle import TWAP_MS
from services.simulator.oracles.prices_file import Prices, Unreadable, read_prices
from services.simulator.oracles.recording import Recording, iso, make_recording
from services.simulator.oracles.recording_file import load_recording, read_file

__all__ = [
    "Agreement",
    "Recording",
    "Unreadable",
    "agree",
    "iso",
    "load_recording",
    "open_recording",
]

INTERVAL_S = 300
"""Of a window when no recorded market tells it."""


class Agreement(msgspec.Struct, frozen=True):
    """How often the recorded prices give the recorded outcome.

    Attributes:
        told: Windows whose outcome was recorded.
        by_rule: Of those, where the rule that the market names gives it; that is the spot
            where it names none.
        by_spot: Where the first price at or after start and end gives it.
        by_average: Where the averages over a minute before start and end give it.
        against: Slugs of those where the rule gives another.
    """

    told: int
    by_rule: int
    by_spot: int
    by_average: int
    against: tuple[str, ...]


def open_recording(
    prices_path: Path,
    markets_path: Path | None = None,
    *,
    asset: str = "btc",
    begin: str = "",
    windows: int | None = None,
) -> Recording:
    """Read a recording that is to be played at its own speed.

    Raises:
        Unreadable: A file or what it says is wrong; `where` names it.
    """
    prices = read_file(prices_path, read_prices)
    markets = () if markets_path is None else read_file(markets_path, read_markets)
    lengths = [market.interval_s for market in markets if market.asset == asset]
    interval_s = lengths[0] if lengths else INTERVAL_S
    return make_recording(
        prices, markets, asset=asset, interval_s=interval_s, begin=begin, windows=windows
    )


def agree(recording: Recording) -> Agreement:
    """Compare outcomes with prices, over the windows that are played."""
    found = [recording.markets.get(start_ms) for start_ms in recording.starts()]
    told = [market for market in found if market is not None and market.winner is not None]
    by_rule = [
        market for market in told if _winner(recording, market, market.lookback_ms) == market.winner
    ]
    return Agreement(
        told=len(told),
        by_rule=len(by_rule),
        by_spot=sum(_winner(recording, market, 0) == market.winner for market in told),
        by_average=sum(_winner(recording, market, TWAP_MS) == market.winner for market in told),
        against=tuple(market.slug for market in told if market not in by_rule),
    )


def _winner(recording: Recording, market: RecordedMarket, lookback_ms: int) -> int:
    prices: Prices = recording.prices
    start_e8 = prices.settle_e8(market.start_ms, lookback_ms)
    end_e8 = prices.settle_e8(market.start_ms + recording.interval_ms, lookback_ms)
    return 0 if end_e8 >= start_e8 else 1
