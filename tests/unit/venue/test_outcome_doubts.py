"""What stays in doubt: statuses that refuse nothing, and words beside contradictions."""

import pytest

from shared.venue import outcomes
from shared.venue.outcomes import Accepted, Rejected, Unknown, judge_batch, judge_post
from shared.venue.refusals import Doubt
from tests.builders.post_replies import ORDER, OTHER, body, error, make_refusal, make_reply


def test_amounts_and_trades_are_kept_as_sent_and_none_is_nothing() -> None:
    told = judge_post(200, body(make_reply(makingAmount="1.5", takingAmount="3")), ORDER)
    assert isinstance(told, Accepted)
    assert (told.making, told.taking) == ("1.5", "3")
    nothing = make_reply(makingAmount=None, takingAmount=None, tradeIDs=None, errorMsg=None)
    silent = judge_post(200, body(nothing), ORDER)
    assert isinstance(silent, Accepted)
    assert (silent.making, silent.taking, silent.trades) == ("", "", ())


@pytest.mark.parametrize(
    ("status", "text", "refused"),
    [
        (400, "not enough balance / allowance", True),
        (404, "not enough balance / allowance", True),
        (405, "not enough balance / allowance", False),
        (409, "not enough balance / allowance", False),
        (503, "not enough balance / allowance", False),
        (503, "Trading is currently cancel-only. New orders are not accepted", True),
        (500, "Trading is currently cancel-only. New orders are not accepted", False),
    ],
)
def test_refusal_counts_only_with_a_status_that_gives_it(
    status: int, text: str, refused: bool
) -> None:
    told = judge_post(status, error(text), ORDER)
    assert isinstance(told, Rejected) is refused
    if not refused:
        assert isinstance(told, Unknown)
        assert told.why is Doubt.SERVER_ERROR


def test_page_of_the_edge_that_names_one_order_of_a_batch_refuses_none() -> None:
    page = f"<html>{ORDER}</html>".encode()
    told = outcomes.judge_batch(429, page, (ORDER, OTHER))
    assert [one.why for one in told if isinstance(one, Unknown)] == [Doubt.CONTRADICTORY] * 2


def test_words_that_nobody_knows_stay_in_doubt_whatever_stands_beside_them() -> None:
    told = judge_post(200, body(make_reply(success=False, errorMsg="new words")), ORDER)
    assert isinstance(told, Unknown)
    assert told.why is Doubt.UNRECOGNISED


def test_unreadable_entry_of_a_batch_of_another_length_spoils_nothing() -> None:
    told = judge_batch(200, body([make_reply(), 7, 8]), (ORDER, OTHER))
    assert isinstance(told[0], Accepted)
    assert isinstance(told[1], Unknown)


@pytest.mark.parametrize("spoilt", [{"success": True}, {"orderID": ORDER}])
def test_rate_limit_told_of_an_order_that_may_be_in_is_no_refusal(
    spoilt: dict[str, object],
) -> None:
    fields = make_refusal("rate limit exceeded") | {"status": "delayed"}
    assert isinstance(judge_post(200, body(fields), ORDER), Rejected)
    told = judge_post(200, body(fields | spoilt), ORDER)
    assert isinstance(told, Unknown)
    assert told.why is Doubt.CONTRADICTORY
