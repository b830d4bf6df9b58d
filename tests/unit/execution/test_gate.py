"""Every predicate of the gate just below, at and just above its limit."""

from typing import Any

import msgspec
import pytest

from services.execution.gate import (
    Account,
    Predicate,
    account_predicates,
    account_state,
    first_failing,
    market_predicates,
    strategy_predicates,
    token_predicates,
)
from services.execution.inputs import Inputs
from shared.config import LimitSettings, TimingSettings
from shared.control import ScopeOrder
from shared.facts import Calendar, Evidence, FeedStatus
from shared.identifiers import StrategyName
from shared.units import NS_PER_MS, MonotonicNs
from tests.builders.markets import (
    MARKET,
    START_MS,
    UP,
    instant,
    market_info,
    market_view,
    received,
)

TIMING = TimingSettings()
LIMITS = LimitSettings()
CALENDAR_STALE_MS = 15_000
GOOD = Account(
    leased=True,
    lease_age_ns=0,
    state="ACTIVE",
    start="",
    blocked=(),
    user_age_ns=0,
    is_reconciled=True,
    reconciled_age_ns=0,
    lost_e6=0,
    unpaired_e6=0,
    venue_hold="",
)


def ms(value: int) -> int:
    return value * NS_PER_MS


def account_denial(*, reduce_only: bool = False, **spoil: Any) -> str | None:
    account = msgspec.structs.replace(GOOD, **spoil)
    failing = first_failing(account_predicates(account, TIMING, LIMITS), reduce_only=reduce_only)
    return None if failing is None else failing.name


def status(feed: str, key: str, at_ms: int, **spoil: Any) -> FeedStatus:
    evident = instant(at_ms).monotonic_ns
    fact = FeedStatus(feed, True, MonotonicNs(0), "", 1, (Evidence(key, evident),))
    return msgspec.structs.replace(fact, **spoil)


def told(at_ms: int = 1_000, *, view: dict[str, Any] | None = None, **market: Any) -> Inputs:
    """Inputs that were all told at one moment."""
    inputs, now = Inputs(TIMING.user_stale_ms * NS_PER_MS), instant(at_ms)
    inputs.take_calendar(Calendar((market_info(**market),), now.monotonic_ns))
    inputs.take_feed(status("feed_market", UP, at_ms), now)
    inputs.take_feed(status("feed_user", "orders", at_ms), now)
    inputs.take_feed(status("feed_price", "btc", at_ms), now)
    body = market_view(now, **(view or {}))
    inputs.take_view(body, received("state", "state.market", body, now))  # type: ignore[arg-type]
    return inputs


def market_failing(inputs: Inputs, at_ms: int, *, cancels_only: bool = False) -> str | None:
    predicates = market_predicates(MARKET, inputs, {}, TIMING, CALENDAR_STALE_MS, instant(at_ms))
    failing = first_failing(predicates, reduce_only=False, cancels_only=cancels_only)
    return None if failing is None else failing.name


def test_all_good_passes() -> None:
    assert account_denial() is None
    assert market_failing(told(), 1_001) is None


@pytest.mark.req("INV-1")
@pytest.mark.req("EX-14")
@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        ({"leased": False}, "lease"),
        ({"state": "PAUSED"}, "trading_state"),
        ({"state": "HALTED"}, "trading_state"),
        ({"start": "zero"}, "start"),
        ({"blocked": (("panic", "file"),)}, "panic"),
        ({"user_age_ns": None}, "user_feed"),
        ({"user_age_ns": ms(2_999)}, None),
        ({"user_age_ns": ms(3_000)}, "user_feed"),
        ({"user_age_ns": ms(3_001)}, "user_feed"),
        ({"is_reconciled": False}, "reconciled"),
        ({"reconciled_age_ns": None}, "reconciled"),
        ({"reconciled_age_ns": ms(19_999)}, None),
        ({"reconciled_age_ns": ms(20_000)}, "reconciled"),
        ({"lost_e6": 49_999_999}, None),
        ({"lost_e6": 50_000_000}, "daily_loss"),
        ({"lost_e6": 50_000_001}, "daily_loss"),
        ({"unpaired_e6": 100_000_000}, None),
        ({"unpaired_e6": 100_000_001}, "unpaired_held"),
        ({"venue_hold": "restarting"}, "venue"),
        ({"ledger_slow": "a commit is late"}, "ledger_slow"),
    ],
)
def test_account_predicates_at_their_limits(spoil: dict[str, Any], expected: str | None) -> None:
    assert account_denial(**spoil) == expected


def test_reducing_lets_only_reduce_only_orders_pass() -> None:
    assert account_denial(state="REDUCING") == "trading_state"
    assert account_denial(state="REDUCING", reduce_only=True) is None
    assert account_denial(state="HALTED", reduce_only=True) == "trading_state"
    assert account_denial(lost_e6=60_000_000, reduce_only=True) is None


@pytest.mark.req("KS-1")
@pytest.mark.parametrize(("at_ms", "expected"), [(54_999, None), (55_000, "cutoff")])
def test_cutoff(at_ms: int, expected: str | None) -> None:
    inputs = told(at_ms - 1)
    assert market_failing(inputs, at_ms) == expected
    assert market_info().cutoff_ms == START_MS + 55_000


@pytest.mark.req("KS-3")
@pytest.mark.parametrize(
    ("age_ms", "denied", "cancelled"),
    [
        (2_999, None, None),
        (3_000, "oracle", None),
        (9_999, "oracle", None),
        (10_000, "oracle", "oracle_silent"),
    ],
)
def test_oracle_pauses_then_cancels(age_ms: int, denied: str | None, cancelled: str | None) -> None:
    inputs, at_ms = told(), 1_000 + age_ms
    now = instant(at_ms)
    body = market_view(now)
    inputs.take_view(body, received("state", "state.market", body, now))  # type: ignore[arg-type]
    assert market_failing(inputs, at_ms) == denied
    assert market_failing(inputs, at_ms, cancels_only=True) == cancelled


@pytest.mark.req("KS-4")
@pytest.mark.parametrize(("age_ms", "holds"), [(1_999, True), (2_000, False), (2_001, False)])
def test_market_feed_goes_stale_per_token(age_ms: int, holds: bool) -> None:
    predicates = token_predicates(UP, told(), {}, TIMING, instant(1_000 + age_ms))
    assert predicates[0].name == "market_feed"
    assert predicates[0].holds is holds
    assert predicates[0].cancels


def test_feed_that_lost_its_connection_is_no_evidence() -> None:
    inputs = told()
    inputs.take_feed(status("feed_market", UP, 1_000, connected=False), instant())
    assert not token_predicates(UP, inputs, {}, TIMING, instant(1_001))[0].holds


@pytest.mark.parametrize(("age_ms", "expected"), [(999, None), (1_000, "state_view")])
def test_view_must_be_renewed(age_ms: int, expected: str | None) -> None:
    assert market_failing(told(), 1_000 + age_ms) == expected


def test_view_that_is_not_valid_is_no_view() -> None:
    inputs = told(view={"valid": False, "reason": "hash"})
    assert market_failing(inputs, 1_001, cancels_only=True) == "state_view"
    assert inputs.book(MARKET, UP) is None


@pytest.mark.parametrize(("age_ms", "expected"), [(14_999, "oracle"), (15_000, "calendar")])
def test_calendar_must_be_vouched_for(age_ms: int, expected: str) -> None:
    inputs = told(cutoff_ms=START_MS + 60_000_000)
    assert market_failing(inputs, 1_000 + age_ms) == expected


@pytest.mark.parametrize(
    "spoil", [{"active": False}, {"closed": True}, {"accepting_orders": False}, {"winner": 0}]
)
def test_market_must_be_open(spoil: dict[str, Any]) -> None:
    assert market_failing(told(**spoil), 1_001, cancels_only=True) == "market_open"


def test_market_that_nobody_vouches_for_is_unknown() -> None:
    inputs = Inputs(1)
    inputs.take_calendar(Calendar((), instant().monotonic_ns))
    assert market_failing(inputs, 1_001, cancels_only=True) == "unknown_market"


@pytest.mark.parametrize("kind", ["asset", "market"])
def test_scope_that_risk_holds_back_denies_and_cancels(kind: Any) -> None:
    scope_id = {"asset": "btc", "market": MARKET}[kind]
    scopes = {(kind, scope_id): ScopeOrder(kind, scope_id, 1, "PAUSED", "why")}
    predicates = market_predicates(
        MARKET, told(), scopes, TIMING, CALENDAR_STALE_MS, instant(1_001)
    )
    failing = first_failing(predicates, reduce_only=True, cancels_only=True)
    assert failing is not None
    assert failing.name == f"{kind}_scope"


@pytest.mark.parametrize(
    ("state", "of_any", "of_reducing"),
    [("ACTIVE", True, True), ("REDUCING", False, True), ("PAUSED", False, False)],
)
def test_scope_lets_pass_what_its_state_allows(state: Any, of_any: bool, of_reducing: bool) -> None:
    name = StrategyName("market_making")
    scopes: Any = {("strategy", name): ScopeOrder("strategy", name, 1, state, "why")}
    (predicate,) = strategy_predicates(name, scopes)
    assert predicate.value == f"{state}: why"
    for reduce_only, passes in ((False, of_any), (True, of_reducing)):
        assert (first_failing([predicate], reduce_only=reduce_only) is None) == passes


def test_market_whose_view_was_never_told_may_not_be_in() -> None:
    inputs, now = Inputs(TIMING.user_stale_ms * NS_PER_MS), instant()
    inputs.take_calendar(Calendar((market_info(),), now.monotonic_ns))
    predicates = market_predicates(MARKET, inputs, {}, TIMING, CALENDAR_STALE_MS, now)
    assert predicates[-1] == Predicate("state_view", False, True, "never told")


def test_dry_run_needs_no_own_orders_and_says_what_it_is() -> None:
    dry = msgspec.structs.replace(GOOD, is_dry=True, user_age_ns=None, is_reconciled=False)
    predicates = {one.name: one for one in account_predicates(dry, TIMING, LIMITS)}
    assert first_failing(predicates.values(), reduce_only=False) is None
    words = "DRY RUN: what passes is recorded as NOT_SENT and never leaves"
    assert predicates["dry_run"] == Predicate("dry_run", True, False, words)
    feed = Predicate("user_feed", True, False, "not needed in a dry run")
    assert predicates["user_feed"] == feed
    assert "dry_run" not in {one.name for one in account_predicates(GOOD, TIMING, LIMITS)}


def test_predicate_says_nothing_and_reduces_nothing_unless_told() -> None:
    predicate = Predicate("name", False, True)
    assert (predicate.value, predicate.age_ns, predicate.reducing) == ("", None, False)
    assert (GOOD.is_dry, GOOD.ledger_slow) == (False, "")
    (feed,) = token_predicates(UP, told(), {}, TIMING, instant(1_001))
    assert feed == Predicate("market_feed", True, True, "", 1_000_000)


def test_token_and_strategy_scopes_deny() -> None:
    token: Any = {("token", UP): ScopeOrder("token", UP, 1, "PAUSED", "")}
    assert not token_predicates(UP, told(), token, TIMING, instant(1_001))[1].holds
    name = StrategyName("market_making")
    strategy: Any = {("strategy", name): ScopeOrder("strategy", name, 1, "HALTED", "")}
    assert not strategy_predicates(name, strategy)[0].holds


def test_account_state_is_the_worst_of_all() -> None:
    scope = ScopeOrder("account", "", 1, "HALTED", "")
    assert account_state("ACTIVE", "ACTIVE", ()) == "ACTIVE"
    assert account_state("ACTIVE", "REDUCING", ()) == "REDUCING"
    assert account_state("ACTIVE", "ACTIVE", (scope,)) == "HALTED"


@pytest.mark.req("KS-2")
def test_user_feed_is_sound_since_its_last_break() -> None:
    inputs = told()
    first = inputs.user_sound_ns
    assert first == instant(1_000).boot_ns
    inputs.take_feed(status("feed_user", "orders", 1_100, session=2), instant(1_100))
    assert inputs.user_sound_ns == instant(1_100).boot_ns
    inputs.watch_user(instant(4_100))
    assert inputs.user_sound_ns is None


@pytest.mark.req("DG-2")
@pytest.mark.parametrize(
    ("account", "reduce_only", "state", "passes"),
    [
        ("REDUCING", True, "PAUSED", True),
        ("REDUCING", False, "PAUSED", False),
        ("REDUCING", True, "HALTED", False),
        ("ACTIVE", True, "PAUSED", False),
    ],
)
def test_silent_oracle_holds_no_closing_of_the_whole_account_back(
    account: Any, reduce_only: bool, state: Any, passes: bool
) -> None:
    later = TIMING.oracle_cancel_ms + 1_000
    inputs, now = told(later), instant(later)
    inputs.take_feed(status("feed_price", "btc", 0), now)
    scopes: Any = {("asset", "btc"): ScopeOrder("asset", "btc", 1, state, "oracle")}
    predicates = market_predicates(MARKET, inputs, scopes, TIMING, CALENDAR_STALE_MS, now, account)
    assert (first_failing(predicates, reduce_only=reduce_only) is None) is passes


@pytest.mark.req("EX-17", "DG-1")
@pytest.mark.parametrize(("state", "passes"), [("PAUSED", True), ("HALTED", False)])
def test_pause_of_a_market_holds_no_closing_of_the_whole_account_back(
    state: Any, passes: bool
) -> None:
    inputs, now = told(1_000), instant(1_000)
    scopes: Any = {("market", MARKET): ScopeOrder("market", MARKET, 1, state, "less liquid")}
    closing = market_predicates(MARKET, inputs, scopes, TIMING, CALENDAR_STALE_MS, now, "REDUCING")
    assert (first_failing(closing, reduce_only=True) is None) is passes
    assert first_failing(closing, reduce_only=False) is not None
    invalid = told(1_000, view={"valid": False, "reason": "hash"})
    held = market_predicates(MARKET, invalid, scopes, TIMING, CALENDAR_STALE_MS, now, "REDUCING")
    assert first_failing(held, reduce_only=True) is not None, (
        "a book that is doubted closes nothing"
    )
