"""Discovery: which windows are asked for, what the calendar says, what an error leaves."""

from itertools import pairwise
from typing import Any

import msgspec
import pytest

from services.feed.discovery import (
    ENDED_EVERY_NS,
    READ_SPACING_NS,
    RETRY_NS,
    DiscoveryFeed,
)
from services.feed.windows import ENDED_TRACKED
from shared.effects import Effect, HttpFailed, HttpReply, HttpRequest, Log
from shared.facts import Calendar, FeedStatus, PositionFact, Positions
from shared.identifiers import ConditionId, StrategyName, TokenId
from shared.topics import EXECUTION
from shared.units import NS_PER_MS, BootNs, Instant, MoneyE6, SizeE6
from shared.venue.wire import encode
from tests.builders.feeds import WALL_START_MS, at, config, facts, of_type
from tests.builders.markets import received

RUNNING = f"btc-updown-60s-{WALL_START_MS // 1_000}"
NEXT = f"btc-updown-60s-{WALL_START_MS // 1_000 + 60}"
ENDED = f"btc-updown-60s-{WALL_START_MS // 1_000 - 60}"


def moment(seconds: int) -> str:
    """Return an ISO moment; the tests stay within one hour."""
    minute, second = divmod(seconds % 3_600, 60)
    hour = seconds // 3_600 % 24
    assert seconds // 86_400 == 20_717
    return f"2026-09-21T{hour:02d}:{minute:02d}:{second:02d}Z"


def described(slug: str, **spoil: Any) -> dict[str, Any]:
    """Return a market as the venue describes it."""
    start = int(slug.rpartition("-")[2])
    number = f"{start:064x}"
    fields = {
        "id": str(start),
        "slug": slug,
        "conditionId": f"0x{number}",
        "version": "v1",
        "clobTokenIds": f'["{start}1", "{start}2"]',
        "outcomes": '["Up", "Down"]',
        "outcomePrices": '["0.5", "0.5"]',
        "active": True,
        "closed": False,
        "restricted": True,
        "acceptingOrders": True,
        "enableOrderBook": True,
        "eventStartTime": moment(start),
        "endDate": moment(start + 60),
        "orderPriceMinTickSize": 0.01,
        "orderMinSize": 5,
        "negRisk": False,
        "feesEnabled": True,
        "feeSchedule": {"exponent": 1, "rate": 0.07, "takerOnly": True, "rebateRate": 0.2},
    }
    return {**fields, **spoil}


def resolved(slug: str, winner: int) -> dict[str, Any]:
    prices = ['["1", "0"]', '["0", "1"]'][winner]
    return described(slug, closed=True, umaResolutionStatus="resolved", outcomePrices=prices)


class Rig:
    """A discovery feed with a fake venue: what it knows by slug, everything else is not listed."""

    def __init__(self, **markets: Any) -> None:
        self.feed = DiscoveryFeed(config(**markets))
        self.known = {slug: described(slug) for slug in (RUNNING, NEXT)}
        self.status_code = 200
        self.asked: list[tuple[float, str]] = []
        self.published: list[Any] = []

    def run(self, start_ms: int, end_ms: int, *, answers: bool = True) -> list[Effect]:
        """Tick every 10 ms and answer each read at once."""
        everything: list[Effect] = []
        for milliseconds in range(start_ms, end_ms, 10):
            now = at(milliseconds)
            effects = self.feed.on_tick(now)
            for request in of_type(effects, HttpRequest):
                slug = request.path.removeprefix("/markets/slug/")
                self.asked.append((milliseconds, slug))
                if answers:
                    effects = [*effects, *self.answer(request, slug, now)]
            self.published.extend(facts(effects, "feed.calendar"))
            everything.extend(effects)
        return everything

    def answer(self, request: HttpRequest, slug: str, now: Instant) -> list[Effect]:
        body = msgspec.json.encode(self.known.get(slug, {}))
        status = self.status_code if slug in self.known or self.status_code != 200 else 404
        reply = HttpReply(request.request_id, status, {}, body, BootNs(0))
        return self.feed.on_message(reply, now)

    def calendar(self) -> Calendar:
        assert self.published
        found = self.published[-1]
        assert isinstance(found, Calendar)
        return found

    def slugs(self) -> list[str]:
        return [market.slug for market in self.calendar().markets]


def status(effects: list[Effect]) -> FeedStatus:
    found = facts(effects, "feed.status")[-1]
    assert isinstance(found, FeedStatus)
    return found


@pytest.mark.req("MR-1")
def test_running_and_next_window_are_found_by_their_computed_slugs() -> None:
    rig = Rig()
    rig.run(0, 1_000)
    assert rig.asked[:2] == [(0, RUNNING), (40, NEXT)]
    assert rig.slugs() == [RUNNING, NEXT]
    assert rig.feed.health() == ("ready", "")


@pytest.mark.req("MR-1")
def test_market_carries_what_trading_rests_on() -> None:
    rig = Rig()
    rig.run(0, 1_000)
    running = rig.calendar().markets[0]
    assert (running.tick_e4, running.min_size_e6, running.restricted) == (100, 5_000_000, True)
    assert running.start_ms == WALL_START_MS
    assert running.cutoff_ms == WALL_START_MS + 60_000 - 5_000


@pytest.mark.req("MR-1")
def test_fields_of_a_live_market_are_kept_fresh() -> None:
    rig = Rig()
    rig.run(0, 1_000)
    rig.known[RUNNING] = described(RUNNING, orderPriceMinTickSize=0.001, acceptingOrders=False)
    rig.run(1_000, 3_000)
    running = rig.calendar().markets[0]
    assert (running.tick_e4, running.accepting_orders) == (10, False)


def test_windows_roll_with_the_clock() -> None:
    rig = Rig()
    rig.run(59_000, 60_000)
    following = f"btc-updown-60s-{WALL_START_MS // 1_000 + 120}"
    rig.known[following] = described(following)
    rig.run(60_000, 62_000)
    assert rig.slugs() == [RUNNING, NEXT, following]


@pytest.mark.req("MR-1")
def test_ended_market_is_followed_until_its_winner_is_known() -> None:
    rig = Rig()
    rig.known[ENDED] = described(ENDED, closed=True)
    rig.run(0, 5_000)
    assert rig.calendar().markets[0].winner is None
    rig.known[ENDED] = resolved(ENDED, 1)
    rig.run(5_000, 10_000)
    assert (rig.slugs()[0], rig.calendar().markets[0].winner) == (ENDED, 1)
    before = len(rig.asked)
    rig.run(10_000, 20_000)
    assert ENDED not in [slug for _, slug in rig.asked[before:]]


def test_ended_windows_are_asked_for_less_often_and_bounded() -> None:
    rig = Rig()
    rig.run(0, 10_000)
    slugs = {slug for _, slug in rig.asked}
    assert len(slugs) == ENDED_TRACKED + 2
    times = [when for when, slug in rig.asked if slug == ENDED]
    gaps = [after - before for before, after in pairwise(times)]
    assert min(gaps) >= ENDED_EVERY_NS / NS_PER_MS


def test_reads_keep_their_distance() -> None:
    rig = Rig(assets=("btc", "eth", "sol", "xrp"))
    rig.run(0, 10_000)
    times = [when for when, _ in rig.asked]
    gaps = [after - before for before, after in pairwise(times)]
    assert min(gaps) >= READ_SPACING_NS / NS_PER_MS


def test_there_is_no_calendar_before_a_market_is_known() -> None:
    rig = Rig()
    rig.known.clear()
    rig.run(0, 5_000)
    assert rig.published == []
    assert rig.feed.health()[0] == "starting"


@pytest.mark.parametrize("code", [400, 429, 500, 503])
def test_error_removes_no_market_and_renews_no_stamp(code: int) -> None:
    rig = Rig()
    rig.run(0, 1_000)
    before = rig.calendar()
    rig.status_code = code
    effects = rig.run(1_000, 8_000)
    assert rig.calendar().markets == before.markets
    assert rig.calendar().verified_ns <= at(1_000).monotonic_ns
    assert status(effects).connected is False
    assert status(effects).cause == f"status {code}"


def test_lost_answer_renews_no_stamp() -> None:
    rig = Rig()
    rig.run(0, 1_000)
    verified = rig.calendar().verified_ns
    requests = of_type(rig.run(1_000, 2_000, answers=False), HttpRequest)
    for request in requests:
        rig.feed.on_message(HttpFailed(request.request_id, True, "deadline"), at(2_000))
    rig.run(2_000, 2_010, answers=False)
    assert rig.calendar().verified_ns == verified
    assert status(rig.run(2_010, 2_200, answers=False)).cause == "deadline"


def test_refusals_are_backed_off_from() -> None:
    rig = Rig()
    rig.status_code = 500
    rig.run(0, 8_000)
    assert rig.asked[1][0] == RETRY_NS // NS_PER_MS


@pytest.mark.req("NET-8")
def test_429_halves_the_pace_lengthens_polling_and_is_told_until_five_clean_minutes() -> None:
    rig = Rig()
    rig.run(0, 10_000)
    usual = len([when for when, slug in rig.asked if slug == RUNNING])
    rig.status_code = 429
    rig.run(10_000, 10_200)
    rig.status_code = 200
    rig.asked.clear()
    effects = rig.run(10_200, 20_200)
    slow = len([when for when, slug in rig.asked if slug == RUNNING])
    assert 0 < slow <= usual * 2 // 3
    assert "after a 429" in status(effects).strained
    assert rig.calendar().verified_ns > at(17_000).monotonic_ns, "cached data tells its age"


def test_calendar_is_vouched_for_since_its_oldest_live_market_was_asked() -> None:
    rig = Rig()
    rig.run(0, 1_000)
    del rig.known[RUNNING]
    rig.run(1_000, 3_000)
    assert rig.calendar().verified_ns < at(1_000).monotonic_ns, "a live market vanished"
    assert RUNNING in rig.slugs()


def test_market_decided_before_its_window_ends_lets_the_calendar_grow_no_older() -> None:
    rig = Rig()
    rig.run(0, 1_000)
    rig.known[RUNNING] = resolved(RUNNING, 0)
    rig.run(1_000, 30_000)
    assert rig.calendar().markets[0].winner == 0
    assert rig.calendar().verified_ns > at(27_000).monotonic_ns


@pytest.mark.req("DQ-5")
@pytest.mark.parametrize(
    "spoil",
    [
        {"version": "v3"},
        {"clobTokenIds": "[]"},
        {"negRisk": None},
        {"endDate": moment(WALL_START_MS // 1_000 + 120)},
    ],
)
def test_description_that_cannot_be_trusted_is_refused(spoil: dict[str, Any]) -> None:
    rig = Rig()
    rig.known[RUNNING] = described(RUNNING, **spoil)
    effects = rig.run(0, 1_000)
    assert rig.slugs() == [NEXT]
    assert [log.event for log in of_type(effects, Log)].count("feed.frame_rejected") >= 1


def test_description_of_another_window_is_refused() -> None:
    rig = Rig()
    rig.known[RUNNING] = described(NEXT)
    rig.run(0, 1_000)
    assert rig.slugs() == [NEXT]


def test_calendar_is_repeated_each_second_and_at_each_change() -> None:
    rig = Rig()
    rig.run(0, 5_000)
    assert 5 <= len(rig.published) <= 8


@pytest.mark.req("MR-2")
def test_market_of_a_position_is_told_however_long_ago_its_window_was() -> None:
    rig = Rig()
    rig.run(0, 1_000)
    start = int(RUNNING.rpartition("-")[2]) - 3_600
    old = f"btc-updown-60s-{start}"
    market = ConditionId(f"0x{start:064x}")
    size = SizeE6(5_000_000)
    position = PositionFact(
        StrategyName("market_making"), market, TokenId("1"), size, size, size, MoneyE6(0)
    )
    told = received(EXECUTION, "execution.positions", Positions((position,)), at(1_000))
    rig.feed.on_message(told, at(1_000))
    asked = [
        request
        for milliseconds in range(1_000, 2_000, 10)
        for request in of_type(rig.feed.on_tick(at(milliseconds)), HttpRequest)
        if "/markets/keyset" in request.path
    ]
    assert f"condition_ids={market}" in asked[0].path
    body = encode({"markets": [resolved(old, winner=1)]})
    rig.feed.on_message(HttpReply(asked[0].request_id, 200, {}, body, BootNs(0)), at(2_000))
    (calendar,) = facts(rig.feed.on_tick(at(2_010)), "feed.calendar")
    assert {info.condition_id: info.winner for info in calendar.markets}[market] == 1
    assert {info.slug for info in calendar.markets} >= {RUNNING, NEXT}


@pytest.mark.req("MR-1")
def test_last_market_of_all_is_still_followed_to_its_winner() -> None:
    rig = Rig()
    rig.known = {ENDED: described(ENDED, closed=True)}
    rig.run(0, 5_000)
    rig.known[ENDED] = resolved(ENDED, 1)
    rig.run(5_000, 10_000)
    assert rig.calendar().markets[0].winner == 1
    assert rig.feed.health()[0] == "starting", "nobody vouches for a market to trade"
    vouched_ns = rig.calendar().verified_ns
    rig.run(10_000, 20_000)
    assert rig.calendar().verified_ns == vouched_ns, "and the calendar grows old"
