"""Small made-up recordings: a table of prices, rows of markets, and both together."""

import json
import math
from collections.abc import Iterable
from typing import Any

from services.simulator.oracles.markets_file import read_markets
from services.simulator.oracles.prices_file import Prices, make_prices, read_prices
from services.simulator.oracles.recording import Recording, make_recording
from shared.identifiers import Asset
from shared.venue.slugs import Window, window_slug

HEADER = "feed_ts_ms,value,full_accuracy_value,server_ts_ms,recv_ms"
START_S = 1_784_851_200
"""A multiple of five minutes."""

E8 = 10**8


def price_row(at_s: float, price_usd: float, late_ms: int = 1_350) -> str:
    """Return a line of the table."""
    at_ms = round((START_S + at_s) * 1000)
    told_ms = at_ms + late_ms
    return f"{at_ms},{price_usd},{round(price_usd * E8)}0000000000,{told_ms},{told_ms + 300}"


def price_text(rows: Iterable[str]) -> str:
    """Return the text of a table."""
    return "\n".join([HEADER, *rows]) + "\n"


def wave(seconds: int, *, holes: tuple[tuple[int, int], ...] = ()) -> list[str]:
    """Return a price a second that swings by some dollars, silent in the holes."""
    return [
        price_row(at_s, 65_000 + 20 * math.sin(at_s / 17) + 8 * math.sin(at_s / 3.1))
        for at_s in range(seconds + 1)
        if not any(begin < at_s < end for begin, end in holes)
    ]


def prices(*points: tuple[float, float]) -> Prices:
    """Return prices of points of (seconds from the start, USD), told 1.35 s later."""
    ms = [(round((START_S + at_s) * 1000), round(usd * E8)) for at_s, usd in points]
    return make_prices([(at_ms, at_ms + 1_350, price_e8) for at_ms, price_e8 in ms])


def waving(seconds: int, *, holes: tuple[tuple[int, int], ...] = ()) -> Prices:
    """Return the prices of `wave`."""
    return read_prices("wave", price_text(wave(seconds, holes=holes)).splitlines())


def market_row(number: int = 0, *, interval_s: int = 300, up: bool = True, **spoil: Any) -> str:
    """Return the line of one window, counted from the start."""
    start_s = START_S + number * interval_s
    row = {
        "slug": window_slug(Window(Asset("btc"), interval_s, start_s)),
        "asset": "btc",
        "start_sec": start_s,
        "end_sec": start_s + interval_s,
        "resolved": True,
        "outcome_prices": ["1", "0"] if up else ["0", "1"],
        "strike_value": None,
        "raw": {"id": "1", "closed": True},
    }
    return json.dumps(row | spoil)


def recording(played: Prices, *rows: str, interval_s: int = 300, **terms: Any) -> Recording:
    """Return a recording of prices and of market rows."""
    markets = read_markets("markets", rows) if rows else ()
    return make_recording(played, markets, asset="btc", interval_s=interval_s, **terms)
