"""The second opinion: what it proves, and what follows when it differs."""

import pytest

from services.feed.market import RECONNECT_EVERY_NS
from services.feed.opinions import WITNESS_AFTER_NS
from services.feed.witness import DISAGREEMENTS_RECONNECT, DISAGREEMENTS_RESUBSCRIBE
from shared.effects import (
    Effect,
    HttpFailed,
    Log,
    StreamClose,
    StreamOpen,
    StreamOpened,
)
from shared.units import NS_PER_MS
from tests.builders.feeds import WALL_START_MS, at, of_type, sent
from tests.builders.market_feed import Rig, frame_of, ready, rest_of
from tests.builders.markets import DOWN, UP


def test_silent_token_is_asked_about_after_a_second_and_not_before() -> None:
    rig = ready()
    after = WITNESS_AFTER_NS / NS_PER_MS
    assert rig.asked(at(after - 1)) == {}
    requests = rig.asked(at(after))
    assert sorted(requests) == [UP, DOWN]
    assert not requests[UP].authenticated
    assert rig.asked(at(2 * after - 1)) == {}
    assert sorted(rig.asked(at(2 * after))) == [UP, DOWN]


@pytest.mark.req("KS-4")
def test_witness_that_agrees_is_evidence_of_when_it_was_asked() -> None:
    rig = ready()
    requests = rig.asked(at(1_000))
    rig.answer(requests[UP], rest_of(rig.up), at(1_200))
    assert rig.evident_ms(UP, at(1_200)) == 1_000
    assert rig.evident_ms(DOWN, at(1_200)) == 0


def test_witness_with_equal_levels_agrees_whatever_its_stamp_and_hash() -> None:
    rig = ready()
    requests = rig.asked(at(1_000))
    body = rest_of(rig.up, timestamp=str(WALL_START_MS + 900), hash="0" * 40)
    rig.answer(requests[UP], body, at(1_200))
    assert rig.evident_ms(UP, at(1_200)) == 1_000


def disagree(rig: Rig, milliseconds: int) -> list[Effect]:
    """Let the witness see another book; return what the feed does about it."""
    requests = rig.asked(at(milliseconds))
    rig.up.set("BUY", 4_000, milliseconds)
    body = rest_of(rig.up, timestamp=str(WALL_START_MS + milliseconds))
    effects: list[Effect] = rig.answer(requests[UP], body, at(milliseconds))
    rig.answer(requests[DOWN], rest_of(rig.down), at(milliseconds))
    return effects


@pytest.mark.req("KS-4")
def test_witness_that_disagrees_is_never_evidence_and_leads_to_a_new_subscription() -> None:
    rig = ready()
    for number in range(1, DISAGREEMENTS_RESUBSCRIBE + 1):
        operations = sent(disagree(rig, number * 1_000))
        if number < DISAGREEMENTS_RESUBSCRIBE:
            assert operations == []
    assert [(found["operation"], found["assets_ids"]) for found in operations] == [
        ("unsubscribe", [UP]),
        ("subscribe", [UP]),
    ]
    assert rig.evident_ms(UP, at(5_000)) == 0


def test_connection_is_given_up_when_new_subscriptions_do_not_help() -> None:
    rig = ready()
    closed = [
        number
        for number in range(1, DISAGREEMENTS_RECONNECT + 3)
        if rig.status(at(number * 1_000)).connected
        and of_type(disagree(rig, number * 1_000), StreamClose)
    ]
    assert closed == [DISAGREEMENTS_RECONNECT]


def test_connection_is_given_up_for_disagreement_at_a_bounded_rate() -> None:
    rig = ready()
    closes = 0
    for second in range(1, 60):
        rig.hear("PONG", at(second * 1_000))
        if not rig.status(at(second * 1_000)).connected:
            effects = rig.feed.on_tick(at(second * 1_000 + 900))
            rig.stream = of_type(effects, StreamOpen)[0].stream
            rig.feed.on_message(StreamOpened(rig.stream), at(second * 1_000 + 900))
            rig.dump(at(second * 1_000 + 900))
            continue
        requests = rig.asked(at(second * 1_000))
        if UP in requests:
            body = rest_of(rig.up, timestamp=str(WALL_START_MS + second * 1_000), bids=[])
            effects = rig.answer(requests[UP], body, at(second * 1_000))
            closes += bool(of_type(effects, StreamClose))
    assert closes <= 60_000 // (RECONNECT_EVERY_NS // NS_PER_MS)


def test_older_witness_says_nothing() -> None:
    rig = ready()
    for number in range(1, 10):
        requests = rig.asked(at(number * 1_000))
        body = rest_of(rig.up, timestamp=str(WALL_START_MS - 1), bids=[], hash="0" * 40)
        assert rig.answer(requests[UP], body, at(number * 1_000)) == []
    assert rig.evident_ms(UP, at(10_000)) == 0


@pytest.mark.req("DQ-3")
@pytest.mark.parametrize(("stamped_ms", "is_behind"), [(1_999, True), (2_000, False)])
def test_frame_as_new_as_what_was_disputed_ends_the_dispute(
    stamped_ms: int, *, is_behind: bool
) -> None:
    rig = ready()
    disagree(rig, 1_000)
    disagree(rig, 2_000)
    rig.hear(frame_of(rig.up, timestamp=str(WALL_START_MS + stamped_ms)), at(2_500))
    assert bool(sent(disagree(rig, 4_000))) == is_behind


@pytest.mark.parametrize("status", [404, 429, 500, 503])
def test_refused_witness_says_nothing(status: int) -> None:
    rig = ready()
    requests = rig.asked(at(1_000))
    assert rig.answer(requests[UP], b"{}", at(1_100), status) == []
    assert rig.status(at(1_100)).rejected_frames == 0


def test_witness_that_cannot_be_read_is_refused_and_shown() -> None:
    rig = ready()
    requests = rig.asked(at(1_000))
    assert of_type(rig.answer(requests[UP], b"<html>", at(1_100)), Log)
    rig.answer(requests[DOWN], rest_of(rig.up), at(1_100))
    assert rig.status(at(1_100)).rejected_frames == 2
    assert rig.evident_ms(DOWN, at(1_100)) == 0


def test_failed_witness_is_asked_again() -> None:
    rig = ready()
    requests = rig.asked(at(1_000))
    for request in requests.values():
        rig.feed.on_message(HttpFailed(request.request_id, True, "deadline"), at(1_500))
    assert sorted(rig.asked(at(2_000))) == [UP, DOWN]
