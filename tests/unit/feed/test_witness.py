import pytest

from services.feed.witness import DISAGREEMENTS_RESUBSCRIBE, StreamedBook
from shared.units import PriceE4, WallMs
from tests.builders.books import VenueBook
from tests.builders.markets import UP


def streamed() -> tuple[StreamedBook, VenueBook]:
    venue = VenueBook(UP)
    book = StreamedBook(UP)
    book.apply_snapshot(venue.snapshot())
    return book, venue


def test_book_that_was_never_streamed_differs_from_any() -> None:
    venue = VenueBook(UP)
    book = StreamedBook(UP)
    assert not book.has_book
    assert book.judge(venue.snapshot(source="rest")) == "different"
    assert book.retell() is None


def test_same_hash_or_same_levels_are_equal() -> None:
    book, venue = streamed()
    assert book.judge(venue.snapshot(source="rest")) == "equal"
    assert book.judge(venue.snapshot(source="rest", hash="", venue_ms=WallMs(1))) == "equal"


def test_other_levels_are_older_or_different_by_their_stamp() -> None:
    book, venue = streamed()
    before = venue.snapshot(source="rest", hash="0" * 40)
    book.apply_change(venue.step("BUY", 4_700, 5), WallMs(venue.venue_ms))
    assert book.judge(before) == "older"
    venue.step("BUY", 4_600, 5)
    assert book.judge(venue.snapshot(source="rest")) == "different"


@pytest.mark.req("DQ-3")
def test_book_that_the_stream_has_told_and_left_agrees_and_proves_nothing() -> None:
    book, venue = streamed()
    before = venue.snapshot(source="rest")
    book.apply_change(venue.step("BUY", 4_700, 5), WallMs(venue.venue_ms))
    assert book.judge(before) == "told"
    assert book.disagreements == 0


@pytest.mark.req("DQ-3")
def test_stream_that_goes_on_and_tells_the_past_is_no_evidence() -> None:
    book, venue = streamed()
    for _ in range(DISAGREEMENTS_RESUBSCRIBE):
        venue.step("BUY", 4_600, 5)
        assert book.advances(book.venue_ms), "it may catch up yet"
        assert book.judge(venue.snapshot(source="rest", bids=())) == "different"
    assert not book.advances(WallMs(venue.venue_ms - 1))
    assert book.advances(WallMs(venue.venue_ms)), "it has caught up"


def test_level_of_size_zero_is_gone() -> None:
    book, venue = streamed()
    book.apply_change(venue.step("SELL", 5_100, 0), WallMs(venue.venue_ms))
    assert book.judge(venue.snapshot(source="rest", hash="")) == "equal"


def test_change_without_a_book_is_ignored() -> None:
    venue = VenueBook(UP)
    book = StreamedBook(UP)
    book.apply_change(venue.step("SELL", 5_100, 0), WallMs(venue.venue_ms))
    assert not book.has_book
    assert book.venue_ms == 0


def test_retold_book_is_the_folded_one_in_the_newest_step() -> None:
    book, venue = streamed()
    change = venue.step("BUY", 4_700, 5)
    book.apply_change(change, WallMs(venue.venue_ms))
    book.apply_tick(PriceE4(10))
    retold = book.retell()
    assert retold == venue.snapshot(last_trade_price=None, tick_e4=PriceE4(10), hash=change.hash)


def test_forgotten_book_is_as_new() -> None:
    book, _ = streamed()
    book.forget()
    assert (book.has_book, book.venue_ms) == (False, 0)
