"""Lists of many pages: what is lost is asked for again, and what moves is never half shown."""

import itertools
import random

import pytest

from services.execution.reconciliation.paged_read import (
    ASKED_PAUSE_NS_MAX,
    PAGE_TRIES_MAX,
    PAGES_MAX,
    PASSES_MAX,
    PAUSE_NS_MAX,
    READ_NS_MAX,
    RETRY_NS,
)
from shared.units import NS_PER_MS, NS_PER_S
from shared.venue.account_wire import PAGE_ROWS_MAX
from tests.builders.markets import instant
from tests.builders.paged_venue import (
    DEADLINE_MS,
    STEP_MS,
    TRIP_MS,
    Fault,
    PagedVenue,
    order_row,
    trade_row,
)

PAGES = 4
FAULTS: list[Fault] = ["lost", (429, {}), (500, {}), (502, {}), (503, {}), (408, {}), (425, {})]


def with_orders(count: int) -> PagedVenue:
    venue = PagedVenue()
    venue.orders = [order_row(number) for number in range(count)]
    return venue


def with_trades(count: int) -> PagedVenue:
    venue = PagedVenue()
    venue.trades = [trade_row(number) for number in range(count)]
    return venue


def numbers(rows: object) -> set[int]:
    assert isinstance(rows, tuple)
    return {int(row.order_id, 16) for row in rows}


@pytest.mark.req("EX-22", "EX-9")
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("page", range(PAGES))
def test_page_that_is_lost_is_asked_for_again_by_itself(page: int, fault: Fault) -> None:
    venue = with_trades(PAGES * PAGE_ROWS_MAX)
    lost_at = page + 1
    venue.spoil = lambda number, offset: fault if number == lost_at else None
    read = venue.read_trades()
    assert read.rows is not None
    assert len({row.trade_id for row in read.rows}) == PAGES * PAGE_ROWS_MAX
    offsets = [offset for offset, _ in venue.asked]
    assert offsets == sorted(
        [*range(0, PAGES * PAGE_ROWS_MAX, PAGE_ROWS_MAX), page * PAGE_ROWS_MAX]
    )


@pytest.mark.parametrize("body", [b"", b"[]", b'{"data":[{"id":"t1"', b"<html>", b'{"data":null}'])
def test_page_that_cannot_be_read_is_asked_for_again(body: bytes) -> None:
    venue = with_trades(2 * PAGE_ROWS_MAX)
    venue.bodies[2] = body
    read = venue.read_trades()
    assert read.rows is not None
    assert len(read.rows) == 2 * PAGE_ROWS_MAX
    assert len(venue.asked) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_refusal_that_will_stand_ends_the_read(status: int) -> None:
    venue = with_trades(2 * PAGE_ROWS_MAX)
    venue.spoil = lambda number, offset: (status, {}) if number == 2 else None
    read = venue.read_trades()
    assert (read.rows, read.trouble) == (None, f"answered by {status}")
    assert len(venue.asked) == 2


@pytest.mark.req("EX-22")
def test_list_counts_from_the_question_for_its_first_page_that_was_answered() -> None:
    venue = with_trades(3 * PAGE_ROWS_MAX)
    venue.spoil = lambda number, offset: "lost" if number in (1, 3) else None
    read = venue.read_trades()
    answered = [at_ms for offset, at_ms in venue.asked if offset == 0][-1]
    assert answered > 0, "the first question was lost"
    assert read.sent_ns == instant(answered).boot_ns
    assert read.answered_ns == venue.now.boot_ns


def test_page_is_tried_so_often_with_longer_and_longer_pauses() -> None:
    venue = with_trades(2 * PAGE_ROWS_MAX)
    venue.spoil = lambda number, offset: (500, {}) if offset else None
    read = venue.read_trades()
    assert (read.rows, read.trouble) == (None, "answered by 500")
    tries = [at_ms for offset, at_ms in venue.asked if offset]
    assert len(tries) == PAGE_TRIES_MAX
    pauses = [after - before - TRIP_MS for before, after in itertools.pairwise(tries)]
    first, most = RETRY_NS // NS_PER_MS, PAUSE_NS_MAX // NS_PER_MS
    assert pauses == [min(first << number, most) for number in range(PAGE_TRIES_MAX - 1)]


@pytest.mark.req("EX-13")
@pytest.mark.parametrize(
    ("asked_s", "pause_ms"), [("0", 250), ("1", 1_000), ("3", 3_000), ("600", 5_000)]
)
def test_pause_that_the_venue_asks_for_is_kept_up_to_a_bound(asked_s: str, pause_ms: int) -> None:
    assert ASKED_PAUSE_NS_MAX == 5 * NS_PER_S
    venue = with_trades(2 * PAGE_ROWS_MAX)
    limited = 429, {"retry-after": asked_s}
    venue.spoil = lambda number, offset: limited if number == 2 else None
    assert venue.read_trades().rows is not None
    (_, first_ms), (_, again_ms) = venue.asked[1:]
    assert again_ms - first_ms - TRIP_MS == pause_ms


@pytest.mark.parametrize(("status", "pause_ms"), [(425, 1_000), (500, 250)])
def test_venue_that_restarts_is_asked_less_often(status: int, pause_ms: int) -> None:
    venue = with_trades(1)
    venue.spoil = lambda number, offset: (status, {}) if number == 1 else None
    assert venue.read_trades().rows is not None
    (_, first_ms), (_, again_ms) = venue.asked
    assert again_ms - first_ms - TRIP_MS == pause_ms


def test_read_that_keeps_on_failing_ends_within_its_time_and_waits_before_the_next() -> None:
    venue = with_trades(200 * PAGE_ROWS_MAX)
    venue.spoil = lambda number, offset: "lost" if number % 2 else None
    read = venue.read_trades()
    assert read.rows is None
    took_ns = venue.now.boot_ns - instant(0).boot_ns
    assert took_ns <= READ_NS_MAX + (DEADLINE_MS + STEP_MS) * NS_PER_MS
    assert not venue.reads.may_read_trades(venue.now)
    venue.run(RETRY_NS // NS_PER_MS)
    assert venue.reads.may_read_trades(venue.now)


def test_list_without_an_end_says_nothing() -> None:
    venue = with_trades((PAGES_MAX + 1) * PAGE_ROWS_MAX)
    read = venue.read_trades()
    assert (read.rows, read.trouble) == (None, "the list does not end")
    venue = with_trades(1)
    venue.bodies = {number: b'{"data":[],"next_cursor":"MA=="}' for number in (1, 2)}
    assert venue.read_trades().trouble == "the list does not end"
    assert len(venue.asked) == 1


def test_longest_list_waits_for_room_within_our_share_of_the_limits() -> None:
    venue = with_trades(PAGES_MAX * PAGE_ROWS_MAX)
    assert venue.read_trades().rows is not None
    venue.take(venue.reads.read_trades(0, venue.now))
    venue.run(3_000)
    assert len(venue.asked) == 250, "half of five hundred in ten seconds"


# --- lists that move while they are read ------------------------------------------


@pytest.mark.req("EX-22", "EX-5")
@pytest.mark.parametrize("gone", [0, 50, 99])
def test_order_behind_one_that_leaves_is_not_called_absent(gone: int) -> None:
    """Offsets move: the first row of the second page slips onto the first, which was read."""
    venue = with_orders(PAGE_ROWS_MAX + 20)

    def leave(number: int, offset: int) -> Fault:
        if number == 2:
            del venue.orders[gone]
        return None

    venue.spoil = leave
    read = venue.read_orders()
    assert numbers(read.rows) == {int(row["id"], 16) for row in venue.orders}
    offsets = [offset for offset, _ in venue.asked]
    assert offsets == [0, 100, 0, 0, 100, 0], "read, found moved, read anew, found still"
    assert read.sent_ns == instant(venue.asked[3][1]).boot_ns


@pytest.mark.req("EX-22")
def test_list_that_grows_at_its_end_is_whole() -> None:
    venue = with_orders(PAGE_ROWS_MAX + 20)

    def come(number: int, offset: int) -> Fault:
        if number == 2:
            venue.orders.append(order_row(1_000))
        return None

    venue.spoil = come
    read = venue.read_orders()
    assert numbers(read.rows) == {*range(PAGE_ROWS_MAX + 20), 1_000}
    assert len(venue.asked) == 3


def test_list_that_grows_at_its_front_is_read_anew() -> None:
    venue = with_orders(PAGE_ROWS_MAX + 20)

    def come(number: int, offset: int) -> Fault:
        if number == 2:
            venue.orders.insert(0, order_row(1_000))
        return None

    venue.spoil = come
    read = venue.read_orders()
    assert numbers(read.rows) == {*range(PAGE_ROWS_MAX + 20), 1_000}


@pytest.mark.req("EX-22")
def test_order_behind_one_that_came_and_left_is_not_called_absent() -> None:
    """The second page is moved by one each time that it is read: no page has lost a row."""
    venue = with_orders(3 * PAGE_ROWS_MAX)

    def come_and_go(number: int, offset: int) -> Fault:
        if number in (2, 5):
            venue.orders.insert(0, order_row(1_000 + number))
        if number in (3, 6):
            del venue.orders[0]
        return None

    venue.spoil = come_and_go
    assert numbers(venue.read_orders().rows) == set(range(3 * PAGE_ROWS_MAX))


@pytest.mark.req("EX-22")
def test_list_that_never_holds_still_says_nothing() -> None:
    venue = with_orders(5 * PAGE_ROWS_MAX)

    def leave(number: int, offset: int) -> Fault:
        if offset:
            del venue.orders[0]
        return None

    venue.spoil = leave
    read = venue.read_orders()
    assert (read.rows, read.trouble) == (None, "the list moves while it is read")
    assert sum(offset == 400 for offset, _ in venue.asked) <= PASSES_MAX


def test_page_that_is_lost_while_looking_again_is_asked_for_again() -> None:
    venue = with_orders(3 * PAGE_ROWS_MAX)
    venue.spoil = lambda number, offset: "lost" if number == 4 else None
    read = venue.read_orders()
    assert numbers(read.rows) == set(range(3 * PAGE_ROWS_MAX))
    assert [offset for offset, _ in venue.asked] == [0, 100, 200, 0, 0, 100]


def test_single_page_is_asked_for_once() -> None:
    venue = with_orders(PAGE_ROWS_MAX)
    assert len(numbers(venue.read_orders().rows)) == PAGE_ROWS_MAX
    assert len(venue.asked) == 1


def test_trades_that_come_meanwhile_are_shown_once() -> None:
    venue = with_trades(3 * PAGE_ROWS_MAX)

    def come(number: int, offset: int) -> Fault:
        if offset:
            venue.trades.insert(0, trade_row(1_000 + number))
        return None

    venue.spoil = come
    read = venue.read_trades()
    assert read.rows is not None
    ids = [row.trade_id for row in read.rows]
    assert len(ids) == len(set(ids))
    assert {f"trade-{number}" for number in range(3 * PAGE_ROWS_MAX)} <= set(ids)


@pytest.mark.req("EX-9")
def test_trade_that_is_told_in_parts_is_shown_with_all_of_them() -> None:
    venue = with_trades(1)
    venue.trades.append({**trade_row(0), "taker_order_id": f"0x{7:064x}"})
    read = venue.read_trades()
    assert read.rows is not None
    assert [int(row.legs[0].order_id, 16) for row in read.rows] == [0, 7]


@pytest.mark.req("EX-22")
@pytest.mark.parametrize("seed", range(30))
def test_whole_list_shows_every_order_that_was_there_all_the_time(seed: int) -> None:
    """Whatever comes, leaves or is lost meanwhile, in either order of the venue's listing."""
    chance = random.Random(seed)
    venue = with_orders(chance.randrange(90, 450))
    fresh = iter(range(10_000, 20_000))
    is_newest_first = chance.random() < 0.5
    gone: dict[int, int] = {}

    def move(number: int, offset: int) -> str | None:
        for _ in range(chance.choice((0, 0, 0, 1, 2))):
            if chance.random() < 0.6:
                row = venue.orders.pop(chance.randrange(len(venue.orders)))
                gone[int(row["id"], 16)] = venue.ms
            else:
                venue.orders.insert(
                    0 if is_newest_first else len(venue.orders), order_row(next(fresh))
                )
        return "lost" if chance.random() < 0.1 else None

    venue.spoil = move
    before = {int(row["id"], 16) for row in venue.orders}
    read = venue.read_orders()
    if read.rows is None:
        return
    stayed = before - set(gone)
    assert stayed <= numbers(read.rows)


# --- newer reads ------------------------------------------------------------------


def test_read_that_waits_makes_room_for_one_that_is_demanded_later() -> None:
    venue = with_trades(2 * PAGE_ROWS_MAX)
    venue.spoil = lambda number, offset: (503, {"retry-after": "5"}) if number == 2 else None
    venue.take(venue.reads.read_trades(0, venue.now))
    venue.run(100)
    assert not venue.reads.may_read_trades(venue.now)
    venue.demanded_ns = venue.now.boot_ns
    venue.run(PAUSE_NS_MAX // NS_PER_MS)
    assert not venue.reads.may_read_trades(venue.now), "the pause stands, up to a bound"
    venue.run(STEP_MS)
    assert venue.reads.may_read_trades(venue.now)
    begun = venue.now.boot_ns
    read = venue.read_trades()
    assert read.sent_ns == begun
    assert not venue.trade_reads[:-1]


@pytest.mark.req("EX-5", "KS-1")
def test_way_to_zero_waits_for_no_older_read_of_the_orders() -> None:
    venue = with_orders(2 * PAGE_ROWS_MAX)
    venue.spoil = lambda number, offset: (503, {"retry-after": "5"}) if number == 2 else None
    venue.take(venue.reads.read_orders(venue.now))
    venue.run(100)
    venue.is_zeroing = True
    venue.run(RETRY_NS // NS_PER_MS + STEP_MS)
    assert venue.reads.may_read_orders(venue.now)
