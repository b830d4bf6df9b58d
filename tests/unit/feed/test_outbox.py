"""What waits to be told: bounded, in order, said again until it is shown to have arrived."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.feed.outbox import WAITING_MAX, Outbox

STEPS = st.lists(st.sampled_from(("add", "take", "ping", "pong", "lost")), max_size=60)


@pytest.mark.req("NET-6")
def test_bound_is_a_thousand_and_the_oldest_falls_out_first() -> None:
    box = Outbox()
    assert not any(box.add(str(number)) for number in range(WAITING_MAX))
    assert WAITING_MAX == 1_000
    assert box.add("new")
    assert box.dropped == 1
    texts = box.take()
    assert (texts[0], texts[-1], len(texts)) == ("1", "new", 1_000)


def test_pong_shows_only_what_was_sent_before_its_ping() -> None:
    box = Outbox()
    box.pinged()
    box.add("a")
    box.take()
    box.pinged()
    box.add("b")
    box.take()
    box.ponged()
    assert box.unproven == 2
    box.ponged()
    assert box.unproven == 1
    box.lost()
    assert box.take() == ("b",)


def test_pong_that_nobody_asked_for_shows_nothing() -> None:
    box = Outbox()
    box.add("a")
    box.take()
    box.ponged()
    assert box.unproven == 1


def test_what_was_cleared_is_not_said_again() -> None:
    box = Outbox()
    box.add("a")
    box.take()
    box.add("b")
    box.clear()
    box.lost()
    assert box.take() == ()


@pytest.mark.req("NET-6")
@given(STEPS)
def test_nothing_is_lost_reordered_or_kept_beyond_the_bound(steps: list[str]) -> None:
    """Against a venue that reads everything up to each pong, and nothing after it at a loss."""
    box = Outbox(waiting_max=8)
    added: list[str] = []
    read: list[str] = []
    on_wire: list[str] = []
    marks: list[int] = []
    for step in steps:
        if step == "add":
            added.append(str(len(added)))
            box.add(added[-1])
        elif step == "take":
            on_wire += box.take()
        elif step == "ping":
            box.pinged()
            marks.append(len(on_wire))
        elif step == "pong" and marks:
            upto = marks.pop(0)
            read += on_wire[:upto]
            on_wire, marks = on_wire[upto:], [mark - upto for mark in marks]
            box.ponged()
        elif step == "lost":
            box.lost()
            on_wire, marks = [], []
        assert box.waits + box.unproven <= 8
    box.lost()
    kept = [*read, *box.take()]
    firsts = list(dict.fromkeys(kept))
    assert firsts == sorted(firsts, key=int)
    assert len(added) - len(firsts) <= box.dropped
