"""What the facts on the bus say, with the age of each: the ground that samples stand on.

Keeps the newest of everything level-triggered; decides nothing. What was never heard is
None, and a fact's age is counted from when its publisher sent it.
"""

from services.risk.data_sanity import DataSanity
from services.risk.scopes import ScopeKey
from shared.config import RecoverySettings
from shared.control import ScopeOrder
from shared.effects import Gap, Received
from shared.facts import (
    Calendar,
    ExecutionStatus,
    FeedStatus,
    MarketInfo,
    MarketView,
    StateView,
)
from shared.identifiers import ConditionId, Incarnation
from shared.topics import FEED_MARKET
from shared.units import NS_PER_MS, NS_PER_S, Instant, MonotonicNs, WallMs

MARKETS_MAX = 256
"""Markets kept: eight assets with their running, next and just ended windows are fewer than 40.
Further ones are not traded by us before room is there; execution's gate asks the calendar too."""

ENDED_KEPT_MS = 120_000
"""How long an ended market is kept: no order of ours outlives its deadline of two minutes."""

STATUS_AGE_NS_MAX = NS_PER_S
"""A feed repeats its status each 100 ms; one this old no longer says that it is connected."""


DEFAULT_LIMITS = RecoverySettings()


class Evidence:
    """Newest facts of feeds, state and execution.

    Attributes:
        sanity: Whether data is as it should be before trading resumes.
    """

    def __init__(self, limits: RecoverySettings = DEFAULT_LIMITS) -> None:
        self.calendar_verified_ns: MonotonicNs | None = None
        self.execution: ExecutionStatus | None = None
        self.sanity = DataSanity()
        self._limits = limits
        self._markets: dict[ConditionId, MarketInfo] = {}
        self._feeds: dict[str, tuple[FeedStatus, MonotonicNs]] = {}
        self._runs: dict[str, tuple[Incarnation, int]] = {}
        self._broken_ns: dict[str, MonotonicNs] = {}
        self._views: dict[ConditionId, MarketView] = {}
        self._view_ns: MonotonicNs | None = None

    def hear(self, received: Received | Gap, now: Instant) -> None:
        """Take a fact in, or that some were lost; those that risk does not need are passed over."""
        self.sanity.hear(received, now)
        if isinstance(received, Gap):
            return
        body = received.body
        if isinstance(body, FeedStatus):
            self._note_break(received.component, body, received.incarnation, now)
            self._feeds[received.component] = (body, received.sent_ns)
        elif isinstance(body, StateView):
            self._views = {view.market: view for view in body.markets[:MARKETS_MAX]}
            self._view_ns = received.sent_ns
        elif isinstance(body, ExecutionStatus):
            self.execution = body
        elif isinstance(body, Calendar):
            self._learn(body, now)

    def scope_trouble(self, key: ScopeKey, now: Instant) -> str:
        """Return what the recovery of a market or an asset waits for; empty for nothing (RV-1).

        Only what strategies use: books, their stamps, and the settlement price of an asset.
        """
        sanity, limits = self.sanity, self._limits
        if key[0] == "market":
            market = ConditionId(key[1])
            return (
                sanity.thin(limits, market)
                or sanity.from_the_future(limits, now)
                or sanity.gap(now)
                or self._unread()
                or self._moved(self._asset_of(market), now)
            )
        if key[0] == "asset":
            return (
                sanity.out_of_range(limits, key[1]) or sanity.gap(now) or self._moved(key[1], now)
            )
        return ""

    def traded(self, scopes: tuple[ScopeOrder, ...], now: Instant) -> None:
        """Take the present prices as the last known good where something may be traded on them."""
        held = {(order.kind, order.scope_id) for order in scopes if order.state != "ACTIVE"}
        assets: dict[str, bool] = {}
        for market in self._markets.values():
            if now.wall_ms < market.cutoff_ms:
                is_held = ("market", market.condition_id) in held
                assets[market.asset] = assets.get(market.asset, True) and is_held
        whole = {asset for asset, is_held in assets.items() if is_held}
        self.sanity.traded(frozenset(whole | {name for kind, name in held if kind == "asset"}))

    def _moved(self, asset: str, now: Instant) -> str:
        """Return whether an asset's price is far from the last that was traded on (NET-3)."""
        return self.sanity.moved(self._limits, now, asset) if asset else ""

    def _asset_of(self, market: ConditionId) -> str:
        info = self._markets.get(market)
        return "" if info is None else info.asset

    def _unread(self) -> str:
        """Return whether orders were not read since the books were lost (NET-3)."""
        broken_ns = self._broken_ns.get(FEED_MARKET)
        if broken_ns is None or self.execution is None:
            return ""
        read_ns = self.execution.reconciled_ns
        is_read = read_ns is not None and read_ns >= broken_ns
        return "" if is_read else "orders and trades were not read since the books were lost"

    def _note_break(
        self, component: str, status: FeedStatus, incarnation: Incarnation, now: Instant
    ) -> None:
        """Note when a feed's connection went, or became another one unseen."""
        known = self._feeds.get(component)
        run = (incarnation, status.session)
        before = self._runs.get(component)
        self._runs[component] = run
        went = known is not None and known[0].connected and not status.connected
        if went or before not in (None, run):
            self._broken_ns[component] = now.monotonic_ns

    def markets(self) -> tuple[MarketInfo, ...]:
        """Return the markets of the calendar, those just ended included."""
        return tuple(self._markets.values())

    def is_connected(self, feed: str, now: Instant) -> bool:
        """Tell whether a feed says, and has said lately, that it is connected."""
        known = self._feeds.get(feed)
        if known is None:
            return False
        status, sent_ns = known
        return status.connected and now.monotonic_ns - sent_ns < STATUS_AGE_NS_MAX

    def cause(self, feed: str) -> str:
        """Return why a feed says that it is not connected."""
        known = self._feeds.get(feed)
        return known[0].cause if known else "never heard of"

    def age_ns(self, feed: str, key: str, now: Instant) -> int | None:
        """Return how long ago a stream of a feed was proven; None when it never was."""
        known = self._feeds.get(feed)
        if known is None:
            return None
        for evidence in known[0].evidence:
            if evidence.key == key and evidence.evident_ns is not None:
                return now.monotonic_ns - evidence.evident_ns
        return None

    def view(self, market: ConditionId) -> MarketView | None:
        """Return state's view of a market, None when it has none."""
        return self._views.get(market)

    def view_age_ns(self, now: Instant) -> int | None:
        """Return how long ago state last spoke; None when it never did."""
        return None if self._view_ns is None else now.monotonic_ns - self._view_ns

    def calendar_age_ns(self, now: Instant) -> int | None:
        """Return how long ago discovery last vouched for the calendar; None for never."""
        verified = self.calendar_verified_ns
        return None if verified is None else now.monotonic_ns - verified

    def valid_markets(self) -> int:
        """Return how many markets state vouches for."""
        return sum(view.valid for view in self._views.values())

    def forget(self) -> None:
        """Forget markets, calendar and views: they are believed again once they are told again."""
        self.calendar_verified_ns = None
        self._markets.clear()
        self._views = {}
        self._view_ns = None

    def _learn(self, calendar: Calendar, now: Instant) -> None:
        """Take the calendar in and forget what ended long enough ago."""
        self.calendar_verified_ns = calendar.verified_ns
        for market in calendar.markets:
            if market.condition_id in self._markets or len(self._markets) < MARKETS_MAX:
                self._markets[market.condition_id] = market
        kept_from = WallMs(now.wall_ns // NS_PER_MS - ENDED_KEPT_MS)
        for market in tuple(self._markets.values()):
            if market.end_ms < kept_from:
                del self._markets[market.condition_id]
