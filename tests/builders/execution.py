"""A small world around execution's core: risk that grants, feeds that vouch, a venue that takes.

Everything is at its best until a test spoils it; time moves by ticks alone.
"""

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from services.execution.core import ExecutionCore
from services.execution.may_send import PlaceOrder, PlaceOrders
from services.execution.messages import IdentityFound
from services.execution.startup import OpenedLedger
from shared.control import Lease, Ping, ScopeOrder
from shared.effects import (
    ControlReceived,
    Effect,
    Exit,
    HttpFailed,
    HttpReply,
    HttpRequest,
    HttpReset,
    JournalFailed,
    JournalHeld,
    Message,
    Publish,
    Received,
)
from shared.facts import (
    Calendar,
    Evidence,
    ExecutionStatus,
    FeedStatus,
    MarketInfo,
    OrderFact,
    OwnOrder,
    OwnTrade,
    StateView,
    TradeLeg,
)
from shared.identifiers import (
    Component,
    Incarnation,
    OrderHash,
    StrategyName,
    TokenId,
    TradeId,
)
from shared.ledger_schema import AnyRecord, Journal, OrderRecord
from shared.level import Level
from shared.targets import Target, TargetSet
from shared.units import NS_PER_MS, BootNs, Instant, MonotonicNs, PriceE4, SizeE6, WallMs
from tests.builders.execution_config import build_config
from tests.builders.execution_venue import FakeVenue
from tests.builders.markets import DOWN, MARKET, UP, instant, market_info, market_view

EXECUTION_RUN = Incarnation(77)
RISK_RUN = Incarnation(88)
MAKER = StrategyName("market_making")
TICK_MS = 10


def target(**spoil: Any) -> Target:
    """Return a quote: six shares of UP bid at forty-eight cents."""
    return msgspec.structs.replace(Target(UP, "BUY", 0, PriceE4(4_800), SizeE6(6_000_000)), **spoil)


F = TypeVar("F", bound=msgspec.Struct)


class Rig:
    """The core with its world.

    Attributes:
        grants: Whether risk's pings carry a lease.
        pings: Whether risk speaks at all.
        wishes: What the strategy wants; renewed at every tick while `renews`.
    """

    def __init__(self, ledger: OpenedLedger | None = None, **limits: Any) -> None:
        self.ms = 1_000
        self.config = build_config(**limits)
        self.venue = FakeVenue()
        self.core = ExecutionCore(self.config, EXECUTION_RUN, ledger or OpenedLedger(), self.now)
        self.venue.held_of = self.held
        self.effects: list[Effect] = []
        self.journal: list[AnyRecord] = []
        self.epoch = 5
        self.fence_id = 0
        self.grants = True
        self.pings = True
        self.level: Level = "NORMAL"
        self.trading_state: Any = "ACTIVE"
        self.scopes: tuple[ScopeOrder, ...] = ()
        self.info: MarketInfo = market_info(
            end_ms=WallMs(market_info().start_ms + 900_000),
            cutoff_ms=WallMs(market_info().start_ms + 890_000),
        )
        self.view: dict[str, Any] = {}
        self.silent_feeds: set[str] = set()
        self.user_session = 1
        self.wishes: tuple[Target, ...] = ()
        self.renews = True
        self.strategy_run = Incarnation(1)
        self.commit_fails = False
        self.exit: Exit | None = None
        self._has_wished = False
        self._ping_id = 0
        self._sequence = 0
        self._last_evident: dict[str, MonotonicNs] = {}

    @property
    def now(self) -> Instant:
        return instant(self.ms)

    def start(self) -> None:
        """Bring the core to a proven start, with nothing in the market."""
        self.tell(identity())
        self.run(4_000)
        assert self.pong().proven_start, self.core.health()

    def quote(self, *targets: Target) -> None:
        """Start, wish, and let the orders rest."""
        self.start()
        self.wishes = targets or (target(),)
        self.run(400)

    def run(self, milliseconds: int) -> None:
        """Let time pass, tick by tick, with everybody speaking as they do."""
        for _ in range(milliseconds // TICK_MS):
            self.ms += TICK_MS
            self._speak()
            self._apply(self.core.on_tick(self.now))

    def tell(self, message: Message) -> list[Effect]:
        """Give the core one message and carry out what it wants."""
        effects = self.core.on_message(message, self.now)
        self._apply(effects)
        return effects

    def hear(self, component: str, topic: str, body: msgspec.Struct) -> list[Effect]:
        """Give the core a fact of now."""
        self._sequence += 1
        now = self.now
        run = self.strategy_run if component == MAKER else Incarnation(1)
        return self.tell(
            Received(
                Component(component),
                run,
                topic,
                self._sequence,
                now.monotonic_ns,
                now.monotonic_ns,
                now.wall_ns,
                body,
            )
        )

    def ping(self, **spoil: Any) -> list[Effect]:
        """Let risk speak once."""
        return self.tell(ControlReceived(self.build_ping(**spoil)))

    def build_ping(self, **spoil: Any) -> Ping:
        self._ping_id += 1
        now = self.now
        lease = None
        if self.grants:
            # Asked ten milliseconds ago: the round trip of a calm machine.
            asked = BootNs(now.boot_ns - 10 * NS_PER_MS)
            lease = Lease(EXECUTION_RUN, asked, self.config.timing.lease_ms, self.epoch, "ACTIVE")
        ping = Ping(
            risk_incarnation=RISK_RUN,
            ping_id=self._ping_id,
            sent_ns=now.boot_ns,
            epoch=self.epoch,
            fence_id=self.fence_id,
            fence_reason="test" if self.fence_id else "",
            trading_state=self.trading_state,
            reasons=(),
            scopes=self.scopes,
            switch_version=1,
            lease=lease,
            level=self.level,
        )
        return msgspec.structs.replace(ping, **spoil)

    def fence(self) -> list[Effect]:
        """Let risk fence: a new epoch, no lease."""
        self.epoch += 1
        self.fence_id = self.epoch
        self.grants = False
        return self.ping()

    def resume(self) -> None:
        """Let risk take an epoch newer than the fence and grant again."""
        self.epoch += 1
        self.grants = True

    def pong(self) -> Any:
        return self.core.execution_pong(self.now)

    def orders(self, *states: str) -> list[OrderRecord]:
        """Return the newest journaled row of each order, in some states or in all."""
        newest: dict[OrderHash, OrderRecord] = {}
        for record in self.journal:
            if isinstance(record, OrderRecord):
                newest[record.order_id] = record
        return [row for row in newest.values() if not states or row.state in states]

    def published(self, kind: type[F]) -> list[F]:
        return [
            effect.body
            for effect in self.effects
            if isinstance(effect, Publish) and isinstance(effect.body, kind)
        ]

    def status(self) -> ExecutionStatus:
        return self.published(ExecutionStatus)[-1]

    def denials(self) -> dict[str, int]:
        self.run(100)
        return {row.reason: row.count for row in self.status().refusals}

    def sent(self, kind: type[Effect], lane: str = "") -> list[Any]:
        return [
            effect
            for effect in self.effects
            if isinstance(effect, kind) and (not lane or getattr(effect, "lane", "") == lane)
        ]

    def trade(
        self, order_id: OrderHash, shares: int, *, trade_id: str = "t1", status: str = "MATCHED"
    ) -> OwnTrade:
        """Return a report that one of our orders was filled as a maker."""
        row = next(one for one in self.orders() if one.order_id == order_id)
        return OwnTrade(
            trade_id=TradeId(trade_id),
            market=MARKET,
            status=status,
            legs=(
                TradeLeg(OrderHash("0x" + "ee" * 32), UP, "SELL", row.price_e4, SizeE6(1), "TAKER"),
                TradeLeg(
                    order_id,
                    row.token,
                    row.side,
                    row.price_e4,
                    SizeE6(shares * 1_000_000),
                    "MAKER",
                ),
            ),
            match_ms=self.now.wall_ms,
            venue_ms=self.now.wall_ms,
            source="socket",
        )

    def row(self, order_id: OrderHash) -> OrderRecord:
        """Return an order's row as the core holds it."""
        order = self.core._parts.register.find(order_id)
        assert order is not None
        return order.record

    def held(self, token: TokenId) -> int:
        """Return the shares of a token, as the core counts them."""
        return self.core._parts.positions.matched_e6(token)

    def ended(self) -> Exit | None:
        """Return how the core ended; None while it runs."""
        return self.exit

    def own_order(self, order_id: OrderHash, **spoil: Any) -> OwnOrder:
        """Return the own-order stream's report that an order rests."""
        report = OwnOrder(
            order_id=order_id,
            market=MARKET,
            token=UP,
            side="BUY",
            price=PriceE4(4_800),
            original_size_e6=SizeE6(6_000_000),
            size_matched_e6=SizeE6(0),
            status="LIVE",
            status_text="LIVE",
            trades=(),
            venue_ms=self.now.wall_ms,
            source="socket",
        )
        return msgspec.structs.replace(report, **spoil)

    def _speak(self) -> None:
        if self.pings and self.ms % 100 == 0:
            self.ping()
        if self.ms % 100 == 50:
            self._vouch()
        self._has_wished = self._has_wished or bool(self.wishes)
        if self._has_wished and self.renews and self.ms % 50 == 0:
            self.wish()

    def wish(self) -> list[Effect]:
        """Let the strategy say its whole wish."""
        self._has_wished = True
        body = TargetSet(MAKER, MARKET, self.config.timing.target_ttl_ms, self.wishes)
        return self.hear(MAKER, "strategy.targets", body)

    def _vouch(self) -> None:
        now = self.now
        if "feed_discovery" not in self.silent_feeds:
            calendar = Calendar((self.info,), now.monotonic_ns)
            self.hear("feed_discovery", "feed.calendar", calendar)
        keys = {"feed_market": (UP, DOWN), "feed_user": ("orders",), "feed_price": ("btc",)}
        for feed, names in keys.items():
            if feed not in self.silent_feeds:
                self._last_evident[feed] = now.monotonic_ns
            evident = self._last_evident.get(feed)
            evidence = tuple(Evidence(name, evident) for name in names)
            session = self.user_session if feed == "feed_user" else 1
            status = FeedStatus(feed, True, now.monotonic_ns, "", session, evidence)
            self.hear(feed, "feed.status", status)
        if "state" not in self.silent_feeds:
            view = StateView((market_view(now, **self.view),))
            self.hear("state", "state.view", view)

    def _apply(self, effects: list[Effect]) -> None:
        """Carry effects out as the loop does: urgent first, the journal, then the rest."""
        self.effects += effects
        answers: list[Message] = []
        for effect in effects:
            if isinstance(effect, Exit):
                self.exit = effect
            if isinstance(effect, HttpReset):
                answers += self._reset()
            if isinstance(effect, HttpRequest) and effect.lane == "cancel":
                answers += self.venue.request(effect, self.now)
        has_journal = any(isinstance(effect, Journal) for effect in effects)
        if has_journal and self.commit_fails:
            answers.append(JournalFailed("disk full"))
            answers += [
                HttpFailed(effect.request_id, False, "not_journaled")
                for effect in effects
                if isinstance(effect, PlaceOrder | PlaceOrders)
                or (isinstance(effect, HttpRequest) and effect.lane != "cancel")
            ]
        else:
            for effect in effects:
                if isinstance(effect, Journal):
                    self.journal += effect.records
                    answers.append(JournalHeld(effect.number))
            for effect in effects:
                answers += self._send(effect)
        for answer in answers:
            self.tell(answer)

    def _send(self, effect: Effect) -> list[Message]:
        if isinstance(effect, HttpRequest) and effect.lane != "cancel":
            return self.venue.request(effect, self.now)
        if isinstance(effect, PlaceOrder | PlaceOrders):
            for order in placed([effect]):
                refusal = self.core.may_send(order.permit, self.now)
                if refusal is not None:
                    return [HttpFailed(effect.request_id, False, refusal)]
            return self.venue.post(effect, self.now)
        return []

    def _reset(self) -> list[Message]:
        held, self.venue.held = self.venue.held, []
        return [
            HttpFailed(one.request_id, True, "reset", self.now.boot_ns)
            for one in held
            if isinstance(one, HttpReply)
        ]


def placed(effects: Iterable[Effect]) -> list[PlaceOrder]:
    """Return every order that is posted, alone or with others."""
    found: list[PlaceOrder] = []
    for effect in effects:
        if isinstance(effect, PlaceOrders):
            found += effect.orders
        elif isinstance(effect, PlaceOrder):
            found.append(effect)
    return found


def identity(**spoil: Any) -> IdentityFound:
    """Return key and credentials of a plain wallet."""
    found = IdentityFound("main", "0x" + "1" * 40, "0x" + "1" * 40, 0, "key-1")
    return msgspec.structs.replace(found, **spoil)


def order_facts(rig: Rig) -> list[OrderFact]:
    """Return every published change of an order."""
    return rig.published(OrderFact)


def resting(**limits: Any) -> Rig:
    """Two quotes rest, one on each outcome."""
    rig = Rig(**limits)
    rig.quote(target(), target(token=DOWN))
    assert len(rig.venue.open) == 2
    return rig
