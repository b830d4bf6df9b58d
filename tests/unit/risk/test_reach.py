"""What people are told of reaching the venue: when it begins, in words that say what to check."""

from typing import Any

import pytest

from services.risk.reach import TELL_AGAIN_NS, ReachSource
from services.risk.source import Notice
from shared.config import NameSettings
from shared.effects import ReachTold, Received
from shared.facts import FeedStatus
from shared.identifiers import Incarnation
from shared.reach import HostReach
from shared.topics import FEED_USER
from shared.units import NS_PER_MS, MonotonicNs
from tests.builders.risk import instant


def status(**spoil: Any) -> FeedStatus:
    fields: dict[str, Any] = {"connected": True, "cause": "", "session": 1, "state": "ready"}
    return FeedStatus(
        **{"feed": "feed_user", "since_ns": MonotonicNs(0), "evidence": (), **fields, **spoil}
    )


def hear(source: ReachSource, body: Any, ms: float = 0) -> None:
    fact = Received(FEED_USER, Incarnation(1), "t", 1, MonotonicNs(0), MonotonicNs(0), 0, body)
    source.hear(fact, instant(ms))


def told(source: ReachSource, ms: float = 0) -> list[Notice]:
    return list(source.data(instant(ms)))


def source() -> ReachSource:
    return ReachSource(NameSettings())


@pytest.mark.req("NET-2")
@pytest.mark.parametrize(("failures", "is_told"), [(4, False), (5, True)])
def test_fifth_failure_in_a_row_is_told(failures: int, *, is_told: bool) -> None:
    found = source()
    lost = status(
        connected=False, failures=failures, state="waiting", fault="refused", url="ws://a"
    )
    hear(found, lost)
    assert bool(told(found)) == is_told


@pytest.mark.req("NET-5")
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("refused", "check the port"),
        ("blocked", "check firewalls"),
        ("slow", "check the load"),
        ("tls", "certificates"),
        ("name", "name servers"),
        ("denied", "credentials"),
        ("unreachable", "routes"),
    ],
)
def test_alert_says_what_to_check(fault: str, words: str) -> None:
    found = source()
    again_ns = MonotonicNs(instant(0).monotonic_ns + 8_000 * NS_PER_MS)
    lost = status(
        connected=False,
        failures=5,
        state="waiting",
        fault=fault,
        url="wss://venue",
        next_try_ns=again_ns,
    )
    hear(found, lost)
    (notice,) = told(found)
    assert words in notice.text
    assert "wss://venue" in notice.text
    assert "next try in 8 s" in notice.text
    assert (notice.severity, notice.runbook) == ("critical", "venue-unreachable")


def test_refusal_for_good_is_told_at_once_with_what_ends_it() -> None:
    found = source()
    hear(found, status(connected=False, failures=1, state="barred", fault="denied", cause="1008"))
    (notice,) = told(found)
    assert notice.name == "feed_user barred"
    assert "once the credentials change" in notice.text


def test_what_lasts_is_told_again_after_minutes_and_what_returns_at_once() -> None:
    found = source()
    lost = status(connected=False, failures=5, state="waiting", fault="lost")
    hear(found, lost)
    again_ms = TELL_AGAIN_NS / NS_PER_MS
    assert told(found)
    assert not told(found, again_ms - 1)
    assert told(found, again_ms)
    hear(found, status())
    assert not told(found, again_ms + 1)
    hear(found, lost)
    assert told(found, again_ms + 2)


@pytest.mark.req("NET-1")
def test_late_pong_is_told() -> None:
    found = source()
    hear(found, status(suspect=True))
    assert [one.name for one in told(found)] == ["feed_user suspect"]


@pytest.mark.req("NET-6")
def test_messages_that_fell_out_are_told_with_each_growth() -> None:
    found = source()
    hear(found, status(outgoing_dropped=1))
    assert [one.name for one in told(found)] == ["feed_user outgoing dropped"]
    assert not told(found, 100)
    hear(found, status(outgoing_dropped=3))
    (notice,) = told(found, 200)
    assert "3 messages" in notice.text


@pytest.mark.req("NET-4")
def test_names_without_an_answer_are_told_with_the_age_of_what_is_used() -> None:
    found = source()
    resolved_ns = instant(0).monotonic_ns
    host = HostReach("venue.example", "system", resolved_ns, 2, 5, 5, "system: silent")
    hear(found, status(hosts=(host,)))
    found.hear(ReachTold((HostReach("clob.example", failure="all failed"),)), instant(0))
    first, second = told(found, 30_000)
    assert "its addresses of 30 s ago stay in use" in first.text
    assert "risk finds no address of clob.example" in second.text
    assert "no address is known" in second.text


@pytest.mark.req("NET-4")
@pytest.mark.parametrize(("took_ms", "is_told"), [(1_000, False), (1_001, True)])
def test_slow_look_ups_are_told(took_ms: int, *, is_told: bool) -> None:
    found = source()
    host = HostReach("venue.example", "system", MonotonicNs(1), 1, took_ms, 4_000)
    hear(found, status(hosts=(host,)))
    assert bool(told(found)) == is_told
