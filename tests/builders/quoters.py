"""Clients that quote in the pure venue without signing: one careless, one the real strategy.

Orders go straight to the exchange, so that many markets cost little; everything else is the
venue as it is. What a step decides takes effect one step later.
"""

from services.simulator.markets import MIN_SIZE_E6, Market
from services.simulator.matching import Ladder, Order
from services.simulator.verdicts import Placed
from services.strategy.interface import Holding, MarketContext
from services.strategy.market_making import MarketMaking
from shared.config import LimitSettings, MarketMakingSettings
from shared.facts import BookView, Level, MarketInfo, MarketView, ReferencePrice, Side
from shared.units import (
    NS_PER_MS,
    PRICE_ONE_E4,
    MonotonicNs,
    PriceE4,
    ReferenceE18,
    SizeE6,
    WallMs,
)
from tests.builders.venue_rig import VenueRig

STEP_S = 0.1
SHARE = 1_000_000
VIEW_LEVELS = 5
CUTOFF_MS = 20_000
CARELESS_MIN_E4 = 1_500


class Quoter:
    """A client with an account, and its open orders by what they are for.

    `gain` sums every fill's distance from the fair value of its moment, in dollars: what the
    client wins on average. The luck of how its markets end is not in it.
    """

    def __init__(self, rig: VenueRig, address: str) -> None:
        self.rig = rig
        self.address = address
        self.account = rig.core.exchange.accounts.get(address)
        self.live: dict[object, Order] = {}
        self.fills = 0
        self.gain = 0.0
        self._count = 0

    def advance(self, seconds: float) -> None:
        """Let time pass, and value what was bought and sold meanwhile at the fair value."""
        exchange = self.rig.core.exchange
        for _ in range(round(seconds / STEP_S)):
            market = self.rig.market
            before = self._owned(market)
            self.rig.advance(STEP_S)
            fair = self.rig.core._participants.fair_e4(market)
            if fair is None or market.condition_id not in exchange.calendar.by_condition:
                continue
            money, up, down = (
                now - then for now, then in zip(self._owned(market), before, strict=True)
            )
            self.gain += (money + (up * fair + down * (PRICE_ONE_E4 - fair)) / PRICE_ONE_E4) / SHARE
        self.sweep()

    def _owned(self, market: Market) -> tuple[int, int, int]:
        return self.account.collateral, self.holding(market, 0), self.holding(market, 1)

    def holding(self, market: Market, outcome: int) -> int:
        return self.account.balance(market.tokens[outcome])

    def sweep(self) -> None:
        """Forget orders that are gone, and count those that were filled."""
        for key, order in list(self.live.items()):
            if order.status != "LIVE":
                self.fills += order.filled > 0
                del self.live[key]

    def cancel(self, key: object) -> None:
        order = self.live.pop(key)
        if order.status == "LIVE":
            self.rig.core.exchange.cancel(order, self.rig.now, status="CANCELED", cause="asked")
        self.fills += order.filled > 0

    def cancel_all(self) -> None:
        for key in list(self.live):
            self.cancel(key)

    def quote(
        self, key: object, market: Market, outcome: int, side: Side, price: int, size: int
    ) -> None:
        """Place a post-only order; nothing happens where it is refused."""
        self._count += 1
        order = Order(
            order_id=f"{self.address}-{self._count}",
            maker=self.address,
            owner=self.address,
            market=market.condition_id,
            outcome=outcome,
            side=side,
            price=PriceE4(price),
            size=SizeE6(size),
            post_only=True,
        )
        if isinstance(self.rig.core.exchange.place(order, self.rig.now), Placed):
            self.live[key] = order


def careless_minute(quoter: Quoter, half_e4: int, size: int) -> None:
    """Quote both sides around the middle of the book, and keep those prices for a minute."""
    market = quoter.rig.market
    middle = middle_of(market)
    tick = market.tick
    for _ in range(60):
        if middle is not None and CARELESS_MIN_E4 <= middle <= PRICE_ONE_E4 - CARELESS_MIN_E4:
            bid = (middle - half_e4) // tick * tick
            ask = -(-(middle + half_e4) // tick) * tick
            for key, outcome, price in (("bid", 0, bid), ("ask", 1, PRICE_ONE_E4 - ask)):
                if key not in quoter.live and market.state == "OPEN":
                    quoter.quote(key, market, outcome, "BUY", price, size)
        quoter.advance(1)
    quoter.cancel_all()


def middle_of(market: Market) -> int | None:
    bid, ask = market.book.bids.best(), market.book.asks.best()
    return None if bid is None or ask is None else (bid + ask) // 2


class Careful:
    """The market maker of the strategy service, with what its feeds would tell it."""

    def __init__(self, quoter: Quoter, settings: MarketMakingSettings | None = None) -> None:
        self.quoter = quoter
        self._strategy = MarketMaking(settings or MarketMakingSettings(), LimitSettings())
        self._wanted: dict[object, tuple[int, Side, int, int]] = {}

    def step(self) -> None:
        """Do what the last step has decided, decide anew, and let time pass."""
        market = self.quoter.rig.market
        self.quoter.sweep()
        self._apply(market)
        self._wanted = self._decide(market)
        self.quoter.advance(STEP_S)

    def _apply(self, market: Market) -> None:
        quoter = self.quoter
        for key, order in list(quoter.live.items()):
            wanted = self._wanted.get(key)
            if wanted is None or wanted[2] != order.price or key[0] != market.slug:  # type: ignore[index]
                quoter.cancel(key)
        for key, (outcome, side, price, size) in self._wanted.items():
            if key not in quoter.live and market.state == "OPEN" and key[0] == market.slug:  # type: ignore[index]
                quoter.quote(key, market, outcome, side, price, size)

    def _decide(self, market: Market) -> dict[object, tuple[int, Side, int, int]]:
        context = self._context(market)
        if context.now.wall_ms >= market.end_ms - CUTOFF_MS or context.view.books is None:
            return {}
        return {
            (market.slug, target.token, target.side, target.level): (
                market.outcome_of(target.token),
                target.side,
                target.price,
                target.size,
            )
            for target in self._strategy.wish(context).targets
        }

    def _context(self, market: Market) -> MarketContext:
        rig = self.quoter.rig
        now = rig.now
        oracle = rig.core.exchange.oracles[market.asset]
        told_ms = now.wall_ms - rig.settings.oracle_latency_ms
        told = [tick for tick in oracle.history if tick.at_ms <= told_ms]
        twap = market.lookback_ms > 0
        value = told[-1].twap_e8 if twap else told[-1].price_e8
        received_ns = now.monotonic_ns - (told_ms - told[-1].at_ms) * NS_PER_MS
        reference = ReferencePrice(
            market.asset,
            "chainlink_twap_60" if twap else "chainlink",
            ReferenceE18(value * 10**10),
            told[-1].at_ms,
            MonotonicNs(received_ns),
        )
        deviation = rig.settings.volatility_annual / (365 * 86_400) ** 0.5
        bids, asks = _view(market.book.bids), _view(market.book.asks)
        books = (
            BookView(market.tokens[0], bids, asks),
            BookView(market.tokens[1], _mirrored(asks), _mirrored(bids)),
        )
        view = MarketView(
            market=market.condition_id,
            asset=market.asset,
            valid=True,
            reason="",
            proven_ns=now.monotonic_ns,
            tick_e4=market.tick,
            books=books,
            reference=reference,
            strike_e18=ReferenceE18((market.strike_e8 or 0) * 10**10),
            volatility_e9=round(deviation * 1e9),
            venue_ms=now.wall_ms,
        )
        holdings = tuple(self._holding(market, outcome) for outcome in (0, 1))
        return MarketContext(_info(market), view, holdings, (), now)  # type: ignore[arg-type]

    def _holding(self, market: Market, outcome: int) -> Holding:
        size = SizeE6(self.quoter.holding(market, outcome))
        return Holding(size, size, 0)


def _view(ladder: Ladder) -> tuple[Level, ...]:
    prices = list(ladder.from_best())[:VIEW_LEVELS]
    return tuple((PriceE4(price), SizeE6(ladder.total(price))) for price in prices)


def _mirrored(levels: tuple[Level, ...]) -> tuple[Level, ...]:
    return tuple((PriceE4(PRICE_ONE_E4 - price), size) for price, size in levels)


def _info(market: Market) -> MarketInfo:
    return MarketInfo(
        condition_id=market.condition_id,
        slug=market.slug,
        asset=market.asset,
        version=market.version,
        tokens=market.tokens,
        outcomes=("Up", "Down"),
        tick_e4=market.tick,
        min_size_e6=MIN_SIZE_E6,
        neg_risk=False,
        start_ms=market.start_ms,
        end_ms=market.end_ms,
        cutoff_ms=WallMs(market.end_ms - CUTOFF_MS),
        active=True,
        closed=False,
        accepting_orders=True,
        restricted=True,
        fee_rate_e6=70_000,
        taker_delay=True,
    )
