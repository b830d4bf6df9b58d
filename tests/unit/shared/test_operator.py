"""Requests on the control socket are checked against the schema; nothing else is obeyed."""

import pytest

from shared.operator import (
    REQUEST_BYTES_MAX,
    TEXT_MAX,
    Halt,
    LatchName,
    RequestRefused,
    Resume,
    ResumeRefused,
    Status,
    Switches,
    decode_reply,
    decode_request,
    encode_reply,
    encode_request,
)

LATCH = LatchName(name="operator_halt", scope="account", scope_id="", version=3)


@pytest.mark.parametrize(
    "request_", [Halt(reason="x"), Resume(latches=(LATCH,), reason="x"), Switches(), Status()]
)
def test_request_survives_the_wire(request_: Halt | Resume | Switches | Status) -> None:
    assert decode_request(encode_request(request_)) == request_


def test_halt_needs_one_word_and_a_reason() -> None:
    assert decode_request(b'{"type":"halt","reason":"smoke"}') == Halt(reason="smoke")


@pytest.mark.req("OP-2")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"type":"halt"}',
        b'{"type":"halt","reason":""}',
        b'{"type":"halt","reason":7}',
        b'{"type":"halt","reason":"x","scope":"galaxy"}',
        b'{"type":"halt","reason":"x","force":true}',
        b'{"type":"Halt","reason":"x"}',
        b'{"type":"resume","reason":"x","latches":[]}',
        b'{"type":"resume","latches":[]}',
        b'{"type":"launch"}',
        b'\xff\xfe{"type":"status"}',
        b'{"type":"status"',
        b"[" * 30_000,
    ],
)
def test_malformed_request_is_refused_with_a_reason(body: bytes) -> None:
    refused = decode_request(body)
    assert isinstance(refused, RequestRefused)
    assert refused.error == "malformed"
    assert 0 < len(refused.detail) <= TEXT_MAX


@pytest.mark.parametrize(("length", "accepted"), [(TEXT_MAX, True), (TEXT_MAX + 1, False)])
def test_reason_is_bounded(length: int, accepted: bool) -> None:
    decoded = decode_request(b'{"type":"halt","reason":"' + b"x" * length + b'"}')
    assert isinstance(decoded, Halt) is accepted


@pytest.mark.parametrize(("excess", "error"), [(0, "malformed"), (1, "oversized")])
def test_request_over_the_bound_is_not_even_decoded(excess: int, error: str) -> None:
    refused = decode_request(b" " * (REQUEST_BYTES_MAX + excess))
    assert isinstance(refused, RequestRefused)
    assert refused.error == error


def test_reply_survives_the_wire() -> None:
    reply = ResumeRefused(blockers=("latch operator_halt has version 4, not 3",))
    assert decode_reply(encode_reply(reply)) == reply
