"""Second opinions about many books at once, and about lively ones now and then."""

from typing import Any

import msgspec
import pytest

from services.feed.opinions import (
    BATCH_EVERY_NS,
    COMPARE_EVERY_NS,
    SINGLES_MAX,
    WITNESS_AFTER_NS,
)
from shared.effects import HttpReply, HttpRequest
from shared.facts import MarketInfo
from shared.identifiers import TokenId
from shared.units import NS_PER_MS, BootNs
from tests.builders.books import VenueBook
from tests.builders.feeds import at, of_type
from tests.builders.market_feed import Rig, frame_of, listed, ready, rest_of

AFTER_MS = WITNESS_AFTER_NS / NS_PER_MS
COUNT = SINGLES_MAX


def market(number: int) -> MarketInfo:
    tokens = (TokenId(str(10 * number)), TokenId(str(10 * number + 1)))
    return listed(condition_id=f"0x{number:064x}", tokens=tokens)


def many() -> tuple[Rig, list[VenueBook]]:
    """Return a feed with more silent tokens than are asked about one by one."""
    rig = Rig(*(market(number) for number in range(1, COUNT + 1)))
    books = [VenueBook(token, info) for info in rig.markets for token in info.tokens]
    rig.open(at(0))
    rig.hear([frame_of(book) for book in books], at(0))
    return rig, books


def reads(rig: Rig, milliseconds: float) -> list[HttpRequest]:
    return of_type(rig.feed.on_tick(at(milliseconds)), HttpRequest)


def answer(rig: Rig, request: HttpRequest, rows: list[Any], milliseconds: float) -> None:
    body = msgspec.json.encode(rows)
    rig.feed.on_message(HttpReply(request.request_id, 200, {}, body, BootNs(0)), at(milliseconds))


@pytest.mark.req("KS-4")
def test_many_silent_tokens_are_asked_about_in_one_read_whose_order_says_nothing() -> None:
    rig, books = many()
    (request,) = reads(rig, AFTER_MS)
    assert (request.method, request.path) == ("POST", "/books")
    assert {row["token_id"] for row in msgspec.json.decode(request.body)} == {
        book.token for book in books
    }
    rows = [msgspec.json.decode(rest_of(book)) for book in reversed(books)]
    answer(rig, request, rows[1:], AFTER_MS + 50)
    proven = {book.token: rig.evident_ms(book.token, at(AFTER_MS + 50)) for book in books}
    assert proven.pop(books[-1].token) == 0, "one that was not told of is not proven"
    assert set(proven.values()) == {AFTER_MS}


def test_reads_of_many_books_keep_a_distance() -> None:
    rig, _ = many()
    assert len(reads(rig, AFTER_MS)) == 1
    assert reads(rig, AFTER_MS + BATCH_EVERY_NS / NS_PER_MS) == [], "all were just asked about"
    assert len(reads(rig, 2 * AFTER_MS)) == 1


@pytest.mark.req("DQ-3")
def test_lively_book_is_compared_now_and_then_all_the_same() -> None:
    rig = ready()
    every_ms = COMPARE_EVERY_NS // NS_PER_MS
    asked: list[int] = []
    for milliseconds in range(100, every_ms + 200, 100):
        rig.hear([frame_of(rig.up), frame_of(rig.down)], at(milliseconds))
        asked += [milliseconds] * len(reads(rig, milliseconds))
    assert asked == [every_ms, every_ms]


@pytest.mark.req("KS-4")
def test_answer_about_a_stream_that_has_begun_anew_says_nothing() -> None:
    rig, books = many()
    (request,) = reads(rig, AFTER_MS)
    shard = rig.feed._shards.all()[0]
    shard.connection.session += 1
    answer(rig, request, [msgspec.json.decode(rest_of(book)) for book in books], AFTER_MS + 50)
    assert rig.evident_ms(books[0].token, at(AFTER_MS + 50)) == 0
