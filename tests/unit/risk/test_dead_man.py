"""Beats of the venue's dead-man switch: who may trade until when, and which id comes next."""

from typing import Any

import msgspec
import pytest

from services.risk.dead_man import CORRECTIONS_MAX, PERMIT_NS, BeatTiming, DeadMan
from services.risk.messages import BeatPermit
from services.risk.requests import RequestNumbers
from shared.effects import HttpFailed, HttpReply, HttpRequest
from shared.units import NS_PER_MS, NS_PER_S, BootNs

TIMING = BeatTiming(2 * NS_PER_S, 2 * NS_PER_S, 7 * NS_PER_S)


def ms(after: float) -> BootNs:
    return BootNs(NS_PER_S + int(after * NS_PER_MS))


def dead_man() -> DeadMan:
    return DeadMan(TIMING, RequestNumbers())


def beat(switch: DeadMan, at: float) -> HttpRequest | None:
    effects = switch.beat(ms(at))
    if not effects:
        return None
    (request,) = effects
    assert isinstance(request, HttpRequest)
    return request


def reply(request: HttpRequest | None, sent: float, status: int = 200, **body: Any) -> HttpReply:
    assert request is not None
    content = msgspec.json.encode(body or {"heartbeat_id": "next"})
    return HttpReply(request.request_id, status, {}, content, ms(sent))


def sent_id(request: HttpRequest | None) -> str:
    assert request is not None
    text = msgspec.json.decode(request.body)["heartbeat_id"]
    assert isinstance(text, str)
    return text


@pytest.mark.req("EX-18")
def test_nothing_is_admitted_before_the_first_acknowledged_beat() -> None:
    switch = dead_man()
    assert not switch.admits(ms(0))
    request = beat(switch, 0)
    assert not switch.admits(ms(10))
    switch.replied(reply(request, 1))
    assert switch.admits(ms(10))


@pytest.mark.req("EX-18")
@pytest.mark.parametrize(("after", "admitted"), [(6_999, True), (7_000, False), (7_001, False)])
def test_admission_ends_by_the_send_time_of_the_last_acknowledged_beat(
    after: int, admitted: bool
) -> None:
    switch = dead_man()
    switch.replied(reply(beat(switch, 0), 100))
    assert switch.admits(ms(100 + after)) is admitted


def test_beat_without_an_answer_does_not_extend_the_admission() -> None:
    switch = dead_man()
    switch.replied(reply(beat(switch, 0), 0))
    request = beat(switch, 2_000)
    assert request is not None
    switch.failed(HttpFailed(request.request_id, True, "deadline", ms(2_000)), ms(4_000))
    assert not switch.admits(ms(7_000))
    assert "deadline" in switch.trouble


@pytest.mark.parametrize(("after", "due"), [(749, False), (750, True)])
def test_beat_that_was_dropped_costs_no_whole_period(after: int, due: bool) -> None:
    switch = dead_man()
    request = beat(switch, 0)
    assert request is not None
    switch.failed(HttpFailed(request.request_id, sent=False, reason="not_permitted"), ms(500))
    assert (beat(switch, after) is not None) is due


def test_each_beat_carries_a_permit_with_an_age_limit() -> None:
    request = beat(dead_man(), 0)
    assert request is not None
    assert request.permit == BeatPermit(BootNs(ms(0) + PERMIT_NS))
    assert request.lane == "beat"


@pytest.mark.parametrize(("after", "due"), [(1_999, False), (2_000, True)])
def test_beat_is_due_by_its_period_and_one_at_a_time(after: int, due: bool) -> None:
    switch = dead_man()
    request = beat(switch, 0)
    assert beat(switch, 5_000) is None
    switch.replied(reply(request, 0))
    assert (beat(switch, after) is not None) is due


def test_next_beat_carries_the_id_of_the_last_answer() -> None:
    switch = dead_man()
    first = beat(switch, 0)
    assert sent_id(first) == ""
    switch.replied(reply(first, 0, heartbeat_id="abc"))
    assert sent_id(beat(switch, 2_000)) == "abc"


def test_wrong_id_is_repeated_at_once_with_the_expected_one_and_admits_nothing() -> None:
    switch = dead_man()
    refusal = {"error_msg": "Invalid Heartbeat ID", "heartbeat_id": "right"}
    switch.replied(reply(beat(switch, 0), 0, 400, **refusal))
    assert not switch.admits(ms(1))
    assert sent_id(beat(switch, 1)) == "right"


def test_two_writers_do_not_fight_at_full_speed() -> None:
    switch = dead_man()
    refusal = {"error_msg": "Invalid Heartbeat ID", "heartbeat_id": "right"}
    for number in range(CORRECTIONS_MAX + 1):
        switch.replied(reply(beat(switch, number), 0, 400, **refusal))
    assert beat(switch, CORRECTIONS_MAX + 1) is None
    assert switch.refused == CORRECTIONS_MAX + 1


@pytest.mark.parametrize("status", [200, 400, 425, 500])
def test_answer_that_cannot_be_read_does_not_count(status: int) -> None:
    switch = dead_man()
    switch.replied(reply(beat(switch, 0), 0, status, nonsense=1))
    assert not switch.admits(ms(1))
    assert switch.trouble
