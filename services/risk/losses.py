"""Loss limits and the inventory cap, counted by risk itself (CB-1, CB-2, KS-6).

Two counts of one account: execution's from its ledger, told in its status, and risk's own from
the venue's own-order stream. The worse of the two is judged. When they differ for longer than they
may, people are told once for each difference.

What happens after a gap: legs of open markets and the day's sums are kept in risk's database, in
one row that is written at most once a second, and with every closed market. What the stream
told while risk was away, or while the stream itself was broken, is not in its count; execution
finds such trades by asking the venue. So after a gap risk takes execution's figure for its own
once it is the worse one, and goes on from there.

The counter of the day rolls at 00:00 UTC; a latch does not. It cannot be resumed while the day
that set it still has the loss: a limit that can be talked away when it holds limits nothing.
"""

from collections.abc import Iterator

import msgspec

from services.risk.messages import CapitalIs, StoredState
from services.risk.own_trades import Leg, OwnTrades
from services.risk.performance import Performance
from services.risk.ramp import Ramp
from services.risk.samples import ACCOUNT, Sample
from services.risk.source import Notice
from shared.config import Config
from shared.effects import Gap, Message, Received
from shared.facts import (
    Calendar,
    ExecutionStatus,
    FeedStatus,
    FillFact,
    LossFigures,
    LossStatus,
    MarketInfo,
    OwnOrder,
    OwnTrade,
    StateView,
)
from shared.identifiers import ConditionId, StrategyName
from shared.losses import Bounds, Breach, Row, bounds_of, day_of, session_lost_e6
from shared.marks import Marks
from shared.risk_schema import Kept
from shared.switches import DAILY_LOSS, INVENTORY_CAP, LOSS_LIMIT
from shared.topics import FEED_USER
from shared.units import NS_PER_MS, NS_PER_S, SHARE_E6, BootNs, Instant, WallNs

KEPT_NAME = "losses"
KEEP_EVERY_NS = NS_PER_S
GAP_EXPLAINS_NS = 60 * NS_PER_S
"""A difference that begins so soon after a gap is the gap's: execution asks the venue every few
seconds for what the stream has not told, and a whole reconciliation takes half a minute."""

STEADY_LOOKS = 10
"""The least bad of so many looks counts: a book that is empty for a moment closes nothing."""


class KeptDay(msgspec.Struct, frozen=True):
    """What survives a restart of risk.

    Attributes:
        day: Of UTC, as a number.
        realised_e6: Made that day in closed markets, gaps taken from execution included.
        in_row: Losses in a row; judged_ns: when the newest market judged was closed.
        told_breach_ns: Newest of execution's breaches that was latched.
        warned: Whether people were told of the day's loss.
        legs: Of markets that are open.
        results: Newest results of each strategy.
    """

    day: int
    realised_e6: int
    in_row: int
    judged_ns: WallNs
    told_breach_ns: WallNs
    warned: bool
    legs: tuple[tuple[ConditionId, StrategyName, Leg], ...]
    results: dict[StrategyName, tuple[int, ...]] = {}


class Losses:
    """The source of samples about money and inventory."""

    def __init__(self, config: Config, stored: StoredState) -> None:
        self._config = config
        self._own = OwnTrades()
        self._marks = Marks()
        self._row = Row()
        self.performance = Performance(config.performance)
        self._capital_usd = Ramp(config, stored).capital_usd
        self._markets: dict[ConditionId, MarketInfo] = {}
        self._view: StateView | None = None
        self._told: LossFigures | None = None
        self._day = -1
        self._base_e6 = 0
        self._looks: list[int] = []
        self._unrealised_known = True
        self._breaches: list[Breach] = []
        self._told_breach_ns = WallNs(0)
        self._warned = False
        self._gap_ns: BootNs | None = None
        self._session: int | None = None
        self._differs_since: BootNs | None = None
        self._told_difference = 0
        self._kept_ns = BootNs(0)
        self._changed = False
        self._is_urgent = False
        self._restore(stored.kept.get(KEPT_NAME, ""))

    def hear(self, message: Message, now: Instant) -> None:
        """Take in what concerns money."""
        if isinstance(message, CapitalIs):
            self._capital_usd = message.usd
        elif isinstance(message, Gap) and message.component == FEED_USER:
            self._gap_ns = now.boot_ns
        elif isinstance(message, Received):
            self._take(message, now)

    def data(self, now: Instant) -> Iterator[Sample | Notice | Kept]:
        """Yield the limits as they stand, and what is to be kept."""
        self._roll(now)
        self._look(now)
        if self._capital_usd:
            yield from self._judge(self._bounds())
            yield from self.performance.data()
        yield self._inventory()
        yield from self._compare(now)
        due = self._changed and now.boot_ns >= self._kept_ns + KEEP_EVERY_NS
        if due or self._is_urgent:
            yield self._kept(now)

    def status(self) -> LossStatus:
        """Return both counts and the limits, for people."""
        bounds = self._bounds()
        told = self._told
        lost_e6 = -self._worse_e6()
        return LossStatus(
            capital_usd=self._capital_usd,
            realised_e6=self._realised_e6(),
            unrealised_e6=max(self._looks, default=0) if self._unrealised_known else None,
            told_realised_e6=None if told is None else told.realised_e6,
            told_unrealised_e6=None if told is None else told.unrealised_e6,
            lost_e6=lost_e6,
            daily_limit_e6=bounds.daily_e6,
            daily_percent=max(0, lost_e6) * 100 // bounds.daily_e6 if bounds.daily_e6 else 100,
            quote_limit_e6=bounds.quote_e6,
            session_lost_e6=self._session_lost_e6(),
            session_limit_e6=bounds.session_e6,
            in_row=max(self._row.in_row, 0 if told is None else told.in_row),
            agrees=self._differs_since is None,
        )

    # --- what is heard ----------------------------------------------------------------

    def _take(self, received: Received, now: Instant) -> None:
        body = received.body
        if isinstance(body, OwnTrade):
            info = self._markets.get(body.market)
            self._changed = self._own.take_trade(body, info) or self._changed
        elif isinstance(body, OwnOrder):
            self._own.take_order(body)
        elif isinstance(body, FillFact):
            self._own.attribute(body.order_id, body.strategy)
        elif isinstance(body, StateView):
            self._view = body
        elif isinstance(body, ExecutionStatus):
            self._told = body.losses
        elif isinstance(body, FeedStatus) and received.component == FEED_USER:
            if not body.connected or body.session != self._session:
                self._gap_ns = now.boot_ns
            self._session = body.session
        elif isinstance(body, Calendar):
            self._markets = {one.condition_id: one for one in body.markets}
            self._close(now)

    def _close(self, now: Instant) -> None:
        """Close the markets that discovery names a winner of."""
        for market in self._own.open_markets():
            info = self._markets.get(market)
            if info is None or info.winner is None:
                continue
            self._roll(now)
            ended = self._own.end(info, now.wall_ns)
            if ended is None:
                continue
            self._changed = True
            self._base_e6 += ended.closed.realised_e6
            self.performance.take(ended.by_strategy)
            breach = self._row.judge(ended.closed, self._bounds())
            if breach is not None:
                self._breaches.append(breach)
                self._is_urgent = True

    # --- what is counted --------------------------------------------------------------

    def _bounds(self) -> Bounds:
        """Return the limits for the present capital; without any nothing trades or trips."""
        capital_usd = self._capital_usd or None
        return bounds_of(self._config.losses, self._config.limits, capital_usd)

    def _roll(self, now: Instant) -> None:
        """Begin a new day: sells of the old one in markets still open stay behind with it."""
        day = day_of(now.wall_ns)
        if day == self._day:
            return
        if self._day >= 0:
            self._base_e6 = self._told_difference = 0
            self._warned = False
            self._changed = True
        self._day = day

    def _realised_e6(self) -> int:
        return self._base_e6 + self._own.realised_open_e6()

    def _worse_e6(self) -> int:
        """Return the day's result by the worse of both counts."""
        own = self._realised_e6()
        return own if self._told is None else min(own, self._told.realised_e6)

    def _session_lost_e6(self) -> int:
        own = session_lost_e6(self._realised_e6(), max(self._looks, default=0))
        told = self._told
        return own if told is None else max(own, told.session_lost_e6)

    def _look(self, now: Instant) -> None:
        """Mark what is held by state's newest views."""
        views = {} if self._view is None else {one.market: one for one in self._view.markets}
        total, known = 0, True
        for market in self._own.open_markets():
            view = views.get(market)
            if view is not None and view.valid:
                for book in view.books or ():
                    self._marks.take(book, now)
            worth = self._marks.worth(self._own.held(market, self._markets.get(market)), now)
            total += worth.unrealised_e6
            known = known and worth.is_known
        self._looks = [*self._looks[1 - STEADY_LOOKS :], total]
        self._unrealised_known = known

    # --- what it leads to -------------------------------------------------------------

    def _judge(self, bounds: Bounds) -> Iterator[Sample | Notice]:
        lost_e6 = -self._worse_e6()
        words = f"lost {_usd(lost_e6)} of {_usd(bounds.daily_e6)} USD today (UTC)"
        over = lost_e6 >= bounds.daily_e6
        yield Sample(DAILY_LOSS, "", ACCOUNT, over, f"{words}: {self._both()}")
        if lost_e6 >= bounds.warn_e6 and not self._warned:
            self._warned = self._changed = True
            yield Notice("warning", "daily_loss_near", words, DAILY_LOSS.runbook)
        session_e6 = self._session_lost_e6()
        words = f"lost {_usd(session_e6)} of {_usd(bounds.session_e6)} USD with open positions"
        yield Sample(LOSS_LIMIT, "session", ACCOUNT, session_e6 > bounds.session_e6, words)
        yield self._breach()

    def _breach(self) -> Sample:
        """Return whether a closed market tripped a limit that is not latched yet, by either count.

        Bad in one look alone: the latch is written with it, and a resume is the operator's word
        that it was seen.
        """
        found = [breach.text for breach in self._breaches]
        self._breaches.clear()
        told = self._told
        if told is not None and told.breach_wall_ns > self._told_breach_ns:
            self._told_breach_ns = told.breach_wall_ns
            self._is_urgent = True
            if not found:
                found.append(f"{told.breach} (by execution's ledger)")
        return Sample(LOSS_LIMIT, "closed", ACCOUNT, bool(found), "; ".join(found))

    def _inventory(self) -> Sample:
        """KS-6: unpaired shares by the worse of both counts."""
        cap = self._config.limits.unpaired_shares_global_max
        own = sum(self._own.unpaired_e6(market) for market in self._own.open_markets())
        worst = own if self._told is None else max(own, self._told.unpaired_e6)
        why = f"{worst / SHARE_E6:.2f} unpaired shares, cap {cap}"
        return Sample(INVENTORY_CAP, "", ACCOUNT, worst > cap * SHARE_E6, why)

    def _compare(self, now: Instant) -> Iterator[Notice]:
        """Tell of a difference that lasts; after a gap take execution's figure if it is worse."""
        if self._told is None:
            return
        settings = self._config.losses
        difference = self._realised_e6() - self._told.realised_e6
        if abs(difference - self._told_difference) <= settings.difference_e6_max:
            self._differs_since = None
            return
        if self._differs_since is None:
            self._differs_since = now.boot_ns
        if now.boot_ns < self._differs_since + settings.difference_grace_ms * NS_PER_MS:
            return
        explained_ns = (self._gap_ns or 0) + GAP_EXPLAINS_NS
        is_gap = self._gap_ns is None or self._differs_since < explained_ns
        self._differs_since = None
        words = f"the day's result differs: {self._both()}"
        if is_gap or self._own.incomplete:
            self._adopt(now)
            yield Notice("info", "loss_counts_taken", words, DAILY_LOSS.runbook)
            return
        self._told_difference = difference
        yield Notice("critical", "loss_counts_differ", words, DAILY_LOSS.runbook)

    def _adopt(self, now: Instant) -> None:
        """Go on from execution's figure; markets that ended meanwhile are in it."""
        self._own.incomplete = False
        for market in self._own.open_markets() if self._markets else ():
            info = self._markets.get(market)
            if info is None or now.wall_ns >= info.end_ms * NS_PER_MS:
                self._own.drop(market)
        assert self._told is not None, "adopted is what was told"
        own, told = self._realised_e6(), self._told.realised_e6
        if told < own:
            self._base_e6 += told - own
        self._told_difference = self._realised_e6() - told
        self._changed = True

    def _both(self) -> str:
        told = "unknown" if self._told is None else _usd(self._told.realised_e6)
        return f"{_usd(self._realised_e6())} USD by the venue's stream, {told} by the ledger"

    # --- what is kept -----------------------------------------------------------------

    def _kept(self, now: Instant) -> Kept:
        self._changed = self._is_urgent = False
        self._kept_ns = now.boot_ns
        body = KeptDay(
            day=self._day,
            realised_e6=self._base_e6,
            in_row=self._row.in_row,
            judged_ns=self._row.judged_ns,
            told_breach_ns=self._told_breach_ns,
            warned=self._warned,
            legs=self._own.legs(),
            results=self.performance.results(),
        )
        return Kept(KEPT_NAME, msgspec.json.encode(body).decode())

    def _restore(self, text: str) -> None:
        """Go on where an earlier run was; what cannot be read is a gap like any other."""
        if not text:
            return
        try:
            kept = msgspec.json.decode(text, type=KeptDay)
        except msgspec.MsgspecError:
            return
        self._day = kept.day
        self._base_e6 = kept.realised_e6
        self._row = Row(kept.in_row, kept.judged_ns)
        self._told_breach_ns = kept.told_breach_ns
        self._warned = kept.warned
        self._own.restore(kept.legs)
        self.performance.restore(kept.results)


def _usd(money_e6: int) -> str:
    """Return money for people."""
    return f"{money_e6 / 1_000_000:.2f}"
