"""Whatever bytes come back, an order is accepted only by an answer that says so entirely."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.identifiers import OrderHash
from shared.venue.outcomes import Accepted, Rejected, Unknown, judge_batch, judge_post
from shared.venue.refusals import Refusal, classify

ORDER = OrderHash("0x" + "ab" * 32)
OTHER = OrderHash("0x" + "cd" * 32)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from([ORDER]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
REPLIES = st.fixed_dictionaries(
    {
        "success": st.sampled_from([True, False, None]),
        "errorMsg": st.sampled_from(["", None, "invalid expiration", "odd"]),
        "orderID": st.sampled_from([ORDER, OTHER, "", None]),
        "status": st.sampled_from(["live", "matched", "", None, "odd"]),
    }
)


@given(st.integers(100, 599), st.binary(max_size=64))
def test_random_bytes_never_accept_an_order(status: int, body: bytes) -> None:
    assert not isinstance(judge_post(status, body, ORDER), Accepted)


@given(JSON)
def test_random_json_with_status_200_is_unknown(value: object) -> None:
    assert isinstance(judge_post(200, json.dumps(value).encode(), ORDER), Unknown)


@given(REPLIES)
def test_reply_accepts_only_when_all_its_parts_do(reply: dict[str, object]) -> None:
    found = judge_post(200, json.dumps(reply).encode(), ORDER)
    entirely = (
        reply["success"] is True
        and not reply["errorMsg"]
        and reply["orderID"] == ORDER
        and reply["status"] in ("live", "matched")
    )
    assert isinstance(found, Accepted) is entirely


@given(st.lists(REPLIES, max_size=3), st.integers(100, 599))
def test_batch_always_has_one_outcome_for_each_order(
    replies: list[dict[str, object]], status: int
) -> None:
    body = json.dumps(replies).encode()
    assert len(judge_batch(status, body, (ORDER, OTHER))) == 2


@given(st.lists(REPLIES, min_size=2, max_size=2))
def test_order_is_never_accepted_by_an_answer_that_names_another(
    replies: list[dict[str, object]],
) -> None:
    found = judge_batch(200, json.dumps(replies).encode(), (ORDER, OTHER))
    for order_id, outcome in zip((ORDER, OTHER), found, strict=True):
        if isinstance(outcome, Accepted):
            assert order_id in [reply["orderID"] for reply in replies]


FRONT_STATUSES = (401, 403, 425, 429, 451)
"""Statuses that are the venue's word by themselves: given in front of its engine."""

WORDS = st.sampled_from(
    [
        "order timed out",
        "could not run the execution",
        "invalid expiration",
        "not found",
        "Duplicated",
    ]
)
BODIES = st.one_of(
    st.binary(max_size=64),
    JSON.map(lambda value: json.dumps(value).encode()),
    REPLIES.map(lambda reply: json.dumps(reply).encode()),
    st.lists(REPLIES, max_size=3).map(lambda replies: json.dumps(replies).encode()),
    WORDS.map(lambda text: json.dumps({"error": text}).encode()),
    WORDS.map(lambda text: f"<html>{text}</html>".encode()),
    st.tuples(REPLIES, st.integers(0, 120)).map(
        lambda pair: json.dumps(pair[0]).encode()[: pair[1]]
    ),
)


@pytest.mark.req("EX-2", "EX-4", "TST-1")
@given(st.integers(100, 599), BODIES)
def test_nothing_rejects_an_order_but_the_venues_own_word(status: int, body: bytes) -> None:
    outcomes = (judge_post(status, body, ORDER), *judge_batch(status, body, (ORDER, OTHER)))
    for outcome in outcomes:
        if not isinstance(outcome, Rejected):
            continue
        is_word = isinstance(classify(outcome.text), Refusal)
        is_timed_out = status == 500 and outcome.reason is Refusal.TIMED_OUT
        assert (
            status in FRONT_STATUSES or is_timed_out or (is_word and status in (200, 400, 404, 503))
        )


@pytest.mark.req("EX-2")
@given(st.lists(REPLIES, max_size=4))
def test_batch_accepts_exactly_the_orders_that_one_whole_entry_names(
    replies: list[dict[str, object]],
) -> None:
    found = judge_batch(200, json.dumps(replies).encode(), (ORDER, OTHER))
    for order_id, outcome in zip((ORDER, OTHER), found, strict=True):
        naming = [reply for reply in replies if reply["orderID"] == order_id]
        whole = len(naming) == 1 and isinstance(
            judge_post(200, json.dumps(naming[0]).encode(), order_id), Accepted
        )
        assert isinstance(outcome, Accepted) is whole
