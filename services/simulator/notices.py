"""Notifications of a key's holder: fills, orders that the venue ended, markets resolved.

Kinds and payloads follow polymarket-client 0.14.0, `models/clob/notifications.py`. Told are a fill
(2) and a failed one (8), the end of an order that its owner did not ask for (1), and the resolution
of a market in which the key traded (4). They are dropped by id, and the oldest go by themselves.
"""

from collections import deque

from services.simulator.answers import Answer, error, ok
from services.simulator.edge import Request
from services.simulator.exchange import Exchange
from services.simulator.happenings import Happening, MarketMoved, OrderChanged, TradeChanged
from services.simulator.market_records import Row, market_record
from services.simulator.markets import Market
from services.simulator.matching import Order
from shared.units import NS_PER_S, Instant, SizeE6
from shared.venue.auth import Credentials
from shared.venue.decimals import format_price, format_size

NOTICES_MAX = 500
"""Kept for one key."""

TOLD_MAX = 10_000
"""Settled trades that are remembered as told."""

ORDER_CANCELLATION = 1
ORDER_FILL = 2
MARKET_RESOLVED = 4
ORDER_FILL_FAILED = 8

_ASKED = ("asked", "killed")


class Notices:
    """What each key has been notified of."""

    def __init__(self, exchange: Exchange) -> None:
        """Set where orders and markets are known."""
        self._exchange = exchange
        self._count = 0
        self._of_key: dict[str, deque[Row]] = {}
        self._told: dict[str, None] = {}

    def note(self, happening: Happening, now: Instant) -> None:
        """Turn a happening into notifications of those whom it concerns."""
        match happening:
            case OrderChanged(kind="CANCELLATION") if happening.cause not in _ASKED:
                order = happening.order
                self._add(order.owner, ORDER_CANCELLATION, self._of_order(order), now)
            case TradeChanged(status="MINED" | "CONFIRMED") if self._is_new(happening):
                self._note_trade(happening, ORDER_FILL, now)
            case TradeChanged(status="FAILED"):
                self._note_trade(happening, ORDER_FILL_FAILED, now)
            case MarketMoved(state="RESOLVED"):
                for key in self._traders(happening.market):
                    self._add(key, MARKET_RESOLVED, market_record(happening.market, 0), now)
            case _:
                return

    def ls(self, request: Request, who: Credentials, now: Instant) -> Answer:
        """Handle GET /notifications, newest first."""
        return ok(tuple(reversed(self._of_key.get(who.api_key, ()))))

    def drop(self, request: Request, who: Credentials, now: Instant) -> Answer:
        """Handle DELETE /notifications: those of `ids`, or all without ids."""
        texts = [text for text in request.query.get("ids", "").split(",") if text]
        if not all(text.isascii() and text.isdigit() for text in texts):
            return error(400, "invalid notification ids")
        kept = self._of_key.pop(who.api_key, deque())
        if texts:
            dropped = set(map(int, texts))
            left = [row for row in kept if row["id"] not in dropped]
            self._of_key[who.api_key] = deque(left, NOTICES_MAX)
        return ok("OK")

    def _is_new(self, change: TradeChanged) -> bool:
        """Tell whether a settled trade is news; a fast one is heard of as CONFIRMED only."""
        trade_id = change.trade.trade_id
        if trade_id in self._told:
            return False
        self._told[trade_id] = None
        if len(self._told) > TOLD_MAX:
            del self._told[next(iter(self._told))]
        return True

    def _note_trade(self, change: TradeChanged, kind: int, now: Instant) -> None:
        trade = change.trade
        for order_id in (trade.taker_order_id, *(part.order_id for part in trade.makers)):
            order = self._exchange.orders.get(order_id)
            if order is None:
                continue
            payload = self._of_order(order) | {
                "transaction_hash": trade.transaction_hash,
                "trade_id": trade.trade_id,
            }
            self._add(order.owner, kind, payload, now)

    def _traders(self, market: Market) -> tuple[str, ...]:
        ids = self._exchange.trades.by_market.get(market.condition_id, [])
        trades = (self._exchange.trades.by_id[trade_id] for trade_id in ids)
        return tuple(dict.fromkeys(key for trade in trades for key in trade.owners))

    def _of_order(self, order: Order) -> Row:
        market = self._exchange.calendar.by_condition[order.market]
        return {
            "asset_id": market.tokens[order.outcome],
            "market": order.market,
            "order_id": order.order_id,
            "side": order.side,
            "type": order.time_in_force,
            "price": format_price(order.price),
            "original_size": format_size(order.size),
            "matched_size": format_size(order.filled),
            "remaining_size": format_size(SizeE6(order.remaining)),
            "outcome": market.names[order.outcome],
            "outcome_index": order.outcome,
            "transaction_hash": "",
            "trade_id": "",
            "question": "",
            "market_slug": market.slug,
            "icon": "",
            "image": "",
            "eventSlug": market.slug,
            "seriesSlug": "",
        }

    def _add(self, key: str, kind: int, payload: Row, now: Instant) -> None:
        if not key:
            return
        self._count += 1
        rows = self._of_key.setdefault(key, deque(maxlen=NOTICES_MAX))
        rows.append(
            {
                "id": self._count,
                "owner": key,
                "timestamp": now.wall_ns // NS_PER_S,
                "type": kind,
                "payload": payload,
            }
        )
