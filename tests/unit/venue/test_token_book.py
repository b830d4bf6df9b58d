"""A folded book is shown exactly when the venue's hash agrees."""

import pytest

from shared.facts import BookSnapshot, Side
from shared.units import NS_PER_MS, Instant, PriceE4, WallMs
from shared.venue.token_book import (
    HASH_DISAGREES,
    SEARCHES_MAX,
    SETTLE_NS_MAX,
    STEP_CHANGED,
    STEP_NS_MAX,
    ProvenLevels,
    TokenBook,
)
from tests.builders.books import SHARE, VenueBook
from tests.builders.feeds import at
from tests.builders.markets import UP, market_info

SETTLE_MS = SETTLE_NS_MAX / NS_PER_MS
STEP_MS = STEP_NS_MAX / NS_PER_MS


def take(book: TokenBook, snapshot: BookSnapshot, now: Instant) -> bool:
    book.apply_snapshot(snapshot, now.monotonic_ns, now)
    return book.settle(now)


def proven() -> tuple[TokenBook, VenueBook]:
    venue = VenueBook(UP)
    book = TokenBook(market_info(), UP)
    assert take(book, venue.snapshot(), at(0))
    return book, venue


def change(
    book: TokenBook, venue: VenueBook, side: Side, price: int, shares: int, now: Instant
) -> None:
    entry = venue.step(side, price, shares)
    book.apply_change(entry, WallMs(venue.venue_ms), now.monotonic_ns, now)


def shown(book: TokenBook) -> ProvenLevels | None:
    return book.proven


def test_book_without_snapshot_is_doubted() -> None:
    book = TokenBook(market_info(), UP)
    assert (book.doubt, book.proven) == ("no snapshot yet", None)
    assert not book.settle(at(10_000))


def test_snapshot_with_right_hash_is_proven_best_first() -> None:
    book, _ = proven()
    assert book.doubt == ""
    assert book.proven is not None
    assert book.proven.bids == ((4_900, 20 * SHARE), (4_800, 30 * SHARE))
    assert book.proven.asks == ((5_100, 25 * SHARE), (5_200, 10 * SHARE))
    assert book.proven.proven_ns == at(0).monotonic_ns
    assert not book.is_open


def test_change_is_proven_by_the_hash_after_it() -> None:
    book, venue = proven()
    change(book, venue, "BUY", 4_900, 0, at(5))
    assert book.is_open
    assert book.settle(at(5))
    assert book.proven is not None
    assert book.proven.bids == ((4_800, 30 * SHARE),)


def test_book_is_proven_only_after_the_whole_batch() -> None:
    """Eight recorded frames shared one stamp and the hash of the book after all of them."""
    book, venue = proven()
    before = book.proven
    venue.venue_ms += 10
    for price in (4_500, 4_600, 4_700):
        venue.set("BUY", price, 7)
    entries = [venue.change("BUY", price) for price in (4_500, 4_600, 4_700)]
    for place, entry in enumerate(entries):
        now = at(5 + place)
        book.apply_change(entry, WallMs(venue.venue_ms), now.monotonic_ns, now)
        is_last = place == len(entries) - 1
        assert book.settle(now) == is_last
        assert (book.proven is before) != is_last
    assert book.doubt == ""


@pytest.mark.req("DQ-3")
@pytest.mark.parametrize(("late_ms", "is_doubted"), [(-1, False), (0, True), (1, True)])
def test_book_that_does_not_agree_in_time_is_doubted(late_ms: int, *, is_doubted: bool) -> None:
    book, venue = proven()
    entry = venue.step("BUY", 4_700, 9)
    venue.set("BUY", 4_600, 9)  # a change that never arrives
    wrong = venue.change("BUY", 4_700)
    assert wrong.hash != entry.hash
    book.apply_change(wrong, WallMs(venue.venue_ms), at(5).monotonic_ns, at(5))
    assert not book.settle(at(5))
    book.settle(at(5 + SETTLE_MS + late_ms))
    assert bool(book.doubt) == is_doubted
    assert (book.proven is None) == is_doubted


def test_patience_begins_with_the_first_frame_that_is_not_proven() -> None:
    book, venue = proven()
    venue.step("SELL", 5_300, 1)  # lost
    for step in range(6):
        now = at(100 * step)
        change(book, venue, "BUY", 4_500 + step, 1, now)
        book.settle(now)
    assert book.doubt == "hash disagrees"


def test_doubted_book_ignores_changes_until_a_snapshot_proves_it() -> None:
    book, venue = proven()
    book.distrust("gap")
    change(book, venue, "BUY", 4_000, 5, at(1))
    assert not book.settle(at(1))
    assert book.doubt == "gap"
    assert take(book, venue.snapshot(), at(2))
    assert book.doubt == ""


def test_wrong_snapshot_does_not_end_a_doubt() -> None:
    book, venue = proven()
    book.distrust("gap")
    assert not take(book, venue.snapshot(hash="0" * 40), at(2))
    assert book.doubt == "gap"
    assert book.proven is None


def test_older_snapshot_by_request_changes_nothing() -> None:
    book, venue = proven()
    old = venue.snapshot(source="rest")
    change(book, venue, "BUY", 4_700, 9, at(1))
    book.settle(at(1))
    newest = book.proven
    assert not take(book, old, at(2))
    assert book.proven is newest


def test_post_trade_book_is_proven_by_the_searched_last_price() -> None:
    """Post-trade frames hash a last price that no frame before them tells."""
    book, venue = proven()
    venue.venue_ms += 10
    venue.set("SELL", 5_100, 5)
    venue.last_trade = "0.490"
    assert take(book, venue.snapshot(after_trade=True), at(1))
    change(book, venue, "BUY", 4_700, 9, at(2))
    assert book.settle(at(2))


def test_trade_told_after_its_books_helps_to_prove_them() -> None:
    book, venue = proven()
    venue.venue_ms += 10
    venue.last_trade = "0.335"  # off the grid of the step, so that only the print tells it
    assert not take(book, venue.snapshot(after_trade=True), at(1))
    book.note_trade(PriceE4(6_650))
    assert book.settle(at(40))


def test_search_for_the_last_price_is_bounded() -> None:
    book, venue = proven()
    venue.last_trade = "nonsense"
    book.note_trade(PriceE4(5_000))
    for step in range(SEARCHES_MAX + 5):
        change(book, venue, "BUY", 4_000 + step, 1, at(1))
        assert not book.settle(at(1))
    venue.last_trade = "0.500"
    change(book, venue, "BUY", 3_000, 1, at(1))
    assert not book.settle(at(1))


def test_last_price_is_not_searched_without_a_sign_of_a_trade() -> None:
    book, venue = proven()
    venue.last_trade = "0.490"
    change(book, venue, "BUY", 4_700, 9, at(1))
    assert not book.settle(at(1))


@pytest.mark.req("VEN-4", "EX-7")
@pytest.mark.parametrize(("former", "new"), [(100, 10), (10, 100)])
def test_new_price_step_keeps_the_levels_and_the_next_hash_proves_them(
    former: int, new: int
) -> None:
    venue = VenueBook(UP)
    venue.tick = PriceE4(former)
    venue.bids[4_895] = 7 * SHARE
    book = TokenBook(market_info(), UP)
    assert take(book, venue.snapshot(), at(0))
    before = book.proven
    venue.tick = PriceE4(new)
    book.apply_tick(PriceE4(new), at(1))
    assert (book.doubt, book.tick_e4) == ("", new)
    assert shown(book) is before
    assert book.wants_snapshot == STEP_CHANGED
    change(book, venue, "BUY", 4_900, 3, at(2))
    assert book.settle(at(2)), "no whole book was needed"
    assert book.wants_snapshot == ""
    assert book.proven is not None
    assert book.proven.bids[:2] == ((4_900, 3 * SHARE), (4_895, 7 * SHARE))


@pytest.mark.req("VEN-4")
def test_book_that_is_not_proven_under_a_new_step_in_time_is_doubted() -> None:
    book, venue = proven()
    book.apply_tick(PriceE4(10), at(0))
    assert not book.settle(at(STEP_MS - 1))
    assert book.proven is not None
    assert not book.settle(at(STEP_MS))
    assert book.doubt == STEP_CHANGED
    assert shown(book) is None
    venue.tick = PriceE4(10)
    assert take(book, venue.snapshot(), at(STEP_MS + 1))
    assert (book.tick_e4, book.wants_snapshot) == (10, "")


@pytest.mark.req("VEN-4")
def test_frames_hashed_under_the_former_step_prove_levels_but_not_the_step() -> None:
    book, venue = proven()
    book.apply_tick(PriceE4(10), at(0))
    for turn in range(4):
        change(book, venue, "BUY", 4_700, turn + 1, at(1 + turn))
        assert book.settle(at(1 + turn)), "sent before the change, come after it"
    assert book.wants_snapshot == STEP_CHANGED
    change(book, venue, "BUY", 4_700, 9, at(STEP_MS))
    assert not book.settle(at(STEP_MS))
    assert book.doubt == STEP_CHANGED


@pytest.mark.req("VEN-4")
def test_change_hashed_under_a_step_that_is_told_after_it_is_proven_then() -> None:
    book, venue = proven()
    venue.tick = PriceE4(10)
    change(book, venue, "BUY", 4_700, 5, at(1))
    assert not book.settle(at(1))
    book.apply_tick(PriceE4(10), at(2))
    assert book.settle(at(2))
    assert (book.doubt, book.wants_snapshot) == ("", "")


@pytest.mark.req("VEN-4")
def test_wrong_levels_are_not_proven_by_any_step() -> None:
    book, venue = proven()
    book.apply_tick(PriceE4(10), at(0))
    venue.tick = PriceE4(10)
    venue.bids[4_600] = 5 * SHARE
    change(book, venue, "BUY", 4_700, 5, at(1))
    assert not book.settle(at(1))
    assert not book.settle(at(1 + SETTLE_MS))
    assert (book.doubt, book.proven) == (HASH_DISAGREES, None)


@pytest.mark.req("VEN-4")
def test_step_that_goes_back_and_forth_wins_no_time() -> None:
    book, _ = proven()
    for turn in range(6):
        book.apply_tick(PriceE4((10, 100)[turn % 2]), at(turn * STEP_MS / 7))
    book.apply_tick(PriceE4(10), at(STEP_MS - 1))
    book.settle(at(STEP_MS))
    assert book.doubt == STEP_CHANGED


def test_new_step_ends_no_doubt() -> None:
    book, _ = proven()
    book.distrust("gap")
    book.apply_tick(PriceE4(10), at(1))
    book.settle(at(STEP_MS * 2))
    assert (book.doubt, book.tick_e4) == ("gap", 10)


def test_price_step_that_did_not_change_is_no_change() -> None:
    book, _ = proven()
    book.apply_tick(PriceE4(100), at(1))
    assert (book.doubt, book.wants_snapshot) == ("", "")


def test_empty_book_can_be_proven() -> None:
    venue = VenueBook(UP)
    venue.bids.clear()
    venue.asks.clear()
    book = TokenBook(market_info(), UP)
    assert take(book, venue.snapshot(), at(0))
    assert book.proven is not None
    assert (book.proven.bids, book.proven.asks) == ((), ())
    assert not book.proven.is_crossed


@pytest.mark.parametrize(("bid", "is_crossed"), [(5_099, False), (5_100, True), (5_101, True)])
def test_book_is_crossed_from_an_equal_touch_on(bid: int, *, is_crossed: bool) -> None:
    book, venue = proven()
    change(book, venue, "BUY", bid, 1, at(1))
    assert book.settle(at(1))
    assert book.proven is not None
    assert book.proven.is_crossed == is_crossed


@pytest.mark.req("VEN-4")
def test_batch_is_tried_as_whole_when_a_frame_of_the_next_comes() -> None:
    book, venue = proven()
    first = venue.step("BUY", 4_700, 5)
    assert not book.apply_change(first, WallMs(venue.venue_ms), at(1).monotonic_ns, at(1))
    stamp = venue.venue_ms
    second = venue.step("BUY", 4_600, 5)
    assert book.apply_change(second, WallMs(venue.venue_ms), at(2).monotonic_ns, at(2))
    assert book.proven is not None
    assert (book.proven.venue_ms, book.proven.proven_ns) == (stamp, at(2).monotonic_ns)
    assert book.is_open, "the second is not proven yet"
    assert book.settle(at(2))


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_hash_of_both_protocols_is_understood(version: str) -> None:
    market = market_info(version=version)
    venue = VenueBook(UP, market)
    assert take(TokenBook(market, UP), venue.snapshot(), at(0))
