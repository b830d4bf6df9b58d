"""Whatever becomes of orders and trades without an end, no cap that was checked is exceeded.

A world of two markets and two strategies: orders rest, are in flight or in doubt, end
unseen, are counted by the venue before a trade tells of them; trades settle or fail. After
every step every combination is looked at: each order filled or not, each trade failed or
settled, and each combination must be inside every cap.
"""

from itertools import product
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.execution.inputs import Inputs
from services.execution.inventory import Inventory
from services.execution.lifecycle import Order, as_order
from services.execution.order_checks import Candidate, check_order
from services.execution.order_register import OrderRegister
from services.execution.positions import Positions
from shared.config import LimitSettings
from shared.facts import Calendar
from shared.identifiers import ConditionId, OrderHash, StrategyName, TokenId, TradeId
from shared.ledger_schema import FillRecord
from shared.units import NS_PER_MS, BootNs, PriceE4, SizeE6, WallMs
from shared.venue.rules import taker_fee
from tests.builders.execution import target
from tests.builders.ledger_rows import build_fill_record, build_order_record
from tests.builders.markets import book_view, instant, market_info

SHARE = 1_000_000
LIMITS = LimitSettings(
    shares_per_outcome_max=20,
    unpaired_shares_global_max=14,
    exposure_usd_max=9,
    open_orders_max=4,
    price_collar_e4=9_999,
)
MARKETS = [
    market_info(condition_id=ConditionId(f"0x{n}"), tokens=(TokenId(f"{n}1"), TokenId(f"{n}2")))
    for n in (1, 2)
]
OPEN_ENDS_MAX = 7
"""Orders and trades without an end at once: every combination of them is looked at."""

Leg = tuple[str, str, str, int, int]
"""Strategy, token, side, shares in units, money in units: above zero for money paid."""

NUMBERS = st.integers(0, 11)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("propose",) * 6,
                *("fill", "confirm") * 3,
                "fail",
                "mine",
                "count",
                "cancel",
                "absent",
                "tell",
                "read",
            ]
        ),
        NUMBERS,
        NUMBERS,
        NUMBERS,
    ),
    min_size=4,
    max_size=30,
)


class World:
    """Register and positions with a venue of its own truth around them."""

    def __init__(self) -> None:
        self.ms = 1_000
        self.register = OrderRegister((), self.now)
        self.positions = Positions((), ())
        inputs = Inputs(10**9)
        inputs.take_calendar(Calendar(tuple(MARKETS), self.now.monotonic_ns))
        self.inventory = Inventory(self.register, self.positions, inputs)
        self.fills: dict[tuple[str, str], FillRecord] = {}
        self.hidden: dict[OrderHash, int] = {}
        self.passed = 0
        for strategy, number, shares in (("a", 0, 6), ("b", 0, 6), ("a", 1, 8)):
            for token in MARKETS[number].tokens:
                self.hold(strategy, number, token, shares)

    @property
    def now(self) -> Any:
        return instant(self.ms)

    def step(self, action: str, *numbers: int) -> None:
        self.ms += 100
        getattr(self, action)(*numbers)

    def hold(self, strategy: str, number: int, token: TokenId, shares: int) -> None:
        """Begin with confirmed shares, bought for ten cents each."""
        fill = build_fill_record(
            trade_id=TradeId(f"begin-{strategy}-{token}"),
            order_id=OrderHash(f"0x{'f' * 60}{number}"),
            strategy=StrategyName(strategy),
            market=MARKETS[number].condition_id,
            token=token,
            price_e4=PriceE4(1_000),
            size_e6=SizeE6(shares * SHARE),
            settlement="CONFIRMED",
            match_ms=WallMs(1),
        )
        self.tell_leg(fill)

    def propose(self, where: int, what: int, price: int) -> None:
        """Offer a candidate to the checks of the gate, and let it rest when it passes."""
        if len(self.register.outstanding()) + len(self.positions.unsettled()) >= OPEN_ENDS_MAX:
            return
        info = MARKETS[where // 9]
        side = "SELL" if what % 2 else "BUY"
        taking = price % 4 == 3
        wish = target(
            token=info.tokens[where % 2],
            side=side,
            price=PriceE4(1_000 + 300 * price),
            size=SizeE6((5 + what // 2 * 2) * SHARE),
            post_only=not taking,
            purpose="complete" if taking else "quote",
        )
        strategy = StrategyName("ab"[where // 2 % 3 // 2])
        candidate = Candidate(strategy, info, wish, wish.price, PriceE4(100))
        load = self.inventory.load(candidate, 100, self.now)
        load = msgspec.structs.replace(load, own_quotes=())
        if check_order(candidate, book_view(wish.token), load, LIMITS) is not None:
            return
        self.passed += 1
        state = ("INTENDED", "UNKNOWN", "LIVE")[price % 3]
        record = build_order_record(
            order_id=OrderHash(f"0x{self.passed:064x}"),
            strategy=strategy,
            market=info.condition_id,
            token=wish.token,
            side=side,
            price_e4=wish.price,
            size_e6=wish.size,
            post_only=wish.post_only,
            state=state,
        )
        self.register.add(as_order(record, self.now))
        self.hidden[record.order_id] = wish.size

    def fill(self, which: int, parts: int, _: int) -> None:
        """Let a trade tell of a part of what may still fill."""
        open_orders = [o for o in self.register.outstanding() if self.possible_e6(o)]
        if not open_orders:
            return
        order = open_orders[which % len(open_orders)]
        size = self.possible_e6(order) * min(4, 2 + parts % 4) // 4 // 10_000 * 10_000
        if not size:
            return
        record = order.record
        fill = build_fill_record(
            trade_id=TradeId(f"t{len(self.fills)}"),
            order_id=record.order_id,
            strategy=record.strategy,
            market=record.market,
            token=record.token,
            side=record.side,
            price_e4=record.price_e4,
            size_e6=SizeE6(size),
            fee_e6=0 if record.post_only else taker_fee(record.price_e4, SizeE6(size), 70_000),
            match_ms=WallMs(self.now.wall_ms),
        )
        self.tell_leg(fill)
        self.register.count_leg(order, size, self.now)

    def mine(self, which: int, *_: int) -> None:
        self.end_trade(which, "MINED")

    def confirm(self, which: int, *_: int) -> None:
        self.end_trade(which, "CONFIRMED")

    def fail(self, which: int, *_: int) -> None:
        self.end_trade(which, "FAILED")

    def count(self, which: int, parts: int, _: int) -> None:
        """Let the venue count a part as filled before any trade says so."""
        for order in self.register.exposed()[which % 3 :][:1]:
            more = order.remaining_e6 * (1 + parts % 4) // 4
            self.register.fill(order, order.record.filled_e6 + more, self.now)

    def cancel(self, which: int, *_: int) -> None:
        for order in self.register.exposed()[which % 3 :][:1]:
            self.register.apply(order, "canceled", self.now)

    def absent(self, which: int, *_: int) -> None:
        for order in self.register.exposed()[which % 3 :][:1]:
            self.register.apply(order, "absent", self.now)

    def tell(self, which: int, *_: int) -> None:
        """Let the venue say how much of an ended order was filled: what it counts now."""
        ended = [o for o in self.register.outstanding() if not o.is_exposed]
        for order in ended[which % 3 :][:1]:
            self.hidden[order.record.order_id] = order.record.filled_e6
            self.register.tell_filled(order)

    def read(self, *_: int) -> None:
        """Let a whole read of the trades show that nothing more has filled of what ended."""
        self.ms += 3_000
        for order in self.register.outstanding():
            if not order.is_exposed:
                self.hidden[order.record.order_id] = order.record.filled_e6
        self.register.tell_trades(BootNs(self.now.boot_ns - 10 * NS_PER_MS), 0)

    def end_trade(self, which: int, settlement: str) -> None:
        legs = self.positions.unsettled()
        if legs:
            fill = legs[which % len(legs)]
            self.tell_leg(msgspec.structs.replace(fill, settlement=settlement))

    def tell_leg(self, fill: FillRecord) -> None:
        self.positions.take(fill, now_ns=self.now.boot_ns)
        self.fills[(fill.trade_id, fill.order_id)] = fill

    def possible_e6(self, order: Order) -> int:
        """Return what the venue may still report as traded of an order."""
        return self.hidden[order.record.order_id] - order.legs_e6

    def check(self) -> None:
        """Look at every combination of what may still happen."""
        certain, open_ends = [], []
        for fill in self.fills.values():
            fee = fill.fee_e6
            money = fill.price_e4 * fill.size_e6 // 10_000
            leg = build_leg(fill.strategy, fill.token, fill.side, fill.size_e6, money, fee)
            if fill.settlement == "CONFIRMED":
                certain.append(leg)
            elif fill.settlement != "FAILED":
                open_ends.append(leg)
        for order in self.register:
            record, size = order.record, self.possible_e6(order)
            if size > 0:
                money = record.price_e4 * size // 10_000
                fee = taker_fee(record.price_e4, SizeE6(size), 70_000)
                paid = 0 if record.post_only else fee
                open_ends.append(
                    build_leg(record.strategy, record.token, record.side, size, money, paid)
                )
        assert len(self.register.exposed()) <= LIMITS.open_orders_max
        for choice in product((False, True), repeat=len(open_ends)):
            happened = [leg for leg, is_chosen in zip(open_ends, choice, strict=True) if is_chosen]
            check_caps([*certain, *happened])
        check_sells(certain, open_ends)


def build_leg(strategy: str, token: str, side: str, size: int, money: int, fee: int) -> Leg:
    return strategy, token, side, size, (money if side == "BUY" else -money) + fee


def check_caps(legs: list[Leg]) -> None:
    """One outcome of everything is inside every cap."""
    shares: dict[str, int] = {}
    cost: dict[tuple[str, str], int] = {}
    for strategy, token, side, size, money in legs:
        shares[token] = shares.get(token, 0) + (size if side == "BUY" else -size)
        cost[(strategy, token)] = cost.get((strategy, token), 0) + money
    unpaired = sum(
        abs(shares.get(info.tokens[0], 0) - shares.get(info.tokens[1], 0)) for info in MARKETS
    )
    assert max(shares.values(), default=0) <= LIMITS.shares_per_outcome_max * SHARE
    assert unpaired <= LIMITS.unpaired_shares_global_max * SHARE
    assert sum(max(0, each) for each in cost.values()) <= LIMITS.exposure_usd_max * SHARE


def check_sells(certain: list[Leg], open_ends: list[Leg]) -> None:
    """No strategy can come to have sold more than it was sure to have."""
    least: dict[tuple[str, str], int] = {}
    for strategy, token, side, size, _ in certain:
        signed = size if side == "BUY" else -size
        least[(strategy, token)] = least.get((strategy, token), 0) + signed
    for strategy, token, side, size, _ in open_ends:
        if side == "SELL":
            least[(strategy, token)] = least.get((strategy, token), 0) - size
    assert min(least.values(), default=0) >= 0


@pytest.mark.req("EX-14")
@pytest.mark.req("EX-20")
@pytest.mark.req("EX-23")
@pytest.mark.req("EX-24")
@settings(max_examples=600)
@given(STEPS)
def test_no_combination_of_what_may_happen_exceeds_a_cap(
    steps: list[tuple[str, int, int, int]],
) -> None:
    world = World()
    for step in steps:
        world.step(*step)
        world.check()
