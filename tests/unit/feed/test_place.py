"""The watch on our address: what is asked when, and what is told of answers and of none."""

import msgspec
import pytest

from services.feed.discovery_core import DiscoveryCore
from services.feed.place import AGAIN_NS, FIRST_NUMBER, PLACE_LANE, PlaceWatch
from shared.config import AccessSettings
from shared.effects import Effect, HttpFailed, HttpReply, HttpRequest, Publish
from shared.facts import PlaceFact
from shared.units import NS_PER_MS, BootNs
from tests.builders.feeds import at, config

OPEN = b'{"blocked":false,"ip":"192.0.2.7","country":"CH","region":"ZH"}'
CLOSED = b'{"blocked":true,"ip":"192.0.2.7","country":"US","region":"NY"}'


def watch() -> PlaceWatch:
    return PlaceWatch(AccessSettings(), 1_000 * NS_PER_MS)


def asked(effects: list[Effect]) -> list[HttpRequest]:
    return [one for one in effects if isinstance(one, HttpRequest) and one.lane == PLACE_LANE]


def told(effects: list[Effect] | None) -> list[PlaceFact]:
    assert effects is not None
    return [
        one.body for one in effects if isinstance(one, Publish) and isinstance(one.body, PlaceFact)
    ]


def reply(request: HttpRequest, body: bytes, status: int = 200) -> HttpReply:
    return HttpReply(request.request_id, status, {}, body, BootNs(0))


@pytest.mark.req("KS-5")
def test_place_is_asked_for_told_and_asked_for_again() -> None:
    place = watch()
    first = place.on_tick(at(0))
    assert told(first)[0].verdict == "unknown"
    [request] = asked(first)
    assert request.path == "/api/geoblock"
    [fact] = told(place.on_reply(reply(request, OPEN), at(50)))
    assert (fact.verdict, fact.asked_ns, fact.failures) == ("open", at(0).monotonic_ns, 0)
    assert "192.0.2.7" not in msgspec.json.encode(fact).decode()
    assert not asked(place.on_tick(at(9_990)))
    assert asked(place.on_tick(at(10_000)))


@pytest.mark.req("KS-5")
@pytest.mark.parametrize(
    ("status", "body"), [(502, b"upstream error"), (200, b"<html>"), (200, b'{"ip":"x"}')]
)
def test_answer_that_says_nothing_is_a_failure_and_leaves_the_last_one(
    status: int, body: bytes
) -> None:
    place = watch()
    [request] = asked(place.on_tick(at(0)))
    assert told(place.on_reply(reply(request, CLOSED), at(1)))[0].verdict == "close_only"
    [request] = asked(place.on_tick(at(10 * 1_000)))
    assert place.on_reply(reply(request, body, status), at(10 * 1_000)) is not None
    fact = told(place.on_tick(at(11 * 1_000)))[0]
    assert (fact.verdict, fact.failures, fact.asked_ns) == ("close_only", 1, at(0).monotonic_ns)
    assert asked(place.on_tick(at(10 * 1_000 + AGAIN_NS // NS_PER_MS))), "sooner than usual"


@pytest.mark.req("KS-5")
def test_failures_are_counted_until_an_answer_comes() -> None:
    place = watch()
    for number in range(3):
        now = at(number * 3 * 1_000)
        [request] = asked(place.on_tick(now))
        failed = place.on_failed(HttpFailed(request.request_id, sent=False, reason="deadline"), now)
        assert failed is not None
    assert told(place.on_tick(at(7 * 1_000)))[0].failures == 3
    [request] = asked(place.on_tick(at(9 * 1_000)))
    assert told(place.on_reply(reply(request, OPEN), at(9 * 1_000)))[0].failures == 0


def test_calendar_and_place_share_one_process_and_mix_no_answers() -> None:
    core = DiscoveryCore(config())
    requests = [one for one in core.on_tick(at(0)) if isinstance(one, HttpRequest)]
    places = asked([*requests])
    assert (len(requests), len(places)) == (2, 1)
    assert places[0].request_id > FIRST_NUMBER > requests[0].request_id
    assert told(core.on_message(reply(places[0], OPEN), at(5)))
    calendar = next(one for one in requests if one.lane != PLACE_LANE)
    assert not told(core.on_message(reply(calendar, b"{}", 404), at(6)))
    assert core.health()[0] == "starting"
    assert told([*core.snapshot(at(7))])[0].verdict == "open"
