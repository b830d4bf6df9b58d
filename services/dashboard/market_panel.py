"""Markets and positions as they stand on the page: books, our orders in them, time left."""

from collections.abc import Iterable, Mapping

from services.dashboard.heard import Heard, Seen
from services.dashboard.model import Book, Market, OwnLevel, Position, Positions
from services.dashboard.profit import bids_of
from shared.facts import (
    BookView,
    Calendar,
    ExecutionStatus,
    MarketInfo,
    MarketView,
    OrderFact,
    ReferencePrice,
    StateView,
)
from shared.facts import Positions as PositionsFact
from shared.identifiers import ConditionId, TokenId
from shared.topics import EXECUTION, FEED_DISCOVERY, STATE
from shared.units import NS_PER_MS, Instant, MonotonicNs, WallMs

MARKETS_MAX = 48
"""Eight assets with what runs, comes next and waits for its result."""

E18 = 10**18
CENT_E18 = E18 // 100
POINT_E18 = E18 // 10_000
FINE_BELOW_E18 = 100 * E18
"""Underlyings below 100 USD are shown to four places, others to the cent."""


class Known:
    """What is known of markets now: the calendar's word and state's views."""

    def __init__(self, heard: Heard) -> None:
        """Collect it; nothing that was never heard is made up."""
        self.calendar: Seen[Calendar] | None = heard.newest(
            "feed.calendar", FEED_DISCOVERY, Calendar
        )
        self.view: Seen[StateView] | None = heard.newest("state.view", STATE, StateView)
        self.infos: dict[ConditionId, MarketInfo] = {}
        if self.calendar is not None:
            self.infos = {info.condition_id: info for info in self.calendar.body.markets}
        self.views: dict[ConditionId, MarketView] = {}
        if self.view is not None:
            self.views = {view.market: view for view in self.view.body.markets}
        self.tokens = {market: info.tokens for market, info in self.infos.items()}

    @property
    def calendar_ns(self) -> MonotonicNs | None:
        """When discovery last vouched for the calendar, None when there is none."""
        return None if self.calendar is None else self.calendar.body.verified_ns

    @property
    def view_ns(self) -> MonotonicNs | None:
        """When state last spoke, None when it was never heard."""
        return None if self.view is None else self.view.sent_ns

    def slug(self, market: str) -> str:
        """Return a market's slug, or its id where the calendar does not know it."""
        info = self.infos.get(ConditionId(market))
        return market if info is None else info.slug

    def outcome(self, market: ConditionId, token: TokenId) -> str:
        """Return what a token stands for, or the token itself."""
        info = self.infos.get(market)
        if info is None or token not in info.tokens:
            return token
        return info.outcomes[info.tokens.index(token)]


def phase_of(info: MarketInfo, wall_ms: WallMs) -> str:
    """Return where in its life a market is."""
    if wall_ms >= info.end_ms:
        return "ended"
    if wall_ms >= info.cutoff_ms:
        return "cutoff"
    return "running" if wall_ms >= info.start_ms else "ahead"


def markets(heard: Heard, known: Known, now: Instant) -> tuple[Market, ...] | None:
    """Return every market of the calendar by its time; None when there is no calendar."""
    if known.calendar is None:
        return None
    execution = heard.newest("execution.status", EXECUTION, ExecutionStatus)
    halted = dict(execution.body.halted_markets) if execution is not None else {}
    ordered = sorted(known.infos.values(), key=lambda info: (info.end_ms, info.asset))
    positions = heard.newest("execution.positions", EXECUTION, PositionsFact)
    held = _held(positions)
    drawn = _drawn(heard.orders.values())
    return tuple(
        _market(info, known, halted.get(info.condition_id, ""), held, drawn, now)
        for info in ordered[-MARKETS_MAX:]
    )


def positions_of(heard: Heard, known: Known, now: Instant) -> Positions | None:
    """Return every position with its price; None when execution has told none."""
    seen = heard.newest("execution.positions", EXECUTION, PositionsFact)
    if seen is None:
        return None
    rows = tuple(
        Position(
            market=row.market,
            slug=known.slug(row.market),
            outcome=known.outcome(row.market, row.token),
            strategy=row.strategy,
            matched_e6=row.matched,
            mined_e6=row.mined,
            confirmed_e6=row.confirmed,
            cost_e6=row.cost,
            bid_e4=bids_of(known.views.get(row.market)).get(row.token),
        )
        for row in seen.body.positions
        if row.matched or row.mined or row.confirmed
    )
    return Positions(seen.age_ns(now.monotonic_ns) // NS_PER_MS, rows)


def _market(
    info: MarketInfo,
    known: Known,
    halted: str,
    held: Mapping[TokenId, int] | None,
    drawn: Mapping[TokenId, tuple[OwnLevel, ...]],
    now: Instant,
) -> Market:
    view = known.views.get(info.condition_id)
    reference = None if view is None else view.reference
    books = (None, None) if view is None or view.books is None else view.books
    first, second = (
        _book(info, index, books[index], held, drawn.get(info.tokens[index], ()))
        for index in (0, 1)
    )
    return Market(
        id=info.condition_id,
        slug=info.slug,
        asset=info.asset,
        phase=phase_of(info, now.wall_ms),
        start_wall_ms=info.start_ms,
        cutoff_wall_ms=info.cutoff_ms,
        end_wall_ms=info.end_ms,
        valid=view is not None and view.valid,
        reason="state has no view of it" if view is None else view.reason,
        age_ms=None if view is None or known.view is None else _age(known.view.sent_ns, now),
        proven_age_ms=None if view is None else _age(view.proven_ns, now),
        tick_e4=info.tick_e4 if view is None else view.tick_e4,
        reference=None if reference is None else decimal(reference.value_e18),
        reference_source="" if reference is None else reference.source,
        reference_age_ms=None if reference is None else _reference_age(reference, now),
        strike=None if view is None or view.strike_e18 is None else decimal(view.strike_e18),
        winner=_winner(info),
        halted=halted,
        books=(first, second),
    )


def _book(
    info: MarketInfo,
    index: int,
    book: BookView | None,
    held: Mapping[TokenId, int] | None,
    orders: tuple[OwnLevel, ...],
) -> Book:
    token = info.tokens[index]
    return Book(
        outcome=info.outcomes[index],
        token=token,
        bids=None if book is None else book.bids,
        asks=None if book is None else book.asks,
        orders=orders,
        held_e6=None if held is None else held.get(token, 0),
    )


def _held(seen: Seen[PositionsFact] | None) -> dict[TokenId, int] | None:
    if seen is None:
        return None
    held: dict[TokenId, int] = {}
    for row in seen.body.positions:
        held[row.token] = held.get(row.token, 0) + row.matched
    return held


def _drawn(orders: Iterable[Seen[OrderFact]]) -> dict[TokenId, tuple[OwnLevel, ...]]:
    drawn: dict[TokenId, tuple[OwnLevel, ...]] = {}
    for seen in orders:
        order = seen.body
        leaves = max(0, order.size - order.filled)
        level = OwnLevel(order.side, order.price, leaves, order.state, order.strategy)
        drawn[order.token] = (*drawn.get(order.token, ()), level)
    return drawn


def _age(since_ns: MonotonicNs | None, now: Instant) -> int | None:
    return None if since_ns is None else max(0, now.monotonic_ns - since_ns) // NS_PER_MS


def _reference_age(reference: ReferencePrice, now: Instant) -> int:
    return max(0, now.monotonic_ns - reference.received_ns) // NS_PER_MS


def _winner(info: MarketInfo) -> str:
    if info.winner is None:
        return ""
    return info.outcomes[info.winner] if info.winner >= 0 else "split"


def decimal(value_e18: int) -> str:
    """Return a price of an underlying as text, rounded down to what a person reads."""
    if value_e18 >= FINE_BELOW_E18:
        cents = value_e18 // CENT_E18
        return f"{cents // 100:,}.{cents % 100:02d}"
    points = value_e18 // POINT_E18
    return f"{points // 10_000}.{points % 10_000:04d}"
