"""Trades: what each party gave at once and gets later, and the road to CONFIRMED.

A match takes from both sides at once; what they get arrives when the trade is MINED, as
on the venue, where a seller may not have at once what he has just bought. A trade among
the simulator's own participants is settled on the spot and never told of.

Source: https://docs.polymarket.com/trading/realtime-order-updates (2026-09-28).
"""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Literal

import msgspec

from services.simulator.accounts import COLLATERAL, Accounts, Move
from services.simulator.chance import derive
from services.simulator.matching import Fill, Order, book_price
from shared.facts import Side
from shared.units import NS_PER_MS, PRICE_ONE_E4, Instant, MoneyE6, PriceE4, SizeE6, WallMs

TradeStatus = Literal[
    "MATCHED", "MATCHED_NOT_BROADCASTED", "MINED", "CONFIRMED", "RETRYING", "FAILED"
]

PENDING: tuple[TradeStatus, ...] = ("MATCHED", "MATCHED_NOT_BROADCASTED", "RETRYING")
"""What has been taken, and not been given to anybody yet."""

FEES_ACCOUNT = "fees"
"""Where taker fees go, so that no money is lost from the sum."""


class Step(msgspec.Struct, frozen=True):
    """A status that a trade will have, so long after the one before it."""

    status: TradeStatus
    after_ns: int


class Trouble(msgspec.Struct, frozen=True):
    """What goes wrong with the settlement of one trade.

    Attributes:
        fails: It ends FAILED instead of being mined.
        fails_if_won: It does if the price has moved for a client meanwhile.
        retries: It is RETRYING before that.
        undone: It ends FAILED after it was CONFIRMED, if both sides can give back.
        unsent_ns: So long it is MATCHED_NOT_BROADCASTED; None for never.
        slow_ns: So much longer it takes until it is mined.
    """

    fails: bool = False
    fails_if_won: bool = False
    retries: bool = False
    undone: bool = False
    unsent_ns: int | None = None
    slow_ns: int = 0


NO_TROUBLE = Trouble()


class MakerPart(msgspec.Struct, frozen=True):
    """One maker's part of a trade, in the token and side of his own order."""

    order_id: str
    owner: str
    maker: str
    outcome: int
    side: Side
    price: PriceE4
    size: SizeE6
    money: MoneyE6


class Trade(msgspec.Struct, eq=False):
    """One taker order against all makers at one price.

    Attributes:
        price: In the taker's token.
        fee: Paid by the taker, on top of a buy and out of the proceeds of a sell.
        taken: Moves made at the match, negative amounts.
        given: Moves to be made when it is mined.
        bucket: Number of the trade within the taker's match.
        fails_if_won: Whether it is not mined if a client would gain by it.
        ahead: What it will go through.
        names: Of the outcomes.
    """

    trade_id: str
    market: str
    tokens: tuple[str, str]
    taker_order_id: str
    owner: str
    maker: str
    outcome: int
    side: Side
    price: PriceE4
    size: SizeE6
    money: MoneyE6
    fee: MoneyE6
    makers: tuple[MakerPart, ...]
    taken: tuple[Move, ...]
    given: tuple[Move, ...]
    bucket: int
    match_ms: WallMs
    updated_ms: WallMs
    status: TradeStatus = "MATCHED"
    transaction_hash: str = ""
    fails_if_won: bool = False
    ahead: tuple[Step, ...] = ()
    names: tuple[str, str] = ("Up", "Down")

    @property
    def token(self) -> str:
        """Return the taker's token."""
        return self.tokens[self.outcome]

    @property
    def owners(self) -> tuple[str, ...]:
        """Return the API keys that hear of it, the taker's first, each once."""
        keys = (self.owner, *(part.owner for part in self.makers))
        return tuple(key for key in dict.fromkeys(keys) if key)


def maker_part(taker_outcome: int, fill: Fill) -> tuple[MakerPart, MoneyE6]:
    """Return a maker's part of a fill, and the money of the taker's side of it.

    The maker's money is rounded down to the micro-dollar, as the exchange contract does. In
    a direct match the taker's is the same; in a mint or a merge it is what is missing to, or
    left of, one dollar a share, so that pairs are always backed exactly.
    """
    maker = fill.maker
    price = book_price(maker.outcome, fill.price)
    money = price * fill.size // PRICE_ONE_E4
    part = MakerPart(
        order_id=maker.order_id,
        owner=maker.owner,
        maker=maker.maker,
        outcome=maker.outcome,
        side=maker.side,
        price=PriceE4(price),
        size=fill.size,
        money=MoneyE6(money),
    )
    return part, MoneyE6(money if maker.outcome == taker_outcome else fill.size - money)


def side_moves(
    maker: str, token: str, side: Side, size: int, money: int, fee: int
) -> tuple[Move, Move]:
    """Return what one party gives (negative) and what it gets."""
    if side == "BUY":
        return Move(maker, COLLATERAL, -money - fee), Move(maker, token, size)
    return Move(maker, token, -size), Move(maker, COLLATERAL, money - fee)


def trade_id_of(seed: int, number: int) -> str:
    """Return the n-th trade id, shaped as a uuid."""
    digits = f"{derive(seed, 'trade', str(number)):064x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"


def is_for_nobody(taker: Order, parts: list[MakerPart]) -> bool:
    """Tell whether no client has a part in a trade."""
    return not taker.owner and not any(part.owner for part in parts)


def is_gain(trade: Trade, middle_e4: int) -> bool:
    """Tell whether a client gained by a trade, if the first outcome is worth so much now."""
    parts = [(trade.owner, trade.outcome, trade.side, trade.price)]
    parts += [(part.owner, part.outcome, part.side, part.price) for part in trade.makers]
    return any(
        (book_price(outcome, middle_e4) > price) == (side == "BUY")
        for owner, outcome, side, price in parts
        if owner
    )


class TradeBook:
    """All trades with a client's part, and when each moves on.

    Attributes:
        by_id: In the order of their matches.
        is_won: Tells whether a client would gain by a trade now.
    """

    def __init__(self, accounts: Accounts, seed: int, mined_ns: int, confirmed_ns: int) -> None:
        """Set the delays from MATCHED to MINED, and from there to CONFIRMED."""
        self._accounts = accounts
        self._seed = seed
        self._mined_ns = mined_ns
        self._confirmed_ns = confirmed_ns
        self.is_won: Callable[[Trade], bool] = lambda trade: False
        self._due: list[tuple[int, int, Trade]] = []
        self._count = 0
        self.by_id: dict[str, Trade] = {}
        self.by_market: dict[str, list[str]] = {}

    def add(self, trade: Trade, now_ns: int, trouble: Trouble = NO_TROUBLE) -> None:
        """Keep a trade that has just matched, and take what its parties give."""
        self._keep(trade)
        trade.fails_if_won = trouble.fails_if_won
        trade.ahead = self._road(trouble)
        self._accounts.apply(trade.taken)
        self._schedule(trade, now_ns)

    def resume(self, trade: Trade, now: Instant) -> None:
        """Keep a trade of the life before; it moves on when it would have, or at once."""
        self._keep(trade)
        if not trade.ahead and trade.status in ("MATCHED", "MINED"):
            # A row of the days when the road was not written down.
            trade.ahead = self._road(NO_TROUBLE)[trade.status == "MINED" :]
        if trade.ahead:
            age_ns = max(0, now.wall_ns - trade.updated_ms * NS_PER_MS)
            self._schedule(trade, now.monotonic_ns - age_ns)

    def _keep(self, trade: Trade) -> None:
        self.by_id[trade.trade_id] = trade
        self.by_market.setdefault(trade.market, []).append(trade.trade_id)

    def advance(self, now_ns: int, wall_ms: WallMs) -> list[Trade]:
        """Move on what is due, and return the trades whose status changed."""
        changed: list[Trade] = []
        while self._due and self._due[0][0] <= now_ns:
            trade = heappop(self._due)[2]
            self._move_on(trade)
            trade.updated_ms = wall_ms
            changed.append(trade)
            if trade.ahead:
                self._schedule(trade, now_ns)
        return changed

    def next_ns(self) -> int | None:
        """Return when the next trade moves on."""
        return self._due[0][0] if self._due else None

    def pending(self) -> list[Trade]:
        """Return the trades whose parties have given and not got."""
        return [trade for trade in self.by_id.values() if trade.status in PENDING]

    def forget(self, market: str) -> None:
        """Drop the trades of a market."""
        for trade_id in self.by_market.pop(market, []):
            del self.by_id[trade_id]

    def _schedule(self, trade: Trade, now_ns: int) -> None:
        self._count += 1
        heappush(self._due, (now_ns + trade.ahead[0].after_ns, self._count, trade))

    def _road(self, trouble: Trouble) -> tuple[Step, ...]:
        """Return what a trade goes through; each trouble comes before it is mined."""
        road: list[Step] = []
        if trouble.unsent_ns is not None:
            road.append(Step("MATCHED_NOT_BROADCASTED", 0))
        mined_ns = self._mined_ns + trouble.slow_ns + (trouble.unsent_ns or 0)
        if trouble.retries:
            road.append(Step("RETRYING", mined_ns))
        if trouble.fails:
            return (*road, Step("FAILED", mined_ns))
        road += [Step("MINED", mined_ns), Step("CONFIRMED", self._confirmed_ns)]
        return (*road, Step("FAILED", self._confirmed_ns)) if trouble.undone else tuple(road)

    def _move_on(self, trade: Trade) -> None:
        step, *rest = trade.ahead
        trade.ahead = tuple(rest)
        if trade.status == "CONFIRMED":
            self._undo(trade)
            return
        trade.status = step.status
        if step.status == "MINED" and trade.fails_if_won and self.is_won(trade):
            trade.status = "FAILED"
            trade.ahead = ()
        if trade.status == "FAILED":
            self._accounts.apply(trade.taken, sign=-1)
        if trade.status == "MINED":
            self._accounts.apply(trade.given)
            digits = derive(self._seed, "transaction", trade.trade_id)
            trade.transaction_hash = f"0x{digits:064x}"

    def _undo(self, trade: Trade) -> None:
        """Take a confirmed trade back; it stays where somebody has used what he got."""
        needed: dict[tuple[str, str], int] = {}
        for move in trade.given:
            place = (move.account, move.token)
            needed[place] = needed.get(place, 0) + move.amount
        if any(self._accounts.get(who).free(what) < need for (who, what), need in needed.items()):
            return
        trade.status = "FAILED"
        self._accounts.apply(trade.given, sign=-1)
        self._accounts.apply(trade.taken, sign=-1)
