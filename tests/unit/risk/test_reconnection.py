"""NET-3: every step after a lost feed is stamped, in its order, and what takes too long is told."""

from typing import Any

import msgspec
import pytest

from services.risk.reconnection import STEPS, WHOLE_NS_MAX, Reconnections
from services.risk.source import Notice
from shared.effects import Effect, Log, Received
from shared.facts import (
    Calendar,
    Evidence,
    ExecutionStatus,
    FeedStatus,
    PerpContext,
    Reconnection,
    ReferencePrice,
    RiskStatus,
    StateView,
    SwitchStatus,
)
from shared.identifiers import Asset, Component, Incarnation
from shared.topics import (
    EXECUTION,
    FEED_DISCOVERY,
    FEED_MARKET,
    FEED_PERP,
    FEED_PRICE,
    FEED_USER,
    STATE,
)
from shared.units import (
    NS_PER_MS,
    BootNs,
    CoinsE8,
    MoneyE6,
    MonotonicNs,
    RateE12,
    ReferenceE18,
    WallMs,
)
from tests.builders.risk import instant, market
from tests.builders.risk_parts import config, state_view

FEEDS = (FEED_MARKET, FEED_USER, FEED_PRICE)


class Rig:
    """A chain with everybody around it at his best; each call spoils or mends one of them."""

    def __init__(self, **timing: int) -> None:
        self.chain = Reconnections(config(**timing))
        self.markets = [market()]
        self.sessions = dict.fromkeys(FEEDS, 1)
        self.since: dict[Component, tuple[bool, MonotonicNs]] = {}
        self.usd = 100
        self.state = "ACTIVE"
        self.switches: tuple[SwitchStatus, ...] = ()
        self.told: list[Notice | Effect] = []
        self.hear(FEED_DISCOVERY, Calendar(tuple(self.markets), MonotonicNs(0)), 0)
        self.view(0)
        for feed in FEEDS:
            self.feed(feed, 0)
        assert self.look(0) is None

    def hear(self, component: Component, body: Any, ms: float, incarnation: int = 1) -> None:
        sent_ns = instant(ms).monotonic_ns
        fact = Received(component, Incarnation(incarnation), "t", 1, sent_ns, sent_ns, 0, body)
        self.chain.hear(fact, instant(ms))

    def feed(self, feed: Component, ms: float, *, connected: bool = True, run: int = 1) -> None:
        evidence = (Evidence("orders", instant(ms).monotonic_ns),)
        if self.since.get(feed, (None,))[0] != connected:
            self.since[feed] = (connected, instant(ms).monotonic_ns)
        cause, since_ns = "" if connected else "gone", self.since[feed][1]
        status = FeedStatus(feed, connected, since_ns, cause, self.sessions[feed], evidence)
        self.hear(feed, status, ms, run)

    def view(self, ms: float, *, valid: bool = True) -> None:
        view = state_view(self.markets, instant(ms), valid=valid)
        stamp = instant(ms)
        price = ReferencePrice(
            Asset("btc"),
            "chainlink",
            ReferenceE18(self.usd * 10**18),
            WallMs(0),
            stamp.monotonic_ns,
        )
        found = tuple(msgspec.structs.replace(one, reference=price) for one in view.markets)
        self.hear(STATE, StateView(found), ms)

    def read(self, ms: float) -> None:
        status = ExecutionStatus(
            "PAUSED", "", 0, BootNs(0), 0, 0, 0, True, instant(ms).monotonic_ns, ()
        )
        self.hear(EXECUTION, status, ms)

    def interest(self, coins: int, ms: float) -> None:
        context = PerpContext(
            Asset("btc"),
            ReferenceE18(1),
            ReferenceE18(1),
            None,
            CoinsE8(coins),
            RateE12(0),
            None,
            MoneyE6(0),
            "socket",
            instant(ms).monotonic_ns,
        )
        self.hear(FEED_PERP, context, ms)

    def look(self, ms: float) -> Reconnection | None:
        status = RiskStatus(self.state, ("why",), 1, "none", "", None, self.switches, (), 1)
        found = self.chain.look(status, instant(ms))
        self.told += self.chain.data(instant(ms))
        return found

    def done(self, ms: float) -> dict[str, int]:
        found = self.look(ms)
        assert found is not None
        return {one.name: one.after_ms for one in found.steps if one.after_ms is not None}

    def notices(self) -> list[str]:
        return [one.name for one in self.told if isinstance(one, Notice)]

    def lose(self, feed: Component, ms: float) -> None:
        self.feed(feed, ms, connected=False)
        self.state = "PAUSED"

    def mend(self, ms: float) -> None:
        """Let everything come back within 400 ms, tenth by tenth."""
        for feed in FEEDS:
            self.feed(feed, ms)
        self.look(ms)
        self.view(ms + 100)
        self.look(ms + 100)
        self.feed(FEED_USER, ms + 200)
        self.read(ms + 200)
        self.look(ms + 200)


def held(name: str, scope: str, scope_id: str = "") -> SwitchStatus:
    return SwitchStatus(name, scope, scope_id, "pause", 1, 0, "why", "")


@pytest.mark.req("NET-3")
def test_each_step_is_stamped_when_it_first_holds() -> None:
    rig = Rig()
    rig.lose(FEED_MARKET, 1_000)
    assert rig.done(1_000) == {"strategies": 0}
    rig.mend(1_500)
    rig.state = "ACTIVE"
    assert rig.done(4_500) == {
        "strategies": 0,
        "connected": 500,
        "own orders": 500,
        "snapshot": 600,
        "compared": 600,
        "clean data": 600,
        "reconciled": 700,
        "trading": 3_500,
    }
    found = rig.look(9_000)
    assert found is not None
    assert (found.whole_ms, found.moved) == (3_000, ())
    logged = [one for one in rig.told if isinstance(one, Log)]
    assert [one.fields["step"] for one in logged if "step" in one.fields] != []
    assert logged[-1].event == "risk.reconnected"
    assert rig.notices() == []


@pytest.mark.req("NET-3")
@pytest.mark.parametrize("step", ["snapshot", "own orders", "reconciled", "clean data", "trading"])
def test_trading_is_not_counted_before_every_step_is_done(step: str) -> None:
    rig = Rig()
    rig.lose(FEED_USER, 0)
    rig.look(0)
    for feed in (FEED_MARKET, FEED_PRICE):
        rig.feed(feed, 100)
    rig.feed(FEED_USER, 100)
    rig.look(100)
    rig.view(200, valid=step != "snapshot")
    if step != "reconciled":
        rig.read(200)
    if step == "own orders":
        lost = FeedStatus(FEED_USER, True, MonotonicNs(0), "", 1, (Evidence("orders", None),))
        rig.hear(FEED_USER, lost, 200)
    if step == "clean data":
        rig.switches = (held("market_feed_stale", "market", rig.markets[0].condition_id),)
    rig.state = "PAUSED" if step == "trading" else "ACTIVE"
    found = rig.look(300)
    assert found is not None
    assert found.whole_ms is None
    waiting = {one.name: one.waits for one in found.steps if one.after_ms is None}
    assert step in waiting
    assert waiting[step]


@pytest.mark.req("NET-3")
@pytest.mark.parametrize(("over_ms", "is_told"), [(0, False), (1, True)])
def test_recovery_that_takes_longer_than_ten_seconds_is_told_once(
    over_ms: int, *, is_told: bool
) -> None:
    rig = Rig()
    rig.lose(FEED_MARKET, 0)
    rig.mend(5_000)
    at_ms = 5_000 + WHOLE_NS_MAX / NS_PER_MS + over_ms
    rig.look(at_ms)
    assert rig.notices() == (["recovery slow"] if is_told else [])
    rig.look(at_ms + 1_000)
    assert rig.notices() == ["recovery slow"]


def test_account_that_waits_for_a_person_is_not_called_slow() -> None:
    rig = Rig()
    rig.lose(FEED_MARKET, 0)
    rig.mend(100)
    rig.switches = (msgspec.structs.replace(held("operator_halt", "account"), kind="latch"),)
    rig.look(60_000)
    assert rig.notices() == []


@pytest.mark.req("NET-3")
@pytest.mark.parametrize(("usd", "is_told"), [(105, False), (106, True), (95, False), (94, True)])
def test_price_that_moved_over_five_percent_meanwhile_alerts(usd: int, *, is_told: bool) -> None:
    rig = Rig()
    rig.lose(FEED_PRICE, 0)
    rig.usd = usd
    rig.mend(100)
    assert rig.notices() == (["moved btc"] if is_told else [])
    found = rig.look(1_000)
    assert found is not None
    assert bool(found.moved) == is_told


@pytest.mark.req("NET-3")
@pytest.mark.parametrize(("coins", "is_told"), [(120, False), (121, True), (79, True)])
def test_open_interest_that_moved_over_twenty_percent_alerts(coins: int, *, is_told: bool) -> None:
    rig = Rig()
    rig.interest(100, 0)
    rig.lose(FEED_MARKET, 10)
    rig.look(10)
    rig.interest(coins, 20)
    rig.look(30)
    assert rig.notices() == (["moved btc interest"] if is_told else [])


def test_further_loss_begins_the_same_chain_anew_and_a_later_one_its_own() -> None:
    rig = Rig()
    rig.lose(FEED_MARKET, 0)
    rig.mend(100)
    rig.lose(FEED_USER, 1_000)
    found = rig.look(1_000)
    assert found is not None
    assert found.number == 1
    assert "connected" not in rig.done(1_000)
    rig.mend(2_000)
    rig.state = "ACTIVE"
    assert rig.done(3_000)["trading"] == 3_000
    rig.sessions[FEED_MARKET] = 2
    rig.feed(FEED_MARKET, 4_000)
    found = rig.look(4_000)
    assert found is not None
    assert found.number == 2
    assert "connected anew" in found.cause


def test_feed_that_was_started_anew_is_a_loss() -> None:
    rig = Rig()
    rig.feed(FEED_MARKET, 0, run=2)
    found = rig.look(0)
    assert found is not None
    assert "started anew" in found.cause


def test_every_step_says_what_it_waits_for_from_the_first_moment() -> None:
    rig = Rig()
    rig.lose(FEED_MARKET, 0)
    found = rig.look(0)
    assert found is not None
    assert tuple(one.name for one in found.steps) == STEPS
    assert all(one.waits or one.after_ms is not None for one in found.steps)
