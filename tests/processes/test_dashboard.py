"""The page of a real group: live while it trades, old and not ready when a feed is cut."""

import signal
from collections.abc import Callable
from typing import Any

import pytest
import requests

from ops.waiting import wait_for
from tests.processes.group import GroupUnderTest

WAIT_S = 60.0
CUT_WITHIN_S = 6.0
"""The feed's own limit of two seconds, two looks, and a busy machine."""


def get(group: GroupUnderTest, path: str) -> tuple[int, str]:
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(f"http://127.0.0.1:{group.page_port}{path}", timeout=5)
        return answer.status_code, answer.text


def page(group: GroupUnderTest) -> Any:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(f"http://127.0.0.1:{group.page_port}/page.json", timeout=5).json()


def until(look: Callable[[], bool], within_s: float = WAIT_S) -> bool:
    """Tell whether something came true in time; nobody answering is not yet."""

    def ask() -> bool | None:
        try:
            return look() or None
        except requests.RequestException:
            return None

    return wait_for(ask, within_s) is not None


def ready(group: GroupUnderTest) -> bool:
    return get(group, "/readyz")[0] == 200


def feed(told: Any, name: str) -> Any:
    return next(row for row in told["feeds"] if row["name"] == name)


@pytest.mark.req("OP-3", "OP-4", "INV-11")
def test_page_is_live_and_a_cut_feed_ages_on_it_and_ends_readiness(
    trading: GroupUnderTest,
) -> None:
    assert until(lambda: ready(trading)), get(trading, "/readyz")
    first = page(trading)
    assert first["verdict"]["state"] == "ACTIVE"
    assert all(row["alive"] for row in first["components"])
    assert first["profit"]["problem"] == ""
    assert until(lambda: page(trading)["at_ms"] > first["at_ms"])

    def drawn() -> bool:
        told = page(trading)
        books = [book for market in told["markets"] for book in market["books"]]
        return told["orders"]["open"] > 0 and any(book["orders"] for book in books)

    assert until(drawn), page(trading)
    assert "interlock_ready 1\n" in get(trading, "/metrics")[1]
    trading.venue.fault(kind="silence", stream="market")
    assert until(lambda: not ready(trading), CUT_WITHIN_S), get(trading, "/readyz")
    assert "feed_market" in get(trading, "/readyz")[1]
    before = feed(page(trading), "feed_market")["newest_ms"]
    assert until(lambda: feed(page(trading), "feed_market")["newest_ms"] > before)
    assert get(trading, "/healthz")[0] == 200
    trading.venue.clear_faults()
    assert until(lambda: ready(trading)), get(trading, "/readyz")


@pytest.mark.req("OP-3", "OP-4")
def test_death_of_the_page_stops_no_trading_and_it_comes_back(trading: GroupUnderTest) -> None:
    assert until(lambda: ready(trading))
    epoch = page(trading)["verdict"]["epoch"]
    pid = trading.pid("dashboard")
    at_ns = trading.signal("dashboard", signal.SIGKILL)
    assert trading.placed_within(at_ns, WAIT_S), "it went on placing"
    assert until(lambda: trading.pid("dashboard") not in (0, pid) and ready(trading))
    assert page(trading)["verdict"]["epoch"] == epoch


def test_second_group_on_the_same_page_port_is_refused(trading: GroupUnderTest) -> None:
    other = trading.directory / "other"
    ran = trading.command(
        *("up", "--profile", str(trading.profile), "--data-directory", str(other)), run=other / "r"
    )
    assert ran.status != 0
    assert "dashboard.port" in ran.err
