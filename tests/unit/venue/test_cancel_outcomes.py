import json

import pytest

from shared.identifiers import OrderHash
from shared.venue.cancel_outcomes import (
    CancelAnswer,
    Canceled,
    Kept,
    NotCanceled,
    judge_cancel,
)
from shared.venue.outcomes import Rejected, Unknown
from shared.venue.refusals import Doubt, Refusal

ORDER = OrderHash("0x" + "ab" * 32)
OTHER = OrderHash("0x" + "cd" * 32)


def make_answer(canceled: object = (), not_canceled: object = None) -> CancelAnswer:
    value = {"canceled": canceled, "not_canceled": not_canceled}
    found = judge_cancel(200, json.dumps(value).encode())
    assert isinstance(found, CancelAnswer)
    return found


def test_order_that_is_named_as_canceled_is_canceled_whatever_the_case() -> None:
    assert make_answer(["0x" + "AB" * 32], {}).of(ORDER) == Canceled()


def test_order_that_the_answer_does_not_name_is_unknown() -> None:
    for answer in (make_answer([OTHER], {}), make_answer([], {}), make_answer(None, None)):
        found = answer.of(ORDER)
        assert isinstance(found, Unknown)
        assert found.why is Doubt.AMBIGUOUS


def test_order_in_both_lists_is_unknown() -> None:
    found = make_answer([ORDER], {ORDER: "order already matched"}).of(ORDER)
    assert isinstance(found, Unknown)
    assert found.why is Doubt.CONTRADICTORY


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("order already matched", Kept.MATCHED),
        ("Order already matched", Kept.MATCHED),
        ("Order already canceled", Kept.CANCELED_BEFORE),
        ("the order is already canceled", Kept.CANCELED_BEFORE),
        ("Order not found or already canceled", Kept.GONE),
        ("order can't be found - already canceled or matched", Kept.GONE),
        ("Order not found", Kept.NOT_FOUND),
        ("order is pending", Kept.HELD),
        ("new prose", Kept.UNRECOGNISED),
    ],
)
def test_order_that_was_kept_bears_the_reason(text: str, reason: Kept) -> None:
    assert make_answer([], {ORDER: text}).of(ORDER) == NotCanceled(reason, text)


@pytest.mark.parametrize("raw", [b"", b"OK", b"[]", b"{}", b'{"canceled":["0x01"', b"<html>"])
def test_answer_200_that_is_garbage_is_unknown(raw: bytes) -> None:
    assert isinstance(judge_cancel(200, raw), Unknown)


def test_refused_cancel_is_rejected_with_its_reason() -> None:
    for status, reason in (
        (401, Refusal.UNAUTHORISED),
        (403, Refusal.RESTRICTED),
        (425, Refusal.RESTARTING),
        (429, Refusal.RATE_LIMITED),
    ):
        found = judge_cancel(status, b"")
        assert isinstance(found, Rejected)
        assert found.reason is reason
    found = judge_cancel(400, b'{"error":"Invalid orderID"}')
    assert isinstance(found, Rejected)
    assert isinstance(judge_cancel(500, b'{"error":"oops"}'), Unknown)
