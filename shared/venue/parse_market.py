"""From discovery's description of a crypto window to the market that we may trade.

A description that lacks anything that trading rests on, or contradicts itself, is refused
whole: such a market is not known, and is not traded. Tokens are chosen by the market's
protocol version, never by the look of an id.
Source: recorded production answers (2026-07-24, 2026-10-05), and
https://docs.polymarket.com/migrate/polymarket-v2/api-integrations (2026-09-28).
"""

import datetime
import re
from typing import TypeVar

from shared.facts import EventInfo, EventMarket, MarketInfo, MarketVersion, UnknownMarket
from shared.identifiers import TokenId
from shared.units import MonotonicNs, WallMs
from shared.venue.decimals import parse_scaled, parse_size
from shared.venue.faults import Malformed, Unparseable, WireFault
from shared.venue.gamma_wire import GammaEvent, GammaMarket, decode_texts
from shared.venue.parse import parse_tick, parse_token
from shared.venue.rules import FEE_RATE_SCALE, normal_condition_id, normal_version
from shared.venue.slugs import parse_window_slug
from shared.venue.wire import WireNumber

EVENT_MARKETS_MAX = 256
"""Outcomes of one event; elections have had about a hundred."""

_NEG_RISK_ID = re.compile(r"0x[0-9a-fA-F]{64}", re.ASCII)

SPLIT_WINNER = -1
"""`MarketInfo.winner` when both outcomes are paid one half."""

_FEE_PLACES = 6
_MS_PER_S = 1_000
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MILLISECOND = datetime.timedelta(milliseconds=1)

T = TypeVar("T")


def market_info(market: GammaMarket, cutoff_lead_ms: int) -> MarketInfo:
    """Return the market in an answer of discovery.

    Args:
        market: As described.
        cutoff_lead_ms: How long before its end we stop, our setting.

    Raises:
        WireFault: Something needed is missing, unknown or contradictory.
    """
    window = parse_window_slug(market.slug)
    version = normal_version(market.version, "version")
    start_ms = parse_moment(market.event_start_time, "eventStartTime")
    end_ms = parse_moment(market.end_date, "endDate")
    if start_ms != window.start_s * _MS_PER_S:
        raise Malformed("market", "eventStartTime is not the start in the slug")
    if end_ms - start_ms != window.interval_s * _MS_PER_S:
        raise Malformed("market", "endDate is not the end that the slug says")
    tick = _needed_number(market.order_price_min_tick_size, "orderPriceMinTickSize")
    min_size = _needed_number(market.order_min_size, "orderMinSize")
    return MarketInfo(
        condition_id=normal_condition_id(market.condition_id, "conditionId"),
        slug=market.slug,
        asset=window.asset,
        version=version,
        tokens=_tokens(market, version),
        outcomes=_pair(decode_texts(market.outcomes, "outcomes"), "outcomes"),
        tick_e4=parse_tick(tick, "orderPriceMinTickSize"),
        min_size_e6=parse_size(min_size, "orderMinSize"),
        neg_risk=_needed(market.neg_risk, "negRisk"),
        start_ms=start_ms,
        end_ms=end_ms,
        cutoff_ms=WallMs(end_ms - cutoff_lead_ms),
        active=_needed(market.active, "active"),
        closed=_needed(market.closed, "closed"),
        accepting_orders=_needed(market.accepting_orders, "acceptingOrders")
        and market.enable_order_book is not False,
        restricted=_needed(market.restricted, "restricted"),
        fee_rate_e6=_fee_rate(market),
        taker_delay=True,  # the venue holds takers on every crypto window
        winner=_winner(market),
        event_id=market.events[0].id if market.events else "",
    )


def event_info(event: GammaEvent, cutoff_lead_ms: int, verified_ns: MonotonicNs) -> EventInfo:
    """Return an event with all of its markets; one that cannot be read is named as unknown.

    Args:
        event: As described.
        cutoff_lead_ms: How long before a market's end we stop, our setting.
        verified_ns: When it was asked for.

    Raises:
        WireFault: What concerns the whole event is missing or contradictory.
    """
    if not event.markets or len(event.markets) > EVENT_MARKETS_MAX:
        raise Malformed("event", f"{len(event.markets)} markets")
    neg_risk = _needed(event.neg_risk, "negRisk")
    markets: list[EventMarket] = []
    unknown: list[UnknownMarket] = []
    for market in event.markets:
        try:
            found = _event_market(market, cutoff_lead_ms)
            if found.neg_risk != neg_risk:
                raise Malformed("market", "negRisk is not that of its event")
            markets.append(found)
        except WireFault as fault:
            unknown.append(UnknownMarket(market.slug, str(fault)))
    tokens = [token for market in markets for token in market.tokens]
    if len(set(tokens)) < len(tokens):
        raise Malformed("event", "two of its markets name one token")
    return EventInfo(
        event_id=event.id,
        slug=event.slug,
        title=event.title,
        neg_risk=neg_risk,
        neg_risk_market_id=_neg_risk_id(event) if neg_risk else "",
        is_augmented=_needed(event.neg_risk_augmented, "negRiskAugmented") if neg_risk else False,
        active=_needed(event.active, "active"),
        closed=_needed(event.closed, "closed"),
        restricted=_needed(event.restricted, "restricted"),
        markets=tuple(markets),
        unknown=tuple(unknown),
        verified_ns=verified_ns,
    )


def _event_market(market: GammaMarket, cutoff_lead_ms: int) -> EventMarket:
    version = normal_version(market.version, "version")
    end_ms = parse_moment(market.end_date, "endDate")
    tick = _needed_number(market.order_price_min_tick_size, "orderPriceMinTickSize")
    min_size = _needed_number(market.order_min_size, "orderMinSize")
    return EventMarket(
        condition_id=normal_condition_id(market.condition_id, "conditionId"),
        slug=market.slug,
        title=_needed(market.group_item_title, "groupItemTitle"),
        is_other=_needed(market.neg_risk_other, "negRiskOther"),
        version=version,
        tokens=_tokens(market, version),
        outcomes=_pair(decode_texts(market.outcomes, "outcomes"), "outcomes"),
        tick_e4=parse_tick(tick, "orderPriceMinTickSize"),
        min_size_e6=parse_size(min_size, "orderMinSize"),
        neg_risk=_needed(market.neg_risk, "negRisk"),
        end_ms=end_ms,
        cutoff_ms=WallMs(end_ms - cutoff_lead_ms),
        active=_needed(market.active, "active"),
        closed=_needed(market.closed, "closed"),
        accepting_orders=_needed(market.accepting_orders, "acceptingOrders")
        and market.enable_order_book is not False,
        restricted=_needed(market.restricted, "restricted"),
        fee_rate_e6=_fee_rate(market),
        seconds_delay=market.seconds_delay,
        winner=_winner(market),
    )


def _neg_risk_id(event: GammaEvent) -> str:
    """Return under which id the adapter for negative risk knows an event."""
    text = _needed(event.neg_risk_market_id, "negRiskMarketID")
    if not _NEG_RISK_ID.fullmatch(text):
        raise Unparseable("negRiskMarketID", text)
    return text.lower()


def parse_moment(text: str | None, field: str) -> WallMs:
    """Return the milliseconds of an ISO 8601 moment with its offset.

    Raises:
        Malformed: There is none.
        Unparseable: It is no moment, or has no offset.
    """
    raw = _needed(text, field)
    try:
        moment = datetime.datetime.fromisoformat(raw)
    except ValueError:
        raise Unparseable(field, raw) from None
    if moment.tzinfo is None:
        raise Unparseable(field, raw)
    return WallMs((moment - _EPOCH) // _MILLISECOND)


def _tokens(market: GammaMarket, version: MarketVersion) -> tuple[TokenId, TokenId]:
    if version == "v2":
        field, ids = "positionIds", market.position_ids or ()
    else:
        field, ids = "clobTokenIds", decode_texts(market.clob_token_ids, "clobTokenIds")
    first, second = _pair(ids, field)
    if first == second:
        raise Malformed("market", f"{field} name one token twice")
    return parse_token(first, field), parse_token(second, field)


def _pair(texts: tuple[str, ...], field: str) -> tuple[str, str]:
    if len(texts) != 2:
        raise Malformed("market", f"{field} holds {len(texts)} instead of 2")
    return texts[0], texts[1]


def _fee_rate(market: GammaMarket) -> int:
    """Return the taker's rate; a schedule that `rules.taker_fee` cannot compute is refused."""
    if not _needed(market.fees_enabled, "feesEnabled"):
        return 0
    schedule = _needed(market.fee_schedule, "feeSchedule")
    if parse_scaled(schedule.exponent, 0, "feeSchedule.exponent") != 1:
        raise Malformed("market", "feeSchedule.exponent is not 1")
    if not schedule.taker_only:
        raise Malformed("market", "feeSchedule charges makers")
    rate = parse_scaled(schedule.rate, _FEE_PLACES, "feeSchedule.rate")
    if not 0 <= rate <= FEE_RATE_SCALE:
        raise Unparseable("feeSchedule.rate", schedule.rate)
    return rate


def _winner(market: GammaMarket) -> int | None:
    """Return the winner once the market is closed and says that it is resolved."""
    statuses = (market.uma_resolution_status, market.resolution_status)
    if not market.closed or "resolved" not in statuses:
        return None
    prices = _pair(decode_texts(market.outcome_prices, "outcomePrices"), "outcomePrices")
    scaled = tuple(parse_scaled(price, _FEE_PLACES, "outcomePrices") for price in prices)
    winner = _WINNERS.get(scaled)
    if winner is None:
        raise Malformed("market", f"resolved at {prices}")
    return winner


_WINNERS: dict[tuple[int, ...], int] = {
    (1_000_000, 0): 0,
    (0, 1_000_000): 1,
    (500_000, 500_000): SPLIT_WINNER,
}


def _needed_number(value: WireNumber | None, field: str) -> WireNumber:
    if value is None:  # apart from `_needed`, whose type a union of numbers cannot bind
        raise Malformed("market", f"no {field}")
    return value


def _needed(value: T | None, field: str) -> T:
    if value is None:
        raise Malformed("market", f"no {field}")
    return value
