"""What a strategy process knows: calendar, views, positions and who else is alive.

Holds facts with their ages and turns them into a `MarketContext`, or into the reason why
there is none. A fact that is too old, or that a gap has put in doubt, is unknown.
"""

import msgspec

from services.strategy.interface import (
    NOTHING_HELD,
    Holding,
    MarketContext,
    holding_of,
)
from services.strategy.standing import Standing
from shared.config import TimingSettings
from shared.effects import Received
from shared.facts import (
    Calendar,
    LossStatus,
    MarketInfo,
    MarketView,
    PositionFact,
    Positions,
    RiskStatus,
    StateView,
    StrategyStatus,
)
from shared.identifiers import Component, ConditionId, StrategyName, TokenId
from shared.topics import EXECUTION, FEED_DISCOVERY, STATE
from shared.units import NS_PER_MS, BootNs, Instant, MonotonicNs

POSITIONS_STALE_NS = 3_000_000_000
"""Positions are repeated every second: three missing ones make them unknown."""

VIEWS_MAX = 256
"""Markets whose view is kept; the oldest goes first."""


class _Seen(msgspec.Struct, frozen=True):
    """A view, when it was said and what it rests on."""

    view: MarketView
    sent_ns: MonotonicNs
    input_ns: MonotonicNs


class Desk:
    """Everything known, with its age."""

    def __init__(self, name: StrategyName, timing: TimingSettings, takeover_ms: int) -> None:
        self._name = name
        self._timing = timing
        self._takeover_ns = takeover_ms * NS_PER_MS
        self._markets: dict[ConditionId, MarketInfo] = {}
        self._views: dict[ConditionId, _Seen] = {}
        self._positions: dict[tuple[StrategyName, TokenId], PositionFact] | None = None
        self._positions_ns = MonotonicNs(0)
        self._heard: dict[StrategyName, BootNs] = {}
        self._first_ns: BootNs | None = None
        self._losses: LossStatus | None = None

    def receive(self, message: Received, now: Instant) -> ConditionId | None:
        """Take a fact in; return the market whose view is new, or None."""
        if self._first_ns is None:
            self._first_ns = now.boot_ns
        match message.body:
            case MarketView() as view:
                self._see(view, message)
                return view.market
            case StateView(markets=markets):
                for view in markets:
                    self._see(view, message)
            case Calendar(markets=markets):
                self._markets = {market.condition_id: market for market in markets}
            case Positions(positions=positions):
                self._positions = {(each.strategy, each.token): each for each in positions}
                self._positions_ns = message.sent_ns
            case StrategyStatus(strategy=strategy):
                self._heard[strategy] = now.boot_ns
            case RiskStatus(losses=losses) if losses is not None:
                self._losses = losses
        return None

    def is_spent(self) -> bool:
        """Tell whether the day has lost so much that nothing new is quoted (CB-2).

        Earlier than the gate: what is out at the limit itself may still be filled.
        """
        losses = self._losses
        return losses is not None and losses.lost_e6 >= losses.quote_limit_e6

    def forget(self, component: Component) -> None:
        """Drop what a component told: a gap makes it unknown until it is told again."""
        if component == STATE:
            self._views.clear()
        elif component == EXECUTION:
            self._positions = None
        elif component == FEED_DISCOVERY:
            self._markets.clear()

    def forget_all(self) -> None:
        """Drop everything: this process was away."""
        for component in (STATE, EXECUTION, FEED_DISCOVERY):
            self.forget(component)

    def knows_calendar(self) -> bool:
        """Tell whether discovery has told of any market."""
        return bool(self._markets)

    def running(self, now: Instant) -> list[ConditionId]:
        """Return the markets that may be quoted by the calendar, in its order."""
        return [market for market in self._markets if self._closed_reason(market, now) is None]

    def input_ns(self, market: ConditionId) -> MonotonicNs:
        """Return the input stamp of a market's newest view."""
        return self._views[market].input_ns

    def context(self, market: ConditionId, standing: Standing, now: Instant) -> MarketContext | str:
        """Return all that may be looked at, or why nothing may.

        Args:
            market: Which.
            standing: What risk orders to be closed or cared for.
            now: Present moment.
        """
        reason = self._closed_reason(market, now)
        if reason is not None:
            return reason
        seen = self._views.get(market)
        if seen is None:
            return "no view of the market"
        if now.monotonic_ns - seen.sent_ns > self._timing.state_stale_ms * NS_PER_MS:
            return "view is stale"
        if not seen.view.valid or seen.view.books is None:
            return f"view is not valid: {seen.view.reason}"
        if self._positions is None:
            return "positions are unknown"
        if now.monotonic_ns - self._positions_ns > POSITIONS_STALE_NS:
            return "positions are stale"
        info = self._markets[market]
        orphans = tuple(
            (owner, self._holdings(owner, info)) for owner in self._orphans(standing, now)
        )
        closing = tuple(
            (owner, self._holdings(owner, info))
            for owner in sorted({owner for owner, token in self._positions if token in info.tokens})
            if standing.closes(owner, info)
        )
        own = self._holdings(self._name, info)
        return MarketContext(info, seen.view, own, orphans, now, closing, standing.level)

    def _see(self, view: MarketView, message: Received) -> None:
        """Keep a view, newest last."""
        self._views.pop(view.market, None)
        if len(self._views) >= VIEWS_MAX:
            self._views.pop(next(iter(self._views)))
        self._views[view.market] = _Seen(view, message.sent_ns, message.input_ns)

    def _closed_reason(self, market: ConditionId, now: Instant) -> str | None:
        """Return why a market may not be quoted by the calendar, None when it may."""
        info = self._markets.get(market)
        if info is None:
            return "market is not in the calendar"
        if info.closed or not info.active or not info.accepting_orders:
            return "market does not take orders"
        if now.wall_ms < info.start_ms:
            return "market has not started"
        if now.wall_ms >= info.cutoff_ms:
            return "market is past its cutoff"
        return None

    def _holdings(self, owner: StrategyName, info: MarketInfo) -> tuple[Holding, Holding]:
        """Return what a strategy holds of both tokens of a market."""
        if self._positions is None:
            return NOTHING_HELD, NOTHING_HELD
        first, second = (self._positions.get((owner, token)) for token in info.tokens)
        return holding_of(first), holding_of(second)

    def _orphans(self, standing: Standing, now: Instant) -> list[StrategyName]:
        """Return, in order, the owners of positions that are handed over or silent for too long."""
        assert self._positions is not None
        owners = sorted({owner for owner, _ in self._positions if owner != self._name})
        started = self._first_ns if self._first_ns is not None else now.boot_ns
        return [
            owner
            for owner in owners
            if standing.is_handed_over(owner)
            or now.boot_ns - self._heard.get(owner, started) > self._takeover_ns
        ]
