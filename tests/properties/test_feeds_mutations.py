"""Wrong frames among right ones, through the real cores of every feed and of what reads it."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.venue.wire import encode
from tests.fuzz.cores import ANSWER, PASS, Driven
from tests.fuzz.frames import BODIES, SESSIONS, texts
from tests.fuzz.mutations import mutate

EXAMPLES = 200
"""Sessions a feed; each has some dozen lines, half of them wrong."""


def lines_of(source: str) -> list[str]:
    """Return a right session: what the socket tells, and what requests are answered."""
    told = texts(source) if source != "discovery" else []
    answers = [ANSWER + encode(body).decode() for body in BODIES[source]]
    begin = ["PONG"] if source in ("market", "user") else []
    some = [*answers, *told, PASS]
    return [*begin, *some, *some, *some]


def spoilt(line: str, chance: Random) -> str:
    if line in ("PONG", PASS):
        return line
    if line.startswith(ANSWER):
        return ANSWER + mutate(line[1:], chance)
    return mutate(line, chance)


@pytest.mark.req("DQ-5", "VEN-4")
@pytest.mark.parametrize("source", sorted(SESSIONS))
@given(seed=st.integers(0, 2**32), wrong_percent=st.sampled_from([5, 30, 80]))
@settings(max_examples=EXAMPLES, deadline=None)
def test_no_wrong_frame_ends_a_core_or_makes_a_wrong_book_right(
    source: str, seed: int, wrong_percent: int
) -> None:
    chance = Random(seed)
    driven = Driven(source)
    for line in lines_of(source):
        is_wrong = chance.randrange(100) < wrong_percent
        driven.line(spoilt(line, chance) if is_wrong else line)
        if chance.random() < 0.05:
            driven.line(line)


@pytest.mark.parametrize("source", sorted(SESSIONS))
def test_right_session_is_told_and_nothing_of_it_is_refused(source: str) -> None:
    driven = Driven(source)
    for line in lines_of(source):
        driven.line(line)
    assert driven.rejected == 0
    assert driven.told > len(SESSIONS[source])
    if source == "market":
        assert driven.judge.proofs >= 6
