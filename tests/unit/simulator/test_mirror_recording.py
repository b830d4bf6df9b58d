import json

import pytest

from services.simulator.mirror.recording import Unplayable, read_recording
from shared.facts import BookChanged, BookSnapshot, ReferencePrice
from shared.identifiers import Asset
from shared.units import MonotonicNs, ReferenceE18, WallMs
from tests.builders.books import VenueBook
from tests.builders.market_sessions import RecordedSession, calendar, line, own_recording
from tests.builders.markets import DOWN, MARKET, UP, market_info


def test_lines_become_takes_at_their_distances() -> None:
    session = RecordedSession()
    session.change(1_500, "BUY", 4_900, 7)
    recording = read_recording(session.content, None, "btc")
    assert [take.offset_ns for take in recording.takes] == [0, 0, 1_500_000_000]
    kinds = [type(take.events[0]) for take in recording.takes]
    assert kinds == [BookSnapshot, BookSnapshot, BookChanged]
    assert recording.info.tokens == (UP, DOWN)
    assert (recording.winner, recording.left_out) == (None, 0)


def test_sent_frames_pongs_and_blank_lines_are_no_takes() -> None:
    session = RecordedSession()
    sent = {"t": "2026-10-05T23:15:25Z", "dir": "send", "data": "{}"}
    lines = [json.dumps(sent).encode(), b"", line(5, "PONG"), *session.lines]
    assert len(read_recording(b"\n".join(lines), None, "btc").takes) == 2


def test_texts_that_cannot_be_understood_are_counted() -> None:
    session = RecordedSession()
    session.lines.append(line(10, '{"event_type":"price_change"}'))
    assert read_recording(session.content, None, "btc").left_out == 1


def test_outcome_is_taken_from_the_recorded_resolution() -> None:
    session = RecordedSession()
    session.resolved(900, DOWN)
    assert read_recording(session.content, None, "btc").winner == 1


def test_recorders_own_file_is_played_with_prices() -> None:
    book = VenueBook(UP)
    tick = ReferencePrice(
        Asset("btc"), "chainlink", ReferenceE18(10**23), WallMs(1), MonotonicNs(1)
    )
    content = own_recording(
        (0, "feed_discovery", "feed.calendar", calendar()),
        (5, "feed_price", "feed.price", tick),
        (10, "feed_market", "feed.market", book.snapshot()),
        (30, "feed_market", "feed.market", book.frame(book.step("BUY", 4_900, 3))),
        (40, "feed_price", "feed.price", tick),
    )
    recording = read_recording(content, None, "eth")
    assert [take.offset_ns // 1_000_000 for take in recording.takes] == [0, 20, 30]
    assert recording.info == market_info()
    assert recording.has_prices
    assert recording.left_out == 1, "a price before the first book has no place"


def test_damaged_end_of_an_own_file_is_left_out() -> None:
    content = own_recording(
        (0, "feed_discovery", "feed.calendar", calendar()),
        (10, "feed_market", "feed.market", VenueBook(UP).snapshot()),
    )
    recording = read_recording(content + b"torn", None, "btc")
    assert (len(recording.takes), recording.left_out) == (1, 1)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no book"),
        (b"no json\n", "no JSON object"),
        (b'{"payloadUtf8": "{}"}\n', "without receive time"),
        (b'{"receivedAt": "today", "payloadUtf8": "{}"}\n', "receive time 'today'"),
        (b'{"receivedAt": "2026-09-30T11:16:20", "payloadUtf8": "{}"}\n', "without an offset"),
    ],
)
def test_file_that_is_no_recording_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(Unplayable, match=why):
        read_recording(content, None, "btc")


def test_description_of_something_else_is_refused() -> None:
    session = RecordedSession()
    with pytest.raises(Unplayable, match="something else than a market"):
        read_recording(session.content, b"{}", "btc")


def test_market_with_other_rules_is_refused() -> None:
    content = own_recording(
        (0, "feed_discovery", "feed.calendar", calendar(market_info(fee_rate_e6=1))),
        (10, "feed_market", "feed.market", VenueBook(UP).snapshot()),
    )
    with pytest.raises(Unplayable, match="fee rate 1 instead of 70000"):
        read_recording(content, None, "btc")
    assert market_info().condition_id == MARKET
