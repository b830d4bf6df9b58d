"""Each condition at its limit: just below it is good, at and above it is bad."""

from typing import Any

import msgspec
import pytest

from services.risk.evidence import Evidence
from services.risk.liveness import Liveness, patience
from services.risk.samples import Sample, Sampler
from shared.effects import Received
from shared.facts import (
    Calendar,
    FeedStatus,
    MarketView,
    StateView,
)
from shared.facts import Evidence as Proof
from shared.identifiers import Component, Incarnation
from shared.topics import (
    EXECUTION,
    FEED_DISCOVERY,
    FEED_MARKET,
    FEED_PRICE,
    FEED_USER,
    MARKET_MAKING,
    STATE,
)
from shared.units import NS_PER_MS, BootNs, Instant, MonotonicNs, WallNs
from tests.builders.risk import DOWN, MARKET, UP, World, instant, market
from tests.builders.risk_parts import config

CONFIG = config()
TIMING = CONFIG.timing
PATIENCE = patience(CONFIG)


class Desk:
    """Evidence that is perfect at 100 000 ms, and samples of it later."""

    def __init__(self) -> None:
        self.at = instant(100_000)
        self.evidence = Evidence()
        self.liveness = Liveness(PATIENCE, self.at.boot_ns)
        self.sampler = Sampler(CONFIG, self.evidence, self.liveness)

    def hear(self, component: Component, body: Any, now: Instant | None = None) -> None:
        at = now or self.at
        mono = at.monotonic_ns
        self.evidence.hear(
            Received(component, Incarnation(1), "topic", 1, mono, mono, at.wall_ns, body), at
        )

    def feed(self, name: Component, *keys: str, age_ms: float = 0, **spoil: Any) -> None:
        evident = MonotonicNs(int(self.at.monotonic_ns - age_ms * NS_PER_MS))
        fields: dict[str, Any] = {
            "feed": name,
            "connected": True,
            "since_ns": MonotonicNs(0),
            "cause": "",
            "session": 1,
            "evidence": tuple(Proof(key, evident) for key in keys),
        }
        self.hear(name, FeedStatus(**{**fields, **spoil}))

    def view(self, **spoil: Any) -> None:
        fields: dict[str, Any] = {
            "market": MARKET,
            "asset": "btc",
            "valid": True,
            "reason": "",
            "proven_ns": None,
            "tick_e4": 100,
            "books": None,
            "reference": None,
            "strike_e18": None,
            "volatility_e9": None,
            "venue_ms": 0,
        }
        self.hear(STATE, StateView((MarketView(**{**fields, **spoil}),)))

    def sample(self, switch: str, subject: str = "", now: Instant | None = None) -> Sample:
        found = [
            one
            for one in self.sampler.data(now or self.at)
            if one.switch.name == switch and one.subject == subject
        ]
        return found[0]


BOUNDARY = [(-1, False), (0, True), (1, True)]


@pytest.mark.req("KS-2")
@pytest.mark.parametrize(("over_ms", "bad"), BOUNDARY)
def test_own_order_feed_is_stale_at_its_limit(over_ms: int, bad: bool) -> None:
    desk = Desk()
    desk.feed(FEED_USER, "orders", age_ms=TIMING.user_stale_ms + over_ms)
    assert desk.sample("own_order_feed_stale").bad is bad


@pytest.mark.req("KS-2")
@pytest.mark.parametrize(
    "spoil", [{"connected": False}, {"evidence": ()}, {"evidence": (Proof("orders", None),)}]
)
def test_own_order_feed_without_connection_or_evidence_is_bad(spoil: dict[str, Any]) -> None:
    desk = Desk()
    assert desk.sample("own_order_feed_stale").bad
    desk.feed(FEED_USER, "orders", **spoil)
    assert desk.sample("own_order_feed_stale").bad


def test_status_of_a_feed_that_no_longer_speaks_is_no_connection() -> None:
    desk = Desk()
    desk.feed(FEED_USER, "orders")
    assert not desk.sample("own_order_feed_stale", now=instant(100_999)).bad
    assert desk.sample("own_order_feed_stale", now=instant(101_000)).bad


@pytest.mark.req("KS-3")
@pytest.mark.parametrize(("over_ms", "bad"), BOUNDARY)
@pytest.mark.parametrize("stage", ["pause", "cancel"])
def test_oracle_pauses_at_one_limit_and_cancels_at_the_other(
    stage: str, over_ms: int, bad: bool
) -> None:
    desk = Desk()
    limit = TIMING.oracle_pause_ms if stage == "pause" else TIMING.oracle_cancel_ms
    desk.feed(FEED_PRICE, "btc", age_ms=limit + over_ms)
    sample = desk.sample("oracle_stale", stage)
    assert sample.bad is bad
    assert sample.key == ("asset", "btc")
    assert sample.cancel is (stage == "cancel")


@pytest.mark.req("KS-4")
@pytest.mark.parametrize(("over_ms", "bad"), BOUNDARY)
def test_market_feed_is_stale_at_its_limit(over_ms: int, bad: bool) -> None:
    desk = good_market()
    desk.feed(FEED_MARKET, UP, DOWN, age_ms=TIMING.market_stale_ms + over_ms)
    sample = desk.sample("market_feed_stale")
    assert sample.bad is bad
    assert sample.key == ("market", MARKET)


@pytest.mark.req("KS-4")
@pytest.mark.parametrize("spoil", [{"valid": False, "reason": "hash"}, {"market": "0xother"}])
def test_market_that_state_does_not_vouch_for_is_bad(spoil: dict[str, Any]) -> None:
    desk = good_market()
    assert not desk.sample("market_feed_stale").bad
    desk.view(**spoil)
    assert desk.sample("market_feed_stale").bad


@pytest.mark.req("KS-4")
@pytest.mark.parametrize(("over_ms", "bad"), BOUNDARY)
def test_hot_view_is_stale_at_its_limit(over_ms: int, bad: bool) -> None:
    desk = good_market()
    now = instant(100_000 + TIMING.state_stale_ms + over_ms)
    assert desk.sample("market_feed_stale", "view", now).bad is bad


@pytest.mark.parametrize(("over_ms", "bad"), BOUNDARY)
def test_calendar_that_nobody_vouches_for_is_bad(over_ms: int, bad: bool) -> None:
    desk = good_market()
    now = instant(100_000 + CONFIG.markets.calendar_stale_ms + over_ms)
    assert desk.sample("component_lost", "calendar", now).bad is bad


@pytest.mark.req("KS-1")
@pytest.mark.parametrize(("over_ms", "bad"), BOUNDARY)
def test_market_is_over_at_its_cutoff(over_ms: int, bad: bool) -> None:
    desk = good_market()
    wall = WallNs((market().cutoff_ms + over_ms) * NS_PER_MS)
    now = msgspec.structs.replace(desk.at, wall_ns=wall)
    assert desk.sample("market_cutoff", now=now).bad is bad


def test_market_that_was_never_good_pauses_nothing() -> None:
    desk = Desk()
    desk.hear(FEED_DISCOVERY, Calendar((market(),), desk.at.monotonic_ns))
    names = [(one.switch.name, one.subject) for one in desk.sampler.data(desk.at)]
    assert ("market_feed_stale", "") not in names


def good_market() -> Desk:
    """Return evidence in which everything about the market has been good once."""
    desk = Desk()
    desk.feed(FEED_MARKET, UP, DOWN)
    desk.view()
    desk.hear(FEED_DISCOVERY, Calendar((market(),), desk.at.monotonic_ns))
    tuple(desk.sampler.data(desk.at))
    return desk


@pytest.mark.req("CP-1")
@pytest.mark.parametrize(
    ("component", "limit_ns"),
    [
        (EXECUTION, TIMING.hang_ms * NS_PER_MS),
        (STATE, CONFIG.components.state.hang_ms * NS_PER_MS),
        (MARKET_MAKING, CONFIG.components.market_making.hang_ms * NS_PER_MS),
    ],
)
@pytest.mark.parametrize(("over_ns", "bad"), BOUNDARY)
def test_component_is_hung_at_its_limit(
    component: Component, limit_ns: int, over_ns: int, bad: bool
) -> None:
    desk = Desk()
    pong = World().pong(component, None)
    desk.liveness.hear(pong, desk.at.boot_ns)
    for passed_ns in range(10 * NS_PER_MS, limit_ns, 10 * NS_PER_MS):
        desk.liveness.turn(BootNs(desk.at.boot_ns + passed_ns))
    desk.liveness.turn(BootNs(desk.at.boot_ns + limit_ns + over_ns))
    lost = {one.subject: one.bad for one in desk.sampler.presence()}
    assert lost[component] is bad


def test_component_never_heard_of_is_lost() -> None:
    desk = Desk()
    lost = {one.subject: one.why for one in desk.sampler.presence() if one.bad}
    assert lost[STATE] == "state is absent"


@pytest.mark.req("EX-21")
@pytest.mark.req("KS-2")
def test_own_order_feed_is_not_needed_in_a_dry_run() -> None:
    desk = Desk()
    run = msgspec.structs.replace(CONFIG.run, dry_run=True)
    settings = msgspec.structs.replace(CONFIG, run=run)
    sampler = Sampler(settings, desk.evidence, desk.liveness)
    found = [one for one in sampler.data(desk.at) if one.switch.name == "own_order_feed_stale"]
    assert [(one.bad, one.why) for one in found] == [(False, "not needed in a dry run")]
    assert FEED_USER not in {one.subject for one in sampler.presence()}
    assert FEED_USER in {one.subject for one in desk.sampler.presence()}
