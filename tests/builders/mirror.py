"""A mirror without streams: displayed levels in, our orders in, fills out."""

from itertools import count

from services.simulator.accounts import Accounts
from services.simulator.happenings import TradeChanged
from services.simulator.markets import Market
from services.simulator.matching import Book, Order, TimeInForce
from services.simulator.mirror.book import MirrorBook, Print
from services.simulator.mirror.exchange import MirrorCalendar, MirrorExchange
from services.simulator.trades import Trade, TradeBook, Trouble
from services.simulator.verdicts import Placed, Refusal
from shared.facts import Level, Side
from shared.identifiers import Asset, ConditionId, TokenId
from shared.units import (
    NS_PER_MS,
    BootNs,
    Instant,
    MoneyE6,
    MonotonicNs,
    PriceE4,
    SizeE6,
    WallMs,
    WallNs,
)

KEY = "key"
CLIENT = "0xclient"
LAG_MS = 250
SHARE = 1_000_000


def at(ms: int) -> Instant:
    """Return a moment on all three clocks."""
    ns = ms * NS_PER_MS
    return Instant(BootNs(ns), MonotonicNs(ns), WallNs(ns))


class MirrorRig:
    """One followed market, and a client with a million dollars and tokens of both outcomes."""

    def __init__(self) -> None:
        self.now_ms = 1_000
        accounts = Accounts(MoneyE6(10**12), MoneyE6(10**18))
        calendar = MirrorCalendar(1)
        trades = TradeBook(accounts, 1, 0, 0)
        self.exchange = MirrorExchange(calendar, accounts, trades, {}, 1, lambda now_ns: Trouble())
        self.exchange.barred = None
        self.market = Market(
            number="7",
            slug="btc-updown-5m-0",
            asset=Asset("btc"),
            condition_id=ConditionId("0x" + "c" * 64),
            tokens=(TokenId("1"), TokenId("2")),
            version="v1",
            listed_ms=WallMs(0),
            start_ms=WallMs(0),
            end_ms=WallMs(300_000),
            lookback_ms=0,
            book=Book(),
        )
        calendar.take_in(self.market)
        self.exchange.advance(self.now)
        self.book = MirrorBook(self.exchange, self.market, LAG_MS)
        self.exchange.on_rest = self.book.rested
        client = accounts.get(CLIENT)
        for token in self.market.tokens:
            accounts.change(client, token, 10**12)
        self._numbers = count(1)

    @property
    def now(self) -> Instant:
        """The present moment."""
        return at(self.now_ms)

    def later(self, ms: int = 1_000) -> None:
        """Let time pass."""
        self.now_ms += ms

    def show(self, bids: dict[int, int], asks: dict[int, int]) -> None:
        """Display levels: prices in cents, sizes in shares."""
        self.book.show(_levels(bids), _levels(asks), self.now)

    def place(
        self,
        side: Side,
        cents: int,
        shares: int,
        *,
        outcome: int = 0,
        post_only: bool = False,
        kind: TimeInForce = "GTC",
    ) -> Order:
        """Place an order that the venue takes."""
        order, outcome_of = self.attempt(
            side, cents, shares, outcome=outcome, post_only=post_only, kind=kind
        )
        assert isinstance(outcome_of, Placed), outcome_of
        return order

    def attempt(
        self,
        side: Side,
        cents: int,
        shares: int,
        *,
        outcome: int = 0,
        post_only: bool = False,
        kind: TimeInForce = "GTC",
    ) -> tuple[Order, Placed | Refusal]:
        """Place an order, and return what the venue says."""
        order = Order(
            order_id=f"0x{next(self._numbers):064x}",
            maker=CLIENT,
            owner=KEY,
            market=self.market.condition_id,
            outcome=outcome,
            side=side,
            price=PriceE4(cents * 100),
            size=SizeE6(shares * SHARE),
            time_in_force=kind,
            post_only=post_only,
        )
        return order, self.exchange.place(order, self.now)

    def trade(self, cents: int, shares: int, *, hits_bids: bool) -> None:
        """Print a real trade, in terms of the first outcome."""
        self.book.printed(Print(cents * 100, shares * SHARE, hits_bids), self.now)

    def trades(self) -> list[Trade]:
        """Return the simulated trades so far, oldest first."""
        return [
            happening.trade
            for happening in self.exchange.happenings
            if isinstance(happening, TradeChanged)
        ]

    def displayed(self) -> tuple[dict[int, int], dict[int, int]]:
        """Return what can be taken: bids and asks, cents and whole shares."""
        book = self.market.book
        bids = {price // 100: level.total // SHARE for price, level in book.bids.levels.items()}
        asks = {price // 100: level.total // SHARE for price, level in book.asks.levels.items()}
        return bids, asks


def filled(order: Order) -> int:
    """Return an order's filled shares."""
    return order.filled // SHARE


def _levels(sizes: dict[int, int]) -> list[Level]:
    return [(PriceE4(cents * 100), SizeE6(shares * SHARE)) for cents, shares in sizes.items()]
