"""NET-3 below the account: what a market or an asset waits for after its feed was lost."""

from typing import Any

import pytest

from services.risk.evidence import Evidence
from services.risk.scopes import ScopeKey
from shared.config import RecoverySettings
from shared.control import ScopeOrder
from shared.effects import Received
from shared.facts import Calendar, ExecutionStatus, FeedStatus, StateView
from shared.identifiers import Component, Incarnation
from shared.topics import EXECUTION, FEED_DISCOVERY, FEED_MARKET, STATE
from shared.units import NS_PER_MS, BootNs, MonotonicNs
from tests.builders.risk import instant, market
from tests.unit.risk.test_data_sanity import view

MARKET = market()
OF_MARKET: ScopeKey = ("market", MARKET.condition_id)
OF_ASSET: ScopeKey = ("asset", "btc")
LIMITS = RecoverySettings()


def hear(evidence: Evidence, component: Component, body: Any, ms: float, run: int = 1) -> None:
    sent_ns = instant(ms).monotonic_ns
    fact = Received(component, Incarnation(run), "t", 1, sent_ns, sent_ns, 0, body)
    evidence.hear(fact, instant(ms))


def feed(evidence: Evidence, ms: float, session: int, *, connected: bool = True) -> None:
    status = FeedStatus(FEED_MARKET, connected, MonotonicNs(0), "", session, ())
    hear(evidence, FEED_MARKET, status, ms)


def read(evidence: Evidence, ms: float) -> None:
    read_ns = instant(ms).monotonic_ns
    status = ExecutionStatus("ACTIVE", "", 0, BootNs(0), 0, 0, 0, True, read_ns, ())
    hear(evidence, EXECUTION, status, ms)


def tell(evidence: Evidence, usd: int, ms: float) -> None:
    hear(evidence, STATE, StateView((view(usd, 10, market=MARKET.condition_id),)), ms)


def known() -> Evidence:
    evidence = Evidence(LIMITS)
    hear(evidence, FEED_DISCOVERY, Calendar((MARKET,), MonotonicNs(0)), 0)
    feed(evidence, 0, 1)
    read(evidence, 0)
    tell(evidence, 100, 0)
    evidence.traded((), instant(0))
    return evidence


@pytest.mark.req("NET-3")
@pytest.mark.parametrize(("read_ms", "waits"), [(999, True), (1_000, False)])
def test_market_waits_until_orders_were_read_after_its_books_were_lost(
    read_ms: float, *, waits: bool
) -> None:
    evidence = known()
    assert evidence.scope_trouble(OF_MARKET, instant(10)) == ""
    feed(evidence, 1_000, 2)
    read(evidence, read_ms)
    assert bool(evidence.scope_trouble(OF_MARKET, instant(1_001))) == waits


def test_connection_that_goes_and_one_that_is_another_are_losses_alike() -> None:
    for session, connected in ((2, True), (1, False)):
        evidence = known()
        feed(evidence, 1_000, session, connected=connected)
        assert "were not read" in evidence.scope_trouble(OF_MARKET, instant(1_001))


@pytest.mark.req("NET-3")
@pytest.mark.parametrize("key", [OF_MARKET, OF_ASSET])
def test_price_that_moved_far_while_it_was_held_must_settle_there(key: ScopeKey) -> None:
    evidence = known()
    held = (ScopeOrder("asset", "btc", 1, "PAUSED", "oracle"),)
    evidence.traded(held, instant(100))
    tell(evidence, 106, 200)
    evidence.traded(held, instant(200))
    assert "from 100 to 106" in evidence.scope_trouble(key, instant(200))
    settled_ms = 200 + LIMITS.settles_ms
    assert evidence.scope_trouble(key, instant(settled_ms - 1))
    assert evidence.scope_trouble(key, instant(settled_ms)) == ""


@pytest.mark.req("NET-3")
def test_price_is_the_last_known_good_only_where_something_may_be_traded() -> None:
    evidence = known()
    held = (ScopeOrder("market", MARKET.condition_id, 1, "PAUSED", "stale"),)
    tell(evidence, 106, 100)
    evidence.traded(held, instant(100))
    assert evidence.scope_trouble(OF_MARKET, instant(100))
    evidence.traded((), instant(100))
    assert evidence.scope_trouble(OF_MARKET, instant(100)) == ""


def test_market_past_its_cutoff_holds_no_asset_back() -> None:
    evidence = known()
    held = (ScopeOrder("market", MARKET.condition_id, 1, "PAUSED", "cutoff"),)
    late_ms = MARKET.cutoff_ms - instant(0).wall_ns // NS_PER_MS
    tell(evidence, 106, late_ms)
    evidence.traded(held, instant(late_ms))
    assert evidence.scope_trouble(OF_ASSET, instant(late_ms)) == ""
