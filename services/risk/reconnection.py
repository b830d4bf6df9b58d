"""The recovery from a lost feed as a chain of steps, each with its time (NET-3).

A loss is a connection that is gone, or a session that is another than before: what was said
between them is unknown. From then on each step is stamped when it first holds and stays so: the
connections, the whole snapshot, own orders, the reconciliation, the comparison with the last
state, strategies that look again, clean data, trading. Each stamp is a line of the log; the end
tells whether it took longer than it may. Nothing is decided here but what people are told: what
trading waits for is the switches' and the check list's.
"""

from collections.abc import Callable, Iterator

import msgspec

from services.risk.source import Notice
from shared.config import Config
from shared.control import Pong
from shared.effects import ControlReceived, Effect, Log, Message, Received
from shared.facts import (
    Calendar,
    ExecutionStatus,
    FeedStatus,
    MarketInfo,
    MarketView,
    PerpContext,
    Reconnection,
    ReconnectionStep,
    RiskStatus,
    StateView,
)
from shared.identifiers import ConditionId, Incarnation
from shared.switches import (
    DATA_QUALITY,
    MARKET_FEED_STALE,
    ORACLE_STALE,
    OWN_ORDER_FEED_STALE,
)
from shared.topics import FEED_MARKET, FEED_PRICE, FEED_USER, STRATEGIES
from shared.units import NS_PER_MS, NS_PER_S, Instant, MonotonicNs

WHOLE_NS_MAX = 10 * NS_PER_S
"""From the connection on until trading. Source: requirement NET-3."""

OPEN_NS_MAX = 60 * NS_PER_S
"""A further loss within this time belongs to the one before; later it is one of its own."""

OPEN_INTEREST_PERCENT_MAX = 20
"""Open interest of the underlying that has moved by more since the loss alerts (NET-3)."""

ASSETS_MAX = 64
RUNBOOK = "reconnection"

STEPS = (
    "connected",
    "snapshot",
    "own orders",
    "reconciled",
    "compared",
    "strategies",
    "clean data",
    "trading",
)
"""In the order in which they follow from one another."""

HELD_BY = frozenset(
    switch.name for switch in (MARKET_FEED_STALE, OWN_ORDER_FEED_STALE, ORACLE_STALE, DATA_QUALITY)
)
"""Switches by which a lost feed holds something back."""


class _Feed(msgspec.Struct, frozen=True):
    """What a feed said last, of which run, and when."""

    status: FeedStatus
    incarnation: Incarnation
    sent_ns: MonotonicNs


class _Open(msgspec.Struct):
    """A loss whose recovery goes on, or is over.

    Attributes:
        lost_ns: When the newest of its losses was heard of.
        before: Settlement price of each asset when it was lost; interest: open interest.
        done_ns: When each step was done; a step that does not hold any more leaves it.
    """

    number: int
    cause: str
    began_ns: MonotonicNs
    began_wall_ns: int
    lost_ns: MonotonicNs
    before: dict[str, int]
    interest: dict[str, int]
    done_ns: dict[str, MonotonicNs] = {}
    whole_ms: int | None = None
    is_late: bool = False
    moved: dict[str, str] = {}


class Reconnections:
    """The newest loss, and what is needed to judge its recovery."""

    def __init__(self, config: Config) -> None:
        """Begin with nothing lost: the start of a group is no reconnection."""
        spared = {FEED_USER} if config.run.dry_run else set()
        self._needed = [name for name in (FEED_MARKET, FEED_USER, FEED_PRICE) if name not in spared]
        self._moved_percent_max = config.recovery.moved_percent_max
        self._feeds: dict[str, _Feed] = {}
        self._markets: tuple[MarketInfo, ...] = ()
        self._views: dict[ConditionId, MarketView] = {}
        self._view_ns = MonotonicNs(0)
        self._reconciled_ns: MonotonicNs | None = None
        self._strategies: dict[str, str] = {}
        self._interest: dict[str, int] = {}
        self._interest_ns: dict[str, MonotonicNs] = {}
        self._status: RiskStatus | None = None
        self._count = 0
        self._open: _Open | None = None
        self._news: list[Notice | Effect] = []

    def hear(self, message: Message, now: Instant) -> None:
        """Take in what feeds, state, execution and strategies say."""
        match message:
            case Received(body=FeedStatus() as status):
                self._hear_feed(status, message.incarnation, message.sent_ns, now)
            case Received(body=StateView() as view):
                self._views = {market.market: market for market in view.markets}
                self._view_ns = message.sent_ns
            case Received(body=ExecutionStatus(reconciled_ns=reconciled_ns)):
                self._reconciled_ns = reconciled_ns
            case Received(body=Calendar(markets=markets)):
                self._markets = markets
            case Received(body=PerpContext() as context):
                if context.asset in self._interest or len(self._interest) < ASSETS_MAX:
                    self._interest[context.asset] = int(context.open_interest_e8)
                    self._interest_ns[context.asset] = context.received_ns
            case ControlReceived(body=Pong(component=component) as pong):
                if component in STRATEGIES:
                    self._strategies[component] = pong.state
            case _:
                pass

    def data(self, now: Instant) -> Iterator[Notice | Effect]:
        """Yield what has become of the newest loss since the last look."""
        yield from self._news
        self._news.clear()

    def look(self, status: RiskStatus, now: Instant) -> Reconnection | None:
        """Stamp what holds now, and return the chain; None while nothing was lost."""
        self._status = status
        found = self._open
        if found is None:
            return None
        if found.whole_ms is None:
            self._stamp(found, now)
        return Reconnection(
            number=found.number,
            cause=found.cause,
            began_wall_ns=found.began_wall_ns,
            steps=tuple(self._step(found, name, now) for name in STEPS),
            whole_ms=found.whole_ms,
            limit_ms=WHOLE_NS_MAX // NS_PER_MS,
            moved=tuple(found.moved.values()),
        )

    def _hear_feed(
        self, status: FeedStatus, incarnation: Incarnation, sent_ns: MonotonicNs, now: Instant
    ) -> None:
        if status.feed not in self._needed:
            return
        before = self._feeds.get(status.feed)
        self._feeds[status.feed] = _Feed(status, incarnation, sent_ns)
        if before is None or not before.status.connected:
            return
        if not status.connected:
            self._begin(f"{status.feed}: {status.cause or 'not connected'}", now)
        elif incarnation != before.incarnation:
            self._begin(f"{status.feed} was started anew", now)
        elif status.session != before.status.session:
            self._begin(f"{status.feed} is connected anew", now)

    def _begin(self, cause: str, now: Instant) -> None:
        """Begin a chain, or begin the one that goes on anew: nothing that was done still holds."""
        before = self._open
        goes_on = before is not None and before.whole_ms is None
        if before is not None and goes_on and now.monotonic_ns - before.began_ns < OPEN_NS_MAX:
            before.cause = cause
            before.lost_ns = now.monotonic_ns
            before.done_ns.clear()
            return
        self._count += 1
        self._open = _Open(
            self._count,
            cause,
            now.monotonic_ns,
            now.wall_ns,
            now.monotonic_ns,
            before=self._prices(),
            interest=dict(self._interest),
        )
        self._news.append(Log("risk.reconnection", {"number": self._count, "lost": cause}))

    def _prices(self) -> dict[str, int]:
        return {
            view.asset: int(view.reference.value_e18)
            for view in self._views.values()
            if view.reference is not None and view.reference.value_e18 > 0
        }

    def _stamp(self, found: _Open, now: Instant) -> None:
        for name in STEPS:
            waits = self._waits(found, name, now)
            if waits:
                found.done_ns.pop(name, None)
            elif name not in found.done_ns:
                found.done_ns[name] = now.monotonic_ns
                self._tell_step(found, name, now)
        self._compare_interest(found)
        connected_ns = found.done_ns.get("connected")
        if connected_ns is None:
            return
        whole_ns = now.monotonic_ns - connected_ns
        if len(found.done_ns) == len(STEPS):
            found.whole_ms = whole_ns // NS_PER_MS
            self._tell_end(found)
        elif whole_ns > WHOLE_NS_MAX and not found.is_late and not self._is_latched():
            found.is_late = True
            missing = next(name for name in STEPS if name not in found.done_ns)
            text = f"connected for {whole_ns / NS_PER_S:.1f} s after {found.cause}, and trading "
            text += f"waits for {missing}: {self._waits(found, missing, now)}"
            self._news.append(Notice("warning", "recovery slow", text, RUNBOOK))

    def _is_latched(self) -> bool:
        """Tell whether trading waits for a person, whatever the feeds do."""
        rows = () if self._status is None else self._status.switches
        return any(row.kind == "latch" and row.scope == "account" for row in rows)

    def _waits(self, found: _Open, name: str, now: Instant) -> str:
        """Return what a step waits for; empty when it holds."""
        check = _CHECKS[name]
        return check(self, found, now)

    def _connected(self, found: _Open, now: Instant) -> str:
        lost = [
            f"{name}: {feed.status.cause}" if (feed := self._feeds.get(name)) else name
            for name in self._needed
            if name not in self._feeds or not self._feeds[name].status.connected
        ]
        return ", ".join(lost)

    def _since_ns(self, found: _Open) -> MonotonicNs:
        """Return from when on what is read is of the new connections, by the feeds' own stamps."""
        if "connected" not in found.done_ns:
            return MonotonicNs(1 << 62)
        return max(self._feeds[name].status.since_ns for name in self._needed)

    def _snapshot(self, found: _Open, now: Instant) -> str:
        if self._view_ns <= self._since_ns(found):
            return "state has not spoken since"
        for market in self._running(now):
            view = self._views.get(market.condition_id)
            if view is None or not view.valid:
                return f"{market.slug}: {'no view' if view is None else view.reason}"
        return ""

    def _own_orders(self, found: _Open, now: Instant) -> str:
        if FEED_USER not in self._needed:
            return ""
        feed = self._feeds.get(FEED_USER)
        stamps = [] if feed is None else [one.evident_ns for one in feed.status.evidence]
        evident = bool(stamps) and all(one is not None and one > found.lost_ns for one in stamps)
        return "" if evident else "no evidence since the loss"

    def _reconciled(self, found: _Open, now: Instant) -> str:
        read_ns = self._reconciled_ns
        is_newer = read_ns is not None and read_ns > self._since_ns(found)
        return "" if is_newer else "orders and trades were not read since"

    def _compared(self, found: _Open, now: Instant) -> str:
        """Compare each price once it is told by the new connections; the comparison waits."""
        if "snapshot" not in found.done_ns:
            return "the snapshot comes first"
        if "compared" in found.done_ns:
            return ""
        for asset, value in self._prices().items():
            before = found.before.get(asset)
            if before is not None and abs(value - before) * 100 > self._moved_percent_max * before:
                text = f"{asset} from {before / 1e18:g} to {value / 1e18:g} USD"
                self._tell_moved(found, asset, text)
        return ""

    def _compare_interest(self, found: _Open) -> None:
        """Compare open interest whenever it is told anew: no step waits for a side feed."""
        for asset, before in found.interest.items():
            value = self._interest[asset]
            is_new = self._interest_ns[asset] > found.began_ns
            if is_new and abs(value - before) * 100 > OPEN_INTEREST_PERCENT_MAX * before:
                text = f"open interest of {asset} from {before / 1e8:g} to {value / 1e8:g}"
                self._tell_moved(found, f"{asset} interest", text)

    def _strategies_look(self, found: _Open, now: Instant) -> str:
        wrong = [
            name
            for name in STRATEGIES
            if self._strategies.get(name) not in (None, "ready") and name not in self._disabled()
        ]
        return f"{', '.join(wrong)} not ready" if wrong else ""

    def _disabled(self) -> set[str]:
        status = self._status
        rows = () if status is None else status.switches
        return {row.scope_id for row in rows if row.scope == "strategy"}

    def _clean(self, found: _Open, now: Instant) -> str:
        if self._status is None or "snapshot" not in found.done_ns:
            return "the snapshot comes first"
        running = {market.condition_id for market in self._running(now)}
        held = [
            f"{row.name} {row.scope_id}".rstrip()
            for row in self._status.switches
            if row.name in HELD_BY and (row.scope != "market" or row.scope_id in running)
        ]
        return ", ".join(held)

    def _trading(self, found: _Open, now: Instant) -> str:
        missing = [name for name in STEPS[:-1] if name not in found.done_ns]
        if missing or self._status is None:
            return f"{missing[0]} comes first" if missing else "risk has not spoken"
        if self._status.trading_state == "ACTIVE":
            return ""
        return "; ".join(self._status.reasons) or self._status.trading_state

    def _running(self, now: Instant) -> tuple[MarketInfo, ...]:
        """Return the markets that can be traded now."""
        return tuple(
            market
            for market in self._markets
            if not market.closed and market.start_ms <= now.wall_ms < market.cutoff_ms
        )

    def _step(self, found: _Open, name: str, now: Instant) -> ReconnectionStep:
        done_ns = found.done_ns.get(name)
        if done_ns is None:
            return ReconnectionStep(name, None, self._waits(found, name, now))
        return ReconnectionStep(name, (done_ns - found.began_ns) // NS_PER_MS)

    def _tell_step(self, found: _Open, name: str, now: Instant) -> None:
        after_ms = (now.monotonic_ns - found.began_ns) // NS_PER_MS
        fields = {"number": found.number, "step": name, "after_ms": after_ms}
        self._news.append(Log("risk.reconnection_step", fields))

    def _tell_moved(self, found: _Open, key: str, text: str) -> None:
        if key not in found.moved:
            found.moved[key] = text
            told = f"since {found.cause}: {text}"
            self._news.append(Notice("warning", f"moved {key}", told, "price-moved"))

    def _tell_end(self, found: _Open) -> None:
        assert found.whole_ms is not None
        is_late = found.whole_ms * NS_PER_MS > WHOLE_NS_MAX
        fields = {"number": found.number, "whole_ms": found.whole_ms, "lost": found.cause}
        self._news.append(
            Log("risk.reconnected", fields, "warning" if is_late else "info"),
        )


_Check = Callable[[Reconnections, _Open, Instant], str]

_CHECKS: dict[str, _Check] = {
    "connected": Reconnections._connected,
    "snapshot": Reconnections._snapshot,
    "own orders": Reconnections._own_orders,
    "reconciled": Reconnections._reconciled,
    "compared": Reconnections._compared,
    "strategies": Reconnections._strategies_look,
    "clean data": Reconnections._clean,
    "trading": Reconnections._trading,
}
