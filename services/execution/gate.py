"""The last gate: what must hold for the account, the market and the token before an order.

Pure predicates in a fixed order, each with a name, the value it judged and its age. The
same ones say what must be cancelled: an order whose predicate fails, and for which that
predicate cancels, may not stay. What concerns a single order (its price, size, the caps)
stands in `order_checks.py`. Anything missing, stale or unknown means no.

Source of the limits: `shared/config.py`; of the rows: requirements KS-1 to KS-4, KS-8, EX-14.
"""

from collections.abc import Iterable

import msgspec

from services.execution.inputs import Inputs
from shared.config import LimitSettings, TimingSettings
from shared.control import ScopeKind, ScopeOrder
from shared.facts import MarketInfo
from shared.identifiers import ConditionId, StrategyName, TokenId
from shared.losses import Bounds
from shared.trading_state import TradingState, worst
from shared.units import NS_PER_MS, SHARE_E6, Instant


class Predicate(msgspec.Struct, frozen=True):
    """One thing that must hold.

    Attributes:
        name: Reason of a denial when it does not hold.
        holds: Whether it does.
        cancels: Whether orders that rest on it are cancelled while it does not hold.
        value: What was judged, for people.
        age_ns: Age of what was judged; None when it is unknown or has none.
        reducing: Whether a reduce-only order passes although it does not hold.
    """

    name: str
    holds: bool
    cancels: bool
    value: str = ""
    age_ns: int | None = None
    reducing: bool = False


class Account(msgspec.Struct, frozen=True):
    """What concerns every order, as the core knows it at one moment.

    Attributes:
        leased: Whether the lease runs; lease_age_ns: since risk was last heard, None for never.
        state: Worst of what risk orders for the account and what the lease grants.
        start: Why start-up is not proven; empty when it is.
        blocked: Why nothing may be placed whatever the lease says (fence, self-fence, panic,
            ledger, stop); name and reason, empty when nothing blocks.
        user_age_ns: Age of the own-order feed's evidence; None while there is none.
        is_reconciled: Whether orders were reconciled after the feed's last break.
        reconciled_age_ns: Since the newest whole reconciliation; None before the first.
        lost_e6: Loss of this day of UTC, micro-dollars, below zero for a gain.
        unpaired_e6: Unpaired shares held, over all markets.
        session_lost_e6: The same with open positions; breach: closed markets that tripped a limit.
        bounds: Limits of losses for the present capital; None: the configured daily one alone.
        ledger_slow: Why no intent may be added to a slow ledger; empty when it is not slow.
        venue_hold: Why the venue takes no posts now; empty when it does.
        is_dry: Whether nothing is sent, so that there are no own orders to hear of.
    """

    leased: bool
    lease_age_ns: int | None
    state: TradingState
    start: str
    blocked: tuple[tuple[str, str], ...]
    user_age_ns: int | None
    is_reconciled: bool
    reconciled_age_ns: int | None
    lost_e6: int
    unpaired_e6: int
    venue_hold: str
    is_dry: bool = False
    ledger_slow: str = ""
    session_lost_e6: int = 0
    breach: str = ""
    bounds: Bounds | None = None


DRY_RUN_NAME = "dry_run"
"""Predicate of every dry run: it holds, and tells people what holding means there."""

DRY_RUN_WORDS = "DRY RUN: what passes is recorded as NOT_SENT and never leaves"

RECONCILED_ROUNDS_MAX = 4
"""Reconciliations that may fail in a row before our picture of our own orders counts as old."""


def account_predicates(
    account: Account, timing: TimingSettings, limits: LimitSettings
) -> tuple[Predicate, ...]:
    """Return what must hold for any order at all."""
    blocks = tuple(Predicate(name, False, True, why) for name, why in account.blocked)
    reconciled_max_ns = RECONCILED_ROUNDS_MAX * timing.reconcile_light_ms * NS_PER_MS
    is_reconciled = account.is_reconciled or account.is_dry
    return (
        *blocks,
        *((Predicate(DRY_RUN_NAME, True, False, DRY_RUN_WORDS),) if account.is_dry else ()),
        Predicate("start", not account.start, False, account.start),
        Predicate("lease", account.leased, True, "", account.lease_age_ns),
        Predicate(
            "trading_state",
            account.state == "ACTIVE",
            True,
            account.state,
            account.lease_age_ns,
            reducing=account.state == "REDUCING",
        ),
        _user_feed(account, timing),
        Predicate(
            "reconciled",
            is_reconciled and _is_within(account.reconciled_age_ns, reconciled_max_ns),
            False,
            "" if is_reconciled else "not since the own-order feed's last break",
            account.reconciled_age_ns,
        ),
        *_losses(account, limits),
        Predicate(
            "unpaired_held",
            account.unpaired_e6 <= limits.unpaired_shares_global_max * SHARE_E6,
            True,
            f"{account.unpaired_e6} of {limits.unpaired_shares_global_max}000000",
            reducing=True,
        ),
        Predicate("ledger_slow", not account.ledger_slow, False, account.ledger_slow),
        Predicate("venue", not account.venue_hold, False, account.venue_hold),
    )


def _losses(account: Account, limits: LimitSettings) -> tuple[Predicate, ...]:
    """CB-1 and CB-2 by the ledger: what reduces passes, since it can only lose less."""
    bounds = account.bounds
    daily_e6 = limits.daily_loss_usd_max * 1_000_000 if bounds is None else bounds.daily_e6
    words = f"{account.lost_e6} of {daily_e6} micro-dollars"
    daily = Predicate("daily_loss", account.lost_e6 < daily_e6, True, words, reducing=True)
    if bounds is None:
        return (daily,)
    words = f"{account.session_lost_e6} of {bounds.session_e6} micro-dollars"
    session_holds = account.session_lost_e6 <= bounds.session_e6
    return (
        daily,
        Predicate("session_loss", session_holds, True, words, reducing=True),
        Predicate("loss_limit", not account.breach, True, account.breach, reducing=True),
    )


def market_predicates(
    market: ConditionId,
    inputs: Inputs,
    scopes: dict[tuple[ScopeKind, str], ScopeOrder],
    timing: TimingSettings,
    calendar_stale_ms: int,
    now: Instant,
    account: TradingState = "ACTIVE",
) -> tuple[Predicate, ...]:
    """Return what must hold for an order in a market.

    Where the whole account is to be closed neither a silent oracle nor a pause of the place holds
    a closing back (DG-2), as that of a market for being among the less liquid: what a share is
    sold for is the book's word, and the book, like the cutoff, has its own predicates.
    """
    closes = account == "REDUCING"
    info = inputs.market(market)
    calendar = _fresh("calendar", inputs.calendar_age_ns(now), calendar_stale_ms)
    if info is None:
        return (calendar, Predicate("unknown_market", False, True))
    oracle_ns = inputs.oracle_age_ns(info.asset, now)
    return (
        calendar,
        _open(info),
        Predicate("cutoff", now.wall_ms < info.cutoff_ms, True, str(info.cutoff_ms - now.wall_ms)),
        *_unless_closing(_scopes(scopes, (("asset", info.asset), ("market", market))), closes),
        *_unless_closing(
            (
                _fresh("oracle", oracle_ns, timing.oracle_pause_ms, cancels=False),
                _fresh("oracle_silent", oracle_ns, timing.oracle_cancel_ms),
            ),
            closes,
        ),
        _view(market, inputs, timing, now),
    )


def _unless_closing(found: tuple[Predicate, ...], closes: bool) -> tuple[Predicate, ...]:
    """Let what only reduces pass these while the account is being closed, unless halted."""
    if not closes:
        return found
    return tuple(
        msgspec.structs.replace(one, reducing=not one.value.startswith("HALTED")) for one in found
    )


def token_predicates(
    token: TokenId,
    inputs: Inputs,
    scopes: dict[tuple[ScopeKind, str], ScopeOrder],
    timing: TimingSettings,
    now: Instant,
) -> tuple[Predicate, ...]:
    """Return what must hold for an order in a token."""
    return (
        _fresh("market_feed", inputs.token_age_ns(token, now), timing.market_stale_ms),
        *_scopes(scopes, (("token", token),)),
    )


def strategy_predicates(
    strategy: StrategyName,
    scopes: dict[tuple[ScopeKind, str], ScopeOrder],
    account: TradingState = "ACTIVE",
) -> tuple[Predicate, ...]:
    """Return what must hold for an order of a strategy.

    Where the account is to be closed, a strategy's pause keeps nothing from being sold for it:
    REDUCING stands above PAUSED, and what it holds is a loss that is growing.
    """
    key: tuple[ScopeKind, str] = ("strategy", strategy)
    scope = scopes.get(key)
    if scope is None or account != "REDUCING" or scope.state != "PAUSED":
        return _scopes(scopes, (key,))
    value = f"{scope.state}: {scope.reason}"
    return (Predicate("strategy_scope", False, True, value, reducing=True),)


def first_failing(
    predicates: Iterable[Predicate], *, reduce_only: bool, cancels_only: bool = False
) -> Predicate | None:
    """Return the first predicate that keeps an order out, or that drives a live one out.

    Args:
        predicates: In the gate's order.
        reduce_only: Whether the order only reduces; some failures let those pass.
        cancels_only: Look only at those that cancel.
    """
    for predicate in predicates:
        if predicate.holds or (predicate.reducing and reduce_only):
            continue
        if predicate.cancels or not cancels_only:
            return predicate
    return None


def _open(info: MarketInfo) -> Predicate:
    """A market must be active, accept orders, and be undecided."""
    is_open = info.active and info.accepting_orders and not info.closed and info.winner is None
    value = f"active={info.active} accepting={info.accepting_orders} closed={info.closed}"
    return Predicate("market_open", is_open, True, value)


def _view(market: ConditionId, inputs: Inputs, timing: TimingSettings, now: Instant) -> Predicate:
    """State must vouch for the market, and have done so recently."""
    view = inputs.view(market)
    age_ns = inputs.view_age_ns(market, now)
    if view is None:
        return Predicate("state_view", False, True, "never told")
    fresh = _is_within(age_ns, timing.state_stale_ms * NS_PER_MS)
    reason = view.reason if not view.valid else ("" if fresh else "not renewed")
    return Predicate("state_view", view.valid and fresh, True, reason, age_ns)


def _scopes(
    scopes: dict[tuple[ScopeKind, str], ScopeOrder], wanted: Iterable[tuple[ScopeKind, str]]
) -> tuple[Predicate, ...]:
    """One predicate for each scope that risk holds back."""
    found = (scopes.get(key) for key in wanted)
    return tuple(
        Predicate(
            f"{scope.kind}_scope",
            scope.state == "ACTIVE",
            True,
            f"{scope.state}: {scope.reason}",
            reducing=scope.state == "REDUCING",
        )
        for scope in found
        if scope is not None
    )


def account_state(
    ordered: TradingState, leased: TradingState, scopes: Iterable[ScopeOrder]
) -> TradingState:
    """Return the state that stands for the whole account."""
    wide = [scope.state for scope in scopes if scope.kind == "account"]
    return worst([ordered, leased, *wide])


def _user_feed(account: Account, timing: TimingSettings) -> Predicate:
    """The own-order feed must be fresh, unless nothing is sent (KS-2)."""
    age_ns = account.user_age_ns
    if account.is_dry:
        return Predicate("user_feed", True, False, "not needed in a dry run", age_ns)
    return _fresh("user_feed", age_ns, timing.user_stale_ms)


def _fresh(name: str, age_ns: int | None, stale_ms: int, *, cancels: bool = True) -> Predicate:
    """Something must have been evident more recently than a limit."""
    return Predicate(name, _is_within(age_ns, stale_ms * NS_PER_MS), cancels, "", age_ns)


def _is_within(age_ns: int | None, limit_ns: int) -> bool:
    """Whether an age is known and below its limit."""
    return age_ns is not None and age_ns < limit_ns
