"""Posting, cancelling, keeping alive: what a key may do to its orders.

Source: https://docs.polymarket.com/api-reference (CLOB OpenAPI) and
https://docs.polymarket.com/trading/manage-orders (2026-09-28).
"""

from collections.abc import Callable, Iterable

import msgspec

from services.simulator.answers import Answer, Held, error, ok
from services.simulator.edge import Request
from services.simulator.exchange import Exchange
from services.simulator.faults import Faults
from services.simulator.heartbeat import Heartbeats
from services.simulator.limits import RateLimits
from services.simulator.matching import Order
from services.simulator.placement import PAYLOAD_TEXT, check_value, order_id_of, read_order
from services.simulator.stamps import Stamps
from services.simulator.verdicts import Placed, Refusal
from shared.identifiers import OrderHash
from shared.units import NS_PER_MS, NS_PER_S, Instant, MoneyE6
from shared.venue.auth import Credentials
from shared.venue.decimals import format_money
from shared.venue.faults import Malformed
from shared.venue.orders_wire import (
    BATCH_CANCELS_MAX,
    BATCH_ORDERS_MAX,
    CANCEL_MARKET_ORDERS,
    CANCEL_ORDER,
    CANCEL_ORDERS,
    HEARTBEAT_REQUEST,
    POST_ORDER,
    POST_ORDERS,
    CancelMarketOrders,
    CancelReply,
    ErrorBody,
    HeartbeatRefusal,
    HeartbeatReply,
    PostOrder,
    PostReply,
    accepted_reply,
    refused_reply,
)
from shared.venue.wire import decode, encode

RESTARTING_TEXT = "Service is not ready"
CANCEL_ONLY_TEXT = (
    "Trading is currently cancel-only. New orders are not accepted, but cancels are allowed."
)
DISABLED_TEXT = "Trading is currently disabled. Check polymarket.com for updates"
POST_ONLY_TEXT = "post-only mode: only post-only orders and cancels are accepted"
RATE_TEXT = "Too Many Requests"
NOT_FOUND_TEXT = "Order not found or already canceled"

Outcome = Placed | Refusal | Order
"""Of one posted order; an `Order` is held for the taker delay."""


class Trading:
    """Handles the requests that change orders."""

    def __init__(
        self,
        exchange: Exchange,
        heartbeats: Heartbeats,
        faults: Faults,
        stamps: Stamps,
        taker_delay_ms: int,
        *,
        has_limits: bool,
    ) -> None:
        """Set the parts, how long a marketable order is held, and whether rates are limited."""
        self._exchange = exchange
        self._heartbeats = heartbeats
        self._faults = faults
        self._stamps = stamps
        self._delay_ns = taker_delay_ms * NS_PER_MS
        self._limits = RateLimits() if has_limits else None

    # --- posting --------------------------------------------------------------------

    def post_order(self, request: Request, who: Credentials, now: Instant) -> Answer | Held:
        """Handle POST /order."""
        refused = self._check_mode(now, is_post=True) or self._spend_orders(who, 1, now)
        if refused is not None:
            return refused
        try:
            post = decode(POST_ORDER, request.body, "order")
        except Malformed:
            return error(400, PAYLOAD_TEXT)
        if self._is_barred(post, now):
            return self._post_only_answer(now)
        outcome = self._take(post, request, who, now)
        if isinstance(outcome, Order):
            held = outcome
            return Held(
                now.monotonic_ns + self._delay_ns,
                lambda later: _single(self._place(held, request, later)),
            )
        return _single(outcome)

    def post_orders(self, request: Request, who: Credentials, now: Instant) -> Answer | Held:
        """Handle POST /orders; every entry is judged alone."""
        refused = self._check_mode(now, is_post=True)
        if refused is not None:
            return refused
        try:
            posts = decode(POST_ORDERS, request.body, "orders")
        except Malformed:
            return error(400, PAYLOAD_TEXT)
        if len(posts) > BATCH_ORDERS_MAX:
            text = f"Too many orders in payload: {len(posts)}, max allowed: {BATCH_ORDERS_MAX}"
            return error(400, text)
        refused = self._spend_orders(who, len(posts), now)
        if refused is not None:
            return refused
        outcomes: list[Outcome | PostReply] = []
        for post in posts:
            if self._is_barred(post, now):
                # The venue says success here; only text and empty id tell that it is none.
                barred = msgspec.structs.replace(refused_reply(POST_ONLY_TEXT), success=True)
                outcomes.append(barred)
            else:
                outcomes.append(self._take(post, request, who, now))
        if any(isinstance(outcome, Order) for outcome in outcomes):
            return Held(
                now.monotonic_ns + self._delay_ns,
                lambda later: self._finish_batch(outcomes, request, later),
            )
        return self._finish_batch(outcomes, request, now)

    def _finish_batch(
        self, outcomes: Iterable[Outcome | PostReply], request: Request, now: Instant
    ) -> Answer:
        replies: list[PostReply] = []
        for outcome in outcomes:
            final = self._place(outcome, request, now) if isinstance(outcome, Order) else outcome
            replies.append(final if isinstance(final, PostReply) else _entry(final))
        return ok(replies)

    def _take(self, post: PostOrder, request: Request, who: Credentials, now: Instant) -> Outcome:
        order = read_order(post, self._exchange, who, now)
        if isinstance(order, Refusal):
            order_id = order_id_of(post, self._exchange)
            self._note_received(post, order_id, request, now)
            return self._note_refusal(order, order_id, request, now)
        self._note_received(post, order.order_id, request, now)
        refusal = self._exchange.check(order)
        takes = refusal is None and self._exchange.crosses(order)
        if refusal is None and (takes or order.time_in_force in ("FOK", "FAK")):
            refusal = check_value(order)
        if refusal is not None:
            return self._note_refusal(refusal, order.order_id, request, now)
        if takes and self._delay_ns:
            self._exchange.hold(order)
            return order
        return self._place(order, request, now)

    def _place(self, order: Order, request: Request, now: Instant) -> Placed | Refusal:
        outcome = self._exchange.place(order, now)
        if isinstance(outcome, Refusal):
            return self._note_refusal(outcome, order.order_id, request, now)
        return outcome

    def _note_received(
        self, post: PostOrder, order_id: str, request: Request, now: Instant
    ) -> None:
        order = post.order
        self._stamps.add(
            "post",
            now,
            request_id=request.request_id,
            order_id=order_id,
            owner=post.owner,
            account=order.maker.lower(),
            token=order.token_id,
            side=order.side,
            maker_amount=order.maker_amount,
            taker_amount=order.taker_amount,
            order_type=post.order_type,
            post_only=post.post_only,
            expiration=order.expiration,
            timestamp=order.timestamp,
        )

    def _note_refusal(
        self, refusal: Refusal, order_id: str, request: Request, now: Instant
    ) -> Refusal:
        self._stamps.add(
            "refusal", now, request_id=request.request_id, order_id=order_id, text=refusal.text
        )
        return refusal

    # --- modes and rates ------------------------------------------------------------

    def _check_mode(self, now: Instant, *, is_post: bool) -> Answer | None:
        mode = self._faults.mode(now.monotonic_ns)
        if mode is None:
            return None
        match mode[0]:
            case "restarting":
                return error(425, RESTARTING_TEXT, retry_after_s=1)
            case "disabled":
                return error(503, DISABLED_TEXT)
            case "cancel_only" if is_post:
                return error(503, CANCEL_ONLY_TEXT)
            case _:
                return None

    def _is_barred(self, post: PostOrder, now: Instant) -> bool:
        mode = self._faults.mode(now.monotonic_ns)
        return mode is not None and mode[0] == "post_only" and not post.post_only

    def _post_only_answer(self, now: Instant) -> Answer:
        mode = self._faults.mode(now.monotonic_ns)
        left_s = 1 if mode is None else max(1, -(-mode[1] // NS_PER_S))
        body = ErrorBody(error=POST_ONLY_TEXT, code="post_only_mode", retry_after_seconds=left_s)
        return Answer(503, encode(body), {"Retry-After": str(left_s)})

    def _spend_orders(self, who: Credentials, cost: int, now: Instant) -> Answer | None:
        if self._limits is None:
            return None
        bucket = self._limits.orders(who.api_key, now.monotonic_ns)
        return _limited(bucket.take(cost, now.monotonic_ns))

    def _spend_cancels(self, who: Credentials, cost: int, now: Instant) -> Answer | None:
        if self._limits is None:
            return None
        bucket = self._limits.cancels(who.api_key, now.monotonic_ns)
        return _limited(bucket.take(cost, now.monotonic_ns))

    # --- cancelling -----------------------------------------------------------------

    def cancel_order(self, request: Request, who: Credentials, now: Instant) -> Answer:
        """Handle DELETE /order."""
        try:
            order_id = decode(CANCEL_ORDER, request.body, "cancel").order_id
        except Malformed:
            return error(400, "Invalid orderID")
        refused = self._check_mode(now, is_post=False) or self._spend_cancels(who, 1, now)
        return refused or self._cancel((order_id,), request, who, now)

    def cancel_orders(self, request: Request, who: Credentials, now: Instant) -> Answer:
        """Handle DELETE /orders."""
        try:
            order_ids = decode(CANCEL_ORDERS, request.body, "cancels")
        except Malformed:
            return error(400, "Invalid order payload")
        if len(order_ids) > BATCH_CANCELS_MAX:
            text = f"Too many orders in payload, max allowed: {BATCH_CANCELS_MAX}"
            return error(400, text)
        refused = self._check_mode(now, is_post=False) or self._spend_cancels(
            who, len(order_ids), now
        )
        return refused or self._cancel(dict.fromkeys(order_ids), request, who, now)

    def cancel_all(self, request: Request, who: Credentials, now: Instant) -> Answer:
        """Handle DELETE /cancel-all."""
        return self._cancel_where(lambda order: True, request, who, now)

    def cancel_market(self, request: Request, who: Credentials, now: Instant) -> Answer:
        """Handle DELETE /cancel-market-orders."""
        try:
            wanted = decode(CANCEL_MARKET_ORDERS, request.body or b"{}", "cancel market")
        except Malformed:
            return error(400, "Invalid order payload")
        return self._cancel_where(lambda order: self._is_wanted(order, wanted), request, who, now)

    def _is_wanted(self, order: Order, wanted: CancelMarketOrders) -> bool:
        market = self._exchange.calendar.by_condition[order.market]
        token = market.tokens[order.outcome]
        is_market = not wanted.market or wanted.market == order.market
        return is_market and (not wanted.asset_id or wanted.asset_id == token)

    def _cancel_where(
        self, chosen: Callable[[Order], bool], request: Request, who: Credentials, now: Instant
    ) -> Answer:
        refused = self._check_mode(now, is_post=False) or self._spend_cancels(who, 1, now)
        if refused is not None:
            return refused
        mine = tuple(self._exchange.open.get(who.api_key, {}).values())
        order_ids = [order.order_id for order in mine if chosen(order)]
        if self._limits is not None:
            bucket = self._limits.cancels(who.api_key, now.monotonic_ns)
            bucket.debit(len(order_ids), now.monotonic_ns)
        return self._cancel(order_ids, request, who, now)

    def _cancel(
        self, order_ids: Iterable[str], request: Request, who: Credentials, now: Instant
    ) -> Answer:
        canceled: list[str] = []
        refused: dict[str, str] = {}
        for order_id in order_ids:
            order = self._exchange.orders.get(order_id)
            if order is None or order.owner != who.api_key:
                refused[order_id] = NOT_FOUND_TEXT
                continue
            reason = self._exchange.cancel(order, now, status="CANCELED", cause="asked")
            if reason is None:
                canceled.append(order_id)
            else:
                refused[order_id] = reason
        self._stamps.add(
            "cancel",
            now,
            request_id=request.request_id,
            owner=who.api_key,
            canceled=canceled,
            not_canceled=refused,
        )
        return ok(CancelReply(tuple(canceled), refused))

    # --- heartbeats -----------------------------------------------------------------

    def beat(self, request: Request, who: Credentials, now: Instant) -> Answer:
        """Handle POST /v1/heartbeats."""
        mode = self._faults.mode(now.monotonic_ns)
        if mode is not None and mode[0] == "restarting":
            return error(425, RESTARTING_TEXT, retry_after_s=1)
        try:
            sent = decode(HEARTBEAT_REQUEST, request.body, "heartbeat").heartbeat_id
        except Malformed:
            return error(400, "Invalid payload")
        following = self._heartbeats.accept(who.api_key, sent, now.monotonic_ns)
        self._stamps.add("beat", now, owner=who.api_key, accepted=following is not None)
        if following is None:
            expected = self._heartbeats.expected(who.api_key)
            return Answer(400, encode(HeartbeatRefusal("Invalid Heartbeat ID", expected)))
        return ok(HeartbeatReply(following))

    def sweep(self, now: Instant) -> None:
        """Cancel the orders of keys that have stopped to beat."""
        for key in self._heartbeats.sweep(now.monotonic_ns):
            orders = tuple(self._exchange.open.get(key, {}).values())
            self._stamps.add("dead_man", now, owner=key, orders=len(orders))
            for order in orders:
                self._exchange.cancel(order, now, status="CANCELED", cause="dead_man")


def _limited(missing_ns: int) -> Answer | None:
    if missing_ns == 0:
        return None
    return error(429, RATE_TEXT, retry_after_s=max(1, -(-missing_ns // NS_PER_S)))


def _reply(placed: Placed) -> PostReply:
    reply = accepted_reply(OrderHash(placed.order.order_id), placed.status)
    if not placed.trades:
        return reply
    return msgspec.structs.replace(
        reply,
        making_amount=format_money(MoneyE6(placed.making)),
        taking_amount=format_money(MoneyE6(placed.taking)),
        trade_ids=placed.trades,
    )


def _single(outcome: Placed | Refusal) -> Answer:
    if isinstance(outcome, Refusal):
        return error(outcome.status, outcome.text)
    return ok(_reply(outcome))


def _entry(outcome: Outcome) -> PostReply:
    assert not isinstance(outcome, Order)
    return refused_reply(outcome.text) if isinstance(outcome, Refusal) else _reply(outcome)
