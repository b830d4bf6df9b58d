"""One logical order book a market: price-time priority over both outcomes at once.

A bid for the first outcome at p is an offer of the second at 1 - p, so both outcomes
share one book, kept in prices of the first. Which of the three kinds a match is follows
from the two orders: a buy against a sell of one token is direct, two buys mint a pair,
two sells merge one. Holds no money and no rule about who may trade.

Source: https://docs.polymarket.com/concepts/order-lifecycle (2026-09-28); that the two
token books mirror each other was seen in recorded production frames.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Literal

import msgspec

from shared.facts import Side
from shared.units import PRICE_ONE_E4, PriceE4, SizeE6

Outcome = Literal[0, 1]
TimeInForce = Literal["GTC", "GTD", "FOK", "FAK"]


def book_price(outcome: int, price: int) -> int:
    """Translate a price of one outcome to the first one, or back."""
    return price if outcome == 0 else PRICE_ONE_E4 - price


def is_bid(outcome: int, side: Side) -> bool:
    """Tell whether an order rests on the bid side of the logical book."""
    return (side == "BUY") == (outcome == 0)


class Order(msgspec.Struct, eq=False):
    """An order that may rest; mutable, owned by the exchange.

    Attributes:
        order_id: Its hash.
        maker: Address whose funds it moves, lower case.
        owner: API key of it; empty for the simulator's own participants.
        outcome: Index of its token.
        price: In its own token, 1e-4 USD.
        size: As placed; `filled` of it are matched.
        money: Collateral that a FOK or FAK buy spends, 0 for every other order.
        expires_ms: Wall time at which the venue ends it, None for never.
        builder: Code that it named, lower case; empty for none.
    """

    order_id: str
    maker: str
    owner: str
    market: str
    outcome: int
    side: Side
    price: PriceE4
    size: SizeE6
    time_in_force: TimeInForce = "GTC"
    post_only: bool = False
    money: int = 0
    expiration_s: int = 0
    expires_ms: int | None = None
    created_ms: int = 0
    filled: SizeE6 = SizeE6(0)
    status: str = "LIVE"
    trades: list[str] = msgspec.field(default_factory=list)
    builder: str = ""

    @property
    def remaining(self) -> int:
        """Return what is not matched yet."""
        return self.size - self.filled

    @property
    def is_bid(self) -> bool:
        """Tell on which side of the logical book it belongs."""
        return (self.side == "BUY") == (self.outcome == 0)

    @property
    def book_price(self) -> int:
        """Return its price in terms of the first outcome."""
        return self.price if self.outcome == 0 else PRICE_ONE_E4 - self.price


class Fill(msgspec.Struct, frozen=True):
    """One maker's part of a match, at the maker's price in terms of the first outcome."""

    maker: Order
    size: SizeE6
    price: PriceE4


class Level(msgspec.Struct, eq=False):
    """Orders at one price, oldest first, and their total remaining size.

    Attributes:
        texts: How frames write it in each outcome's book, None after a change.
    """

    orders: dict[str, Order]
    total: int = 0
    texts: tuple[str, str] | None = None


class Ladder:
    """One side of the logical book.

    Attributes:
        prices: Ascending.
        joined: How frames write the side in each outcome's book, None after a change.
    """

    __slots__ = ("best_last", "joined", "levels", "prices")

    def __init__(self, *, best_last: bool) -> None:
        """Make an empty side; bids have their best price last, asks first."""
        self.best_last = best_last
        self.prices: list[int] = []
        self.levels: dict[int, Level] = {}
        self.joined: tuple[str, str] | None = None

    def best(self) -> int | None:
        """Return the best price, None on an empty side."""
        if not self.prices:
            return None
        return self.prices[-1] if self.best_last else self.prices[0]

    def from_best(self) -> Iterator[int]:
        """Iterate over the prices, best first."""
        return reversed(self.prices) if self.best_last else iter(self.prices)

    def add(self, price: int, order: Order) -> None:
        """Append an order at its price."""
        level = self.levels.get(price)
        if level is None:
            level = self.levels[price] = Level({})
            insort(self.prices, price)
        assert order.order_id not in level.orders
        level.orders[order.order_id] = order
        level.total += order.remaining
        level.texts = self.joined = None

    def shrink(self, price: int, order: Order, size: int, *, gone: bool) -> None:
        """Take size off a level, and the order with it when it is gone."""
        level = self.levels[price]
        level.total -= size
        level.texts = self.joined = None
        assert level.total >= 0
        if gone:
            del level.orders[order.order_id]
            if not level.orders:
                assert level.total == 0
                del self.levels[price]
                del self.prices[bisect_left(self.prices, price)]

    def total(self, price: int) -> int:
        """Return the size resting at a price."""
        level = self.levels.get(price)
        return 0 if level is None else level.total


class Book:
    """The two sides, and which of their levels changed since somebody last looked.

    Attributes:
        touched: (is bid, price) of changed levels, in order of their first change, and the
            outcome whose order changed it: frames name that one's token first.
        traded: Whether a match is among the changes.
        taker_outcome: Of the newest match; its token's book is sent first.
    """

    __slots__ = ("asks", "bids", "taker_outcome", "touched", "traded")

    def __init__(self) -> None:
        """Make an empty book."""
        self.bids = Ladder(best_last=True)
        self.asks = Ladder(best_last=False)
        self.touched: dict[tuple[bool, int], int] = {}
        self.traded = False
        self.taker_outcome = 0

    def side(self, *, bid: bool) -> Ladder:
        """Return the bids or the asks."""
        return self.bids if bid else self.asks

    def crosses(self, *, bid: bool, price: int) -> bool:
        """Tell whether an order at this book price would match something."""
        best = self.side(bid=not bid).best()
        if best is None:
            return False
        return best <= price if bid else best >= price

    def rest(self, order: Order) -> None:
        """Let an order rest behind all others at its price.

        An order that would cross is our bug: it must be matched first.
        """
        price = order.book_price
        bid = order.is_bid
        assert order.remaining > 0
        assert not self.crosses(bid=bid, price=price)
        self.side(bid=bid).add(price, order)
        self.touched.setdefault((bid, price), order.outcome)

    def remove(self, order: Order) -> None:
        """Take a resting order out."""
        price = order.book_price
        bid = order.is_bid
        self.side(bid=bid).shrink(price, order, order.remaining, gone=True)
        self.touched.setdefault((bid, price), order.outcome)

    def makers(self, *, bid: bool, price: int) -> Iterator[tuple[int, Order]]:
        """Iterate over what a taker would meet, best price first, oldest first."""
        ladder = self.side(bid=not bid)
        for level_price in ladder.from_best():
            if (level_price > price) if bid else (level_price < price):
                return
            for order in ladder.levels[level_price].orders.values():
                yield level_price, order

    def fillable_size(self, *, bid: bool, price: int, size_max: int) -> int:
        """Return how many shares a taker could get at its price or better, up to a bound."""
        found = 0
        for _, maker in self.makers(bid=bid, price=price):
            found += maker.remaining
            if found >= size_max:
                return size_max
        return found

    def apply(self, fill: Fill) -> None:
        """Count a fill against its resting maker."""
        maker = fill.maker
        assert 0 < fill.size <= maker.remaining
        maker.filled = SizeE6(maker.filled + fill.size)
        bid = maker.is_bid
        self.side(bid=bid).shrink(fill.price, maker, fill.size, gone=maker.remaining == 0)
        self.touched.setdefault((bid, fill.price), maker.outcome)
        self.traded = True


def fills_by_size(book: Book, *, bid: bool, price: int, size: int) -> list[Fill]:
    """Return the fills of a taker that wants shares: GTC, GTD, FOK and FAK sells."""
    fills: list[Fill] = []
    for level_price, maker in book.makers(bid=bid, price=price):
        if size == 0:
            break
        taken = min(size, maker.remaining)
        fills.append(Fill(maker, SizeE6(taken), PriceE4(level_price)))
        size -= taken
    return fills


def fills_by_money(book: Book, *, outcome: int, price: int, money: int) -> tuple[list[Fill], int]:
    """Return the fills of a buyer that spends collateral, and what it could not spend.

    FOK and FAK buys aim at collateral: a better price gives more shares. What is left is
    below the price of a millionth share when the book was deep enough.
    Source: https://docs.polymarket.com/concepts/order-lifecycle (2026-09-28).
    """
    fills: list[Fill] = []
    bid = outcome == 0
    for level_price, maker in book.makers(bid=bid, price=book_price(outcome, price)):
        own_price = book_price(outcome, level_price)
        affordable = money * PRICE_ONE_E4 // own_price
        taken = min(affordable, maker.remaining)
        if taken == 0:
            break
        fills.append(Fill(maker, SizeE6(taken), PriceE4(level_price)))
        money -= -(-own_price * taken // PRICE_ONE_E4)
    return fills, money
