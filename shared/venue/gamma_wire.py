"""Market descriptions of the discovery API (Gamma), in both directions.

Lists inside a market are JSON text inside JSON, save `positionIds`; they may be empty or
null for a moment after a market is created, which means unknown, not none.
Source: https://docs.polymarket.com/api-reference (Gamma, 2026-09-28) and recorded
production answers (2026-07-24, 2026-10-05).
"""

import msgspec

from shared.venue.wire import Wire, WireNumber, decode

MARKET_BY_SLUG_PREFIX = "/markets/slug/"
EVENT_BY_SLUG_PREFIX = "/events/slug/"
MARKETS_KEYSET_PATH = "/markets/keyset"
EVENTS_KEYSET_PATH = "/events/keyset"
GEOBLOCK_PATH = "/api/geoblock"

KEYSET_ROWS_MAX = 100
"""Rows in one page of markets."""


class FeeSchedule(Wire, frozen=True, rename="camel"):
    """How takers are charged; see `rules.taker_fee`."""

    rate: WireNumber
    exponent: WireNumber
    taker_only: bool = True
    rebate_rate: WireNumber = 0


class CryptoMarketConfig(Wire, frozen=True, rename="camel"):
    """How a crypto market resolves.

    Attributes:
        id: As `btc-15m-twap-60`.
        duration: As `15m`.
    """

    id: str
    asset: str
    duration: str = ""
    twap_enabled: bool = False
    twap_lookback_seconds: int | None = None


class GammaEventName(Wire, frozen=True):
    """The event of a market, as a market names it."""

    id: str
    slug: str = ""


class GammaMarket(Wire, frozen=True, rename="camel", omit_defaults=True):
    """One market. What trading rests on has no default that could be mistaken for a fact.

    Attributes:
        condition_id: 0x and 64 hex digits, or 62 on a market of Protocol V2.
        version: `v1` or `v2`; missing or unknown means that it must not be traded.
        clob_token_ids: JSON text of an array; null or empty on v2, or just after creation.
        position_ids: Array, on v2.
        outcomes: JSON text of an array, index-aligned with the ids.
        outcome_prices: JSON text of an array; 1 and 0 once resolved.
        start_date: Listing; event_start_time: window open; end_date: window close.
        seconds_delay: Delay of taking orders on live events, unlike crypto's.
        group_item_title: Its name among the outcomes of an event with several markets.
        neg_risk_other: Whether it stands for every outcome that is not named.
        events: The event that it belongs to; a market inside an event does not repeat it.
    """

    id: str
    slug: str
    condition_id: str
    outcomes: str | None = None
    version: str | None = None
    question: str = ""
    clob_token_ids: str | None = None
    position_ids: tuple[str, ...] | None = None
    outcome_prices: str | None = None
    active: bool | None = None
    closed: bool | None = None
    archived: bool | None = None
    restricted: bool | None = None
    accepting_orders: bool | None = None
    enable_order_book: bool | None = None
    start_date: str | None = None
    event_start_time: str | None = None
    end_date: str | None = None
    order_price_min_tick_size: WireNumber | None = None
    order_min_size: WireNumber | None = None
    neg_risk: bool | None = None
    seconds_delay: int | None = None
    fees_enabled: bool | None = None
    fee_type: str | None = None
    fee_schedule: FeeSchedule | None = None
    maker_base_fee: WireNumber | None = None
    taker_base_fee: WireNumber | None = None
    resolution_source: str | None = None
    crypto_market_config: CryptoMarketConfig | None = None
    uma_resolution_status: str | None = None
    resolution_status: str | None = None
    closed_time: str | None = None
    group_item_title: str | None = None
    neg_risk_other: bool | None = None
    events: tuple[GammaEventName, ...] | None = None


class GammaEvent(Wire, frozen=True, rename="camel", omit_defaults=True):
    """One event; a crypto window is an event with one market.

    Attributes:
        neg_risk: Whether at most one of its markets is paid, by the adapter for negative risk.
        neg_risk_market_id: Under which that adapter knows it: 0x and 64 hex digits.
        neg_risk_augmented: Whether outcomes may be named later: its markets are no complete set.
    """

    id: str
    slug: str
    markets: tuple[GammaMarket, ...]
    title: str = ""
    start_time: str | None = None
    end_date: str | None = None
    active: bool | None = None
    closed: bool | None = None
    restricted: bool | None = None
    neg_risk: bool | None = None
    neg_risk_market_id: str | None = msgspec.field(name="negRiskMarketID", default=None)
    neg_risk_augmented: bool | None = None


class MarketsPage(Wire, frozen=True, omit_defaults=True):
    """One page of /markets/keyset; no or an empty cursor means that it is the last."""

    markets: tuple[GammaMarket, ...]
    next_cursor: str | None = None


class EventsPage(Wire, frozen=True, omit_defaults=True):
    """One page of /events/keyset; no or an empty cursor means that it is the last."""

    events: tuple[GammaEvent, ...]
    next_cursor: str | None = None


class Geoblock(Wire, frozen=True):
    """Answer of GET /api/geoblock, for the address that asked."""

    blocked: bool
    ip: str = ""
    country: str = ""
    region: str = ""


MARKET = msgspec.json.Decoder(GammaMarket)
EVENT = msgspec.json.Decoder(GammaEvent)
MARKETS_PAGE = msgspec.json.Decoder(MarketsPage)
EVENTS_PAGE = msgspec.json.Decoder(EventsPage)
GEOBLOCK = msgspec.json.Decoder(Geoblock)
_TEXTS = msgspec.json.Decoder(tuple[str, ...])


def decode_texts(raw: str | None, field: str) -> tuple[str, ...]:
    """Return the texts of a JSON array inside text; null and empty text hold none yet.

    Raises:
        Malformed: It is something else.
    """
    return () if not raw else decode(_TEXTS, raw, field)


def encode_texts(texts: tuple[str, ...]) -> str:
    """Return texts as a JSON array inside text."""
    return msgspec.json.encode(texts).decode()
