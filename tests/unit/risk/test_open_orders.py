"""A read of the open orders is whole, or says nothing."""

from typing import Any

import msgspec
import pytest

from services.risk.open_orders import PAGES_MAX, OpenOrdersReader, ReadResult
from services.risk.requests import RETRY_NS, RequestNumbers
from shared.effects import Effect, HttpFailed, HttpReply, HttpRequest
from shared.units import NS_PER_S, BootNs

NOW = BootNs(NS_PER_S)


def reader() -> OpenOrdersReader:
    return OpenOrdersReader(NS_PER_S, RequestNumbers())


def only(effects: list[Effect]) -> HttpRequest:
    (request,) = effects
    assert isinstance(request, HttpRequest)
    return request


def row(name: str) -> dict[str, str]:
    return {
        "id": name,
        "status": "LIVE",
        "market": "m",
        "asset_id": "1",
        "side": "BUY",
        "original_size": "5",
        "size_matched": "0",
        "price": "0.5",
    }


def page(request: HttpRequest, cursor: str, *names: str, **spoil: Any) -> HttpReply:
    body = msgspec.json.encode({"data": [row(name) for name in names], "next_cursor": cursor})
    fields: dict[str, Any] = {"status": 200, "body": body, "sent_ns": NOW} | spoil
    status, content, sent_ns = fields["status"], fields["body"], fields["sent_ns"]
    return HttpReply(request.request_id, status, {}, content, sent_ns)


def test_pages_are_one_read_sent_when_its_first_page_was() -> None:
    reads = reader()
    first = only(reads.begin(NOW))
    assert first.path == "/data/orders?next_cursor=MA=="
    effects, result = reads.replied(page(first, "MTAw", "0xa", sent_ns=BootNs(5)), BootNs(10))
    assert result is None
    second = only(effects)
    assert second.path.endswith("next_cursor=MTAw")
    _, result = reads.replied(page(second, "LTE=", "0xb", sent_ns=BootNs(20)), BootNs(30))
    assert result == ReadResult(BootNs(5), BootNs(30), ("0xa", "0xb"))


@pytest.mark.parametrize(
    "spoil",
    [{"status": 503}, {"status": 401}, {"body": b"[]"}, {"body": b"{}"}, {"body": b"<html>"}],
)
def test_read_that_cannot_be_understood_is_unknown_and_not_empty(spoil: dict[str, Any]) -> None:
    reads = reader()
    request = only(reads.begin(NOW))
    _, result = reads.replied(page(request, "LTE=", **spoil), NOW)
    assert result is not None
    assert result.order_ids is None
    assert result.trouble


def test_list_that_does_not_end_is_unknown() -> None:
    reads = reader()
    effects = reads.begin(NOW)
    result = None
    for _ in range(PAGES_MAX):
        effects, result = reads.replied(page(only(effects), "MTAw"), NOW)
    assert result is not None
    assert result.order_ids is None


def test_empty_cursor_is_no_end() -> None:
    reads = reader()
    _, result = reads.replied(page(only(reads.begin(NOW)), ""), NOW)
    assert result is not None
    assert result.order_ids is None


def test_cursor_of_the_venue_cannot_break_the_request_line() -> None:
    reads = reader()
    effects, _ = reads.replied(page(only(reads.begin(NOW)), "x y\r\nz"), NOW)
    assert only(effects).path == "/data/orders?next_cursor=x%20y%0D%0Az"


def test_failed_read_is_unknown_and_the_next_waits_a_little() -> None:
    reads = reader()
    request = only(reads.begin(NOW))
    result = reads.failed(HttpFailed(request.request_id, True, "deadline", NOW), NOW)
    assert result.order_ids is None
    assert not reads.is_idle(BootNs(NOW + RETRY_NS - 1))
    assert reads.is_idle(BootNs(NOW + RETRY_NS))


def test_abandoned_read_is_not_heard() -> None:
    reads = reader()
    request = only(reads.begin(NOW))
    reads.abandon()
    assert not reads.owns(request.request_id)
    assert reads.is_idle(NOW)
