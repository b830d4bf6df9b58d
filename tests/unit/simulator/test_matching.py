import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.simulator.matching import (
    Book,
    Fill,
    Order,
    book_price,
    fills_by_money,
    fills_by_size,
)
from shared.units import PriceE4, SizeE6

_numbers = itertools.count(1)


def order(**spoil: Any) -> Order:
    members: dict[str, Any] = {
        "order_id": f"order-{next(_numbers)}",
        "maker": "maker",
        "owner": "",
        "market": "0xm",
        "outcome": 0,
        "side": "BUY",
        "price": PriceE4(5_000),
        "size": SizeE6(10),
    }
    return Order(**(members | spoil))


def book_with(*orders: Order) -> Book:
    book = Book()
    for resting in orders:
        book.rest(resting)
    return book


def take(book: Book, taker: Order) -> list[Fill]:
    fills = fills_by_size(book, bid=taker.is_bid, price=taker.book_price, size=taker.remaining)
    for fill in fills:
        book.apply(fill)
    return fills


@pytest.mark.parametrize(
    ("outcome", "side", "bid", "price"),
    [(0, "BUY", True, 4_000), (0, "SELL", False, 4_000), (1, "BUY", False, 6_000),
     (1, "SELL", True, 6_000)],
)  # fmt: skip
def test_every_order_has_its_place_in_the_logical_book(
    outcome: Any, side: Any, bid: bool, price: int
) -> None:
    resting = order(outcome=outcome, side=side, price=PriceE4(4_000))
    assert resting.is_bid is bid
    assert resting.book_price == price


@pytest.mark.parametrize(
    ("maker", "taker"),
    [
        ({"outcome": 0, "side": "SELL"}, {"outcome": 0, "side": "BUY"}),
        ({"outcome": 1, "side": "SELL"}, {"outcome": 1, "side": "BUY"}),
        ({"outcome": 0, "side": "BUY"}, {"outcome": 1, "side": "BUY"}),
        ({"outcome": 0, "side": "SELL"}, {"outcome": 1, "side": "SELL"}),
    ],
    ids=["direct", "direct on the second token", "mint", "merge"],
)
def test_opposite_orders_at_one_price_match(maker: Any, taker: Any) -> None:
    resting = order(**maker)
    book = book_with(resting)
    (fill,) = take(book, order(**taker))
    assert fill.maker is resting
    assert fill.size == 10
    assert book.bids.prices == []
    assert book.asks.prices == []


@pytest.mark.parametrize("price", [5_100, 5_000, 4_999])
def test_buyer_gets_the_sellers_price_or_nothing(price: int) -> None:
    book = book_with(order(side="SELL", price=PriceE4(5_000)))
    fills = take(book, order(price=PriceE4(price)))
    assert [fill.price for fill in fills] == ([5_000] if price >= 5_000 else [])


def test_better_price_goes_first_then_earlier_time() -> None:
    late_best = order(side="SELL", price=PriceE4(4_900))
    first = order(side="SELL", price=PriceE4(5_000))
    second = order(side="SELL", price=PriceE4(5_000))
    book = book_with(first, second, late_best)
    fills = take(book, order(size=SizeE6(25)))
    assert [fill.maker for fill in fills] == [late_best, first, second]
    assert [fill.size for fill in fills] == [10, 10, 5]
    assert second.remaining == 5


def test_canceled_order_gives_up_its_place() -> None:
    first, second = order(side="SELL"), order(side="SELL")
    book = book_with(first, second)
    book.remove(first)
    book.rest(first)
    (fill,) = take(book, order())
    assert fill.maker is second


def test_order_that_would_cross_may_not_rest() -> None:
    book = book_with(order(side="SELL"))
    with pytest.raises(AssertionError):
        book.rest(order())


def test_buyer_by_money_gets_more_shares_at_a_better_price() -> None:
    book = book_with(order(side="SELL", price=PriceE4(4_000), size=SizeE6(100_000_000)))
    fills, left = fills_by_money(book, outcome=0, price=5_000, money=10_000_000)
    assert [fill.size for fill in fills] == [25_000_000]
    assert left == 0


def test_buyer_by_money_keeps_what_the_book_does_not_take() -> None:
    book = book_with(order(side="SELL", price=PriceE4(5_000), size=SizeE6(4_000_000)))
    fills, left = fills_by_money(book, outcome=0, price=5_000, money=10_000_000)
    assert [fill.size for fill in fills] == [4_000_000]
    assert left == 8_000_000


def test_fillable_size_stops_at_the_price_and_at_the_bound() -> None:
    book = book_with(
        order(side="SELL", price=PriceE4(4_900)), order(side="SELL", price=PriceE4(5_100))
    )
    assert book.fillable_size(bid=True, price=5_000, size_max=100) == 10
    assert book.fillable_size(bid=True, price=5_100, size_max=100) == 20
    assert book.fillable_size(bid=True, price=5_100, size_max=15) == 15


TERMS = st.tuples(
    st.sampled_from((0, 1)),
    st.sampled_from(("BUY", "SELL")),
    st.integers(min_value=1, max_value=5).map(lambda cents: cents * 1_000 + 2_000),
    st.integers(min_value=1, max_value=30),
)
ACTIONS = st.lists(st.one_of(TERMS, st.integers(min_value=0, max_value=30)), max_size=60)


def naive_fills(resting: list[Order], taker: Order) -> list[tuple[str, int, int]]:
    """Price-time priority in the most literal way: sort, then walk."""
    left = taker.remaining
    found = []
    sign = 1 if taker.is_bid else -1
    queue = sorted(
        (maker for maker in resting if maker.is_bid != taker.is_bid),
        key=lambda maker: sign * maker.book_price,
    )
    for maker in queue:
        if left == 0 or sign * maker.book_price > sign * taker.book_price:
            break
        size = min(left, maker.remaining)
        found.append((maker.order_id, size, maker.book_price))
        left -= size
    return found


@given(ACTIONS)
def test_book_agrees_with_a_literal_model_whatever_happens(actions: list[Any]) -> None:
    book = Book()
    resting: list[Order] = []
    for action in actions:
        if isinstance(action, int):
            if action < len(resting):
                book.remove(resting.pop(action))
        else:
            outcome, side, price, size = action
            taker = order(outcome=outcome, side=side, price=PriceE4(price), size=SizeE6(size))
            expected = naive_fills(resting, taker)
            fills = take(book, taker)
            assert [(f.maker.order_id, f.size, f.price) for f in fills] == expected
            taker.filled = SizeE6(sum(fill.size for fill in fills))
            resting = [maker for maker in resting if maker.remaining]
            if taker.remaining:
                book.rest(taker)
                resting.append(taker)
        assert_consistent(book, resting)


def assert_consistent(book: Book, resting: list[Order]) -> None:
    """The levels are exactly the resting orders, sorted, summed, and not crossed."""
    for bid in (True, False):
        ladder = book.side(bid=bid)
        totals: dict[int, int] = {}
        for one in resting:
            if one.is_bid == bid:
                totals[one.book_price] = totals.get(one.book_price, 0) + one.remaining
        assert {price: level.total for price, level in ladder.levels.items()} == totals
        assert ladder.prices == sorted(totals)
    best_bid, best_ask = book.bids.best(), book.asks.best()
    assert best_bid is None or best_ask is None or best_bid < best_ask


@given(st.integers(min_value=0, max_value=10_000))
def test_mirroring_a_price_twice_gives_it_back(price: int) -> None:
    assert book_price(1, book_price(1, price)) == price
    assert book_price(0, price) == price
