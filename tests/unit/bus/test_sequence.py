import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.sequence import Judgement, Loss, Numbering, Tracker
from shared.identifiers import Component, Incarnation

FIRST = Incarnation(1)
SECOND = Incarnation(2)
TOPICS = ("a", "b")


def make_tracker(*heard: tuple[str, int]) -> Tracker:
    tracker = Tracker(Component("state"), TOPICS)
    for topic, sequence in heard:
        tracker.judge(FIRST, topic, sequence)
    return tracker


def test_numbering_counts_each_topic_from_one() -> None:
    numbering = Numbering()
    assert [numbering.next("a"), numbering.next("a"), numbering.next("b")] == [1, 2, 1]
    assert numbering.newest() == {"a": 2, "b": 1}


def test_first_contact_in_the_middle_is_a_join_and_no_gap() -> None:
    assert make_tracker().judge(FIRST, "a", 40) == Judgement(fresh=True, joined=True)


def test_following_number_is_in_sequence() -> None:
    assert make_tracker(("a", 4)).judge(FIRST, "a", 5) == Judgement(fresh=True)


@pytest.mark.req("DQ-2")
@pytest.mark.parametrize(("arrives", "missed"), [(6, 1), (15, 10)])
def test_skipped_numbers_are_counted_as_missed(arrives: int, missed: int) -> None:
    judged = make_tracker(("a", 4)).judge(FIRST, "a", arrives)
    assert judged == Judgement(fresh=True, missed=missed, cause="sequence")


@pytest.mark.parametrize("repeated", [4, 3, 1])
def test_known_number_is_ignored(repeated: int) -> None:
    assert not make_tracker(("a", 4)).judge(FIRST, "a", repeated).fresh


def test_topics_are_counted_apart() -> None:
    tracker = make_tracker(("a", 4), ("b", 9))
    assert tracker.judge(FIRST, "b", 10) == Judgement(fresh=True)
    assert tracker.judge(FIRST, "a", 5) == Judgement(fresh=True)


def test_new_incarnation_is_a_loss_of_unknown_size() -> None:
    tracker = make_tracker(("a", 4))
    judged = tracker.judge(SECOND, "a", 1)
    assert judged == Judgement(fresh=True, missed=-1, cause="incarnation", joined=True)


def test_message_of_a_dead_incarnation_is_ignored() -> None:
    tracker = make_tracker(("a", 4))
    tracker.judge(SECOND, "a", 1)
    assert not tracker.judge(FIRST, "a", 5).fresh
    assert tracker.incarnation == SECOND


@pytest.mark.req("DQ-2")
def test_lost_last_message_shows_in_the_publishers_list() -> None:
    tracker = make_tracker(("a", 4))
    assert tracker.compare(FIRST, {"a": 4}) == ()
    assert tracker.compare(FIRST, {"a": 6}) == (Loss("a", 2),)
    assert tracker.compare(FIRST, {"a": 6}) == ()
    assert not tracker.judge(FIRST, "a", 6).fresh


def test_lost_first_message_shows_after_a_list_without_its_topic() -> None:
    tracker = make_tracker(("a", 4))
    tracker.compare(FIRST, {"a": 4})
    assert tracker.judge(FIRST, "b", 3) == Judgement(fresh=True, missed=2, cause="sequence")


def test_topic_of_the_first_list_that_was_never_heard_is_a_late_join() -> None:
    tracker = make_tracker(("a", 4))
    assert tracker.compare(FIRST, {"a": 4, "b": 7}) == ()
    assert tracker.judge(FIRST, "b", 8) == Judgement(fresh=True)


def test_topics_that_are_not_read_are_no_loss() -> None:
    tracker = make_tracker(("a", 4))
    tracker.compare(FIRST, {"a": 4})
    assert tracker.compare(FIRST, {"a": 4, "other": 50}) == ()


def test_list_of_another_incarnation_says_nothing() -> None:
    assert make_tracker(("a", 4)).compare(SECOND, {"a": 9}) == ()


def test_facts_contained_in_a_snapshot_are_repeats() -> None:
    tracker = make_tracker(("a", 4))
    tracker.rebase(FIRST, {"a": 8})
    assert not tracker.judge(FIRST, "a", 8).fresh
    assert tracker.judge(FIRST, "a", 9) == Judgement(fresh=True)


def test_snapshot_older_than_what_was_heard_changes_nothing() -> None:
    tracker = make_tracker(("a", 4))
    tracker.rebase(FIRST, {"a": 2})
    assert tracker.judge(FIRST, "a", 5) == Judgement(fresh=True)


def test_reader_that_forgot_joins_anew_without_a_gap() -> None:
    tracker = make_tracker(("a", 4))
    tracker.forget()
    assert tracker.judge(FIRST, "a", 90) == Judgement(fresh=True, joined=True)


@given(st.sets(st.integers(1, 60), min_size=1))
def test_delivered_and_missed_add_up_to_everything_sent(arriving: set[int]) -> None:
    tracker = make_tracker()
    tracker.compare(FIRST, {})
    tracker.judge(FIRST, "b", 1)
    tracker.compare(FIRST, {"b": 1})
    judged = [tracker.judge(FIRST, "a", number) for number in sorted(arriving)]
    assert sum(one.missed for one in judged) + len(judged) == max(arriving)
