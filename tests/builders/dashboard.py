"""A dashboard's core that hears a group which trades; one keyword silences or spoils a part."""

from typing import Any

import msgspec

from services.dashboard.core import DashboardCore
from services.dashboard.messages import Show
from services.dashboard.model import Page
from shared.effects import Effect, Message, Received
from shared.facts import (
    Calendar,
    ComponentStatus,
    Evidence,
    ExecutionStatus,
    FeedStatus,
    OrderFact,
    QualityFinding,
    RefusalCount,
    RiskStatus,
    StateQuality,
    StateView,
)
from shared.identifiers import Component, Incarnation, OrderHash, StrategyName
from shared.topics import COMPONENTS, EXECUTION, FEED_DISCOVERY, FEEDS, RISK, STATE
from shared.units import NS_PER_MS, BootNs, Instant, MonotonicNs, PriceE4, SizeE6
from tests.builders.bus_rig import settings_in
from tests.builders.markets import MARKET, UP, instant, market_info, market_view


def risk_status(**spoil: Any) -> RiskStatus:
    """Return risk's word on a group that trades."""
    status = RiskStatus(
        trading_state="ACTIVE",
        reasons=(),
        epoch=2,
        fence="zero",
        fence_reason="risk has started",
        beat_age_ns=500 * NS_PER_MS,
        switches=(),
        components=tuple(
            ComponentStatus(name, 100 + n, 7, True, 100 * NS_PER_MS, NS_PER_MS, "ready", "")
            for n, name in enumerate(COMPONENTS)
            if name != RISK
        ),
        switch_version=1,
    )
    return msgspec.structs.replace(status, **spoil)


def execution_status(now: Instant, **spoil: Any) -> ExecutionStatus:
    """Return execution's word: one order rests."""
    status = ExecutionStatus(
        trading_state="ACTIVE",
        cause="",
        epoch=2,
        lease_until_ns=BootNs(now.boot_ns + 300 * NS_PER_MS),
        open_orders=1,
        in_flight=0,
        unknown=0,
        proven_start=True,
        reconciled_ns=MonotonicNs(now.monotonic_ns - 1_000 * NS_PER_MS),
        refusals=(RefusalCount("inventory", 3), RefusalCount("fence", 9)),
    )
    return msgspec.structs.replace(status, **spoil)


def feed_status(feed: str, now: Instant, **spoil: Any) -> FeedStatus:
    """Return a feed's word: connected, with evidence a tenth of a second old."""
    seen = MonotonicNs(now.monotonic_ns - 100 * NS_PER_MS)
    status = FeedStatus(feed, True, MonotonicNs(0), "", 1, (Evidence("1", seen),))
    return msgspec.structs.replace(status, **spoil)


def order_fact(**spoil: Any) -> OrderFact:
    """Return a bid of ours that rests in the built market."""
    order = OrderFact(
        order_id=OrderHash("0xo"),
        strategy=StrategyName("market_making"),
        market=MARKET,
        token=UP,
        side="BUY",
        level=0,
        price=PriceE4(4_800),
        size=SizeE6(5_000_000),
        filled=SizeE6(1_000_000),
        state="LIVE",
        reason="",
        epoch=2,
        created_ns=BootNs(1),
    )
    return msgspec.structs.replace(order, **spoil)


class Dashboard:
    """The core under test, its group, and a clock that the test moves.

    Attributes:
        silent: Components that say nothing any more.
        shown: Everything that was shown, oldest first; effects: everything else.
    """

    def __init__(self, tmp_path: Any, *, config: Any = None) -> None:
        self.core = DashboardCore(config or settings_in(tmp_path).config, Incarnation(9))
        self.ms = 1_000
        self.silent: set[str] = set()
        self.spoil: dict[str, dict[str, Any]] = {}
        self.findings: tuple[QualityFinding, ...] = ()
        self.shown: list[Show] = []
        self.effects: list[Effect] = []
        self.sequence = 0

    @property
    def now(self) -> Instant:
        return instant(self.ms)

    @property
    def page(self) -> Page:
        return msgspec.json.decode(self.shown[-1].page, type=Page)

    def tell(self, message: Message) -> None:
        self._take(self.core.on_message(message, self.now))

    def fact(self, component: str, topic: str, body: msgspec.Struct, wall_ns: int = 0) -> None:
        """Let a component say something now, unless it is silent."""
        if component in self.silent:
            return
        self.sequence += 1
        at = self.now
        self.tell(
            Received(
                Component(component),
                Incarnation(5),
                topic,
                self.sequence,
                at.monotonic_ns,
                at.monotonic_ns,
                wall_ns or at.wall_ns,
                body,
            )
        )

    def speak(self) -> None:
        """Let everybody say what is repeated."""
        now = self.now
        risk = self.spoil.get(RISK, {})
        execution = self.spoil.get(EXECUTION, {})
        view = self.spoil.get(STATE, {})
        self.fact(RISK, "risk.status", risk_status(**risk))
        self.fact(EXECUTION, "execution.status", execution_status(now, **execution))
        self.fact(STATE, "state.view", StateView((market_view(now, **view),)))
        self.fact(STATE, "state.quality", StateQuality(2, 0, 0, self.findings))
        for feed in FEEDS:
            self.fact(feed, "feed.status", feed_status(feed, now, **self.spoil.get(feed, {})))
        calendar = Calendar((market_info(),), now.monotonic_ns)
        self.fact(FEED_DISCOVERY, "feed.calendar", calendar)

    def run(self, milliseconds: int, *, step_ms: int = 100, speaks: bool = True) -> None:
        """Let time pass, with everybody speaking and the core ticking at each step."""
        for _ in range(milliseconds // step_ms):
            self.ms += step_ms
            if speaks:
                self.speak()
            self._take(self.core.on_tick(self.now))

    def _take(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Show):
                self.shown.append(effect)
            else:
                self.effects.append(effect)
