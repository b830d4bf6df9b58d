"""Getting orders out of the market: one cancel-all a fence, targeted cancels ever after.

Waits for nothing: no lease, no budget, no ledger, no queue of posts (INV-4). A cancel that
failed is repeated; after a 429 at the earlier of what the venue asks and a quarter second.
Repeated failures escalate to one cancel of everything and an alert (EX-3); the venue's
dead-man switch, which risk keeps, is the step after that.
"""

from typing import Final

from services.execution.lifecycle import Order
from services.execution.order_register import OrderRegister
from services.execution.requests import (
    Ask,
    CancelAllAsk,
    CancelAsk,
    CancelMarketAsk,
    Requests,
)
from shared.effects import Effect, HttpFailed, HttpReply, Log, Publish
from shared.facts import Alert
from shared.identifiers import ConditionId, OrderHash
from shared.units import NS_PER_MS, NS_PER_S, BootNs, Instant
from shared.venue.cancel_outcomes import (
    CancelAnswer,
    Canceled,
    Kept,
    NotCanceled,
    judge_cancel,
)
from shared.venue.modes import retry_after_ms
from shared.venue.orders_wire import (
    CANCEL_ALL_PATH,
    CANCEL_MARKET_PATH,
    ORDERS_PATH,
    CancelMarketOrders,
)
from shared.venue.wire import encode

RETRY_NS_MAX: Final = 250 * NS_PER_MS
"""A cancel is never held longer than this, whatever the venue asks."""

RETRY_NS_FAILED: Final = 50 * NS_PER_MS
"""After an answer that never came: the connection is being made again."""

BATCH_MAX: Final = 100
"""Orders in one request: what the gate lets be in the market at once."""

ESCALATE_AFTER: Final = 3
"""Cancels of one order in a row that brought nothing."""

ESCALATE_EVERY_NS: Final = 5 * NS_PER_S
"""A cancel-all costs what it cancels; repeated no faster than this while it is the answer."""


class Canceller:
    """What is being cancelled.

    Attributes:
        is_ready: False while there are no credentials to cancel with.
        all_confirmed_ns: When the newest cancel-all was answered; 0 while it is not.
    """

    def __init__(self, register: OrderRegister, requests: Requests, deadline_ms: int) -> None:
        """Begin with nothing to cancel."""
        self._register = register
        self._requests = requests
        self._deadline_ms = deadline_ms
        self.is_ready = False
        self._all_wanted = False
        self._all_request = 0
        self._all_after_ns = BootNs(0)
        self._escalated_ns = BootNs(-ESCALATE_EVERY_NS)
        self.all_confirmed_ns = BootNs(0)

    def doom(self, order: Order, reason: str) -> None:
        """Mark an order to be cancelled until it is gone; the first reason stands."""
        if order.is_exposed and not order.doom:
            order.doom = reason

    def doom_all(self, reason: str) -> None:
        """Mark every order that is or may come to be in the market."""
        for order in self._register.exposed():
            self.doom(order, reason)

    def cancel_all(self, reason: str, now: Instant) -> list[Effect]:
        """Ask for everything of this key to be cancelled, at once."""
        self.doom_all(reason)
        self._all_wanted = True
        self.all_confirmed_ns = BootNs(0)
        return self._send_all(now) if self.is_ready else []

    def cancel_market(self, market: ConditionId, reason: str, now: Instant) -> list[Effect]:
        """Ask for everything in one market to be cancelled, at once."""
        for order in self._register.exposed():
            if order.record.market == market:
                self.doom(order, reason)
        if not self.is_ready:
            return []
        body = encode(CancelMarketOrders(market=market))
        ask = CancelMarketAsk(market)
        return [
            self._requests.cancel(ask, CANCEL_MARKET_PATH, body, self._deadline_ms, now.boot_ns)
        ]

    def tick(self, now: Instant) -> list[Effect]:
        """Send what is due: a cancel-all not answered yet, then what is left by id."""
        if not self.is_ready:
            return []
        if self._all_wanted and not self._all_request and now.boot_ns >= self._all_after_ns:
            return self._send_all(now)
        if self._all_request:
            return []
        due = [order for order in self._register.exposed() if _is_due(order, now.boot_ns)]
        effects: list[Effect] = []
        for start in range(0, len(due), BATCH_MAX):
            effects.append(self._send(due[start : start + BATCH_MAX], now))
        return effects

    def replied(self, ask: Ask, reply: HttpReply, now: Instant) -> list[Effect]:
        """Take the venue's answer to any cancel."""
        answer = judge_cancel(reply.status, reply.body)
        if isinstance(answer, CancelAnswer):
            if isinstance(ask, CancelAllAsk):
                self._all_request = 0
                self._all_wanted = False
                self.all_confirmed_ns = now.boot_ns
            return self._take_answer(ask, answer, now)
        asked_ms = retry_after_ms(reply.headers, reply.body)
        wait_ns = RETRY_NS_MAX if asked_ms is None else min(asked_ms * NS_PER_MS, RETRY_NS_MAX)
        return self._missed(ask, f"{reply.status} {answer.text}", wait_ns, now)

    def failed(self, ask: Ask, failure: HttpFailed, now: Instant) -> list[Effect]:
        """Take an answer that never came."""
        return self._missed(ask, failure.reason, RETRY_NS_FAILED, now)

    def _take_answer(self, ask: Ask, answer: CancelAnswer, now: Instant) -> list[Effect]:
        """Note what is gone, and ask after what is not."""
        for order in self._named(ask, answer):
            order.cancel_request = 0
            order.cancel_after_ns = BootNs(now.boot_ns + RETRY_NS_MAX)
            said = answer.of(order.record.order_id)
            if isinstance(said, Canceled):
                self._register.apply(order, "canceled", now, order.doom or "cancel_all")
                continue
            if isinstance(said, NotCanceled) and said.reason is Kept.CANCELED_BEFORE:
                self._register.apply(order, "canceled", now, "canceled_before")
                continue
            # Matched, gone, not found or held: only the venue's own word on the order decides.
            order.look_after_ns = now.boot_ns
            order.cancels_failed += 1
        return self._escalate(now)

    def _named(self, ask: Ask, answer: CancelAnswer) -> tuple[Order, ...]:
        """Return the orders of ours that an answer speaks of, or should."""
        ids: set[OrderHash] = set(ask.order_ids) if isinstance(ask, CancelAsk) else set()
        ids |= answer.canceled | answer.kept.keys()
        found = (self._register.find(order_id) for order_id in sorted(ids))
        return tuple(order for order in found if order is not None)

    def _missed(self, ask: Ask, why: str, wait_ns: int, now: Instant) -> list[Effect]:
        """Let a cancel be repeated soon."""
        again_ns = BootNs(now.boot_ns + wait_ns)
        if isinstance(ask, CancelAllAsk):
            self._all_request = 0
            self._all_after_ns = again_ns
        if isinstance(ask, CancelAsk):
            for order_id in ask.order_ids:
                order = self._register.find(order_id)
                if order is not None:
                    order.cancel_request = 0
                    order.cancel_after_ns = again_ns
                    order.cancels_failed += 1
        failed = Log("cancel.failed", {"ask": type(ask).__name__, "why": why}, "warning")
        return [failed, *self._escalate(now)]

    def _escalate(self, now: Instant) -> list[Effect]:
        """Cancel everything once when targeted cancels keep bringing nothing."""
        stuck = [
            order
            for order in self._register.exposed()
            if order.doom and order.cancels_failed >= ESCALATE_AFTER and order.live_ns
        ]
        if not stuck or now.boot_ns - self._escalated_ns < ESCALATE_EVERY_NS:
            return []
        self._escalated_ns = now.boot_ns
        text = f"{len(stuck)} orders resist their cancel; cancelling everything"
        alert = Alert("critical", "cancel_failing", text, "cancel_failing")
        return [
            Publish("risk.alert", alert, now.monotonic_ns),
            *self.cancel_all("cancel_failing", now),
        ]

    def _send_all(self, now: Instant) -> list[Effect]:
        """Send a cancel-all; one that is under way is not waited for."""
        request = self._requests.cancel(
            CancelAllAsk(), CANCEL_ALL_PATH, b"", self._deadline_ms, now.boot_ns
        )
        self._all_request = request.request_id
        self._all_after_ns = BootNs(now.boot_ns + RETRY_NS_MAX)
        return [request]

    def _send(self, orders: list[Order], now: Instant) -> Effect:
        """Send one targeted cancel."""
        ask = CancelAsk(tuple(order.record.order_id for order in orders))
        request = self._requests.cancel(
            ask, ORDERS_PATH, encode(ask.order_ids), self._deadline_ms, now.boot_ns
        )
        for order in orders:
            order.cancel_request = request.request_id
        return request


def _is_due(order: Order, now_ns: BootNs) -> bool:
    """Whether a cancel of an order is to be sent now, even one whose post has no answer yet."""
    return bool(order.doom) and not order.cancel_request and now_ns >= order.cancel_after_ns
