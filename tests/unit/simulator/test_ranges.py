"""An event with several markets at the simulated venue: listed, described, traded, decided."""

from itertools import pairwise
from typing import Any

import msgspec
import pytest

from services.feed.discovery import DiscoveryFeed
from services.simulator.markets import Market
from services.simulator.ranges import RANGES, REACH_BPS
from shared.effects import Effect, HttpReply, HttpRequest, Publish
from shared.facts import Calendar, EventInfo
from shared.units import BootNs
from tests.builders.feeds import config
from tests.builders.venue_rig import Client, VenueRig

pytestmark = pytest.mark.req("MR-1")

STRIKE_E8 = 10**13


def rig() -> VenueRig:
    return VenueRig(interval_s=60, ranges=True)


def members(venue: VenueRig) -> list[Market]:
    """Return the markets of the running event."""
    start_ms = venue.market.start_ms
    return [
        market
        for market in venue.core.exchange.calendar
        if market.range_number is not None and market.start_ms == start_ms
    ]


def test_ranges_hold_every_price_exactly_once() -> None:
    reach = STRIKE_E8 * REACH_BPS // 10_000
    for final in (
        1,
        STRIKE_E8 - reach - 1,
        STRIKE_E8 - reach,
        STRIKE_E8,
        STRIKE_E8 + reach,
        10**18,
    ):
        assert sum(one.holds(STRIKE_E8, final) for one in RANGES) == 1
    for before, after in pairwise(RANGES):
        assert before.high_bps == after.low_bps


def test_no_event_is_listed_unless_it_is_asked_for() -> None:
    venue = VenueRig(interval_s=60)
    assert all(market.range_number is None for market in venue.core.exchange.calendar)


def test_event_tells_its_markets_together_and_each_window_still_has_its_own() -> None:
    venue = rig()
    slug = members(venue)[0].event_slug
    status, event = venue.ask("GET", f"/events/slug/{slug}")
    assert status == 200
    assert [market["groupItemTitle"] for market in event["markets"]] == ["Below", "Inside", "Above"]
    assert event["negRisk"] is True
    assert {market["negRiskMarketID"] for market in event["markets"]} == {event["negRiskMarketID"]}
    status, window = venue.ask("GET", f"/events/slug/{venue.market.slug}")
    assert status == 200
    assert [market["slug"] for market in window["markets"]] == [venue.market.slug]
    assert "negRiskMarketID" not in window


def test_listing_of_a_series_has_each_event_once() -> None:
    venue = rig()
    slug = members(venue)[0].event_slug
    _, event = venue.ask("GET", f"/events/slug/{slug}")
    series = event["series"][0]["id"]
    query = {"series_id": series, "closed": "false"}
    _, page = venue.ask("GET", "/events/keyset", query=query)
    slugs = [one["slug"] for one in page["events"]]
    assert slug in slugs
    assert len(set(slugs)) == len(slugs)
    assert all(len(one["markets"]) == len(RANGES) for one in page["events"])


def test_its_markets_are_traded_in_the_same_books_and_exactly_one_is_paid() -> None:
    venue = rig()
    other = Client(venue.settings.seed, 2)
    for market in members(venue):
        assert market.neg_risk
        for who, outcome in ((venue.client, 0), (other, 1)):
            order = who.order(market, outcome=outcome, price=5_000, size=10)
            status, body = venue.post(order, who)
            assert status == 200, body
        status, rows = venue.ask("GET", "/data/trades", client=other)
        assert rows["data"][0]["outcome"] == "No"
        assert rows["data"][0]["maker_orders"][0]["outcome"] == "Yes"
    event = members(venue)
    venue.advance(75)
    assert all(market.state == "RESOLVED" for market in event)
    assert sorted(market.winner or 0 for market in event) == [0, 1, 1]


def serve(venue: VenueRig, effects: list[Effect], feed: DiscoveryFeed) -> list[Effect]:
    """Answer what the feed asks for by the venue itself."""
    found: list[Effect] = []
    for request in effects:
        if isinstance(request, HttpRequest):
            path, _, query = request.path.partition("?")
            asked = dict(pair.split("=") for pair in query.split("&")) if query else {}
            status, body = venue.ask("GET", path, query=asked)
            raw = msgspec.json.encode(body)
            reply = HttpReply(request.request_id, status, {}, raw, BootNs(venue.now.boot_ns))
            found += feed.on_message(reply, venue.now)
        else:
            found.append(request)
    return found


@pytest.mark.parametrize("by", ["slug", "series"])
def test_discovery_feed_tells_the_whole_event_as_the_venue_has_it(by: str) -> None:
    venue = rig()
    slug = members(venue)[0].event_slug
    _, event = venue.ask("GET", f"/events/slug/{slug}")
    settings: dict[str, Any] = {"events": (slug,)}
    if by == "series":
        settings = {"event_series": (event["series"][0]["id"],)}
    feed = DiscoveryFeed(config(assets=("btc",), **settings))
    told: list[EventInfo] = []
    for _ in range(200):
        venue.advance(0.05)
        for effect in serve(venue, feed.on_tick(venue.now), feed):
            if isinstance(effect, Publish) and isinstance(effect.body, Calendar):
                told = list(effect.body.events)
    info = next(one for one in told if one.slug == slug)
    assert info.is_complete_set
    assert info.event_id == event["id"]
    assert [one.title for one in info.markets] == ["Below", "Inside", "Above"]
    assert [one.condition_id for one in info.markets] == [
        market.condition_id for market in members(venue)
    ]
    assert all(one.outcomes == ("Yes", "No") and one.neg_risk for one in info.markets)
