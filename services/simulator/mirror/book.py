"""The rules by which our orders match against a real book that does not know of them.

Decides what of a followed market's displayed levels our orders may take, and when a
resting order of ours would have been filled. Every rule errs against us:

- A marketable order takes displayed size at displayed prices. What it took stays taken: of
  a level's later changes only an increase can be taken, and a decrease comes off what was
  left. A level that was empty begins anew.
- A resting order has all ahead of it that its price displayed when it came. Trades at that
  price go to what is ahead first, cancels never bring it forward, and it gets what is left of
  a trade. A trade through its price is its own, since everything ahead must have gone before.
- A trade whose print comes sooner after an order than a print can lag was before the order.
- Displayed size on the other side that would cross a resting order fills it, at the order's
  price and not at the better displayed one, and counts as taken.

Nothing matches while the book is not proven, and nothing that is displayed moves for our
orders: a real taker who would have met us takes what he took in truth as well. Not modelled:
how others would answer to our orders, and an order that was cancelled on its way to a fill.
"""

from collections.abc import Iterable
from itertools import count

import msgspec

from services.simulator.happenings import TradePrinted
from services.simulator.markets import Market
from services.simulator.matching import Fill, Order
from services.simulator.mirror.exchange import MIRROR, MirrorExchange
from shared.facts import Level
from shared.units import NS_PER_MS, PRICE_ONE_E4, Instant, PriceE4, SizeE6


class Shown(msgspec.Struct):
    """One displayed level.

    Attributes:
        size: As the real book shows it.
        left: Of it, what our orders have not taken.
        order: The mirror's resting order of what is left, None for nothing or without proof.
    """

    size: int = 0
    left: int = 0
    order: Order | None = None


class Place(msgspec.Struct):
    """Where a resting order of ours stands in the queue of its price.

    Attributes:
        ahead: Displayed size that must trade before it does.
        since_ns: When it came.
    """

    ahead: int
    since_ns: int


class Print(msgspec.Struct, frozen=True):
    """A real trade, in terms of the first outcome.

    Attributes:
        hits_bids: Whether the taker sold the first outcome, or bought the second.
        size: In 1e-6 share, whole.
    """

    price: int
    size: int
    hits_bids: bool
    transaction_hash: str = ""


class MirrorBook:
    """One followed market: its displayed levels, and the queue places of our orders.

    Attributes:
        doubt: Why nothing matches now; empty while the displayed book is proven.
    """

    def __init__(self, exchange: MirrorExchange, market: Market, print_lag_ms: int) -> None:
        """Start without proof."""
        self.market = market
        self.doubt = "no book yet"
        self._exchange = exchange
        self._print_lag_ns = print_lag_ms * NS_PER_MS
        self._levels: dict[tuple[bool, int], Shown] = {}
        self._places: dict[str, Place] = {}
        self._numbers = count(1)
        exchange.doubt(market, self.doubt)

    # --- what is displayed ----------------------------------------------------------

    def distrust(self, why: str) -> None:
        """Take every displayed level out until the next proof; what was taken stays taken."""
        self.doubt = why
        self._exchange.doubt(self.market, why)
        for shown in self._levels.values():
            self._withdraw(shown)

    def show(self, bids: Iterable[Level], asks: Iterable[Level], now: Instant) -> None:
        """Display proven levels, and fill what they cross."""
        wanted = {(True, int(price)): int(size) for price, size in bids}
        wanted.update(((False, int(price)), int(size)) for price, size in asks)
        if self.doubt:
            self.doubt = ""
            self._exchange.doubt(self.market, "")
        for key in [key for key in self._levels if key not in wanted]:
            self._withdraw(self._levels.pop(key))
        self._adopt(wanted, now)
        grown: list[tuple[bool, int]] = []
        for key, size in wanted.items():
            shown = self._levels.setdefault(key, Shown())
            if size == shown.size and (shown.order is not None or shown.left == 0):
                self._count_taken(shown)
                continue
            self._withdraw(shown)
            shown.left = max(0, shown.left + size - shown.size)
            shown.size = size
            grown.append(key)
        # Best prices first: a real taker who crosses meets them in this order.
        grown.sort(key=lambda key: -key[1] if key[0] else key[1])
        for is_bid, price in grown:
            self._put(self._levels[is_bid, price], bid=is_bid, price=price, now=now)

    def rested(self, order: Order, now: Instant) -> None:
        """Note that an order of ours has come to rest behind what is displayed."""
        shown = self._levels.get((order.is_bid, order.book_price))
        ahead = 0 if shown is None else shown.size
        self._places[order.order_id] = Place(ahead, now.monotonic_ns)

    def ahead_of(self, order: Order) -> int | None:
        """Return the size that must trade before an order of ours, None when it rests nowhere."""
        place = self._places.get(order.order_id)
        return None if place is None else place.ahead

    def _adopt(self, wanted: dict[tuple[bool, int], int], now: Instant) -> None:
        """Give orders of the process before a place behind everything, and forget ended ones."""
        resting = {order.order_id: order for order in self._exchange.resting(self.market)}
        self._places = {name: place for name, place in self._places.items() if name in resting}
        for name, order in resting.items():
            if name not in self._places:
                ahead = wanted.get((order.is_bid, order.book_price), 0)
                self._places[name] = Place(ahead, now.monotonic_ns)

    def _count_taken(self, shown: Shown) -> None:
        if shown.order is not None:
            shown.left = shown.order.remaining
            if shown.left == 0:
                shown.order = None

    def _withdraw(self, shown: Shown) -> None:
        self._count_taken(shown)
        if shown.order is not None:
            self._exchange.withdraw(shown.order)
            shown.order = None

    def _put(self, shown: Shown, *, bid: bool, price: int, now: Instant) -> None:
        """Let a level rest; what of it crosses orders of ours fills them first."""
        if shown.left == 0:
            return
        order = self._order(bid=bid, price=price, size=shown.left)
        fills = self._crossed(order)
        if fills:
            self._exchange.fill(order, fills, now)
        shown.left = order.remaining
        if order.remaining and self._exchange.quote(order):
            shown.order = order

    def _crossed(self, order: Order) -> list[Fill]:
        """Return the fills of our resting orders by a level that reaches their prices."""
        left = order.remaining
        fills: list[Fill] = []
        for price, maker in self.market.book.makers(bid=order.is_bid, price=order.book_price):
            if left and maker.owner:
                size = min(left, maker.remaining)
                fills.append(Fill(maker, SizeE6(size), PriceE4(price)))
                left -= size
        return fills

    # --- what was traded ------------------------------------------------------------

    def printed(self, trade: Print, now: Instant) -> None:
        """Fill our resting orders by a real trade at or through their prices."""
        fills = [] if self.doubt else self._reached(trade, now)
        filled = sum(fill.size for fill in fills)
        if fills:
            worst = fills[-1].price
            taker = self._order(bid=not trade.hits_bids, price=worst, size=filled)
            self._exchange.fill(taker, fills, now)
        if filled < trade.size:
            self._tell(trade, SizeE6(trade.size - filled))

    def _reached(self, trade: Print, now: Instant) -> list[Fill]:
        """Return the fills of a trade: better prices first, then the queue at its own."""
        left = trade.size
        fills: list[Fill] = []
        makers = self.market.book.makers(bid=not trade.hits_bids, price=trade.price)
        for price, maker in makers:
            place = self._places.get(maker.order_id)
            if place is None or now.monotonic_ns - place.since_ns < self._print_lag_ns:
                continue
            if price == trade.price:
                eaten = min(place.ahead, left)
                place.ahead -= eaten
                reach = left - eaten
            else:
                reach = left
            size = min(reach, maker.remaining)
            if size > 0:
                fills.append(Fill(maker, SizeE6(size), PriceE4(price)))
                left -= size
        return fills

    def _tell(self, trade: Print, size: SizeE6) -> None:
        """Print what of a real trade was not ours, as its taker's buy."""
        outcome = 1 if trade.hits_bids else 0
        price = PRICE_ONE_E4 - trade.price if outcome else trade.price
        printed = TradePrinted(
            self.market, outcome, PriceE4(price), size, "BUY", trade.transaction_hash
        )
        self._exchange.traded(printed, trade.price)

    def _order(self, *, bid: bool, price: int, size: int) -> Order:
        """Return an order of the mirror: a bid buys the first outcome, an offer the second."""
        own = price if bid else PRICE_ONE_E4 - price
        return Order(
            order_id=f"0x{int(self.market.condition_id, 16) >> 128:032x}{next(self._numbers):032x}",
            maker=MIRROR,
            owner="",
            market=self.market.condition_id,
            outcome=0 if bid else 1,
            side="BUY",
            price=PriceE4(own),
            size=SizeE6(size),
        )
