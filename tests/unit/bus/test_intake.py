import pytest

from bus.envelope import SCHEMA, Cause, Header, encode
from bus.intake import Intake
from bus.refill import FILL_NS_MAX
from bus.snapshot import Answer, encode_answer
from shared.effects import EnvelopeReceived, Gap, Message, Received
from shared.facts import BookDoubted, Sequences, StateView
from shared.identifiers import Component, ConditionId, Incarnation, TokenId
from shared.topics import EXECUTION, MARKET_MAKING, RECORDER, STATE
from shared.units import BootNs, Instant, MonotonicNs, WallNs

RUN = Incarnation(1)


def at(monotonic_ns: int) -> Instant:
    return Instant(BootNs(0), MonotonicNs(monotonic_ns), WallNs(0))


def make_frames(
    sequence: int,
    *,
    topic: str = "state.view",
    incarnation: Incarnation = RUN,
    sent_ns: int = 100,
    newest: dict[str, int] | None = None,
) -> list[bytes]:
    body = StateView(()) if newest is None else Sequences(newest)
    header = Header(
        STATE,
        incarnation,
        topic,
        sequence,
        MonotonicNs(sent_ns),
        MonotonicNs(sent_ns - 1),
        0,
        SCHEMA,
        (),
        at(sent_ns),
    )
    return encode(header, body)


class Reader:
    """An intake whose snapshot requests are answered at once with nothing, unless told not to."""

    def __init__(self, reader: Component = MARKET_MAKING, *, answers: bool = True) -> None:
        self.intake = Intake(reader, raw=reader == RECORDER)
        self._answers = answers
        self.now = at(200)

    def take(self, *frames: list[bytes]) -> list[Message]:
        messages: list[Message] = []
        for one in frames:
            messages.extend(self.intake.take(one, self.now))
            if self._answers:
                messages.extend(self.answer())
        return messages

    def answer(self, *facts: list[bytes], newest: dict[str, int] | None = None) -> list[Message]:
        resync = self.intake.sources[STATE].resync
        number = resync.take_request(self.now.monotonic_ns)
        if number is None:
            return []
        resync.sent()
        answer = Answer(number, STATE, RUN, newest or {}, len(facts))
        return self.intake.answer(encode_answer(answer, facts), self.now)


def numbers(messages: list[Message]) -> list[int]:
    return [one.sequence for one in messages if isinstance(one, Received)]


def test_facts_in_sequence_are_delivered_in_order() -> None:
    assert numbers(Reader().take(make_frames(4), make_frames(5))) == [4, 5]


def test_repeated_fact_is_delivered_once() -> None:
    assert numbers(Reader().take(make_frames(4), make_frames(4))) == [4]


@pytest.mark.req("DQ-2")
def test_gap_is_told_before_the_fact_that_shows_it() -> None:
    told = Reader().take(make_frames(4), make_frames(15))
    assert told[1] == Gap(STATE, "state.view", 10, "sequence")
    assert numbers(told) == [4, 15]


@pytest.mark.req("DQ-2")
def test_lost_last_fact_shows_in_the_list_of_sequences() -> None:
    told = Reader().take(
        make_frames(4),
        make_frames(1, topic="bus.sequences", newest={"state.view": 4}),
        make_frames(2, topic="bus.sequences", newest={"state.view": 14}),
    )
    assert told[1:] == [Gap(STATE, "state.view", 10, "sequence")]


def test_facts_wait_for_the_snapshot_and_follow_it() -> None:
    reader = Reader(answers=False)
    assert reader.take(make_frames(4), make_frames(5), make_frames(6)) == []
    told = reader.answer(make_frames(5), newest={"state.view": 5})
    assert numbers(told) == [5, 6]
    assert numbers(reader.take(make_frames(6), make_frames(7))) == [7]


def test_facts_that_waited_in_vain_are_delivered() -> None:
    reader = Reader(answers=False)
    reader.take(make_frames(4))
    assert numbers(reader.intake.expire(at(10**9))) == [4]


def test_snapshot_topics_that_are_not_read_are_left_out() -> None:
    reader = Reader(EXECUTION, answers=False)
    reader.take(make_frames(4))
    doubted = BookDoubted(ConditionId("m"), TokenId("t"), "r")
    header = Header(
        STATE, RUN, "state.doubted", 1, MonotonicNs(1), MonotonicNs(1), 0, SCHEMA, (), at(1)
    )
    assert numbers(reader.answer(encode(header, doubted))) == [4]


def test_facts_sent_before_this_reader_woke_are_ignored() -> None:
    reader = Reader()
    reader.take(make_frames(4))
    gaps = reader.intake.pause(at(150))
    assert Gap(STATE, "", -1, "pause") in gaps
    told = reader.take(
        make_frames(5, sent_ns=149), make_frames(9, sent_ns=150), make_frames(10, sent_ns=151)
    )
    assert told == [told[0], told[1]]
    assert numbers(told) == [9, 10]


@pytest.mark.req("DQ-5")
def test_corrupt_payload_is_a_gap_of_one_and_is_kept_for_the_log() -> None:
    reader = Reader()
    reader.take(make_frames(4))
    header, broken = make_frames(5)[:2], b"\xc1"
    assert reader.take([*header, broken])[0] == Gap(STATE, "state.view", 1, "corrupt")
    assert [one.raw[2] for one in reader.intake.take_corrupt()] == [broken]
    assert reader.intake.take_corrupt() == []
    assert reader.intake.corrupt_count == 1


def test_corrupt_header_is_counted_and_its_loss_shows_with_the_next_fact() -> None:
    reader = Reader()
    told = reader.take(make_frames(4), [b"state.view", b"\xc1", b""], make_frames(6))
    assert numbers(told) == [4]
    lost = reader.intake.expire(at(200 + FILL_NS_MAX))
    assert lost[0] == Gap(STATE, "state.view", 1, "sequence")
    assert reader.intake.corrupt_count == 1


def test_new_incarnation_is_a_gap_of_everything() -> None:
    told = Reader().take(make_frames(4), make_frames(1, incarnation=Incarnation(2)))
    assert Gap(STATE, "", -1, "incarnation") in told


def test_causes_name_what_was_seen_of_each_source() -> None:
    reader = Reader()
    assert reader.intake.causes() == ()
    reader.take(make_frames(4))
    assert reader.intake.causes() == (Cause(STATE, RUN, {"state.view": 4}),)


def test_input_age_counts_from_the_input_stamp() -> None:
    reader = Reader()
    reader.take(make_frames(4, sent_ns=100))
    ages = {age.component: age.age_ns for age in reader.intake.input_ages(at(250))}
    assert ages[STATE] == 151
    assert ages[EXECUTION] is None


def test_recorder_gets_everything_as_it_travelled_and_asks_for_nothing() -> None:
    reader = Reader(RECORDER)
    listed = make_frames(1, topic="bus.sequences", newest={"state.view": 4})
    told = reader.take(make_frames(4), listed, make_frames(15))
    kinds = [type(one) for one in told]
    assert kinds == [EnvelopeReceived, EnvelopeReceived, Gap, EnvelopeReceived]
    assert not reader.intake.sources[STATE].resync.is_waiting
