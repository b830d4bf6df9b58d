"""Recorded markets: one JSON object a line, with what each window ended on.

Pure: lines in, markets out.

Source of the form: 292 recorded five-minute markets (2026-07-24), each with its outcome, its
strike where the collector had one, and discovery's own row.
"""

from collections.abc import Iterable

import msgspec

from services.simulator.oracles.prices_file import Unreadable
from shared.identifiers import Asset
from shared.venue.faults import Malformed, Unparseable
from shared.venue.gamma_wire import CryptoMarketConfig
from shared.venue.slugs import parse_window_slug
from shared.venue.wire import decode

MARKETS_MAX = 100_000
"""A year of five-minute markets of one asset."""

_E18_TO_E8 = 10**10
_WINNERS = {("1", "0"): 0, ("0", "1"): 1}


class RecordedMarket(msgspec.Struct, frozen=True):
    """One window as it went.

    Attributes:
        interval_s: Its length.
        start_ms: Its beginning, Unix time.
        winner: Index of the outcome that won; None when the recording does not tell.
        strike_e8: Price at its beginning, 1e-8 USD; None likewise.
        lookback_ms: Window of the average that settled it, 0 for the spot.
    """

    slug: str
    asset: Asset
    interval_s: int
    start_ms: int
    winner: int | None
    strike_e8: int | None
    lookback_ms: int


class _Raw(msgspec.Struct, rename="camel"):
    crypto_market_config: CryptoMarketConfig | None = None


class _Row(msgspec.Struct):
    slug: str
    start_sec: int
    end_sec: int
    resolved: bool = False
    outcome_prices: tuple[str, ...] | None = None
    strike_value: str | None = None
    raw: _Raw = msgspec.field(default_factory=_Raw)


_ROW = msgspec.json.Decoder(_Row)


def read_markets(name: str, lines: Iterable[str]) -> tuple[RecordedMarket, ...]:
    """Read markets, in the order of the lines.

    Args:
        name: Of the file, for people.
        lines: With or without their ends; empty ones are passed over.

    Raises:
        Unreadable: A line is no market, contradicts itself, or tells of a window again.
    """
    found: dict[str, RecordedMarket] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{name} line {number}"
        if len(found) >= MARKETS_MAX:
            raise Unreadable(where, f"is one too many: {MARKETS_MAX} are taken at most")
        market = _market(where, line)
        if market.slug in found:
            raise Unreadable(where, f"tells of {market.slug} again")
        found[market.slug] = market
    if not found:
        raise Unreadable(name, "holds no market")
    return tuple(found.values())


def _market(where: str, line: str) -> RecordedMarket:
    try:
        row = decode(_ROW, line, "recorded market")
        window = parse_window_slug(row.slug)
    except (Malformed, Unparseable) as fault:
        raise Unreadable(where, str(fault)) from fault
    told_s = (row.start_sec, row.end_sec)
    if told_s != (window.start_s, window.start_s + window.interval_s):
        raise Unreadable(where, f"{row.slug} does not last from {told_s[0]} to {told_s[1]}")
    config = row.raw.crypto_market_config
    averaged_s = config.twap_lookback_seconds if config and config.twap_enabled else 0
    return RecordedMarket(
        slug=row.slug,
        asset=window.asset,
        interval_s=window.interval_s,
        start_ms=window.start_s * 1000,
        winner=_winner(where, row),
        strike_e8=_strike(where, row.strike_value),
        lookback_ms=(averaged_s or 0) * 1000,
    )


def _winner(where: str, row: _Row) -> int | None:
    if not row.resolved:
        return None
    winner = _WINNERS.get(row.outcome_prices or ())  # type: ignore[arg-type]
    if winner is None:
        raise Unreadable(where, f"is resolved at {row.outcome_prices}, neither 1, 0 nor 0, 1")
    return winner


def _strike(where: str, text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and int(text) >= _E18_TO_E8):
        raise Unreadable(where, f"`strike_value` is {text!r}, no price in 1e-18 USD")
    return int(text) // _E18_TO_E8
