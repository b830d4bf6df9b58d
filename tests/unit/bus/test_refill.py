"""Gaps under ten are filled from the source, in order; all else is told and begins anew."""

import pytest

from bus.envelope import decode
from bus.intake import Intake
from bus.refill import FILL_NS_MAX, HELD_MAX, KEPT_MAX, MISSED_MAX, RANGES_MAX, SentFacts
from bus.snapshot import (
    Answer,
    FillRequest,
    Missing,
    decode_answer,
    decode_request,
    encode_answer,
    encode_fill_request,
)
from shared.effects import EnvelopeReceived, Gap, Message, Received
from shared.identifiers import Component, Incarnation
from shared.topics import EXECUTION, MARKET_MAKING, RECORDER, STATE
from tests.unit.bus.test_intake import RUN, at, make_frames, numbers

WHOLE = tuple(range(1, 30))


class Line:
    """A publisher that keeps what it sent, and a reader that loses what the test says."""

    def __init__(self, reader: Component = MARKET_MAKING) -> None:
        self.sent = SentFacts(STATE, RUN)
        self.intake = Intake(reader, raw=reader == RECORDER)
        self.source = self.intake.sources[STATE]
        self.told: list[Message] = []

    def send(self, *sequences: int, lost: tuple[int, ...] = (), topic: str = "state.view") -> None:
        for sequence in sequences:
            frames = make_frames(sequence, topic=topic, sent_ns=100 + sequence)
            self.sent.keep(topic, sequence, frames)
            if sequence not in lost:
                self.told += self.intake.take(frames, at(200))

    def answer(self, frames: list[bytes] | None = None) -> None:
        """Ask what is to be asked, and take the answer in."""
        request = self.source.fill.take_request()
        assert request is not None
        self.source.fill.sent()
        asked = decode_request(encode_fill_request(request))
        assert isinstance(asked, FillRequest)
        filled = self.intake.fill(frames or self.sent.answer(asked), at(210))
        assert filled is not None
        self.told += filled

    def snapshot(self) -> None:
        """Answer what a reader wants whole, with nothing in it."""
        number = self.source.resync.take_request(at(200).monotonic_ns)
        if number is None:
            return
        self.source.resync.sent()
        self.told += self.intake.answer(
            encode_answer(Answer(number, STATE, RUN, {}, 0), []), at(200)
        )

    def gaps(self) -> list[Gap]:
        return [one for one in self.told if isinstance(one, Gap)]


def joined(reader: Component = MARKET_MAKING) -> Line:
    """Return a line whose reader has begun, with the first fact delivered."""
    line = Line(reader)
    line.send(1)
    line.snapshot()
    return line


@pytest.mark.req("DQ-2")
@pytest.mark.parametrize("count", [1, 3, MISSED_MAX])
def test_gap_under_ten_is_filled_in_order_and_told_to_nobody(count: int) -> None:
    line = joined()
    lost = tuple(range(3, 3 + count))
    line.send(*range(2, 20), lost=lost)
    assert numbers(line.told) == [1, 2], "what came behind the gap waits"
    line.answer()
    assert numbers(line.told) == list(range(1, 20))
    assert line.gaps() == []
    assert not line.source.is_waiting
    assert [(one.component, one.count) for one in line.intake.take_filled()] == [(STATE, count)]
    line.send(20)
    assert numbers(line.told)[-1] == 20


@pytest.mark.req("DQ-2")
@pytest.mark.parametrize("count", [MISSED_MAX + 1, 50])
def test_gap_of_ten_or_more_is_told_and_begins_anew(count: int) -> None:
    line = joined()
    line.send(*range(2, 4 + count), lost=tuple(range(3, 3 + count)))
    assert line.gaps() == [Gap(STATE, "state.view", count, "sequence")]
    assert line.source.fill.take_request() is None
    assert line.source.resync.is_waiting


@pytest.mark.req("DQ-2")
def test_gap_that_shows_in_the_list_of_sequences_is_filled_too() -> None:
    line = joined()
    line.send(2, 3, 4, lost=(3, 4))
    listed = make_frames(1, topic="bus.sequences", newest={"state.view": 4}, sent_ns=110)
    line.told += line.intake.take(listed, at(200))
    line.answer()
    assert (numbers(line.told), line.gaps()) == ([1, 2, 3, 4], [])


@pytest.mark.req("DQ-2")
def test_second_gap_while_the_first_is_open_is_asked_for_with_it() -> None:
    line = joined()
    line.send(2, 3, 4, lost=(3,))
    request = line.source.fill.take_request()
    assert request is not None
    late = line.sent.answer(request)
    line.send(5, 6, 7, lost=(5, 6))
    line.source.fill.sent()
    assert line.intake.fill(late, at(205)) == [], "an answer to less than is asked now"
    line.source.fill._unsent = True
    line.answer()
    assert numbers(line.told) == [1, 2, 3, 4, 5, 6, 7]
    assert line.gaps() == []


@pytest.mark.req("DQ-2")
def test_no_answer_in_time_tells_the_gap_and_begins_anew_with_what_was_held() -> None:
    line = joined()
    line.send(2, 3, 4, lost=(3,))
    assert line.intake.expire(at(200 + FILL_NS_MAX - 1)) == []
    line.told += line.intake.expire(at(200 + FILL_NS_MAX))
    assert line.gaps() == [Gap(STATE, "state.view", 1, "sequence")]
    assert numbers(line.told) == [1, 2]
    line.snapshot()
    assert numbers(line.told) == [1, 2, 4]


def test_too_much_held_back_ends_the_waiting() -> None:
    line = joined()
    line.send(2, 3, 4, lost=(3,))
    line.send(*range(5, 4 + HELD_MAX))
    assert line.intake.expire(at(201)) != []


@pytest.mark.req("DQ-2")
def test_answer_without_everything_tells_the_gap() -> None:
    line = joined()
    line.send(2, 3, 4, lost=(3,))
    line.sent = SentFacts(STATE, RUN)
    line.answer()
    assert line.gaps() == [Gap(STATE, "state.view", 1, "sequence")]
    assert line.source.resync.is_waiting


@pytest.mark.parametrize("spoil", ["another run", "another fact", "corrupt"])
def test_answer_that_is_not_what_was_asked_for_tells_the_gap(spoil: str) -> None:
    line = joined()
    line.send(2, 3, 4, lost=(3,))
    request = line.source.fill.take_request()
    assert request is not None
    answer = line.sent.answer(request)
    frames = make_frames(3, incarnation=Incarnation(9)) if spoil == "another run" else None
    if spoil == "another fact":
        frames = make_frames(4)
    line.answer([answer[0], *(frames or [answer[1], b"\xc1", answer[3]])])
    assert line.gaps() == [Gap(STATE, "state.view", 1, "sequence")]


def test_new_run_of_the_publisher_ends_the_waiting() -> None:
    line = joined()
    line.send(2, 3, 4, lost=(3,))
    line.told += line.intake.take(make_frames(1, incarnation=Incarnation(2)), at(200))
    assert [gap.cause for gap in line.gaps()] == ["sequence", "incarnation"]
    assert not line.source.fill.is_waiting


def test_pause_of_the_reader_drops_what_waits() -> None:
    line = joined()
    line.send(2, 3, 4, lost=(3,))
    line.intake.pause(at(300))
    assert not line.source.is_waiting


def test_corrupt_fact_behind_a_gap_tells_both() -> None:
    line = joined()
    line.send(2, 3, 4, lost=(3,))
    broken = [*make_frames(5)[:2], b"\xc1"]
    line.told += line.intake.take(broken, at(200))
    assert [gap.cause for gap in line.gaps()] == ["sequence", "corrupt"]


@pytest.mark.req("DQ-2")
def test_recorder_fills_its_gaps_too_and_keeps_the_order() -> None:
    line = Line(RECORDER)
    line.send(1, 2, 3, 4, 5, lost=(2, 3))
    line.answer()
    kept = [one.sequence for one in line.told if isinstance(one, EnvelopeReceived)]
    assert kept == [1, 2, 3, 4, 5]
    assert line.gaps() == []


def test_recorder_that_gets_no_answer_keeps_the_gap_and_what_followed() -> None:
    line = Line(RECORDER)
    line.send(1, 2, 3, 4, lost=(2,))
    line.told += line.intake.expire(at(200 + FILL_NS_MAX))
    kinds = [type(one) for one in line.told]
    assert kinds == [EnvelopeReceived, Gap, EnvelopeReceived, EnvelopeReceived]


def test_topics_of_a_publisher_keep_the_order_in_which_they_were_sent() -> None:
    line = Line(EXECUTION)
    line.send(1)
    line.send(1, topic="state.market")
    line.snapshot()
    line.told.clear()
    fill = line.source.fill
    assert fill.want(Missing("state.view", 2, 2), at(200).monotonic_ns)
    for sequence, moment in ((3, 130), (4, 140)):
        received = decode(make_frames(sequence, sent_ns=moment))
        assert isinstance(received, Received)
        fill.hold(received.sent_ns, received)
    line.sent.keep("state.view", 2, make_frames(2, sent_ns=135))
    line.answer()
    assert numbers(line.told) == [3, 2, 4]


def test_gaps_at_a_time_are_bounded() -> None:
    fill = joined().source.fill
    wanted = [fill.want(Missing("t", n * 10, n * 10), at(0).monotonic_ns) for n in WHOLE]
    assert wanted.count(True) == RANGES_MAX


def test_publisher_keeps_the_newest_of_each_topic_and_answers_all_or_nothing() -> None:
    sent = SentFacts(STATE, RUN)
    for sequence in range(1, KEPT_MAX + 3):
        sent.keep("state.view", sequence, make_frames(sequence))
    for first, facts in ((3, 2), (2, 0)):
        decoded = decode_answer(sent.answer(FillRequest(1, (Missing("state.view", first, 4),))))
        assert decoded is not None
        assert len(decoded[1]) == facts
    nothing = decode_answer(sent.answer(FillRequest(1, (Missing("other", 1, 1),))))
    assert nothing is not None
    assert nothing[1] == []


def test_answer_to_a_snapshot_is_none_to_a_gap() -> None:
    line = joined()
    frames = encode_answer(Answer(1, STATE, RUN, {}, 0), [])
    assert line.intake.fill(frames, at(200)) is None
    assert line.intake.fill([b"\xc1"], at(200)) is None
