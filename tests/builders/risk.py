"""A small world around risk's core: components that pong, a venue that answers, a disk.

Everything is at its best until a test spoils it; time moves by ticks alone.
"""

from typing import Any

from services.risk.core import RiskCore
from services.risk.messages import (
    KeyFound,
    KillProcess,
    Persist,
    Persisted,
    PersistFailed,
    ProcessExited,
    StoredState,
)
from services.risk.source import Source
from shared.config import Config
from shared.control import Ping, Pong
from shared.effects import (
    Control,
    ControlReceived,
    Effect,
    Exit,
    HttpRequest,
    Message,
    Peer,
    Publish,
    Received,
)
from shared.facts import (
    Alert,
    Calendar,
    Evidence,
    ExecutionStatus,
    FeedStatus,
    MarketInfo,
    PlaceFact,
    PositionFact,
    Positions,
    RiskStatus,
    StateQuality,
)
from shared.identifiers import Asset, Component, ConditionId, Incarnation, TokenId
from shared.operator import (
    Halt,
    LatchName,
    OperatorReply,
    OperatorRequest,
    Reply,
    Request,
    Resume,
    decode_reply,
    encode_request,
)
from shared.topics import (
    COMPONENTS,
    EXECUTION,
    FEED_DISCOVERY,
    FEED_MARKET,
    FEED_PRICE,
    FEED_USER,
    RISK,
    STATE,
)
from shared.units import NS_PER_MS, BootNs, Instant, MonotonicNs, PriceE4, SizeE6, WallMs, WallNs
from tests.builders.risk_parts import FakeExecution, FakeVenue, config, host_readings, state_view

BOOT_START_MS = 1_000_000
WALL_AHEAD_MS = 1_790_000_000_000
MONOTONIC_BEHIND_MS = 5_000
"""The three clocks differ, so that a test finds out when one is taken for another."""

RISK_INCARNATION = Incarnation(77)
MARKET = ConditionId("0xm1")
UP, DOWN = TokenId("11"), TokenId("12")


def instant(ms: float) -> Instant:
    """Return the instant some milliseconds after the start of the test."""
    boot = int((BOOT_START_MS + ms) * NS_PER_MS)
    return Instant(
        BootNs(boot),
        MonotonicNs(boot - MONOTONIC_BEHIND_MS * NS_PER_MS),
        WallNs(boot + WALL_AHEAD_MS * NS_PER_MS),
    )


def market(**spoil: Any) -> MarketInfo:
    """Return a market that runs for a long time."""
    start = WALL_AHEAD_MS + BOOT_START_MS
    fields: dict[str, Any] = {
        "condition_id": MARKET,
        "slug": "btc-updown-5m-1",
        "asset": Asset("btc"),
        "version": "v2",
        "tokens": (UP, DOWN),
        "outcomes": ("Up", "Down"),
        "tick_e4": PriceE4(100),
        "min_size_e6": SizeE6(5_000_000),
        "neg_risk": False,
        "start_ms": WallMs(start),
        "end_ms": WallMs(start + 300_000),
        "cutoff_ms": WallMs(start + 290_000),
        "active": True,
        "closed": False,
        "accepting_orders": True,
        "restricted": False,
        "fee_rate_e6": 0,
        "taker_delay": False,
    }
    return MarketInfo(**{**fields, **spoil})


API_KEY = "key-1"


class World:
    """Risk's core and everything around it."""

    def __init__(
        self,
        stored: StoredState | None = None,
        settings: Config | None = None,
        sources: tuple[Source, ...] | None = None,
    ) -> None:
        self.config = settings or config()
        self.ms = 0.0
        stored = stored or StoredState(used_max=1_000, reserved=2_000)
        self.stored = stored
        self.core = RiskCore(self.config, RISK_INCARNATION, stored, self.now, sources)
        self.execution = FakeExecution(500)
        self.venue = FakeVenue()
        self.silent: set[Component] = set()
        self.place: PlaceFact | None = None
        self.hashes: dict[Component, str] = {}
        self.markets = [market()]
        self.positions: tuple[PositionFact, ...] = ()
        self.clock_off_ms = 0
        self.stale: dict[str, float] = {}
        self.connected = True
        self.state_speaks = True
        self.valid = True
        self.deep = True
        self.quality = StateQuality(1, 0, 0, ())
        self.disk_works = True
        self.disk_answers = True
        self.writes: list[Persist] = []
        self.effects: list[tuple[float, Effect]] = []
        self.replies: list[tuple[int, Reply]] = []
        self.restarts: dict[Component, int] = {}
        self._to_risk: list[Message] = [] if stored.api_key is None else [KeyFound(API_KEY)]

    @property
    def now(self) -> Instant:
        return instant(self.ms)

    def run(self, ms: float) -> None:
        """Let time pass by ticks of 10 ms."""
        until = self.ms + ms
        while self.ms < until - 1e-6:
            self.ms += 10
            if round(self.ms) % 100 == 0:
                self._facts()
            self._deliver()
            self.take(self.core.on_tick(self.now))
            self._deliver()

    def tell(self, message: Message) -> None:
        """Hand one message to risk now."""
        self.take(self.core.on_message(message, self.now))
        self._deliver()

    def tell_pong(self, component: Component) -> None:
        """Hand risk a pong to the newest ping, without a tick."""
        self.tell_as(self.pong(component, self.execution.newest))

    def tell_as(self, pong: Pong) -> None:
        """Hand risk a pong as it is."""
        self.tell(ControlReceived(pong, Peer(pong.component, pong.incarnation)))

    def alerts(self) -> list[Alert]:
        """Return the alerts published."""
        return [one.body for one in self.of(Publish) if isinstance(one.body, Alert)]

    def tell_line(self, line: bytes) -> None:
        """Hand risk a line of the control socket as it is."""
        self.tell(OperatorRequest(1, 1000, 4242, line))

    def take(self, effects: list[Effect]) -> None:
        """Carry effects out."""
        for effect in effects:
            self.effects.append((self.ms, effect))
            if isinstance(effect, Control):
                self._ping(effect)
            elif isinstance(effect, HttpRequest):
                self._to_risk.append(self.venue.answer(effect, self.now))
            elif isinstance(effect, Persist):
                self._persist(effect)
            elif isinstance(effect, OperatorReply):
                self.replies.append((effect.connection, decode_reply(effect.body)))

    def trade(self) -> None:
        """Run until trading is granted."""
        for _ in range(300):
            self.run(100)
            if self.status.trading_state == "ACTIVE" and self.leases():
                return
        raise AssertionError(f"never traded: {self.status.reasons} {self.check_list()}")

    @property
    def status(self) -> RiskStatus:
        """Return the newest status published."""
        published = self.of(Publish)
        return [one.body for one in published if isinstance(one.body, RiskStatus)][-1]

    def check_list(self) -> list[str]:
        """Return the names of the recovery items that do not hold."""
        return [check.name for check in self.core._show(self.now)[1] if not check.holds]

    def of(self, kind: type[Any], since_ms: float = -1.0) -> list[Any]:
        """Return the effects of a type since a moment."""
        return [one for at, one in self.effects if isinstance(one, kind) and at >= since_ms]

    def leases(self, since_ms: float = -1.0) -> list[Ping]:
        """Return the pings to execution that carried a lease since a moment."""
        return [
            control.body for control in self.of(Control, since_ms) if control.body.lease is not None
        ]

    def kills(self) -> list[Component]:
        """Return whom risk has killed."""
        return [kill.component for kill in self.of(KillProcess)]

    def exits(self) -> list[Exit]:
        """Return the ends that risk has asked for."""
        return self.of(Exit)

    def ask(self, request: Request, connection: int = 1) -> None:
        """Send an operator's request."""
        self.tell(OperatorRequest(connection, 1000, 4242, encode_request(request)))

    def halt(self, reason: str = "test", **scope: Any) -> None:
        """Halt as an operator."""
        self.ask(Halt(reason=reason, **scope))

    def resume(self, *, reason: str = "test") -> None:
        """Resume all latches that the status shows."""
        names = tuple(
            LatchName(name=one.name, scope=one.scope, scope_id=one.scope_id, version=one.version)  # type: ignore[arg-type]
            for one in self.status.switches
            if one.kind == "latch" and one.name != "market_cutoff"
        )
        self.ask(Resume(latches=names, reason=reason))

    def finish_writes(self) -> None:
        """Let the disk answer again, for everything that was asked of it."""
        self.disk_answers = True
        self.tell(Persisted(self.writes[-1].write_id))

    def exit_of(self, component: Component, incarnation: int | None = None) -> None:
        """Let the kernel tell of an exit; the component stays silent."""
        if component == EXECUTION:
            self.execution.answers = False
            incarnation = incarnation or self.execution.incarnation
        else:
            self.silent.add(component)
        mine = Incarnation(incarnation or self._incarnation(component))
        self.tell(ProcessExited(component, mine))

    def restart(self, component: Component) -> None:
        """Start a component again, as a new run."""
        self.restarts[component] = self.restarts.get(component, 0) + 1
        self.silent.discard(component)

    def restart_execution(self, incarnation: int) -> FakeExecution:
        """Start a new execution beside what was."""
        epoch = self.execution.ledger_epoch
        self.execution = FakeExecution(incarnation)
        self.execution.ledger_epoch = epoch
        return self.execution

    def pong(self, component: Component, ping: Ping | None) -> Pong:
        """Return a component's pong now."""
        mine = component == EXECUTION
        return Pong(
            component=component,
            incarnation=self.execution.incarnation if mine else self._incarnation(component),
            pid=self.execution.pid if mine else int(self._incarnation(component)),
            risk_incarnation=ping.risk_incarnation if ping else self._risk_heard_by(component),
            ping_id=ping.ping_id if ping else 0,
            ping_sent_ns=ping.sent_ns if ping else BootNs(0),
            build_hash="b",
            config_hash=self.hashes.get(component, "c"),
            dependency_hash="d",
            state="ready",
            reason="",
            epoch=ping.epoch if ping else 0,
            switch_version=0,
            queue_depth=0,
            loop_lag_ns=0,
            execution=self.execution.part(self.now) if mine else None,
        )

    def _risk_heard_by(self, component: Component) -> Incarnation:
        heard = self.execution.pings if component == EXECUTION else ()
        return heard[-1].risk_incarnation if heard else Incarnation(0)

    def hello(self, component: Component) -> None:
        """Let a component say hello."""
        peer = Peer(component, self.pong(component, None).incarnation)
        self._to_risk.append(ControlReceived(self.pong(component, None), peer))

    def fact(self, component: Component, topic: str, body: Any) -> None:
        """Let a component publish."""
        now = self.now
        self._to_risk.append(
            Received(
                component, Incarnation(1), topic, 1, now.monotonic_ns, now.monotonic_ns, 0, body
            )
        )

    def _ping(self, control: Control) -> None:
        peer = control.to
        assert peer is not None
        ping = control.body
        assert isinstance(ping, Ping)
        if peer.component == EXECUTION:
            if not self.execution.answers or peer.incarnation != self.execution.incarnation:
                return
            self.execution.hear(ping, self.now)
        elif peer.component in self.silent:
            return
        self._to_risk.append(ControlReceived(self.pong(peer.component, ping), peer))

    def _persist(self, write: Persist) -> None:
        self.writes.append(write)
        if not self.disk_answers:
            return
        if self.disk_works:
            self._to_risk.append(Persisted(write.write_id))
        else:
            self._to_risk.append(PersistFailed(write.write_id, "disk full"))

    def _deliver(self) -> None:
        for _ in range(20):
            messages, self._to_risk = self._to_risk, []
            if not messages:
                return
            for message in messages:
                self.take(self.core.on_message(message, self.now))

    def _incarnation(self, component: Component) -> Incarnation:
        restarts = self.restarts.get(component, 0)
        return Incarnation(100 + COMPONENTS.index(component) + 1_000 * restarts)

    def _age(self, name: str) -> MonotonicNs:
        return MonotonicNs(int(self.now.monotonic_ns - self.stale.get(name, 0.0) * NS_PER_MS))

    def _facts(self) -> None:
        """Publish what everybody repeats, and say hello."""
        self._to_risk += host_readings(self.clock_off_ms)
        if round(self.ms) % 200 == 0:
            self._hellos()
        for feed, keys in (
            (FEED_USER, ("orders",)),
            (FEED_PRICE, ("btc",)),
            (FEED_MARKET, (UP, DOWN)),
        ):
            if feed in self.silent:
                continue
            evidence = tuple(Evidence(key, self._age(feed)) for key in keys)
            status = FeedStatus(feed, self.connected, MonotonicNs(0), "", 1, evidence)
            self.fact(feed, "feed.status", status)
        if FEED_DISCOVERY not in self.silent:
            calendar = Calendar(tuple(self.markets), self._age(FEED_DISCOVERY))
            self.fact(FEED_DISCOVERY, "feed.calendar", calendar)
            if self.place is not None:
                self.fact(FEED_DISCOVERY, "feed.place", self.place)
        if STATE not in self.silent and self.state_speaks:
            view = state_view(self.markets, self.now, valid=self.valid, deep=self.deep)
            self.fact(STATE, "state.view", view)
            self.fact(STATE, "state.quality", self.quality)
        if self.execution.answers:
            self.fact(EXECUTION, "execution.status", self._execution_status())
            self.fact(EXECUTION, "execution.positions", Positions(self.positions))

    def _hellos(self) -> None:
        for component in COMPONENTS:
            living = component not in self.silent and component != RISK
            if component == EXECUTION:
                living = self.execution.answers
            if living:
                self.hello(component)

    def _execution_status(self) -> ExecutionStatus:
        return ExecutionStatus(
            "PAUSED", "", 0, BootNs(0), 0, 0, 0, True, self._age("reconciled"), ()
        )
