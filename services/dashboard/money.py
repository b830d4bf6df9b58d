"""What the page says of money: the ledger's sums, and the positions at what they would bring."""

from services.dashboard.heard import Heard
from services.dashboard.market_panel import Known
from services.dashboard.messages import LedgerRead, LedgerUnread
from services.dashboard.model import Profit, Today
from services.dashboard.profit import Account, Closing, value
from shared.facts import Positions, RiskStatus
from shared.profit import Totals
from shared.topics import EXECUTION, RISK
from shared.units import NS_PER_MS, NS_PER_S, Instant, MonotonicNs

POSITIONS_STALE_MS = 3_000
"""Positions are repeated every second: three missing ones make them unknown."""

LEDGER_STALE_NS = 10 * NS_PER_S
"""Several readings: what is older is no point of a curve any more."""


class Money:
    """The ledger as it was last read, and whether it was."""

    def __init__(self) -> None:
        self._account = Account()
        self._totals: Totals | None = None
        self._read_ns: MonotonicNs | None = None
        self._problem = "not read yet"
        self._is_cut = False
        self.closings: tuple[Closing, ...] = ()

    def take(self, read: LedgerRead, now: Instant) -> None:
        """Merge what the ledger told."""
        if read.fills or read.payouts or read.is_whole:
            self._account.take(read.fills, read.payouts, is_whole=read.is_whole)
            self.closings = self._account.closings()
        self._is_cut = read.is_cut if read.is_whole else self._is_cut or read.is_cut
        self._problem = ""
        self._read_ns = read.read_ns
        self._totals = self._account.totals(read.as_of_wall_ns, now.wall_ns)

    def miss(self, unread: LedgerUnread) -> None:
        """Note that the ledger told nothing; what it told before grows old."""
        self._problem = unread.why

    def panel(self, heard: Heard, known: Known, now: Instant) -> Profit:
        """Return all sums; those that nobody can know are None."""
        seen = heard.newest("execution.positions", EXECUTION, Positions)
        valued = () if seen is None else value(seen.body.positions, known.views, known.tokens)
        priced = [row for row in valued if row.value_e6 is not None]
        unpriced = [row for row in valued if row.value_e6 is None]
        unrealised = None
        if seen is not None and (priced or not unpriced):
            unrealised = sum((row.value_e6 or 0) - row.cost_e6 for row in priced)
        totals = self._totals
        read_ns = self._read_ns
        return Profit(
            problem=self._problem,
            age_ms=None if read_ns is None else (now.monotonic_ns - read_ns) // NS_PER_MS,
            as_of_wall_ms=totals.as_of_wall_ns // NS_PER_MS or None if totals else None,
            realised_e6=totals.realised_e6 if totals else None,
            realised_today_e6=totals.realised_today_e6 if totals else None,
            fees_e6=totals.fees_e6 if totals else None,
            fills=totals.fills if totals else None,
            markets_closed=totals.markets_closed if totals else None,
            is_cut=self._is_cut,
            unrealised_e6=unrealised,
            unpriced_cost_e6=None if seen is None else sum(row.cost_e6 for row in unpriced),
            unpriced_markets=len(unpriced),
            today=_today(heard, now),
        )

    def point(
        self, panel: Profit, positions_age_ms: int | None, now: Instant
    ) -> dict[str, int | None]:
        """Return what may be drawn now: None for what is not known well enough."""
        read_ns = self._read_ns
        fresh = read_ns is not None and now.monotonic_ns - read_ns <= LEDGER_STALE_NS
        held = positions_age_ms is not None and positions_age_ms <= POSITIONS_STALE_MS
        whole = held and not panel.unpriced_markets
        return {
            "realised": panel.realised_e6 if fresh else None,
            "unrealised": panel.unrealised_e6 if whole else None,
        }


def _today(heard: Heard, now: Instant) -> Today | None:
    """Return what risk says of the day."""
    seen = heard.newest("risk.status", RISK, RiskStatus)
    losses = None if seen is None else seen.body.losses
    if seen is None or losses is None:
        return None
    return Today(
        age_ms=(now.monotonic_ns - seen.sent_ns) // NS_PER_MS,
        capital_usd=losses.capital_usd,
        stream_e6=losses.realised_e6,
        ledger_e6=losses.told_realised_e6,
        lost_e6=losses.lost_e6,
        limit_e6=losses.daily_limit_e6,
        percent=losses.daily_percent,
        session_lost_e6=losses.session_lost_e6,
        session_limit_e6=losses.session_limit_e6,
        agrees=losses.agrees,
    )
