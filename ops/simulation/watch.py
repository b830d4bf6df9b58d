"""Listens to processes, lanes and venue, and leads what it hears to the checkers.

Also counts what shows whether a run was dense enough to have tested anything.
"""

from collections.abc import Callable
from typing import Protocol

import msgspec

from ops.simulation.authority import GrantChecker, LatchChecker, RiskTruth
from ops.simulation.checkers import (
    CancelChecker,
    Findings,
    FrameChecker,
    HaltChecker,
    HungRiskChecker,
    IntentChecker,
    LeaseChecker,
    LifecycleChecker,
    VenueTruth,
)
from ops.simulation.data_checkers import DataChecker
from ops.simulation.holdings import AccountTruth, HoldingsChecker, LegsTruth
from ops.simulation.own_trades import CountChecker, OwnTradeChecker
from ops.simulation.remembered import MemoryChecker
from ops.simulation.told_prices import PriceChecker
from services.simulator.oracles.oracle import Tick
from shared.control import Ping
from shared.effects import HttpRequest, Peer, Publish
from shared.facts import (
    Alert,
    ExecutionStatus,
    FeedStatus,
    FillFact,
    OrderFact,
    Positions,
    ReferencePrice,
    RiskStatus,
    StateQuality,
    StateView,
)
from shared.identifiers import Asset, Incarnation, OrderHash
from shared.switches import ORACLE_STALE
from shared.topics import EXECUTION
from shared.units import Instant


class Standing(msgspec.Struct, frozen=True):
    """How the two guarded processes are at a moment.

    Attributes:
        execution: The incarnation that runs, None when none does or it is stopped.
        risk_silent_ns: How long risk has not been able to take a turn, 0 while it runs.
    """

    execution: Incarnation | None
    risk_silent_ns: int


class Permitted(Protocol):
    """The part of a post's permit that is looked at."""

    @property
    def order_id(self) -> OrderHash:
        """Hash of the order."""
        ...

    @property
    def epoch(self) -> int:
        """Newest epoch received when it was decided."""
        ...


class Truth(VenueTruth, AccountTruth, Protocol):
    """Knows everything of ours at the venue, and what its oracle has said."""

    def oracle_ticks(self, asset: Asset, from_ms: int, until_ms: int) -> list[Tick]:
        """Return the oracle's ticks of an asset between two stamps."""
        ...


class Watch:
    """All checkers of one run, and its counts.

    Attributes:
        halts: Told by the operator's part of the run; latches: likewise.
        own_trades: Told by the venue's log.
        holdings: Judges positions and sells; prices: what is told of them.
        memory: Judges what state remembers.
        posts: Orders whose first byte was written.
        risk_status: The newest that risk has published.
        oracle_silent_ns: How long risk has said that an oracle is silent.
        garbles: Whether feeds may meet what they cannot read.
        tell: Called with what people would be told: by whom, name and text.
    """

    def __init__(
        self,
        findings: Findings,
        ledger: LegsTruth,
        risk: RiskTruth,
        venue: Truth,
        lease_ns: int,
        standing: Callable[[], Standing],
        orders_max: int,
    ) -> None:
        """Take what the checkers look at.

        Args:
            findings: Where violations go.
            ledger: What is durable.
            risk: What risk has on disk.
            venue: What the venue holds.
            lease_ns: Length of a lease.
            standing: Tells how execution and risk are.
            orders_max: Most orders of ours that may be live.
        """
        self._venue = venue
        self._standing = standing
        self._lease = LeaseChecker(findings)
        self._intents = IntentChecker(findings, ledger)
        self._lifecycle = LifecycleChecker(findings, venue)
        self._hung = HungRiskChecker(findings, lease_ns)
        self._cancels = CancelChecker(findings)
        self._frames = FrameChecker(findings)
        self._data = DataChecker(findings, ledger)
        self._count = CountChecker(findings, orders_max)
        self.own_trades = OwnTradeChecker(findings, ledger)
        self.halts = HaltChecker(findings)
        self.latches = LatchChecker(findings, risk, venue, lease_ns)
        self._grants = GrantChecker(findings, ledger, venue)
        self.holdings = HoldingsChecker(findings, ledger, venue)
        self.prices = PriceChecker(findings, venue.oracle_ticks)
        self.memory = MemoryChecker(findings)
        self._execution: Incarnation | None = None
        self._fills_seen: dict[tuple[str, str], None] = {}
        self._is_flat = True
        self.garbles = False
        self.posts = 0
        self.risk_status: RiskStatus | None = None
        self._status_ns: int | None = None
        self.oracle_silent_ns = 0
        self.tell: Callable[[str, str, str], None] = lambda who, what, text: None

    @property
    def fills(self) -> int:
        """How many legs of trades were ours."""
        return len(self._fills_seen)

    def published(self, peer: Peer, effect: Publish, now: Instant) -> None:
        """Judge a fact before anybody reads it."""
        body = effect.body
        if isinstance(body, OrderFact):
            self._lifecycle.told(body, peer.incarnation)
            self.holdings.dust.told_order(body)
        elif isinstance(body, FillFact):
            self._fills_seen[(body.trade_id, body.order_id)] = None
            self._lifecycle.told_fill(body)
            self.holdings.look_ups.told_fill(body)
            if body.settlement == "FAILED":
                self.tell(peer.component, "state.fill_failed", body.trade_id)
        elif isinstance(body, Positions | ExecutionStatus):
            self.holdings.told(body, peer.incarnation, now)
        elif isinstance(body, ReferencePrice):
            self.prices.told(body, peer.incarnation)
        elif isinstance(body, Alert):
            self.tell(peer.component, f"alert.{body.name}", body.text)
        elif isinstance(body, RiskStatus):
            self._told_by_risk(peer, body, now)
        elif isinstance(body, StateView | StateQuality):
            self._data.told(body, now)
        elif isinstance(body, FeedStatus) and not self.garbles:
            self._frames.told(body)

    def _told_by_risk(self, peer: Peer, body: RiskStatus, now: Instant) -> None:
        """Judge risk's own words."""
        is_silent = any(switch.name == ORACLE_STALE.name for switch in body.switches)
        if is_silent and self._status_ns is not None:
            self.oracle_silent_ns += now.monotonic_ns - self._status_ns
        self._status_ns = now.monotonic_ns
        before = self.risk_status
        if before is None or before.trading_state != body.trading_state:
            reasons = "; ".join(body.reasons)
            self.tell(peer.component, f"state.{body.trading_state}", reasons)
        self.risk_status = body
        self.halts.told(body)
        self.latches.told(body, now)
        self._grants.told(body)

    def ordered(self, peer: Peer, ping: Ping, now: Instant) -> None:
        """Follow what execution is told."""
        if peer.component == EXECUTION:
            self._lease.ordered(peer.incarnation, ping)
            self._grants.ordered(peer.incarnation, ping)

    def posted(
        self, incarnation: Incarnation, order_id: OrderHash, epoch: int, now: Instant
    ) -> None:
        """Judge the first byte of an order."""
        self.posts += 1
        self._lease.posted(incarnation, order_id, epoch, now)
        self._intents.posted(order_id)
        self.holdings.sure.posted(order_id)
        self.latches.posted(order_id, now)
        self._grants.posted(incarnation, order_id, epoch)
        self._data.posted(order_id, now)
        self._hung.posted(order_id, self._standing().risk_silent_ns)

    def canceled(self, moment_ns: int, request: HttpRequest) -> None:
        """Follow which orders a cancel of execution covers."""
        named: tuple[OrderHash, ...] | None = None
        if request.path.startswith("/order"):
            decoded = msgspec.json.decode(request.body)
            listed = [decoded["orderID"]] if isinstance(decoded, dict) else decoded
            named = tuple(OrderHash(item) for item in listed)
        self._cancels.canceled(moment_ns, named)

    def venue_changed(self) -> None:
        """Judge the venue's open orders after it has done something."""
        self._intents.judge_venue(self._venue)
        self.halts.judge_venue(self._venue)
        self.latches.judge_venue()
        self._count.judge_venue(self._venue)
        self.holdings.look_ups.venue_changed()

    def look(self, moment_ns: int, now: Instant) -> None:
        """Judge what shows only with time; called every few milliseconds."""
        is_flat = not self._venue.open_ids()
        if is_flat != self._is_flat:
            self._is_flat = is_flat
            self.tell("venue", "state.flat" if is_flat else "state.quoted", "")
        execution = self._standing().execution
        if execution is None or execution != self._execution:
            self._execution = execution
            self._cancels.excused()
            return
        if self._lease.may_place(execution, now):
            self._cancels.excused()
            return
        open_ids = dict.fromkeys(self._venue.open_ids())
        live = [order_id for order_id in self._lifecycle.live() if order_id in open_ids]
        self._cancels.judge(moment_ns, live)
