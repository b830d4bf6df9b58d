import pytest

from shared.venue.modes import ModeSignal, VenueMode, read_mode, retry_after_ms


@pytest.mark.req("VEN-1")
@pytest.mark.parametrize(
    ("status", "raw", "mode"),
    [
        (425, b"", VenueMode.RESTARTING),
        (425, b'{"error":"Service is not ready"}', VenueMode.RESTARTING),
        (503, b'{"error":"post-only mode: wait","code":"post_only_mode"}', VenueMode.POST_ONLY),
        (503, b'{"error":"Trading is currently cancel-only. New ..."}', VenueMode.CANCEL_ONLY),
        (503, b'{"error":"Trading is currently disabled. Check ..."}', VenueMode.DISABLED),
        (503, b'{"error":"trading is disabled"}', VenueMode.DISABLED),
        (400, b'{"error":"\'0x01\' address in closed only mode"}', VenueMode.CLOSED_ONLY),
        (400, b'{"error":"\'0x01\' address banned"}', VenueMode.RESTRICTED),
        (403, b"<html>1020</html>", VenueMode.RESTRICTED),
    ],
)
def test_answer_tells_the_venues_mode(status: int, raw: bytes, mode: VenueMode) -> None:
    assert read_mode(status, {}, raw) == ModeSignal(mode, None)


@pytest.mark.parametrize(
    ("status", "raw"),
    [
        (200, b'{"error":"trading is disabled"}'),
        (400, b'{"error":"invalid expiration"}'),
        (429, b""),
        (500, b'{"error":"trading is disabled"}'),
        (503, b"<html>busy</html>"),
    ],
)
def test_other_answers_tell_no_mode(status: int, raw: bytes) -> None:
    assert read_mode(status, {}, raw) is None


@pytest.mark.parametrize(
    ("headers", "raw", "expected"),
    [
        ({"retry-after": "1"}, b"", 1_000),
        ({"retry-after": "0.25"}, b"", 250),
        ({}, b'{"error":"x","retry_after_seconds":79}', 79_000),
        ({"retry-after": "2"}, b'{"error":"x","retry_after_seconds":79}', 2_000),
        ({"retry-after": "601"}, b"", 600_000),
        ({"retry-after": "-1"}, b"", None),
        ({"retry-after": "Fri, 20 Nov 2026 10:00:00 GMT"}, b"", None),
        ({}, b"", None),
        ({}, b'{"error":"x"}', None),
    ],
)
def test_wait_is_read_from_header_or_body_and_bounded(
    headers: dict[str, str], raw: bytes, expected: int | None
) -> None:
    assert retry_after_ms(headers, raw) == expected
