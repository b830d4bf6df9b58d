"""What `interlock status` shows of reaching the venue, and of the newest recovery."""

from typing import Any

import pytest
from rich.console import Console

from ops.cli.reach_view import render_reach
from ops.observe import Seen, View
from shared.effects import Received
from shared.facts import FeedStatus, Reconnection, ReconnectionStep, RiskStatus
from shared.identifiers import Component, Incarnation
from shared.reach import HostReach
from shared.units import NS_PER_S, MonotonicNs

AT_NS = MonotonicNs(1_000 * NS_PER_S)


def shown(feed: dict[str, Any], reconnection: Reconnection | None = None) -> str:
    fields: dict[str, Any] = {"connected": True, "cause": "", "session": 1, "state": "ready"}
    status = FeedStatus(
        **{"feed": "feed_user", "since_ns": MonotonicNs(0), "evidence": (), **fields, **feed}
    )
    risk = RiskStatus("PAUSED", (), 1, "none", "", None, (), (), 1, reconnection=reconnection)
    view = View(
        {("feed.status", "feed_user"): seen(status), ("risk.status", "risk"): seen(risk)},
        AT_NS,
        2_000 * NS_PER_S,
    )
    console = Console(width=200)
    with console.capture() as capture:
        for part in render_reach(view):
            console.print(part)
    return capture.get()


def seen(body: Any) -> Seen:
    return Seen(Received(Component("x"), Incarnation(1), "t", 1, AT_NS, AT_NS, 0, body))


def test_what_is_well_takes_no_line() -> None:
    host = HostReach("venue.example", "system", AT_NS, 2, 5, 5)
    assert shown({"hosts": (host,)}) == ""


@pytest.mark.req("NET-5")
def test_lost_connection_says_how_often_where_when_again_and_what_to_check() -> None:
    text = shown(
        {
            "connected": False,
            "state": "waiting",
            "failures": 7,
            "fault": "blocked",
            "url": "wss://venue.example",
            "next_try_ns": MonotonicNs(AT_NS + 30 * NS_PER_S),
        }
    )
    for words in ("waiting", "7 failures", "wss://venue.example", "30", "check firewalls"):
        assert words in text


@pytest.mark.req("NET-4")
def test_name_that_nobody_resolves_is_shown_with_the_age_of_what_is_used() -> None:
    host = HostReach("venue.example", "system", MonotonicNs(AT_NS - 90 * NS_PER_S), 2, 5, 5, "dead")
    text = shown({"hosts": (host,)})
    assert "venue.example dead; 2 addresses of" in text


@pytest.mark.req("NET-3")
def test_recovery_is_shown_step_by_step_with_its_times() -> None:
    steps = (
        ReconnectionStep("connected", 1_500),
        ReconnectionStep("snapshot", None, "btc-1: no view"),
    )
    chain = Reconnection(3, "feed_market: gone", 1_990 * NS_PER_S, steps, None, 10_000, ("btc",))
    text = shown({}, chain)
    for words in (
        "recovery 3",
        "feed_market: gone",
        "goes on",
        "connected",
        "no view",
        "moved far",
    ):
        assert words in text
    done = Reconnection(3, "gone", 1_990 * NS_PER_S, steps, 11_000, 10_000)
    assert "over its" in shown({}, done)
