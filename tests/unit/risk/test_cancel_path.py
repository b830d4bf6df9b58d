"""Risk's own cancels: at once, until answered, and never held back."""

from typing import Any

import msgspec
import pytest

from services.risk.cancel_path import CancelPath
from services.risk.requests import RETRY_NS, RequestNumbers
from shared.effects import Effect, HttpFailed, HttpReply, HttpRequest
from shared.units import NS_PER_MS, NS_PER_S, BootNs

NOW = BootNs(NS_PER_S)


def path() -> CancelPath:
    return CancelPath(NS_PER_S, RequestNumbers())


def requests(effects: list[Effect]) -> list[HttpRequest]:
    return [one for one in effects if isinstance(one, HttpRequest)]


def reply(request: HttpRequest, status: int = 200, **spoil: Any) -> HttpReply:
    body: Any = {"canceled": [], "not_canceled": {}} if status == 200 else {"error": "no"}
    fields: dict[str, Any] = {"headers": {}, "body": msgspec.json.encode(body)}
    fields |= spoil
    return HttpReply(request.request_id, status, fields["headers"], fields["body"], NOW)


@pytest.mark.req("INV-4")
def test_cancel_all_leaves_at_once_on_its_own_lane() -> None:
    (request,) = requests(path().cancel_all(NOW))
    assert (request.lane, request.method, request.path) == ("cancel", "DELETE", "/cancel-all")
    assert request.permit is None


def test_one_cancel_all_a_fence_once_the_venue_has_answered() -> None:
    cancels = path()
    (request,) = requests(cancels.cancel_all(NOW))
    cancels.replied(reply(request), NOW)
    assert cancels.tick(BootNs(NOW + 60 * NS_PER_S)) == []
    assert cancels.answered_ns == NOW


@pytest.mark.req("INV-4")
@pytest.mark.parametrize("status", [400, 401, 403, 425, 429, 500, 503])
def test_refused_cancel_all_is_repeated_after_a_quarter_second(status: int) -> None:
    cancels = path()
    (request,) = requests(cancels.cancel_all(NOW))
    cancels.replied(reply(request, status, headers={"retry-after": "30"}), NOW)
    assert cancels.tick(BootNs(NOW + RETRY_NS - 1)) == []
    assert len(cancels.tick(BootNs(NOW + RETRY_NS))) == 1
    assert cancels.attempts == 2


@pytest.mark.parametrize(("text", "wait_ms"), [("0", 50), ("1", 250), ("soon", 250), ("", 250)])
def test_rate_limited_cancel_waits_for_the_earlier_of_both(text: str, wait_ms: int) -> None:
    cancels = path()
    (request,) = requests(cancels.cancel_all(NOW))
    cancels.replied(reply(request, 429, headers={"retry-after": text}), NOW)
    assert bool(cancels.tick(BootNs(NOW + wait_ms * NS_PER_MS)))


def test_unanswered_cancel_all_is_repeated() -> None:
    cancels = path()
    (request,) = requests(cancels.cancel_all(NOW))
    cancels.failed(HttpFailed(request.request_id, True, "deadline", NOW), NOW)
    assert len(cancels.tick(BootNs(NOW + RETRY_NS))) == 1


@pytest.mark.parametrize(("status", "refused"), [(401, True), (403, True), (429, False)])
def test_cancels_answered_by_401_or_403_stop_the_beats_until_one_works(
    status: int, refused: bool
) -> None:
    cancels = path()
    (request,) = requests(cancels.cancel_all(NOW))
    cancels.replied(reply(request, status), NOW)
    assert cancels.refused is refused
    (again,) = requests(cancels.tick(BootNs(NOW + RETRY_NS)))
    cancels.replied(reply(again), NOW)
    assert not cancels.refused


def test_answer_that_is_no_cancel_reply_does_not_count() -> None:
    cancels = path()
    (request,) = requests(cancels.cancel_all(NOW))
    cancels.replied(reply(request, body=b"<html>"), NOW)
    assert cancels.answered_ns is None
    assert cancels.tick(BootNs(NOW + RETRY_NS))


def test_what_a_read_shows_is_cancelled_by_id_one_request_at_a_time() -> None:
    cancels = path()
    (request,) = requests(cancels.cancel(("0xa", "0xb"), NOW))
    assert (request.path, msgspec.json.decode(request.body)) == ("/orders", ["0xa", "0xb"])
    assert cancels.cancel(("0xc",), NOW) == []
    cancels.replied(reply(request), NOW)
    assert len(cancels.cancel(("0xc",), NOW)) == 1
    assert cancels.answered_ns is None


def test_new_fence_cancels_though_the_last_cancel_is_still_out() -> None:
    cancels = path()
    (first,) = requests(cancels.cancel_all(NOW))
    (second,) = requests(cancels.cancel_all(NOW))
    assert not cancels.owns(first.request_id)
    assert cancels.owns(second.request_id)


def test_nothing_is_repeated_once_trading_resumes() -> None:
    cancels = path()
    (request,) = requests(cancels.cancel_all(NOW))
    cancels.failed(HttpFailed(request.request_id, True, "deadline", NOW), NOW)
    cancels.stand_down()
    assert cancels.tick(BootNs(NOW + 10 * NS_PER_S)) == []


@pytest.mark.req("INV-4", "EX-3")
def test_targeted_cancels_that_fail_put_no_cancel_all_off() -> None:
    cancels = path()
    (everything,) = requests(cancels.cancel_all(NOW))
    cancels.replied(reply(everything, 500), NOW)
    (one,) = requests(cancels.cancel(("0xa",), NOW))
    later = BootNs(NOW + RETRY_NS - 1)
    cancels.replied(reply(one, 500), later)
    assert len(cancels.tick(BootNs(NOW + RETRY_NS))) == 1


@pytest.mark.req("EX-13")
def test_targeted_cancel_that_failed_is_repeated_no_faster_than_a_cancel_all() -> None:
    cancels = path()
    (one,) = requests(cancels.cancel(("0xa",), NOW))
    cancels.replied(reply(one, 500), NOW)
    assert cancels.cancel(("0xa",), BootNs(NOW + RETRY_NS - 1)) == []
    assert len(cancels.cancel(("0xa",), BootNs(NOW + RETRY_NS))) == 1


@pytest.mark.req("INV-4")
def test_targeted_cancel_that_worked_holds_back_no_other() -> None:
    cancels = path()
    (one,) = requests(cancels.cancel(("0xa",), NOW))
    cancels.replied(reply(one), NOW)
    assert len(cancels.cancel(("0xb",), NOW)) == 1
