import pytest

from bus.envelope import SCHEMA, Header, encode
from bus.snapshot import (
    HELD_MAX,
    HOLD_NS_MAX,
    RETRY_NS,
    Answer,
    Resync,
    decode_answer,
    decode_request,
    encode_answer,
    encode_request,
)
from shared.effects import Received
from shared.facts import StateView
from shared.identifiers import Incarnation
from shared.topics import STATE
from shared.units import BootNs, Instant, MonotonicNs, WallNs

NOW = MonotonicNs(1_000)


def make_fact(sequence: int, *, incarnation: int = 1) -> Received:
    return Received(
        STATE,
        Incarnation(incarnation),
        "state.view",
        sequence,
        NOW,
        NOW,
        0,
        StateView(()),
    )


def make_answer(number: int, *, newest: int = 5) -> Answer:
    return Answer(number, STATE, Incarnation(1), {"state.view": newest}, 0)


def after(ns: int) -> MonotonicNs:
    return MonotonicNs(NOW + ns)


def wanting() -> tuple[Resync, int]:
    """Return a resynchronisation whose first request has gone out, and its number."""
    resync = Resync()
    resync.want(NOW, lossy=True)
    number = resync.take_request(NOW)
    assert number is not None
    resync.sent()
    return resync, number


def test_nothing_is_asked_or_held_while_nothing_is_missing() -> None:
    resync = Resync()
    assert resync.take_request(NOW) is None
    assert not resync.hold(make_fact(1))


def test_request_is_repeated_until_it_could_be_sent() -> None:
    resync = Resync()
    resync.want(NOW, lossy=False)
    assert resync.take_request(NOW) == resync.take_request(NOW)
    resync.sent()
    assert resync.take_request(NOW) is None


def test_held_facts_that_the_snapshot_contains_are_dropped() -> None:
    resync, number = wanting()
    for sequence in (4, 5, 6, 7):
        assert resync.hold(make_fact(sequence))
    answer = make_answer(number, newest=5)
    assert resync.is_current(answer)
    assert [fact.sequence for fact in resync.finish(answer)] == [6, 7]
    assert not resync.is_waiting


def test_held_facts_of_another_incarnation_are_dropped() -> None:
    resync, number = wanting()
    resync.hold(make_fact(9, incarnation=2))
    assert resync.finish(make_answer(number)) == []


def test_answer_is_too_old_when_facts_were_lost_after_its_request() -> None:
    resync, number = wanting()
    resync.want(NOW, lossy=True)
    assert not resync.is_current(make_answer(number))
    assert resync.take_request(NOW) == number + 1


def test_second_join_does_not_renew_the_request() -> None:
    resync, number = wanting()
    resync.want(NOW, lossy=False)
    assert resync.is_current(make_answer(number))


@pytest.mark.parametrize(("after_ns", "released"), [(HOLD_NS_MAX - 1, 0), (HOLD_NS_MAX, 2)])
def test_held_facts_are_delivered_when_no_answer_comes(after_ns: int, released: int) -> None:
    resync, number = wanting()
    resync.hold(make_fact(1))
    resync.hold(make_fact(2))
    assert len(resync.expire(after(after_ns))) == released
    assert resync.is_current(make_answer(number)) == (released == 0)


@pytest.mark.parametrize(("held", "released"), [(HELD_MAX - 1, 0), (HELD_MAX, HELD_MAX)])
def test_held_facts_are_delivered_when_they_are_too_many(held: int, released: int) -> None:
    resync, _ = wanting()
    for sequence in range(held):
        resync.hold(make_fact(sequence + 1))
    assert len(resync.expire(NOW)) == released


@pytest.mark.parametrize(("after_ns", "asks"), [(RETRY_NS - 1, False), (RETRY_NS, True)])
def test_unanswered_request_is_made_again_later(after_ns: int, asks: bool) -> None:
    resync, number = wanting()
    resync.expire(after(HOLD_NS_MAX))
    made = resync.take_request(after(HOLD_NS_MAX + after_ns))
    assert made == (number + 1 if asks else None)


def test_answered_request_is_not_made_again() -> None:
    resync, number = wanting()
    resync.finish(make_answer(number))
    assert resync.take_request(after(10 * RETRY_NS)) is None


def test_old_answer_after_a_pause_is_known_as_one() -> None:
    resync, number = wanting()
    resync.hold(make_fact(3))
    resync.abandon()
    resync.want(NOW, lossy=True)
    assert not resync.is_current(make_answer(number))
    assert resync.finish(make_answer(number + 1)) == []


def test_request_and_answer_come_back_as_they_were_sent() -> None:
    request = decode_request(encode_request(7))
    assert request is not None
    assert request.number == 7
    now = Instant(BootNs(1), NOW, WallNs(1))
    header = Header(STATE, Incarnation(1), "state.view", 5, NOW, NOW, 0, SCHEMA, (), now)
    fact = encode(header, StateView(()))
    answer = Answer(7, STATE, Incarnation(1), {"state.view": 5}, 2)
    assert decode_answer(encode_answer(answer, [fact, fact])) == (answer, [fact, fact])


@pytest.mark.parametrize("frames", [[b"\xc1"], [*encode_answer(make_answer(1), [])[:1], b"x"]])
def test_what_is_no_answer_is_none(frames: list[bytes]) -> None:
    assert decode_answer(frames) is None


def test_what_is_no_request_is_none() -> None:
    assert decode_request(b"\xc1") is None
