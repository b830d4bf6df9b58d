"""From frames and answers of Hyperliquid to facts: text becomes integers, at once.

Refuses what cannot be: a negative open interest, a price that is none, a book whose sides meet or
whose levels are out of order. What is merely unlikely passes. Holds no state.
"""

from shared.facts import PerpBook, PerpContext, PerpLevel, PerpSource, PerpTrade
from shared.identifiers import Asset
from shared.perps.wire import (
    LEVELS_MAX,
    TAKER_BUYS,
    PerpBookData,
    PerpCtx,
    PerpLevelRow,
    PerpTradeRow,
)
from shared.units import CoinsE8, MoneyE6, MonotonicNs, RateE12, ReferenceE18
from shared.venue.decimals import parse_reference, parse_scaled, parse_wall_ms
from shared.venue.faults import Malformed, Unparseable

COINS_PLACES = 8
RATE_PLACES = 12
_VOLUME_PLACES = 18
"""The wire has ten places, more than money has."""

_MONEY_PER_VOLUME = 10**12

COINS_E8_MAX = 10**18
"""Ten thousand million coins: what travels in 64 bits."""

RATE_E12_MAX = 10 * 10**12
"""A thousand percent: the venue caps funding at 4 % an hour."""

VOLUME_E6_MAX = 10**18


def coin_of(asset: Asset) -> str:
    """Return how the venue spells an asset: `btc` is `BTC`."""
    return asset.upper()


def perp_context(
    asset: Asset, ctx: PerpCtx, source: PerpSource, received_ns: MonotonicNs
) -> PerpContext:
    """Return what a context tells.

    Raises:
        Unparseable: A field holds something which it cannot hold.
    """
    return PerpContext(
        asset=asset,
        mark_e18=parse_reference(ctx.mark_px, "markPx"),
        oracle_e18=parse_reference(ctx.oracle_px, "oraclePx"),
        mid_e18=None if ctx.mid_px is None else parse_reference(ctx.mid_px, "midPx"),
        open_interest_e8=parse_coins(ctx.open_interest, "openInterest"),
        funding_e12=parse_rate(ctx.funding, "funding"),
        premium_e12=None if ctx.premium is None else parse_rate(ctx.premium, "premium"),
        day_volume_e6=_volume(ctx.day_ntl_vlm, "dayNtlVlm"),
        source=source,
        received_ns=received_ns,
    )


def perp_book(
    asset: Asset, book: PerpBookData, source: PerpSource, received_ns: MonotonicNs
) -> PerpBook:
    """Return a book, best levels last.

    Raises:
        Malformed: Its levels are out of order, too many, or its sides meet.
        Unparseable: A field holds something which it cannot hold.
    """
    bids = _side(book.levels[0], "bids", descending=True)
    asks = _side(book.levels[1], "asks", descending=False)
    if bids and asks and bids[-1][0] >= asks[-1][0]:
        raise Malformed("perp l2Book", "bids and asks meet")
    return PerpBook(asset, bids, asks, parse_wall_ms(book.time, "time"), source, received_ns)


def perp_trade(
    asset: Asset, row: PerpTradeRow, *, replayed: bool, received_ns: MonotonicNs
) -> PerpTrade:
    """Return a trade.

    Raises:
        Unparseable: A field holds something which it cannot hold.
    """
    size = parse_coins(row.sz, "sz")
    if size == 0 or not 0 <= row.tid < 1 << 63:
        raise Unparseable("sz" if size == 0 else "tid", row.sz if size == 0 else row.tid)
    return PerpTrade(
        asset=asset,
        price_e18=parse_reference(row.px, "px"),
        size_e8=size,
        side="BUY" if row.side == TAKER_BUYS else "SELL",
        trade_id=row.tid,
        venue_ms=parse_wall_ms(row.time, "time"),
        replayed=replayed,
        received_ns=received_ns,
    )


def parse_coins(raw: str, field: str) -> CoinsE8:
    """Return a quantity in 1e-8 coin.

    Raises:
        Unparseable: Not a number, negative, above `COINS_E8_MAX`, or finer than 1e-8.
    """
    coins = parse_scaled(raw, COINS_PLACES, field)
    if not 0 <= coins <= COINS_E8_MAX:
        raise Unparseable(field, raw)
    return CoinsE8(coins)


def parse_rate(raw: str, field: str) -> RateE12:
    """Return a share of something in 1e-12, of either sign.

    Raises:
        Unparseable: Not a number, beyond `RATE_E12_MAX` either way, or finer than 1e-12.
    """
    rate = parse_scaled(raw, RATE_PLACES, field)
    if not -RATE_E12_MAX <= rate <= RATE_E12_MAX:
        raise Unparseable(field, raw)
    return RateE12(rate)


def _volume(raw: str, field: str) -> MoneyE6:
    volume = parse_scaled(raw, _VOLUME_PLACES, field) // _MONEY_PER_VOLUME
    if not 0 <= volume <= VOLUME_E6_MAX:
        raise Unparseable(field, raw)
    return MoneyE6(volume)


def _side(rows: tuple[PerpLevelRow, ...], side: str, *, descending: bool) -> tuple[PerpLevel, ...]:
    """Return one side with its best level last; it comes with its best level first."""
    if len(rows) > LEVELS_MAX:
        raise Malformed("perp l2Book", f"{len(rows)} {side}")
    levels: list[tuple[ReferenceE18, CoinsE8]] = []
    for row in rows:
        price = parse_reference(row.px, f"{side}.px")
        size = parse_coins(row.sz, f"{side}.sz")
        if size == 0:
            raise Malformed("perp l2Book", f"{side} have an empty level at {row.px}")
        if levels and (price >= levels[-1][0] if descending else price <= levels[-1][0]):
            raise Malformed("perp l2Book", f"{side} are out of order at {row.px}")
        levels.append((price, size))
    levels.reverse()
    return tuple(levels)
