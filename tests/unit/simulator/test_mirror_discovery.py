from typing import Any

import msgspec
import pytest

from services.simulator.edge import Persist
from services.simulator.mirror.core import MirrorCore
from services.simulator.mirror.exchange import NOT_READY_TEXT, RESTRICTED_TEXT
from services.simulator.saved import fold
from shared.effects import Effect, HttpFailed, HttpReply, HttpRequest, Log
from shared.units import BootNs
from tests.builders.feeds import WALL_START_MS, at, config

START_S = WALL_START_MS // 1_000
RUNNING = f"btc-updown-60s-{START_S}"
NEXT = f"btc-updown-60s-{START_S + 60}"
BLOCKED = b'{"blocked": true, "country": "US"}'
FREE = b'{"blocked": false}'


def described(slug: str = RUNNING, **spoil: Any) -> bytes:
    """Return a market as the venue describes it; the tests stay within one hour."""
    start = int(slug.rpartition("-")[2])
    fields = {
        "id": str(start),
        "slug": slug,
        "conditionId": f"0x{start:064x}",
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
        "feeSchedule": {"rate": 0.07, "exponent": 1, "takerOnly": True},
    }
    return msgspec.json.encode(fields | spoil)


def moment(seconds: int) -> str:
    minute, second = divmod(seconds % 3_600, 60)
    assert seconds // 86_400 == 20_717
    return f"2026-09-21T{seconds // 3_600 % 24:02d}:{minute:02d}:{second:02d}Z"


class Rig:
    """A mirror whose reads are answered by hand."""

    def __init__(self, lines: list[bytes] | None = None) -> None:
        self.core = MirrorCore(config(), fold(lines or []))
        self.asked: dict[str, int] = {}
        self.effects: list[Effect] = []
        self.ms = 0

    def tick(self, ms: int = 0) -> list[str]:
        """Let time pass, and return the paths that are asked for now."""
        self.ms += ms
        return self._note(self.core.on_tick(at(self.ms)))

    def answer(self, path: str, body: bytes, status: int = 200) -> None:
        reply = HttpReply(self.asked.pop(path), status, {}, body, BootNs(0))
        self._note(self.core.on_message(reply, at(self.ms)))

    def fail(self, path: str) -> None:
        failed = HttpFailed(self.asked.pop(path), sent=True, reason="deadline")
        self._note(self.core.on_message(failed, at(self.ms)))

    def _note(self, effects: list[Effect]) -> list[str]:
        self.effects += effects
        asked = [effect for effect in effects if isinstance(effect, HttpRequest)]
        assert not any(request.authenticated for request in asked)
        self.asked |= {request.path: request.request_id for request in asked}
        return [request.path for request in asked]

    def states(self) -> dict[str, str]:
        return {market.slug: market.state for market in self.core.exchange.calendar}

    def logged(self, event: str) -> list[Any]:
        return [
            effect.fields
            for effect in self.effects
            if isinstance(effect, Log) and effect.event == event
        ]


def resolved(prices: str) -> dict[str, Any]:
    """Return what the venue changes when a market is resolved."""
    return {"closed": True, "outcomePrices": prices, "umaResolutionStatus": "resolved"}


def barred_by(rig: Rig) -> tuple[int, str] | None:
    """Return status and text of the refusal of every order, None when there is none."""
    barred = rig.core.exchange.barred
    return None if barred is None else (barred.status, barred.text)


def path_of(slug: str) -> str:
    return f"/markets/slug/{slug}"


@pytest.mark.req("MR-1")
def test_windows_of_the_clock_are_asked_for_and_listed() -> None:
    rig = Rig()
    assert rig.tick() == ["/api/geoblock", path_of(RUNNING), path_of(NEXT)]
    rig.answer(path_of(RUNNING), described())
    rig.answer(path_of(NEXT), b'{"error":"not found"}', 404)
    rig.tick(10)
    assert rig.states() == {RUNNING: "OPEN"}
    assert path_of(NEXT) in rig.tick(1_000)


def test_failed_read_is_asked_again() -> None:
    rig = Rig()
    rig.tick()
    rig.fail(path_of(RUNNING))
    assert path_of(RUNNING) in rig.tick(1_000)
    rig.fail(path_of(RUNNING))
    assert rig.logged("mirror.unanswered") == [{"of": "mirror_discovery", "why": "deadline"}]


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        ({"orderMinSize": 15}, "minimum size"),
        ({"feesEnabled": False}, "fee rate"),
        ({"outcomes": '["Yes", "No"]'}, "outcomes"),
        ({"version": "v9"}, "version"),
    ],
)
def test_market_with_rules_that_are_not_simulated_is_not_followed(
    spoil: dict[str, Any], why: str
) -> None:
    rig = Rig()
    rig.tick()
    rig.answer(path_of(RUNNING), described(**spoil))
    rig.tick(1_000)
    rig.answer(path_of(RUNNING), described(**spoil))
    assert rig.states() == {}
    (told,) = rig.logged("mirror.not_followed")
    assert why in told["why"]


def test_market_that_takes_no_orders_yet_is_waited_for() -> None:
    rig = Rig()
    rig.tick()
    rig.answer(path_of(NEXT), described(NEXT, acceptingOrders=False))
    assert rig.states() == {}
    rig.tick(1_000)
    rig.answer(path_of(NEXT), described(NEXT))
    assert rig.states() == {NEXT: "LISTED"}


@pytest.mark.req("EX-21")
def test_market_ends_by_its_clock_and_resolves_as_the_venue_says() -> None:
    rig = Rig()
    rig.tick()
    rig.answer(path_of(RUNNING), described())
    rig.tick(61_000)
    assert rig.states()[RUNNING] == "CLOSED"
    if path_of(RUNNING) in rig.asked:
        rig.answer(path_of(RUNNING), described(acceptingOrders=False))
    assert path_of(RUNNING) in rig.tick(3_000)
    won: dict[str, Any] = {
        "closed": True,
        "outcomePrices": '["0", "1"]',
        "umaResolutionStatus": "resolved",
    }
    rig.answer(path_of(RUNNING), described(**won))
    rig.tick(10)
    assert rig.states()[RUNNING] == "RESOLVED"
    market = rig.core.exchange.calendar.by_slug[RUNNING]
    assert market.winner == 1
    assert path_of(RUNNING) not in rig.tick(60_000)


def test_market_that_the_venue_stops_early_takes_no_more_orders() -> None:
    rig = Rig()
    rig.tick()
    rig.answer(path_of(RUNNING), described())
    rig.tick(1_000)
    rig.answer(path_of(RUNNING), described(acceptingOrders=False))
    rig.tick(10)
    assert rig.states() == {RUNNING: "CLOSED"}


def test_halves_are_told_and_not_paid() -> None:
    rig = Rig()
    rig.tick()
    rig.answer(path_of(RUNNING), described())
    rig.tick(61_000)
    half: dict[str, Any] = {
        "closed": True,
        "outcomePrices": '["0.5", "0.5"]',
        "umaResolutionStatus": "resolved",
    }
    rig.answer(path_of(RUNNING), described(**half))
    rig.tick(10)
    assert rig.states()[RUNNING] == "CLOSED"
    assert rig.logged("mirror.not_followed")[0]["why"].startswith("paid out in halves")


def test_unresolved_market_of_the_life_before_is_asked_for() -> None:
    rig = Rig()
    rig.tick()
    rig.answer(path_of(RUNNING), described())
    rig.tick(10)
    assert rig.core.journal is not None
    lines = [effect.line for effect in rig.effects if isinstance(effect, Persist)]
    later = Rig(lines)
    assert path_of(RUNNING) in later.tick(3_600_000)
    later.tick(10)
    assert later.states()[RUNNING] == "CLOSED"


@pytest.mark.req("EX-21")
def test_orders_are_barred_where_the_venue_would_bar_them() -> None:
    rig = Rig()
    rig.tick()
    assert barred_by(rig) == (400, NOT_READY_TEXT), "nobody has said that we may"
    rig.answer("/api/geoblock", b"<html>", 503)
    assert barred_by(rig) == (400, NOT_READY_TEXT)
    rig.tick(2_000)
    rig.answer("/api/geoblock", FREE)
    assert barred_by(rig) is None
    rig.tick(60_000)
    rig.answer("/api/geoblock", BLOCKED)
    assert barred_by(rig) == (403, RESTRICTED_TEXT)
    rig.tick(60_000)
    rig.answer("/api/geoblock", b"{}", 500)
    assert barred_by(rig) == (403, RESTRICTED_TEXT), "unknown changes nothing"
