"""From wishes to orders: difference, gate, intent, post, for one strategy in one market.

Every order passes the gate here; a denial has a reason that is counted and shown. An order
that the venue refuses pauses its intent, so that it does not churn. Emits posts; their
intents are journaled in the same turn by the core.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from services.execution.approvals import Approvals
from services.execution.budgets.rate_budget import RateBudget
from services.execution.budgets.venue_phase import VenuePhase
from services.execution.budgets.venue_rates import VenueRates
from services.execution.cancels.canceling import Canceller
from services.execution.closing import Way
from services.execution.diff import REMAINDER, difference
from services.execution.gate import Predicate, first_failing
from services.execution.inputs import Inputs
from services.execution.inventory import Inventory
from services.execution.lease import Standing
from services.execution.level_checks import check_at
from services.execution.lifecycle import Order, as_order, deadline_wall_ns, expiration_s
from services.execution.may_send import DRY_RUN, POST_WAIT_NS_MAX, Permit, PlaceOrder
from services.execution.order_checks import Candidate, Denial, clamp_inside
from services.execution.order_register import OrderRegister
from services.execution.rehearsal import Rehearsal
from services.execution.requests import PostAsk, Requests
from services.execution.throttle import Throttle
from shared.config import Config
from shared.facts import BookView, MarketInfo, Side
from shared.identifiers import ConditionId, Incarnation, StrategyName, TokenId, order_salt
from shared.ledger_schema import IdentityRecord, OrderRecord
from shared.targets import Target
from shared.units import NS_PER_MS, NS_PER_S, BootNs, Instant, PriceE4, SizeE6, WallNs
from shared.venue.amounts import limit_amounts
from shared.venue.order_hash import (
    BUY_CODE,
    SELL_CODE,
    ExchangeDomain,
    UnsignedOrder,
    exchange_domain,
    order_hash,
)
from shared.venue.orders_wire import ORDER_PATH, ORDERS_PATH
from shared.venue.planned_restarts import NOTHING_PLANNED, PlannedRestarts

PAUSE_NS_FIRST: Final = 250 * NS_PER_MS
PAUSE_DOUBLINGS_MAX: Final = 5
"""An intent that the venue keeps refusing is tried again after a quarter to eight seconds."""

STEADY_NS: Final = NS_PER_S
"""An intent whose order was taken so long ago, and is refused again, counts anew; one that is
taken and dropped at once does not."""

SLOTS_MAX: Final = 4_096
"""Intents remembered for pauses and denials; beyond that the oldest are forgotten."""

Slot = tuple[StrategyName, ConditionId, TokenId, Side, int]


class Signer(msgspec.Struct, frozen=True):
    """Addresses that go into an order."""

    wallet: str
    signer: str
    signature_type: int


class Pause(msgspec.Struct, frozen=True):
    """An intent that the venue has refused.

    Attributes:
        until_ns: It is not tried before.
        refusals: In a row.
        taken_ns: When the venue took an order of it again; 0 while it has not.
    """

    until_ns: BootNs
    refusals: int
    taken_ns: BootNs = BootNs(0)


class Desk:
    """Decides and prepares posts.

    Attributes:
        rehearsal: What a dry run has intended already; empty in every other run.
        denials: How often each reason has denied an order, in this run.
        newest_denials: Why each intent is not in the market now.
        identity: Who trades; None before it is known.
        epoch: Newest received; every permit names it.
        rates: The venue's buckets of our key.
        throttle: What each strategy has had in its window.
    """

    def __init__(
        self,
        config: Config,
        incarnation: Incarnation,
        standing: Standing,
        register: OrderRegister,
        inventory: Inventory,
        inputs: Inputs,
        canceller: Canceller,
        requests: Requests,
        rates: VenueRates,
        approvals: Approvals,
        planned: PlannedRestarts = NOTHING_PLANNED,
    ) -> None:
        """Work on these."""
        self._approvals = approvals
        self._config = config
        self._incarnation = incarnation
        self._standing = standing
        self._register = register
        self._inventory = inventory
        self._inputs = inputs
        self._canceller = canceller
        self._requests = requests
        self.rates = rates
        self._way = Way(register, canceller)
        self._salts = 0
        self._pauses: dict[Slot, Pause] = {}
        self.rate = RateBudget(config.limits.orders_per_second_max)
        self.phase = VenuePhase(planned)
        self.rehearsal = Rehearsal()
        self.throttle = Throttle(config.throttle)
        self.identity: IdentityRecord | None = None
        self.signer: Signer | None = None
        self.epoch = 0
        self.denials: dict[str, int] = {}
        self.newest_denials: dict[Slot, Denial] = {}

    def work(
        self,
        strategy: StrategyName,
        info: MarketInfo | None,
        market: ConditionId,
        targets: Iterable[Target],
        predicates: dict[TokenId, tuple[Predicate, ...]],
        now: Instant,
    ) -> list[PlaceOrder]:
        """Doom what is not wished any more and return the posts that pass the gate.

        Args:
            strategy: Whose wish it is.
            info: The market; None when discovery does not vouch for it.
            market: Its id.
            targets: The strategy's whole wish there.
            predicates: Account, market, strategy and token predicates of each token.
            now: Present moment.
        """
        orders = [
            order
            for order in self._register.exposed()
            if order.record.strategy == strategy and order.record.market == market
        ]
        ticks: dict[TokenId, PriceE4] = {}
        if info is not None:
            ticks = {token: self._inputs.tick_e4(info, token) for token in info.tokens}
        sellable = {
            token: self._inventory.available_e6(market, token, strategy, now.boot_ns)
            for token in {order.record.token for order in orders if order.record.side == "SELL"}
        }
        change = difference(targets, orders, ticks, now.boot_ns, sellable)
        for order, reason in change.cancels:
            self._canceller.doom(order, reason)
            if reason == REMAINDER and order.record.filled_e6:
                self._pauses.pop(_slot(order.record), None)
            elif reason == REMAINDER:
                self.refused(order, now)  # nobody buys there: tried again, ever more slowly
        posts: list[PlaceOrder] = []
        for target in change.posts:
            slot = (strategy, market, target.token, target.side, target.level)
            placed = self._try(slot, info, target, ticks, predicates, now)
            if isinstance(placed, Denial):
                self._deny(slot, placed)
                continue
            self.newest_denials.pop(slot, None)
            posts.append(placed)
        return posts

    def refused(self, order: Order, now: Instant) -> None:
        """Take the venue's refusal of an order, or its end by the venue alone.

        Its intent pauses, longer each time, so that it does not churn (EX-4).
        """
        slot = _slot(order.record)
        known = self._pauses.get(slot)
        if known is not None and known.taken_ns and now.boot_ns - known.taken_ns >= STEADY_NS:
            known = None
        refusals = 1 if known is None else min(known.refusals + 1, PAUSE_DOUBLINGS_MAX + 1)
        until_ns = BootNs(now.boot_ns + (PAUSE_NS_FIRST << (refusals - 1)))
        _bound(self._pauses)
        self._pauses[slot] = Pause(until_ns, refusals)

    def unsent(self, order: Order, now: Instant) -> None:
        """Take an order that never left: its intent is decided anew at once.

        When that happens again before one of its orders was accepted, it pauses.
        """
        slot = _slot(order.record)
        known = self._pauses.get(slot)
        if known is not None and not known.taken_ns:
            self.refused(order, now)
            return
        _bound(self._pauses)
        self._pauses[slot] = Pause(now.boot_ns, 0)

    def accepted(self, order: Order, now: Instant) -> None:
        """Take an acceptance: the intent's next refusal counts anew, once the order has stayed."""
        slot = _slot(order.record)
        known = self._pauses.get(slot)
        if known is not None and not known.taken_ns:
            self._pauses[slot] = msgspec.structs.replace(known, taken_ns=now.boot_ns)
        self.phase.accepted(now.boot_ns, post_only=order.record.post_only)

    def count_denial(self, reason: str) -> None:
        """Count a denial that concerns no single intent."""
        self.denials[reason] = self.denials.get(reason, 0) + 1

    def _deny(self, slot: Slot, denial: Denial) -> None:
        """Count a denial when its reason changes: each tick says it again."""
        known = self.newest_denials.get(slot)
        if known is None or known.reason != denial.reason:
            self.count_denial(denial.reason)
        _bound(self.newest_denials)
        self.newest_denials[slot] = denial

    def _try(
        self,
        slot: Slot,
        info: MarketInfo | None,
        target: Target,
        ticks: dict[TokenId, PriceE4],
        predicates: dict[TokenId, tuple[Predicate, ...]],
        now: Instant,
    ) -> PlaceOrder | Denial:
        """Take one target through the gate."""
        if info is None or target.token not in info.tokens:
            return Denial("unknown_market")
        failing = first_failing(predicates[target.token], reduce_only=target.reduce_only)
        if failing is not None:
            return Denial(failing.name, failing.value)
        held = self.phase.holds(
            now.boot_ns, post_only=target.post_only, reduce_only=target.reduce_only
        )
        if held:
            return Denial("venue", held)
        pause = self._pauses.get(slot)
        if pause is not None and now.boot_ns < pause.until_ns:
            return Denial("refused_before", str(pause.refusals))
        book = self._inputs.book(info.condition_id, target.token)
        if book is None:
            return Denial("book_unknown")
        tick = ticks[target.token]
        price = clamp_inside(target, book, tick)
        if isinstance(price, Denial):
            return price
        candidate = Candidate(slot[0], info, target, price, tick)
        denial = self._check(candidate, book, now)
        if denial is not None:
            return denial
        intended = self.rehearsal.holds(slot, target, now.boot_ns)
        if intended:
            return Denial(DRY_RUN, intended)
        if not self._has_room(now.boot_ns) or not self.rate.take(now.boot_ns):
            return Denial("message_rate")
        return self._prepare(candidate, now)

    def _check(self, candidate: Candidate, book: BookView, now: Instant) -> Denial | None:
        """Return why this single order may not pass: its price, size, caps, or its money."""
        load = self._inventory.load(candidate, self.rates.exposed_max(now.boot_ns), now)
        checked = check_at(self._standing.level, candidate, book, load, self._config)
        denial = self._way.judge(candidate, checked, now)
        if denial is not None:
            return denial
        size, side = candidate.target.size, candidate.target.side
        return self._approvals.check(candidate.market, side, candidate.price, size, now)

    def _has_room(self, now_ns: BootNs) -> bool:
        """Whether the venue would surely take one more order, alone or in a batch."""
        windows = self._requests.windows
        return self.rates.posts_left(now_ns) >= 1 and all(
            windows.has_room("POST", path, now_ns) for path in (ORDER_PATH, ORDERS_PATH)
        )

    def _prepare(self, candidate: Candidate, now: Instant) -> PlaceOrder:
        """Make the order, take it into the register as INTENDED, and return its post."""
        identity, signer = self.identity, self.signer
        assert identity is not None, "the gate lets nothing pass before there is an identity"
        assert signer is not None, "an identity comes with its addresses"
        timing, target, info = self._config.timing, candidate.target, candidate.market
        amounts = limit_amounts(target.side, candidate.price, target.size, candidate.tick_e4)
        order = UnsignedOrder(
            salt=order_salt(self._incarnation, self._salts),
            maker=signer.wallet,
            signer=signer.signer,
            token_id=target.token,
            maker_amount=amounts.maker,
            taker_amount=amounts.taker,
            side_code=BUY_CODE if target.side == "BUY" else SELL_CODE,
            signature_type=signer.signature_type,
            timestamp_ms=now.wall_ms,
        )
        self._salts += 1
        self.throttle.ordered(candidate.strategy, now)
        domain = self._domain(info)
        expiration = expiration_s(now.wall_ns, timing.late_order_margin_ms)
        record = OrderRecord(
            order_id=order_hash(order, domain),
            account=identity.account,
            wallet=identity.wallet,
            api_key_id=identity.api_key_id,
            strategy=candidate.strategy,
            leg_group=target.leg_group,
            epoch=self.epoch,
            incarnation=f"{self._incarnation:016x}",
            intent=f"{info.condition_id}/{target.token}/{target.side}/{target.level}",
            purpose=target.purpose,
            market=info.condition_id,
            token=target.token,
            side=target.side,
            level=target.level,
            price_e4=candidate.price,
            size_e6=target.size,
            post_only=target.post_only,
            reduce_only=target.reduce_only,
            state="INTENDED",
            filled_e6=SizeE6(0),
            reason="",
            salt=order.salt,
            timestamp_ms=now.wall_ms,
            maker_e6=amounts.maker,
            taker_e6=amounts.taker,
            expiration_s=expiration,
            lease_until_wall_ns=WallNs(now.wall_ns + self._standing.until_ns - now.boot_ns),
            deadline_wall_ns=deadline_wall_ns(expiration, now.wall_ns, timing.socket_timeout_ms),
            created_wall_ns=now.wall_ns,
            sent_wall_ns=WallNs(0),
            updated_wall_ns=now.wall_ns,
        )
        return self._post(record, order, domain, target, _not_after_ns(info, now), now)

    def _post(
        self,
        record: OrderRecord,
        order: UnsignedOrder,
        domain: ExchangeDomain,
        target: Target,
        not_after_ns: BootNs,
        now: Instant,
    ) -> PlaceOrder:
        """Register the intent and return the post that carries it."""
        kept = as_order(record, now)
        kept.wished_price = target.price
        request_id = self._requests.number(PostAsk(record.order_id))
        kept.post_request = request_id
        self._register.add(kept)
        self.rates.posted(request_id, 1, now.boot_ns)
        return PlaceOrder(
            request_id=request_id,
            order_id=record.order_id,
            order=order,
            domain=domain,
            expiration_s=record.expiration_s,
            post_only=target.post_only,
            permit=Permit(
                order_id=record.order_id,
                epoch=self.epoch,
                not_after_ns=not_after_ns,
                reduce_only=target.reduce_only,
            ),
            deadline_ns=BootNs(now.boot_ns + self._config.timing.post_deadline_ms * NS_PER_MS),
        )

    def _domain(self, info: MarketInfo) -> ExchangeDomain:
        """Return the contract to sign to, on the configured chain."""
        domain = exchange_domain(info.version, info.neg_risk)
        return msgspec.structs.replace(domain, chain_id=self._config.venue.chain_id)


def _not_after_ns(info: MarketInfo, now: Instant) -> BootNs:
    """Return when a post decided now is too old to leave; never past its market's cutoff."""
    to_cutoff_ns = info.cutoff_ms * NS_PER_MS - now.wall_ns
    return BootNs(now.boot_ns + min(POST_WAIT_NS_MAX, to_cutoff_ns))


def _slot(record: OrderRecord) -> Slot:
    """Return the intent that an order serves."""
    return (record.strategy, record.market, record.token, record.side, record.level)


def _bound(table: dict[Slot, Denial] | dict[Slot, Pause]) -> None:
    """Forget the oldest entry of a full table."""
    if len(table) >= SLOTS_MAX:
        table.pop(next(iter(table)))
