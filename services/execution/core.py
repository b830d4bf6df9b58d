"""Execution's decisions: every message and every tick, from what is known to what is done.

Ties the nouns beside it together and holds no rule of its own but their order: what blocks
comes before what cancels, cancels before posts, and the journal of a turn before all that
rests on it. Source of the order: the fence protocol in ARCHITECTURE.md.
"""

from collections.abc import Sequence
from typing import Final, Literal

from services.execution import reporting
from services.execution.batching import gather
from services.execution.conditions import Conditions
from services.execution.fencing import START, Fencing
from services.execution.gate import Predicate, first_failing
from services.execution.hearing import Hearing
from services.execution.level_checks import is_oversized
from services.execution.lifecycle import Order
from services.execution.may_send import DOOMED, DRY_RUN, Permit, PlaceOrder, may_send
from services.execution.messages import IdentityFound, IdentityMissing, PanicSeen
from services.execution.order_register import as_fact
from services.execution.parts import Parts
from services.execution.replies import (
    hear_answer,
    take_batch_failure,
    take_batch_reply,
    take_post_failure,
    take_post_reply,
)
from services.execution.reporting import Repeated
from services.execution.requests import (
    AllowanceAsk,
    BalanceAsk,
    BatchAsk,
    CancelAllAsk,
    CancelAsk,
    CancelMarketAsk,
    PostAsk,
    VersionAsk,
)
from services.execution.startup import OpenedLedger
from services.execution.wishes import Key
from shared.config import Config
from shared.control import ExecutionPong, Ping
from shared.effects import (
    ControlReceived,
    Effect,
    Gap,
    HttpFailed,
    HttpReply,
    JournalFailed,
    JournalHeld,
    Message,
    Paused,
    Publish,
    Received,
    Stop,
)
from shared.facts import OwnOrder, OwnTrade, TickChanged
from shared.identifiers import ConditionId, Incarnation
from shared.targets import TargetSet
from shared.units import NS_PER_S, Instant
from shared.venue.planned_restarts import NOTHING_PLANNED, PlannedRestarts
from shared.venue.refusals import Refusal

OK: Final = 200

HealthState = Literal["starting", "ready", "sick", "stopping"]

FORGET_EVERY_NS: Final = 60 * NS_PER_S
SETTLED_KEPT_NS: Final = 3_600 * NS_PER_S
"""Legs of a paid-out position are kept for late reports; payouts stay two days."""

TARGETED: Final = frozenset({"token_scope", "strategy_scope", "market_feed", "repeated_execution"})
"""Failures of a part of a market: their orders are cancelled by id, others stay."""


MONEY_REFUSALS: Final = (Refusal.ALLOWANCE.value, Refusal.BALANCE.value)
"""Beginnings of the reasons of orders that were refused for want of money or approval."""


class ExecutionCore:
    """The core. Public beside the two of every core: `may_send`, `execution_pong`, `health`."""

    def __init__(
        self,
        config: Config,
        incarnation: Incarnation,
        ledger: OpenedLedger,
        now: Instant,
        planned: PlannedRestarts = NOTHING_PLANNED,
    ) -> None:
        """Begin halted, with what a verified ledger and the venue's calendar say."""
        self._parts = Parts(config, incarnation, ledger, now, planned)
        self._conditions = Conditions(self._parts)
        self._fencing = Fencing(self._parts)
        self._hearing = Hearing(self._parts)
        self._status = Repeated(reporting.STATUS_EVERY_NS)
        self._holdings = Repeated(reporting.POSITIONS_EVERY_NS)
        self._explaining = Repeated(reporting.EXPLAIN_EVERY_NS)
        self._forgetting = Repeated(FORGET_EVERY_NS)
        self._fencing.begin_zero(START, now)

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        """Take one message in and return what shall be done."""
        match message:
            case ControlReceived(body=Ping() as ping):
                effects = self._fencing.on_ping(ping, now)
            case Received():
                effects = self._on_fact(message, now)
            case HttpReply():
                effects = self._on_reply(message, now)
            case HttpFailed():
                effects = self._on_failure(message, now)
            case Gap():
                self._hearing.lose(message)
                effects = []
            case Paused():
                effects = self._hearing.wake(message)
            case _:
                effects = self._on_own_edge(message, now)
        return self._finish(effects, now)

    def on_tick(self, now: Instant) -> list[Effect]:
        """Look at the time and return what shall be done."""
        parts = self._parts
        parts.inputs.watch_user(now)
        effects = [*parts.journaling.watch(now), *self._fencing.watch(now)]
        self._fencing.admit(now)
        account = self._conditions.account_predicates(now)
        effects += self._shed(now)
        effects += self._sweep(account, now)
        effects += self._work_all(account, now)
        if parts.desk.phase.is_expected(now.wall_ns):
            parts.canceller.escalation.restarting(now.boot_ns)
        effects += parts.canceller.tick(now)
        effects += self._fencing.call_risk(now)
        if parts.startup.has_ledger:
            # Without one nothing is known of ours, so that nothing could be a stranger's.
            effects += parts.full.tick(
                parts.canceller, parts.standing.epoch, now, is_start=not parts.startup.is_proven
            )
        effects += parts.sync.tick(parts.zeroing, parts.inputs.user_sound_ns, now)
        signer = parts.desk.signer if parts.startup.identity is not None else None
        kind = None if signer is None else signer.signature_type
        effects += parts.approvals.tick(kind, parts.inputs.markets(), now)
        effects += self._fencing.conclude(now)
        effects += self._report(now)
        parts.journaling.is_hurried = parts.zeroing is not None
        if self._forgetting.is_due(now):
            parts.positions.forget_settled(now, SETTLED_KEPT_NS)
        return self._finish(effects, now)

    def may_send(self, permit: Permit, now: Instant) -> str | None:
        """Return why a post may not leave at this fresh instant; asked before its write."""
        refusal = may_send(permit, self._conditions.grant(), now.boot_ns)
        if refusal in (None, DRY_RUN):
            order = self._parts.register.find(permit.order_id)
            if order is not None and order.doom:
                return DOOMED
        return refusal

    def health(self) -> tuple[HealthState, str]:
        """Return how execution is, for the control line."""
        if self._parts.stopping is not None:
            return "stopping", self._parts.stopping[0]
        if self._parts.journaling.fault:
            return "sick", self._parts.journaling.fault
        why = self._conditions.start_missing()
        return ("starting", why) if why else ("ready", "")

    def execution_pong(self, now: Instant) -> ExecutionPong:
        """Return execution's part of a pong; the lease is asked for from this instant."""
        return self._conditions.pong(now)

    def snapshot(self, now: Instant) -> list[Publish]:
        """Return what a reader needs that has missed everything."""
        orders = [
            Publish("execution.order", as_fact(order, now), now.monotonic_ns)
            for order in self._parts.register.exposed()
        ]
        holdings = reporting.holdings(self._parts.positions, self._parts.inputs, now)
        return [*orders, holdings, self._conditions.status_fact(now)]

    def _on_own_edge(self, message: Message, now: Instant) -> list[Effect]:
        """Take what execution's own edges say, and the request to end."""
        match message:
            case JournalHeld():
                self._parts.journaling.on_held(message, now)
            case JournalFailed():
                return self._parts.journaling.on_failed(message, now)
            case IdentityFound():
                return self._fencing.on_identity(message, now)
            case IdentityMissing():
                self._parts.startup.miss(message.reason)
            case PanicSeen():
                return self._fencing.on_panic(message, now)
            case Stop():
                return self._fencing.on_stop(message, now)
            case _:
                pass
        return []

    def _on_fact(self, received: Received, now: Instant) -> list[Effect]:
        """Take a fact in; a wish is worked on at once."""
        body = received.body
        if isinstance(body, TargetSet):
            key = self._hearing.take_targets(received, now)
            account = self._conditions.account_predicates(now)
            posts = self._gather(self._work(key, account, now), now)
            return [*self._parts.canceller.tick(now), *posts]
        if isinstance(body, OwnOrder | OwnTrade):
            effects = self._hearing.take_own(body, now)
            return [*effects, *self._shed(now)]
        self._hearing.take_view(received, now)
        if isinstance(body, TickChanged):
            return self._work_market(body.market, now)
        return []

    def _on_reply(self, reply: HttpReply, now: Instant) -> list[Effect]:
        """Take an answer of the venue to where its question came from."""
        parts = self._parts
        ask = parts.requests.take(reply.request_id)
        if isinstance(ask, PostAsk):
            order = parts.register.find(ask.order_id)
            assert order is not None, "an order under way is never forgotten"
            effects = take_post_reply(order, reply, parts.register, parts.desk, now)
            self._doubt_money([order], now)
            return effects
        if isinstance(ask, BatchAsk):
            orders = self._orders_of(ask)
            effects = take_batch_reply(orders, reply, parts.register, parts.desk, now)
            self._doubt_money(orders, now)
            return effects
        is_chain = isinstance(ask, BalanceAsk) and ask.is_chain
        heard = [] if is_chain else hear_answer(reply, parts.desk, now)
        if isinstance(ask, AllowanceAsk | VersionAsk):
            parts.approvals.replied(ask, reply, now)
            return heard
        if isinstance(ask, CancelAllAsk | CancelAsk | CancelMarketAsk):
            if reply.status == OK:
                parts.desk.phase.reopened(now.boot_ns)
            return [*heard, *parts.canceller.replied(ask, reply, now)]
        if isinstance(ask, BalanceAsk):
            parts.full.replied(ask, reply, now)
            return heard
        return [
            *heard,
            *parts.sync.replied(ask, reply, parts.zeroing, now),
            *parts.sync.cancel_strangers(parts.canceller, now),
            *parts.sync.cancel_by_market(parts.canceller, parts.zeroing, now),
        ]

    def _on_failure(self, failure: HttpFailed, now: Instant) -> list[Effect]:
        """Take the lack of an answer to where its question came from."""
        parts = self._parts
        ask = parts.requests.take(failure.request_id)
        if isinstance(ask, PostAsk):
            order = parts.register.find(ask.order_id)
            assert order is not None, "an order under way is never forgotten"
            parts.rates.post_failed(failure.request_id, sent=failure.sent, now_ns=now.boot_ns)
            return take_post_failure(order, failure, parts.register, parts.desk, now)
        if isinstance(ask, BatchAsk):
            orders = self._orders_of(ask)
            parts.rates.post_failed(failure.request_id, sent=failure.sent, now_ns=now.boot_ns)
            return take_batch_failure(orders, failure, parts.register, parts.desk, now)
        if isinstance(ask, CancelAllAsk | CancelAsk | CancelMarketAsk):
            return parts.canceller.failed(ask, failure, now)
        if isinstance(ask, BalanceAsk):
            parts.full.failed(ask, failure, now)
            return []
        if isinstance(ask, AllowanceAsk | VersionAsk):
            parts.approvals.failed(ask, failure, now)
            return []
        return parts.sync.failed(ask, failure, parts.zeroing, now)

    def _doubt_money(self, orders: Sequence[Order], now: Instant) -> None:
        """Read balance and approvals anew when the venue has refused an order for them."""
        if any(order.record.reason.startswith(MONEY_REFUSALS) for order in orders):
            self._parts.approvals.doubt(now)

    def _orders_of(self, ask: BatchAsk) -> list[Order]:
        """Return the orders of a batch."""
        found = [self._parts.register.find(order_id) for order_id in ask.order_ids]
        orders = [order for order in found if order is not None]
        assert len(orders) == len(found), "an order under way is never forgotten"
        return orders

    def _sweep(self, account: Sequence[Predicate], now: Instant) -> list[Effect]:
        """Doom every order that rests on something that does not hold any more."""
        parts = self._parts
        all_for = ""
        markets: dict[ConditionId, str] = {}
        for order in parts.register.exposed():
            if order.doom:
                continue
            record = order.record
            wide = first_failing(account, reduce_only=record.reduce_only, cancels_only=True)
            if wide is not None or record.epoch < parts.standing.epoch:
                all_for = "epoch" if wide is None else wide.name
                continue
            narrow = first_failing(
                self._conditions.narrow_predicates(
                    record.market, record.token, record.strategy, now
                ),
                reduce_only=record.reduce_only,
                cancels_only=True,
            )
            if narrow is not None:
                markets.setdefault(record.market, narrow.name)
                parts.canceller.doom(order, narrow.name)
        if all_for:
            return parts.canceller.cancel_all(all_for, now)
        effects: list[Effect] = []
        for market, name in markets.items():
            if name not in TARGETED:
                effects += parts.canceller.cancel_market(market, name, now)
        return effects

    def _shed(self, now: Instant) -> list[Effect]:
        """Cancel the sells that offer more than there is, and what the level finds too large."""
        parts = self._parts
        excessive = [o for o in parts.inventory.overdrawn(now.boot_ns) if not o.doom]
        for order in excessive:
            parts.canceller.doom(order, "inventory")
        level = parts.standing.level
        for order in parts.register.exposed() if level != "NORMAL" else ():
            info = parts.inputs.market(order.record.market)
            if not order.doom and is_oversized(order, level, info, parts.config):
                parts.canceller.doom(order, "reduced_size")
                excessive.append(order)
        return parts.canceller.tick(now) if excessive else []

    def _work_all(self, account: Sequence[Predicate], now: Instant) -> list[Effect]:
        """Bring every strategy's orders to its wishes."""
        keys: dict[Key, None] = dict.fromkeys(self._parts.wishes.live(now))
        for order in self._parts.register.exposed():
            keys[(order.record.strategy, order.record.market)] = None
        posts: list[PlaceOrder] = []
        for key in keys:
            posts += self._work(key, account, now)
        return self._gather(posts, now)

    def _gather(self, posts: Sequence[PlaceOrder], now: Instant) -> list[Effect]:
        """Let the posts of one decision leave in as few requests as the venue takes."""
        parts = self._parts
        return [*gather(posts, parts.requests, parts.register, parts.rates, now.boot_ns)]

    def _work_market(self, market: ConditionId, now: Instant) -> list[Effect]:
        """Bring all orders of a market to the wishes at once: its price step has changed."""
        account = self._conditions.account_predicates(now)
        keys = dict.fromkeys(key for key in self._parts.wishes.live(now) if key[1] == market)
        for order in self._parts.register.exposed():
            if order.record.market == market:
                keys[(order.record.strategy, market)] = None
        posts = [post for key in keys for post in self._work(key, account, now)]
        return [*self._parts.canceller.tick(now), *posts]

    def _work(self, key: Key, account: Sequence[Predicate], now: Instant) -> list[PlaceOrder]:
        """Bring one strategy's orders in one market to its wish."""
        strategy, market = key
        info = self._parts.inputs.market(market)
        predicates = {}
        if info is not None:
            predicates = {
                token: (
                    *account,
                    *self._conditions.narrow_predicates(market, token, strategy, now),
                )
                for token in info.tokens
            }
        targets = self._parts.wishes.of(key, now)
        return self._parts.desk.work(strategy, info, market, targets, predicates, now)

    def _report(self, now: Instant) -> list[Effect]:
        """Return the facts that are repeated, when they are due."""
        effects: list[Effect] = []
        if self._status.is_due(now):
            effects.append(self._conditions.status_fact(now))
        if self._holdings.is_due(now):
            self._conditions.watch(now)
            effects.append(reporting.holdings(self._parts.positions, self._parts.inputs, now))
        if self._explaining.is_due(now):
            effects.append(self._conditions.explanations(now))
        return effects

    def _finish(self, effects: Sequence[Effect], now: Instant) -> list[Effect]:
        """Put the journal before what rests on it, and publish what has changed."""
        parts = self._parts
        for order in parts.register.turned_away:
            parts.desk.refused(order, now)
        parts.register.turned_away.clear()
        journal = parts.journaling.take(now)
        changed = reporting.changes(parts.register, parts.positions, parts.inputs, parts.desk, now)
        return [*journal, *effects, *changed]
