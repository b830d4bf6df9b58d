"""MR-1: events with several markets, followed by slug and by series, each with its own stamp."""

from typing import Any

import msgspec
import pytest

from services.feed.events import EVENTS_MAX, SERIES_TIMES, EventRead, FollowedEvents
from shared.config import MarketSettings
from shared.facts import EventInfo
from shared.units import NS_PER_MS, WallMs
from shared.venue.faults import WireFault
from tests.builders.feeds import at

pytestmark = pytest.mark.req("MR-1")

SLUG = "who-wins"
EVERY_MS = 5_000


def market(number: int, **spoil: Any) -> dict[str, Any]:
    """Return one outcome of an event, as discovery describes it."""
    return {
        "id": str(number),
        "slug": f"candidate-{number}",
        "conditionId": f"0x{number:064x}",
        "groupItemTitle": f"Candidate {number}",
        "negRiskOther": False,
        "version": "v1",
        "clobTokenIds": f'["{2 * number}", "{2 * number + 1}"]',
        "outcomes": '["Yes", "No"]',
        "outcomePrices": '["0.5", "0.5"]',
        "active": True,
        "closed": False,
        "restricted": True,
        "acceptingOrders": True,
        "enableOrderBook": True,
        "endDate": "2026-12-31T12:00:00Z",
        "orderPriceMinTickSize": 0.001,
        "orderMinSize": 5,
        "negRisk": True,
        "feesEnabled": False,
        **spoil,
    }


def event(slug: str = SLUG, count: int = 3, **spoil: Any) -> dict[str, Any]:
    return {
        "id": "77",
        "slug": slug,
        "title": "Who wins?",
        "active": True,
        "closed": False,
        "restricted": True,
        "negRisk": True,
        "negRiskMarketID": "0x" + "AB" * 32,
        "negRiskAugmented": False,
        "markets": [market(number) for number in range(1, count + 1)],
        **spoil,
    }


def followed(**settings: Any) -> FollowedEvents:
    named: dict[str, Any] = {"events": (SLUG,), "cutoff_ms": 60_000, "events_every_ms": EVERY_MS}
    return FollowedEvents(MarketSettings(**(named | settings)))


def due(events: FollowedEvents, ms: float) -> EventRead | None:
    read = events.due(events.every_ns, at(ms))
    if read is not None:
        events.asked(read)
    return read


def ask(events: FollowedEvents, ms: float, body: object) -> bool:
    """Let the next read be answered; return whether it told anything new."""
    read = due(events, ms)
    assert read is not None
    return events.answered(read, msgspec.json.encode(body))


def told(body: object) -> EventInfo:
    events = followed()
    ask(events, 0, body)
    (info,) = events.infos()
    return info


def test_event_is_told_with_all_of_its_markets_and_their_grouping() -> None:
    info = told(event())
    assert (info.event_id, info.slug, info.title) == ("77", SLUG, "Who wins?")
    assert info.neg_risk_market_id == "0x" + "ab" * 32
    assert info.verified_ns == at(0).monotonic_ns
    assert info.is_complete_set
    first = info.markets[0]
    assert (first.title, first.tokens, first.outcomes) == ("Candidate 1", ("2", "3"), ("Yes", "No"))
    assert (first.tick_e4, first.min_size_e6) == (10, 5_000_000)
    assert (first.fee_rate_e6, first.restricted, first.neg_risk) == (0, True, True)
    assert first.end_ms - first.cutoff_ms == 60_000
    assert first.end_ms == WallMs(1_798_718_400_000)


@pytest.mark.parametrize(
    "name",
    [
        "groupItemTitle",
        "negRiskOther",
        "version",
        "clobTokenIds",
        "outcomes",
        "active",
        "closed",
        "restricted",
        "acceptingOrders",
        "endDate",
        "orderPriceMinTickSize",
        "orderMinSize",
        "negRisk",
        "feesEnabled",
    ],
)
def test_market_that_lacks_a_field_is_unknown_and_its_set_is_not_complete(name: str) -> None:
    spoilt = market(2)
    del spoilt[name]
    info = told(event(markets=[market(1), spoilt, market(3)]))
    assert [one.slug for one in info.markets] == ["candidate-1", "candidate-3"]
    (unknown,) = info.unknown
    assert unknown.slug == "candidate-2"
    assert name in unknown.why
    assert not info.is_complete_set


@pytest.mark.parametrize(
    "name",
    ["active", "closed", "restricted", "negRisk", "negRiskMarketID", "negRiskAugmented"],
)
def test_event_that_lacks_a_field_of_its_own_is_refused_whole(name: str) -> None:
    spoilt = event()
    del spoilt[name]
    with pytest.raises(WireFault, match=name):
        told(spoilt)


@pytest.mark.parametrize(
    "spoil",
    [
        {"markets": []},
        {"negRiskMarketID": "0x12"},
        {"slug": "another"},
        {"markets": [market(1), market(2, clobTokenIds='["2", "5"]')]},
    ],
)
def test_event_that_contradicts_itself_is_refused(spoil: dict[str, Any]) -> None:
    with pytest.raises(WireFault):
        told({**event(), **spoil})


def test_market_of_the_other_exchange_than_its_event_is_unknown() -> None:
    info = told(event(markets=[market(1), market(2, negRisk=False)]))
    assert [one.slug for one in info.unknown] == ["candidate-2"]


def test_outcomes_that_may_be_named_later_are_no_complete_set() -> None:
    assert not told(event(negRiskAugmented=True)).is_complete_set
    assert not told(event(count=1)).is_complete_set


def test_event_is_asked_for_again_and_its_stamp_follows() -> None:
    events = followed()
    assert ask(events, 0, event())
    assert due(events, EVERY_MS - 1) is None
    assert not ask(events, EVERY_MS, event()), "nothing but the stamp has changed"
    assert events.infos()[0].verified_ns == at(EVERY_MS).monotonic_ns
    changed = event(markets=[market(1, acceptingOrders=False), market(2), market(3)])
    assert ask(events, 2 * EVERY_MS, changed)
    assert not events.infos()[0].markets[0].accepting_orders


def test_read_under_way_is_not_doubled_and_a_lost_one_is_repeated() -> None:
    events = followed()
    read = due(events, 0)
    assert read is not None
    assert due(events, 10 * EVERY_MS) is None
    events.failed(read)
    assert due(events, 10 * EVERY_MS) is not None


def test_slower_pace_asks_less_often() -> None:
    events = followed()
    ask(events, 0, event())
    assert events.due(2 * events.every_ns, at(EVERY_MS)) is None
    assert events.due(2 * events.every_ns, at(2 * EVERY_MS)) is not None


def resolved(slug: str = SLUG) -> dict[str, Any]:
    markets = [
        market(number, closed=True, umaResolutionStatus="resolved", outcomePrices=prices)
        for number, prices in ((1, '["1", "0"]'), (2, '["0", "1"]'))
    ]
    return event(slug, closed=True, markets=markets)


def test_decided_event_is_not_asked_for_again() -> None:
    events = followed()
    ask(events, 0, resolved())
    (info,) = events.infos()
    assert [one.winner for one in info.markets] == [0, 1]
    assert info.is_settled
    assert due(events, 100 * EVERY_MS) is None


def test_series_is_listed_and_its_open_events_are_followed_by_slug() -> None:
    events = followed(events=(), event_series=("1234",))
    read = due(events, 0)
    assert read is not None
    assert read.path == "/events/keyset?series_id=1234&closed=false&limit=20"
    page = {"events": [event("one"), event("two"), event("../three")], "next_cursor": ""}
    assert events.answered(read, msgspec.json.encode(page))
    asked = [due(events, 1), due(events, 2), due(events, 3)]
    assert [one and one.path for one in asked] == ["/events/slug/one", "/events/slug/two", None]
    assert due(events, SERIES_TIMES * EVERY_MS) == EventRead(
        "", "1234", at(SERIES_TIMES * EVERY_MS).monotonic_ns
    )


def test_series_without_end_follows_a_bounded_number_and_lets_go_of_what_is_decided() -> None:
    events = followed(events=(SLUG,), event_series=("1",))
    ms = 0
    for number in range(EVENTS_MAX):
        ms += SERIES_TIMES * EVERY_MS
        read = EventRead("", "1", at(ms).monotonic_ns)
        page = {"events": [event(f"e-{number}")]}
        is_new = events.answered(read, msgspec.json.encode(page))
        assert is_new == (number < EVENTS_MAX - 1), "the named one has a place of its own"
    for slug in ("e-3",):
        read = EventRead(slug, "", at(ms).monotonic_ns)
        assert events.answered(read, msgspec.json.encode(resolved(slug)))
    later = {"events": [event("later")]}
    assert events.answered(EventRead("", "1", at(ms).monotonic_ns), msgspec.json.encode(later))
    assert "e-3" not in {info.slug for info in events.infos()}


def test_profile_without_events_asks_for_none() -> None:
    events = followed(events=())
    assert events.is_empty
    assert events.due(EVERY_MS * NS_PER_MS, at(0)) is None
