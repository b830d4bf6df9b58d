"""Getting orders out of the market: one cancel-all a fence, targeted cancels ever after.

Waits for nothing: no lease, no budget, no ledger, no queue of posts (INV-4). A cancel that
failed is repeated; after a refusal at the earlier of what the venue asks and a quarter second,
whatever its mode; one that nobody answers is sent once more beside it. What a cancel costs is
accounted for and chooses its form (`forms.py`), never its moment. Failures escalate
(`escalation.py`).
"""

from typing import Final

from services.execution.budgets.venue_rates import VenueRates
from services.execution.cancels.escalation import Escalation
from services.execution.cancels.forms import BATCH_MAX, choose, cost_max, cost_of, wire_form
from services.execution.lifecycle import Order
from services.execution.order_register import OrderRegister
from services.execution.requests import (
    CancelAllAsk,
    CancelAsk,
    CancelMarketAsk,
    CancelsAsk,
    Requests,
)
from shared.effects import Effect, HttpFailed, HttpReply, Log, Publish
from shared.facts import Alert
from shared.identifiers import ConditionId, OrderHash
from shared.units import NS_PER_MS, BootNs, Instant
from shared.venue.cancel_outcomes import (
    CancelAnswer,
    Canceled,
    Kept,
    NotCanceled,
    judge_cancel,
)
from shared.venue.modes import VenueMode, mode_of, retry_after_ms
from shared.venue.outcomes import Rejected, Unknown
from shared.venue.rate_tiers import RateNote

RETRY_NS_MAX: Final = 250 * NS_PER_MS
"""A cancel is never held longer than this, whatever the venue asks."""

RETRY_NS_FAILED: Final = 50 * NS_PER_MS
"""After a second answer in a row that never came; the first is repeated in the next turn."""

HEDGE_NS: Final = 400 * NS_PER_MS
"""A cancel without an answer for so long is sent once more, over another connection: that is above
any usual round trip, and far below the deadline of the request."""

TARGETED_MAX: Final = 10
"""Targeted cancels under way at once, fewer than the lane's connections: one for everything
never waits for them. What is due meanwhile goes together in the next, as soon as one of them is
answered or has been silent for `HEDGE_NS`."""

GONE: Final = frozenset({Kept.MATCHED, Kept.GONE, Kept.NOT_FOUND})
"""The venue says that it does not rest: its own word on the order must be asked for."""

GONE_MAX: Final = 60
"""So many times, fifteen seconds, an order is called gone before that counts as a cancel that
fails: three reconciliations would have shown where it is."""

NOT_ALLOWED: Final = frozenset({401, 403})


class Canceller:
    """What is being cancelled.

    Attributes:
        is_ready: False while there are no credentials to cancel with.
        escalation: How far the present trouble with cancels has come.
    """

    def __init__(
        self,
        register: OrderRegister,
        requests: Requests,
        rates: VenueRates,
        deadline_ms: int,
    ) -> None:
        """Begin with nothing to cancel."""
        self._register = register
        self._requests = requests
        self._rates = rates
        self._deadline_ms = deadline_ms
        self.is_ready = False
        self._all_wanted = False
        self._all_request = 0
        self._all_after_ns = BootNs(0)
        self._under_way: dict[int, BootNs] = {}
        self.escalation = Escalation()

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
        return self._send_all(now) if self.is_ready else []

    def cancel_market(self, market: ConditionId, reason: str, now: Instant) -> list[Effect]:
        """Ask for everything in one market to be cancelled, at once."""
        ours = [one for one in self._register.exposed() if one.record.market == market]
        for order in ours:
            self.doom(order, reason)
        if not self.is_ready:
            return []
        ids = tuple(order.record.order_id for order in ours)
        return [self._send(CancelMarketAsk(market, ids), now)]

    def cancel_ids(self, order_ids: tuple[OrderHash, ...], now: Instant) -> list[Effect]:
        """Ask for orders to be cancelled that have ended here and that the venue still lists."""
        if not self.is_ready:
            return []
        return [
            self._send(CancelAsk(order_ids[start : start + BATCH_MAX]), now)
            for start in range(0, len(order_ids), BATCH_MAX)
        ]

    def stand_down(self) -> None:
        """Want no cancel-all any more: zero is proven, so that a late one would hit what is new."""
        self._all_wanted = False

    def tick(self, now: Instant) -> list[Effect]:
        """Send what is due: a cancel-all not answered yet, then what is left by id."""
        if not self.is_ready:
            return []
        effects: list[Effect] = []
        if self._all_wanted and not self._all_request and now.boot_ns >= self._all_after_ns:
            effects += self._send_all(now)
        exposed = self._register.exposed()
        due = [order for order in exposed if self._is_due(order, now.boot_ns)]
        if due and self._has_connection(now.boot_ns):
            for ask in choose(due, exposed, self._rates.cancels_left(now.boot_ns)):
                effects.append(self._send(ask, now))
        return [*effects, *self._escalate(now)]

    def gives_up(self, now: Instant) -> str:
        """Return why risk is to cancel in our place; empty while our own cancels may do."""
        return self.escalation.wants_risk(self._register.exposed(), now.boot_ns)

    def replied(self, ask: CancelsAsk, reply: HttpReply, now: Instant) -> list[Effect]:
        """Take the venue's answer to any cancel."""
        self._under_way.pop(reply.request_id, None)
        answer = judge_cancel(reply.status, reply.body)
        count = len(answer.canceled) if isinstance(answer, CancelAnswer) else None
        cost = cost_max(ask) if count is None else cost_of(ask, count)
        note = self._rates.cancel_answered(
            reply.request_id, cost, reply.status, reply.headers, now.boot_ns
        )
        return [*_note_rate(note), *self._judged(ask, answer, reply, now)]

    def _judged(
        self,
        ask: CancelsAsk,
        answer: CancelAnswer | Rejected | Unknown,
        reply: HttpReply,
        now: Instant,
    ) -> list[Effect]:
        """Take what an answer means."""
        if isinstance(answer, CancelAnswer):
            self.escalation.answered()
            if isinstance(ask, CancelAllAsk):
                self.escalation.all_answered()
            if reply.request_id == self._all_request:
                self._all_request = 0
                self._all_wanted = False
            return self._take_answer(ask, answer, reply.request_id, now)
        if reply.status in NOT_ALLOWED:
            self.escalation.refused_for_good()
        if mode_of(answer) is VenueMode.RESTARTING:
            self.escalation.restarting(now.boot_ns)
        asked_ms = retry_after_ms(reply.headers, reply.body)
        wait_ns = RETRY_NS_MAX if asked_ms is None else min(asked_ms * NS_PER_MS, RETRY_NS_MAX)
        why = f"{reply.status} {answer.text}"
        return self._missed(ask, reply.request_id, why, wait_ns, now)

    def failed(self, ask: CancelsAsk, failure: HttpFailed, now: Instant) -> list[Effect]:
        """Take an answer that never came."""
        self._under_way.pop(failure.request_id, None)
        self._rates.cancel_failed(failure.request_id, sent=failure.sent, now_ns=now.boot_ns)
        return self._missed(ask, failure.request_id, failure.reason, None, now)

    def _is_due(self, order: Order, now_ns: BootNs) -> bool:
        """Whether a cancel of an order is to be sent now, even one whose post has no answer yet.

        One that the newest cancel-all may have taken out waits for its answer, like any other.
        """
        if not order.doom:
            return False
        if order.cancel_request:
            return now_ns - order.cancel_sent_ns >= HEDGE_NS
        return now_ns >= order.cancel_after_ns

    def _has_connection(self, now_ns: BootNs) -> bool:
        """Whether one more targeted cancel may leave: there is room, or the venue has hung."""
        oldest_ns = min(self._under_way.values(), default=now_ns)
        return len(self._under_way) < TARGETED_MAX or now_ns - oldest_ns >= HEDGE_NS

    def _take_answer(
        self, ask: CancelsAsk, answer: CancelAnswer, request_id: int, now: Instant
    ) -> list[Effect]:
        """Note what is gone, and ask after what is not."""
        ids = {*ask.order_ids, *answer.canceled, *answer.kept}
        for order_id in sorted(ids):
            order = self._register.find(order_id)
            if order is None:
                continue
            self._release(order, request_id, BootNs(now.boot_ns + RETRY_NS_MAX))
            said = answer.of(order_id)
            if isinstance(said, Canceled):
                self._register.apply(order, "canceled", now, order.doom or "cancel_all")
            elif isinstance(said, NotCanceled) and said.reason is Kept.CANCELED_BEFORE:
                self._register.apply(order, "canceled", now, "canceled_before")
            elif isinstance(said, NotCanceled) and said.reason in GONE:
                # Only the venue's own word on the order decides, but no cancel has failed.
                order.look_after_ns = now.boot_ns
                order.said_gone = True
                order.cancels_gone += 1
                if order.cancels_gone <= GONE_MAX:
                    order.cancels_failed = 0
                    order.cancel_since_ns = BootNs(0)
            elif (
                order_id in answer.kept or order_id in answer.canceled or isinstance(ask, CancelAsk)
            ):
                order.look_after_ns = now.boot_ns
                order.cancels_failed += 1
            else:
                # It was not there yet when everything was cancelled: now it goes by its id.
                order.cancel_after_ns = now.boot_ns
        return self._escalate(now)

    def _missed(
        self,
        ask: CancelsAsk,
        request_id: int,
        why: str,
        wait_ns: int | None,
        now: Instant,
    ) -> list[Effect]:
        """Let a cancel be repeated soon, after a wait that the venue has asked for.

        Without one it is repeated in the next turn, and the second time a little later.
        """
        again_ns = BootNs(now.boot_ns + (RETRY_NS_FAILED if wait_ns is None else wait_ns))
        if isinstance(ask, CancelAllAsk):
            self.escalation.all_failed()
        if request_id == self._all_request:
            self._all_request = 0
            self._all_after_ns = again_ns
        is_first = wait_ns is None and not isinstance(ask, CancelAllAsk)
        for order_id in ask.order_ids:
            order = self._register.find(order_id)
            if order is None:
                continue
            at_once = is_first and not order.cancels_failed
            self._release(order, request_id, now.boot_ns if at_once else again_ns)
            order.cancels_failed += 1
        failed = Log("cancel.failed", {"ask": type(ask).__name__, "why": why}, "warning")
        return [failed, *self._escalate(now)]

    def _release(self, order: Order, request_id: int, again_ns: BootNs) -> None:
        """Let an order be cancelled again, unless a newer cancel of it is under way."""
        if order.cancel_request in (0, request_id):
            order.cancel_request = 0
            order.cancel_after_ns = again_ns

    def _escalate(self, now: Instant) -> list[Effect]:
        """Cancel everything once when targeted cancels keep bringing nothing."""
        stuck = self.escalation.wants_all(self._register.exposed(), now.boot_ns)
        if not stuck:
            return []
        text = f"{stuck} orders resist their cancel; cancelling everything"
        alert = Alert("critical", "cancel_failing", text, "cancel-failing")
        return [
            Publish("risk.alert", alert, now.monotonic_ns),
            *self.cancel_all("cancel_failing", now),
        ]

    def _send_all(self, now: Instant) -> list[Effect]:
        """Send a cancel-all; one that is under way is not waited for."""
        ids = tuple(order.record.order_id for order in self._register.exposed())
        return [self._send(CancelAllAsk(ids), now)]

    def _send(self, ask: CancelsAsk, now: Instant) -> Effect:
        """Send one cancel and account for it."""
        path, body = wire_form(ask)
        request = self._requests.cancel(ask, path, body, self._deadline_ms, now.boot_ns)
        self._rates.canceling(request.request_id, cost_max(ask), now.boot_ns)
        if isinstance(ask, CancelAllAsk):
            self._all_request = request.request_id
            self._all_after_ns = BootNs(now.boot_ns + RETRY_NS_MAX)
        else:
            self._under_way[request.request_id] = now.boot_ns
        for order_id in ask.order_ids:
            order = self._register.find(order_id)
            if order is not None:
                order.cancel_request = request.request_id
                order.cancel_sent_ns = now.boot_ns
                order.cancel_since_ns = order.cancel_since_ns or now.boot_ns
        return request


def _note_rate(note: RateNote) -> list[Effect]:
    """Return the line about what an answer says of our rate, when that is worth one."""
    if note.warning:
        return [Log("rate.warned", {"of": "cancels", "text": note.warning}, "warning")]
    if note.stranger:
        return [Log("rate.unknown_tier", {"tier": note.stranger}, "warning")]
    return []
