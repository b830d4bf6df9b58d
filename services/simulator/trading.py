"""Posting: from the body of a request to orders in a book, and to the answer.

Source: https://docs.polymarket.com/api-reference (CLOB OpenAPI) and
https://docs.polymarket.com/trading/manage-orders (2026-09-28).
"""

from collections.abc import Iterable

import msgspec

from services.simulator.agenda import Agenda
from services.simulator.answers import Answer, Held, error, ok
from services.simulator.edge import Request
from services.simulator.exchange import Exchange
from services.simulator.faults.switches import Faults
from services.simulator.matching import Order
from services.simulator.modes import POST_ONLY_TEXT, Modes
from services.simulator.placement import check_value, order_id_of, payload_text, read_order
from services.simulator.stamps import Stamps
from services.simulator.verdicts import Placed, Refusal
from shared.effects import Effect
from shared.identifiers import OrderHash
from shared.units import NS_PER_MS, Instant, MoneyE6
from shared.venue.auth import Credentials
from shared.venue.decimals import format_money
from shared.venue.faults import Malformed
from shared.venue.orders_wire import (
    BATCH_ORDERS_MAX,
    POST_ORDER,
    POST_ORDERS,
    PostOrder,
    PostReply,
    accepted_reply,
    refused_reply,
)
from shared.venue.wire import decode

Outcome = Placed | Refusal | Order
"""Of one posted order; an `Order` is held for the taker delay."""


class Trading:
    """Handles the requests that place orders."""

    def __init__(
        self,
        exchange: Exchange,
        modes: Modes,
        stamps: Stamps,
        taker_delay_ms: int,
        seconds_delay_ms: int,
        faults: Faults,
        agenda: Agenda,
    ) -> None:
        """Set the parts, and how long a marketable order is held.

        Args:
            exchange: Takes the orders.
            modes: Turns requests away.
            stamps: The log.
            taker_delay_ms: Hold before the answer.
            seconds_delay_ms: Hold after it, which says `delayed`; 0 for none.
            faults: May delay matches too.
            agenda: Where what is held after the answer waits.
        """
        self._exchange = exchange
        self._modes = modes
        self._stamps = stamps
        self._delay_ns = taker_delay_ms * NS_PER_MS
        self._late_ns = seconds_delay_ms * NS_PER_MS
        self._faults = faults
        self._agenda = agenda

    # --- posting --------------------------------------------------------------------

    def post_order(self, request: Request, who: Credentials, now: Instant) -> Answer | Held:
        """Handle POST /order."""
        refused = self._modes.check(now, is_post=True) or self._modes.spend_orders(who, 1, now)
        if refused is not None:
            return refused
        try:
            post = decode(POST_ORDER, request.body, "order")
        except Malformed:
            return error(400, payload_text(request.body))
        if self._modes.is_barred(post, now):
            return self._modes.post_only_answer(now)
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
        refused = self._modes.check(now, is_post=True)
        if refused is not None:
            return refused
        try:
            posts = decode(POST_ORDERS, request.body, "orders")
        except Malformed:
            return error(400, payload_text(request.body))
        if len(posts) > BATCH_ORDERS_MAX:
            text = f"Too many orders in payload: {len(posts)}, max allowed: {BATCH_ORDERS_MAX}"
            return error(400, text)
        refused = self._modes.spend_orders(who, len(posts), now)
        if refused is not None:
            return refused
        outcomes: list[Outcome | PostReply] = []
        for post in posts:
            if self._modes.is_barred(post, now):
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
        late_ns = self._late_ns_of(now) if takes else 0
        if late_ns:
            return self._delay(order, request, now, late_ns)
        if takes and self._delay_ns:
            self._exchange.hold(order)
            return order
        return self._place(order, request, now)

    def _late_ns_of(self, now: Instant) -> int:
        fault = self._faults.struck_by("delay_match", now.monotonic_ns)
        return self._late_ns if fault is None else max(1, fault.delay_ms) * NS_PER_MS

    def _delay(self, order: Order, request: Request, now: Instant, late_ns: int) -> Placed:
        """Hold an order and say so at once; what becomes of it only streams and reads tell.

        Source: https://docs.polymarket.com/concepts/order-lifecycle (2026-09-28), markets with a
        delay of seconds.
        """
        self._exchange.hold(order)

        def judge(later: Instant) -> list[Effect]:
            self._place(order, request, later)
            return []

        self._agenda.at(now.monotonic_ns + late_ns, judge)
        return Placed(order, "delayed")

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
