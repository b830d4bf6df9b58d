from shared.venue import refusals
from shared.venue.refusals import Doubt, Refusal, classify


def test_every_row_of_the_tables_is_reached_whatever_the_case() -> None:
    for part, doubt in refusals._DOUBTFUL:
        assert classify(f"before {part.upper()} after") is doubt
    for part, reason in refusals._REFUSING:
        assert classify(f"before {part.upper()} after") is reason


def test_every_refusal_of_an_order_has_a_text() -> None:
    assert {reason for _, reason in refusals._REFUSING} == set(Refusal) - {
        Refusal.TIMED_OUT  # by its status and its whole text, in outcomes.py
    }


def test_doubt_outweighs_a_refusal_in_the_same_text() -> None:
    assert classify("not enough balance, context canceled") is Doubt.AMBIGUOUS


def test_text_that_nobody_knows_is_unrecognised() -> None:
    assert classify("") is Doubt.UNRECOGNISED
    assert classify("the order is fine") is Doubt.UNRECOGNISED
