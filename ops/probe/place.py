"""The market of a session: one far from its end, with both sides of its book there."""

import threading

import msgspec

from bus import clock
from ops.probe.answers import field
from ops.probe.asking import Asks, Silent
from shared.config import Config
from shared.facts import MarketInfo
from shared.identifiers import Asset, TokenId
from shared.units import PRICE_ONE_E4, PriceE4
from shared.venue.decimals import parse_price
from shared.venue.faults import WireFault
from shared.venue.gamma_wire import MARKET, MARKET_BY_SLUG_PREFIX
from shared.venue.parse_market import market_info
from shared.venue.slugs import Window, window_slug
from shared.venue.wire import decode

AHEAD_MAX = 20
"""Windows looked at; the venue lists a day of them."""

LEFT_MS_WISHED = 300_000
"""Until the market's end: enough for an order's shortest life and everything around it."""

NEAREST = 2
"""Markets whose books are looked at: one of them may be as good as decided."""

BOOK_LOOKS = 10
BOOK_EVERY_S = 1.0
"""A market just listed has no quotes for a moment."""

TICKS_FROM_END_MIN = 5
"""The touch must be at least so far from the lowest price, where our orders rest."""


class Place(msgspec.Struct, frozen=True):
    """A market and its touch.

    Attributes:
        token: Outcome that is cheaper to buy; other: its complement.
        bid: Best bid of `token`; ask: its best ask.
    """

    info: MarketInfo
    token: TokenId
    other: TokenId
    bid: PriceE4
    ask: PriceE4


def find_place(asks: Asks, config: Config, slug: str) -> Place:
    """Return the market named, or the nearest one with enough time left and a whole book.

    Raises:
        Silent: There is none that may be probed; the words say why.
    """
    if slug:
        info = _read(asks, config, slug)
        if info is None:
            raise Silent(f"the venue knows no market {slug!r}, or it takes no orders")
        return touch_of(asks, info)
    known = _listed(asks, config)
    if not known:
        raise Silent("no market of the profile takes orders now")
    why = Silent("")
    for _ in range(BOOK_LOOKS):
        for info in known[:NEAREST]:
            try:
                return touch_of(asks, info)
            except Silent as silence:
                why = silence
        threading.Event().wait(BOOK_EVERY_S)
    raise why


def _listed(asks: Asks, config: Config) -> list[MarketInfo]:
    """Return the markets that take orders: those with enough time left first, nearest first."""
    now_ms = clock.read().wall_ms
    length_s = config.markets.interval_s
    start_s = now_ms // 1_000 // length_s * length_s
    found: list[MarketInfo] = []
    for number in range(AHEAD_MAX):
        window = Window(Asset(config.markets.assets[0]), length_s, start_s + number * length_s)
        info = _read(asks, config, window_slug(window))
        if info is not None:
            found.append(info)
        elif found:
            break
        if len([one for one in found if one.end_ms - now_ms >= LEFT_MS_WISHED]) >= NEAREST:
            break
    enough = [one for one in found if one.end_ms - now_ms >= LEFT_MS_WISHED]
    return enough or found[::-1]


def touch_of(asks: Asks, info: MarketInfo) -> Place:
    """Return a market with the touch of its cheaper outcome.

    Raises:
        Silent: A side of the book is empty, or the market is as good as decided.
    """
    found = []
    for token, other in (info.tokens, info.tokens[::-1]):
        reply = asks.ask_openly("market.book", "GET", f"/book?token_id={token}")
        bid, ask = best_of(reply.body)
        if bid is None or ask is None:
            raise Silent(f"{info.slug}: the book of {token} has an empty side")
        found.append(Place(info, token, other, bid, ask))
    place = min(found, key=lambda one: one.ask)
    far = TICKS_FROM_END_MIN * info.tick_e4
    if place.bid < far or place.ask > PRICE_ONE_E4 - far:
        raise Silent(f"{info.slug} is as good as decided: {place.bid} to {place.ask}")
    return place


def best_of(book: object) -> tuple[PriceE4 | None, PriceE4 | None]:
    """Return the best bid and ask of a book, wherever in its lists they stand."""
    sides: list[list[PriceE4]] = []
    for name in ("bids", "asks"):
        levels = field(book, name)
        prices = [field(level, "price") for level in levels] if isinstance(levels, list) else []
        try:
            sides.append([parse_price(price, "price") for price in prices])
        except WireFault:
            sides.append([])
    bids, asks = sides
    return max(bids, default=None), min(asks, default=None)


def _read(asks: Asks, config: Config, slug: str) -> MarketInfo | None:
    """Return a market that takes orders, None when there is none of that name."""
    path = MARKET_BY_SLUG_PREFIX + slug
    reply = asks.ask_openly("market.find", "GET", path, url=config.venue.discovery_url)
    if reply.status != 200:
        return None
    try:
        market = decode(MARKET, reply.text, "market")
        info = market_info(market, config.markets.cutoff_ms)
    except WireFault as fault:
        raise Silent(f"{slug}: {fault}") from None
    takes = info.active and info.accepting_orders and not info.closed
    return info if takes and info.end_ms > clock.read().wall_ms else None
