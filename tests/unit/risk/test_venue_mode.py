"""KS-11: a venue that refuses everybody is waited out: paused, never latched, never charged."""

import pytest

from services.risk.samples import Sample
from services.risk.venue_mode import ANSWER_HELD_NS, VenueModeSource
from shared.effects import HttpReply
from shared.units import NS_PER_MS, NS_PER_S, BootNs, WallNs
from shared.venue.planned_restarts import NOTHING_PLANNED, PlannedRestarts
from tests.builders.risk import World, instant

CANCEL_ONLY = b'{"error":"Trading is currently cancel-only. New orders are not accepted"}'
DISABLED = b'{"error":"Trading is currently disabled. Check polymarket.com for updates"}'


def seen(source: VenueModeSource, ms: float) -> dict[str, Sample]:
    found = [one for one in source.data(instant(ms)) if isinstance(one, Sample)]
    return {one.subject: one for one in found}


def answer(status: int, body: bytes, **headers: str) -> HttpReply:
    return HttpReply(1, status, headers, body, BootNs(0))


def trading() -> World:
    world = World()
    world.trade()
    return world


@pytest.mark.req("KS-11")
@pytest.mark.parametrize(
    ("status", "body", "mode"),
    [(425, b"", "restarting"), (503, CANCEL_ONLY, "cancel_only"), (503, DISABLED, "disabled")],
)
def test_answer_to_risk_shows_the_mode_for_its_time(status: int, body: bytes, mode: str) -> None:
    source = VenueModeSource(NOTHING_PLANNED)
    source.hear(answer(status, body), instant(0))
    held_ms = ANSWER_HELD_NS // NS_PER_MS
    assert seen(source, held_ms - 1)["risk"].bad
    assert mode in seen(source, 0)["risk"].why
    assert not seen(source, held_ms)["risk"].bad


@pytest.mark.req("KS-11")
def test_longer_wait_that_the_venue_names_is_waited() -> None:
    source = VenueModeSource(NOTHING_PLANNED)
    source.hear(answer(425, b"", **{"retry-after": "7"}), instant(0))
    assert seen(source, 6_999)["risk"].bad
    assert not seen(source, 7_000)["risk"].bad


@pytest.mark.req("KS-11", "VEN-1")
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, b'{"error":"post-only mode: x","code":"post_only_mode","retry_after_seconds":79}'),
        (503, b"upstream"),
        (500, b""),
        (200, CANCEL_ONLY),
    ],
)
def test_answers_that_are_no_refusing_mode_show_none(status: int, body: bytes) -> None:
    source = VenueModeSource(NOTHING_PLANNED)
    source.hear(answer(status, body), instant(0))
    assert not any(sample.bad for sample in seen(source, 0).values())


@pytest.mark.req("KS-11")
@pytest.mark.parametrize(
    ("at_ms", "is_near"), [(-10_001, False), (-10_000, True), (89_999, True), (90_000, False)]
)
def test_planned_restart_is_kept_clear_of_before_and_after(at_ms: int, is_near: bool) -> None:
    moment = WallNs(instant(20_000).wall_ns)
    planned = PlannedRestarts((moment,), 10 * NS_PER_S, 90 * NS_PER_S)
    source = VenueModeSource(planned)
    assert seen(source, 20_000 + at_ms)["calendar"].bad is is_near


@pytest.mark.req("KS-11")
def test_mode_that_execution_tells_pauses_cancels_and_ends_by_itself() -> None:
    world = trading()
    world.execution.venue_mode = "cancel_only"
    before = len(world.venue.paths("/cancel-all"))
    world.run(300)
    assert world.status.trading_state == "PAUSED"
    assert "cancel_only" in world.status.reasons[0]
    assert len(world.venue.paths("/cancel-all")) > before
    world.run(20_000)
    assert world.status.trading_state == "PAUSED"
    assert not world.leases(world.ms - 19_000)
    world.execution.venue_mode = ""
    world.trade()
    assert not world.status.switches
    assert not world.kills(), "nobody is charged with it"


@pytest.mark.req("KS-11")
def test_venue_that_refuses_risk_too_is_waited_out() -> None:
    world = trading()
    world.venue.statuses = {"/cancel-all": 425, "/data/orders": 425, "/v1/heartbeats": 425}
    world.execution.venue_mode = "restarting"
    world.run(30_000)
    assert world.status.trading_state == "PAUSED"
    assert not [one for one in world.status.switches if one.kind == "latch"]
    assert not world.kills()
    world.venue.statuses = {}
    world.execution.venue_mode = ""
    world.trade()
