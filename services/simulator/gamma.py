"""Discovery: markets and events as the venue's Gamma describes them.

Source: recorded production answers (2026-07-24, 2026-10-05) and
https://docs.polymarket.com/market-data/fetching-markets (2026-09-28).
"""

from datetime import UTC, datetime

from services.simulator.answers import Answer, error, ok
from services.simulator.clearing import FEE_RATE_E6
from services.simulator.edge import Request, last_segment
from services.simulator.markets import MIN_SIZE_E6, OUTCOMES, Calendar, Market
from services.simulator.reads import FEE_CEILING_BPS
from shared.units import Instant
from shared.venue.gamma_wire import (
    KEYSET_ROWS_MAX,
    CryptoMarketConfig,
    EventsPage,
    FeeSchedule,
    GammaEvent,
    GammaMarket,
    MarketsPage,
    encode_texts,
)

_MS_PER_S = 1000


def _iso(wall_ms: int) -> str:
    return datetime.fromtimestamp(wall_ms // _MS_PER_S, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _prices(market: Market) -> tuple[str, str]:
    if market.winner is not None:
        return ("1", "0") if market.winner == 0 else ("0", "1")
    bid, ask = market.book.bids.best(), market.book.asks.best()
    middle = 5_000 if bid is None or ask is None else (bid + ask) // 2
    return f"{middle / 10_000:.4f}", f"{1 - middle / 10_000:.4f}"


def market_row(market: Market) -> GammaMarket:
    """Return one market as discovery tells of it."""
    parts = market.slug.split("-")
    is_v2 = market.version == "v2"
    is_resolved = market.state == "RESOLVED"
    twap = f"-twap-{market.lookback_ms // _MS_PER_S}" if market.lookback_ms else ""
    return GammaMarket(
        id=market.number,
        slug=market.slug,
        condition_id=market.condition_id,
        outcomes=encode_texts(OUTCOMES),
        version=market.version,
        question=f"{market.asset.upper()} Up or Down - {_iso(market.start_ms)}",
        clob_token_ids=None if is_v2 else encode_texts(market.tokens),
        position_ids=market.tokens if is_v2 else None,
        outcome_prices=encode_texts(_prices(market)),
        active=True,
        closed=is_resolved,
        archived=False,
        restricted=True,
        accepting_orders=market.is_trading,
        enable_order_book=True,
        start_date=_iso(market.listed_ms),
        event_start_time=_iso(market.start_ms),
        end_date=_iso(market.end_ms),
        order_price_min_tick_size=market.tick / 10_000,
        order_min_size=MIN_SIZE_E6 // 1_000_000,
        neg_risk=False,
        seconds_delay=0,
        fees_enabled=True,
        fee_type="crypto_fees_v2",
        fee_schedule=FeeSchedule(FEE_RATE_E6 / 1_000_000, 1, taker_only=True, rebate_rate=0.2),
        maker_base_fee=FEE_CEILING_BPS,
        taker_base_fee=FEE_CEILING_BPS,
        resolution_source=f"https://data.chain.link/streams/{market.asset}-usd-streams",
        crypto_market_config=CryptoMarketConfig(
            id=f"{market.asset}-{parts[2]}{twap}",
            asset=market.asset,
            duration=parts[2],
            twap_enabled=bool(market.lookback_ms),
            twap_lookback_seconds=market.lookback_ms // _MS_PER_S or None,
        ),
        uma_resolution_status="resolved" if is_resolved else None,
        resolution_status=("resolved" if is_resolved else "active") if is_v2 else None,
        closed_time=_iso(market.end_ms) if is_resolved else None,
    )


def event_row(market: Market) -> GammaEvent:
    """Return the event of a market; each window is an event of its own."""
    return GammaEvent(
        id=market.number,
        slug=market.slug,
        markets=(market_row(market),),
        title=f"{market.asset.upper()} Up or Down",
        start_time=_iso(market.start_ms),
        end_date=_iso(market.end_ms),
    )


class Gamma:
    """Handles discovery."""

    def __init__(self, calendar: Calendar) -> None:
        """Set where to look."""
        self._calendar = calendar

    def market(self, request: Request, now: Instant) -> Answer:
        """Handle GET /markets/slug/{slug}."""
        market = self._calendar.by_slug.get(last_segment(request))
        return error(404, "not found") if market is None else ok(market_row(market))

    def event(self, request: Request, now: Instant) -> Answer:
        """Handle GET /events/slug/{slug}."""
        market = self._calendar.by_slug.get(last_segment(request))
        return error(404, "not found") if market is None else ok(event_row(market))

    def markets(self, request: Request, now: Instant) -> Answer:
        """Handle GET /markets/keyset."""
        chosen, cursor = self._page(request)
        return ok(MarketsPage(tuple(map(market_row, chosen)), cursor))

    def events(self, request: Request, now: Instant) -> Answer:
        """Handle GET /events/keyset."""
        chosen, cursor = self._page(request)
        return ok(EventsPage(tuple(map(event_row, chosen)), cursor))

    def _page(self, request: Request) -> tuple[list[Market], str | None]:
        query = request.query
        rows = [market for market in self._calendar if _is_wanted(market, request)]
        start = _number(query.get("after_cursor"), 0)
        limit = min(_number(query.get("limit"), 20), KEYSET_ROWS_MAX)
        chosen = rows[start : start + limit]
        end = start + len(chosen)
        return chosen, str(end) if end < len(rows) else None


def _is_wanted(market: Market, request: Request) -> bool:
    query = request.query
    wants_closed = query.get("closed", "false") == "true"
    token = query.get("clob_token_ids")
    return (
        (market.state == "RESOLVED") == wants_closed
        and query.get("slug") in (None, market.slug)
        and query.get("condition_ids") in (None, market.condition_id)
        and (token is None or token in market.tokens)
    )


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else otherwise
