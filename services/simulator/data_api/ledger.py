"""Who bought, sold and holds what, as the data service's indexer has seen it.

Computed from the exchange's own trades and balances, nothing else. The indexer reads the chain: it
sees a trade once it is mined, and some time later than everybody else.

Source: https://docs.polymarket.com/api-reference (Data API v2, 2026-09-28).
"""

from collections.abc import Iterator

import msgspec

from services.simulator.accounts import Account
from services.simulator.exchange import Exchange
from services.simulator.markets import Market
from services.simulator.rows import address_of
from services.simulator.trades import Trade
from shared.facts import Side
from shared.units import PRICE_ONE_E4, WallMs


class Part(msgspec.Struct, frozen=True):
    """One party's part of a trade that the chain has taken.

    Attributes:
        count: Of the part within the trade, 0 for the taker's.
        wallet: Lower case.
        price: In 1e-4 USD; size in 1e-6 share; money and fee in 1e-6 USD, the fee apart.
    """

    count: int
    trade: Trade
    market: Market
    wallet: str
    outcome: int
    side: Side
    price: int
    size: int
    money: int
    fee: int
    is_taker: bool

    @property
    def token(self) -> str:
        """Return the token that the party bought or sold."""
        return self.market.tokens[self.outcome]


class Holding(msgspec.Struct, eq=False):
    """What one wallet has of one token, and what it paid, all in 1e-6.

    Attributes:
        cost: Of the shares still held, without fees; each sale takes its share at average cost.
        bought: Shares ever bought.
        paid_out: Whether a resolution has turned the shares into collateral.
    """

    wallet: str
    market: Market
    outcome: int
    size: int = 0
    cost: int = 0
    fees: int = 0
    bought: int = 0
    realized: int = 0
    sunk: int = 0
    first_s: int = 0
    last_s: int = 0
    paid_out: bool = False

    @property
    def token(self) -> str:
        """Return the token held."""
        return self.market.tokens[self.outcome]

    @property
    def price_e4(self) -> int:
        """Return what a share is worth: its payout, or the middle of the book."""
        return price_e4(self.market, self.outcome)

    @property
    def value(self) -> int:
        """Return what the shares are worth."""
        return self.size * self.price_e4 // PRICE_ONE_E4


class Payout(msgspec.Struct, frozen=True):
    """A resolution has turned the shares of a wallet into collateral, maybe into none."""

    holding: Holding
    size: int
    money: int
    at_s: int


def price_e4(market: Market, outcome: int) -> int:
    """Return the price of an outcome in 1e-4 USD, rounded down."""
    if market.winner is not None:
        return PRICE_ONE_E4 if market.winner == outcome else 0
    bid, ask = market.book.bids.best(), market.book.asks.best()
    middle = PRICE_ONE_E4 // 2 if bid is None or ask is None else (bid + ask) // 2
    return middle if outcome == 0 else PRICE_ONE_E4 - middle


class DataLedger:
    """Parts, holdings and payouts."""

    def __init__(self, exchange: Exchange, lag_ms: int) -> None:
        """Set where to look, and how far the indexer is behind."""
        self._exchange = exchange
        self._lag_ms = lag_ms

    def account(self, wallet: str) -> Account | None:
        """Return a wallet's account, None when it has none."""
        return self._exchange.accounts.find(wallet)

    def market(self, condition: str) -> Market | None:
        """Return a market by its padded condition."""
        return self._exchange.calendar.by_condition.get(condition)

    def markets(self) -> Iterator[Market]:
        """Iterate over all markets."""
        return iter(self._exchange.calendar)

    def parts(self, wall_ms: WallMs) -> Iterator[Part]:
        """Iterate over all parts that the indexer has seen, oldest first."""
        for trade in self._exchange.trades.by_id.values():
            market = self.market(trade.market)
            if market is not None and self._has_seen(trade, wall_ms):
                yield from _parts_of(trade, market)

    def _has_seen(self, trade: Trade, wall_ms: WallMs) -> bool:
        is_mined = trade.status in ("MINED", "CONFIRMED")
        return is_mined and trade.match_ms + self._lag_ms <= wall_ms

    def holdings(self, wall_ms: WallMs) -> list[Holding]:
        """Return what every wallet that ever traded has of each token."""
        return self._replay(wall_ms)[0]

    def payouts(self, wall_ms: WallMs) -> list[Payout]:
        """Return what resolutions have paid, oldest market first."""
        return self._replay(wall_ms)[1]

    def _replay(self, wall_ms: WallMs) -> tuple[list[Holding], list[Payout]]:
        held: dict[tuple[str, str], Holding] = {}
        for part in self.parts(wall_ms):
            key = (part.wallet, part.token)
            if key not in held:
                held[key] = Holding(part.wallet, part.market, part.outcome)
            _take(held[key], part)
        accounts = {account.address: account for account in self._exchange.accounts}
        payouts = [
            payout
            for holding in held.values()
            if (payout := self._pay_out(holding, accounts.get(holding.wallet), wall_ms))
        ]
        return list(held.values()), payouts

    def _pay_out(self, holding: Holding, account: Account | None, wall_ms: WallMs) -> Payout | None:
        """Turn shares into collateral where the exchange has done so, and the indexer seen it."""
        market = holding.market
        resolved_ms = market.end_ms + self._exchange.calendar.resolution_ms
        is_seen = market.winner is not None and resolved_ms + self._lag_ms <= wall_ms
        if not is_seen or holding.size <= 0:
            return None
        if account is not None and account.balance(holding.token):
            return None
        size, money = holding.size, holding.value
        holding.realized += money - holding.cost
        holding.size = holding.cost = 0
        holding.paid_out = True
        holding.last_s = resolved_ms // 1000
        return Payout(holding, size, money, holding.last_s)

    def open_interest(self, market: Market) -> int:
        """Return the collateral behind a market's pairs, in 1e-6 USD."""
        return sum(account.balance(market.tokens[0]) for account in self._exchange.accounts)

    def balances(self, token: str) -> dict[str, int]:
        """Return who holds a token now; the simulator's own participants count as one."""
        found: dict[str, int] = {}
        for account in self._exchange.accounts:
            size = account.balance(token)
            if size:
                wallet = address_of(account.address)
                found[wallet] = found.get(wallet, 0) + size
        return found


def _parts_of(trade: Trade, market: Market) -> Iterator[Part]:
    yield Part(
        count=0,
        trade=trade,
        market=market,
        wallet=address_of(trade.maker).lower(),
        outcome=trade.outcome,
        side=trade.side,
        price=trade.price,
        size=trade.size,
        money=trade.money,
        fee=trade.fee,
        is_taker=True,
    )
    for count, part in enumerate(trade.makers, start=1):
        yield Part(
            count=count,
            trade=trade,
            market=market,
            wallet=address_of(part.maker).lower(),
            outcome=part.outcome,
            side=part.side,
            price=part.price,
            size=part.size,
            money=part.money,
            fee=0,
            is_taker=False,
        )


def _take(holding: Holding, part: Part) -> None:
    at_s = part.trade.match_ms // 1000
    holding.first_s = holding.first_s or at_s
    holding.last_s = at_s
    holding.fees += part.fee
    if part.side == "BUY":
        holding.size += part.size
        holding.bought += part.size
        holding.cost += part.money
        holding.sunk += part.money
        return
    sold = min(part.size, holding.size)
    cost = holding.cost * sold // holding.size if holding.size else 0
    holding.cost -= cost
    holding.size -= sold
    holding.realized += part.money - cost
