"""Discovery: rows as recorded, listings, filters, and what is not known just after a listing."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.simulator.discovery.rows import title_of
from services.simulator.hosts import GAMMA_PREFIX
from shared.venue.gamma_wire import MARKET
from shared.venue.parse_market import market_info
from tests.builders.venue_rig import VenueRig

CAPTURES = Path(__file__).parents[4] / "shared" / "captures"
RECORDED = CAPTURES / "adriancova_polymarket-bot-v2" / "gamma-market-v1-btc15m-2026-10-05.json"

# Known of production and not of the simulator: yesterday's prices, a schema's address, a score.
NOT_SIMULATED = {"$schema", "oneDayPriceChange", "oneHourPriceChange", "competitive"}


def get(rig: VenueRig, path: str, **query: str) -> tuple[int, Any]:
    return rig.ask("GET", GAMMA_PREFIX + path, query=query, headers={})


def kind_of(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return type(value).__name__
    return "number"


@pytest.mark.req("TST-5")
def test_market_row_has_the_fields_and_types_of_a_recorded_one() -> None:
    if not RECORDED.exists():
        pytest.skip("recorded answers are not at hand")
    recorded = json.loads(RECORDED.read_text())
    rig = VenueRig(interval_s=900, frames_per_second=20)
    rig.advance(5)
    _, row = get(rig, f"/markets/slug/{rig.market.slug}")
    row["lastTradePrice"] = row.get("lastTradePrice", 0.5)  # there may be no trade yet
    assert set(recorded) - NOT_SIMULATED <= set(row)
    for name in set(recorded) & set(row):
        assert kind_of(row[name]) == kind_of(recorded[name]), name
    told_since = {name for name in row if name.startswith("volume")}  # of recorded closed ones
    assert set(row) - set(recorded) - told_since == {"events"}
    assert len(row["outcomePrices"].split(", ")) == 2


@pytest.mark.parametrize(
    ("start_s", "title"),
    [
        (1_791_241_200, "Bitcoin Up or Down - October 5, 7:00PM-7:15PM ET"),  # as recorded
        (1_784_850_900, "Bitcoin Up or Down - July 23, 7:55PM-8:10PM ET"),
        (1_793_509_200, "Bitcoin Up or Down - November 1, 1:00AM-1:15AM ET"),
        (1_793_512_800, "Bitcoin Up or Down - November 1, 1:00AM-1:15AM ET"),
        (1_795_204_800, "Bitcoin Up or Down - November 20, 3:00PM-3:15PM ET"),
    ],
)
def test_title_speaks_in_new_yorks_time(start_s: int, title: str) -> None:
    market = VenueRig(interval_s=900).market
    market.end_ms = type(market.end_ms)((start_s + 900) * 1000)
    market.start_ms = type(market.start_ms)(start_s * 1000)
    assert title_of(market) == title


@pytest.mark.req("MR-1")
def test_market_and_event_are_found_by_id_too_and_their_ids_differ() -> None:
    rig = VenueRig()
    slug = rig.market.slug
    _, event = get(rig, f"/events/slug/{slug}")
    _, market = get(rig, f"/markets/slug/{slug}")
    assert get(rig, f"/events/{event['id']}")[1] == event
    assert get(rig, f"/markets/{market['id']}")[1] == market
    assert get(rig, f"/events/{market['id']}")[0] == 404
    assert get(rig, f"/markets/{event['id']}")[0] == 404
    assert market["events"][0]["id"] == event["id"]
    assert event["markets"][0]["id"] == market["id"]


def test_tags_come_with_a_market_only_on_request() -> None:
    rig = VenueRig()
    number = rig.market.number
    assert "tags" not in get(rig, f"/markets/{number}")[1]
    _, market = get(rig, f"/markets/{number}", include_tag="true")
    assert [tag["slug"] for tag in market["tags"]] == ["crypto", "up-or-down", "bitcoin", "5m"]
    assert get(rig, f"/markets/{number}/tags")[1] == market["tags"]
    tag = market["tags"][0]
    assert get(rig, f"/tags/{tag['id']}")[1] == get(rig, "/tags/slug/crypto")[1] == tag
    assert tag in get(rig, "/tags")[1]
    assert get(rig, "/tags/slug/none")[0] == 404


def test_series_holds_its_open_events() -> None:
    rig = VenueRig(interval_s=900, assets=("btc", "eth"))
    _, series = get(rig, "/series/10192")
    assert series["slug"] == "btc-up-or-down-15m"
    _, page = get(rig, "/events/keyset", series_id="10192")
    assert [event["slug"] for event in series["events"]] == [
        event["slug"] for event in page["events"]
    ]
    assert all(event["slug"].startswith("btc-") for event in page["events"])
    assert [row["slug"] for row in get(rig, "/series")[1]] == [
        "btc-up-or-down-15m",
        "eth-up-or-down-15m",
    ]
    assert get(rig, "/series/1")[0] == 404


def test_keyset_pages_hold_every_market_once_whatever_is_listed_meanwhile() -> None:
    rig = VenueRig(interval_s=60, assets=("btc", "eth"), ahead=3)
    seen: list[str] = []
    cursor = ""
    while True:
        query = {"after_cursor": cursor} if cursor else {}
        _, page = get(rig, "/markets/keyset", limit="3", **query)
        seen += [market["slug"] for market in page["markets"]]
        cursor = page.get("next_cursor", "")
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == 8


def test_lists_are_ordered_and_filtered() -> None:
    rig = VenueRig(ahead=4)
    _, page = get(rig, "/markets/keyset", order="endDate", ascending="false")
    ends = [market["endDate"] for market in page["markets"]]
    assert ends == sorted(ends, reverse=True)
    _, page = get(rig, "/markets/keyset", end_date_max=ends[-2])
    assert [market["endDate"] for market in page["markets"]] == [ends[-1], ends[-2]]
    _, page = get(rig, "/markets/keyset", end_date_min=ends[1])
    assert [market["endDate"] for market in page["markets"]] == [ends[1], ends[0]]
    wanted = ",".join(market.condition_id for market in list(rig.core.exchange.calendar)[:2])
    assert len(get(rig, "/markets/keyset", condition_ids=wanted)[1]["markets"]) == 2
    assert get(rig, "/markets/keyset", active="false")[1] == {"markets": []}
    assert get(rig, "/events/keyset", tag_slug="none")[1] == {"events": []}
    assert len(get(rig, "/events/keyset", title_search="bitcoin")[1]["events"]) == 5


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/markets/keyset", {"offset": "0"}),
        ("/markets/keyset", {"order": "volume_24hr"}),
        ("/markets/keyset", {"after_cursor": "?"}),
        ("/markets/keyset", {"limit": "many"}),
        ("/events/keyset", {"end_date_min": "soon"}),
        ("/markets", {"condition_ids": "0x1"}),
    ],
)
def test_parameter_that_cannot_be_read_is_refused(path: str, query: dict[str, str]) -> None:
    status, body = get(VenueRig(), path, **query)
    assert status == 422
    assert body["error"]


def test_legacy_list_is_cut_off_at_a_hundred_rows_without_a_word() -> None:
    assets = tuple(f"a{number}" for number in range(6))
    rig = VenueRig(assets=assets, ahead=20)
    _, first = get(rig, "/markets", limit="500")
    assert len(first) == 100
    _, rest = get(rig, "/markets", limit="500", offset="100")
    assert len(rest) == 26
    assert len(get(rig, "/events")[1]) == 20


@pytest.mark.req("MR-1")
def test_new_market_has_no_ids_at_first_and_no_book_for_a_while_longer() -> None:
    rig = VenueRig(listing_lag_ms=4_000)
    market = rig.market
    token = market.tokens[0]

    def ids_and_status() -> tuple[str, int]:
        _, row = get(rig, f"/markets/slug/{market.slug}")
        return row["clobTokenIds"], rig.ask("GET", "/book", query={"token_id": token})[0]

    assert ids_and_status() == ("[]", 404)
    rig.advance(2.1)
    assert ids_and_status() == (json.dumps(market.tokens), 404)
    status, body = rig.post(rig.client.order(market))
    assert (status, "orderbook" in body["error"]) == (404, True)
    rig.advance(2)
    assert ids_and_status() == (json.dumps(market.tokens), 200)
    assert rig.post(rig.client.order(market))[0] == 200


def test_condition_of_the_second_protocol_may_come_with_62_digits() -> None:
    rig = VenueRig(protocol="v2", bare_conditions=True)
    answer = rig.answers[rig.send("GET", f"/markets/slug/{rig.market.slug}", headers={})]
    market = MARKET.decode(answer.body)
    assert len(market.condition_id) == 64
    assert market_info(market, 0).condition_id == rig.market.condition_id
    _, page = get(rig, "/markets/keyset", condition_ids=market.condition_id)
    assert page["markets"][0]["slug"] == rig.market.slug


def test_our_own_reader_takes_every_row() -> None:
    rig = VenueRig(interval_s=300, protocol="mixed", resolution_ms=1_000)
    rig.advance(302)
    for closed in ("true", "false"):
        _, page = get(rig, "/markets/keyset", closed=closed)
        infos = [market_info(MARKET.decode(json.dumps(row)), 0) for row in page["markets"]]
        assert infos
        assert all((info.winner is None) == (closed == "false") for info in infos)
