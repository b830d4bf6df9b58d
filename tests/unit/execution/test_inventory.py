"""What the account can come to hold at most and at least, ingredient by ingredient."""

from typing import Any, get_args

import msgspec
import pytest

from services.execution.inputs import Inputs
from services.execution.inventory import Inventory
from services.execution.lifecycle import Order, as_order
from services.execution.order_checks import Candidate, OwnQuote
from services.execution.order_register import OrderRegister
from services.execution.positions import Positions
from shared.facts import Calendar
from shared.identifiers import ConditionId, OrderHash, StrategyName, TokenId, TradeId
from shared.orders import TERMINAL, OrderState
from shared.units import BootNs, PriceE4, SizeE6
from tests.builders.execution import target
from tests.builders.ledger_rows import build_fill_record, build_order_record
from tests.builders.markets import DOWN, MARKET, UP, instant, market_info

NOW = instant()
MAKER = StrategyName("market_making")


class Account:
    """An inventory and what it looks at; sizes are plain numbers."""

    def __init__(self) -> None:
        self.register = OrderRegister((), NOW)
        self.positions = Positions((), ())
        self.inputs = Inputs(10**9)
        self.inputs.take_calendar(Calendar((market_info(),), NOW.monotonic_ns))
        self.inventory = Inventory(self.register, self.positions, self.inputs)
        self._count = 0

    def trade(self, side: str, size: int, settlement: str, **spoil: Any) -> None:
        self._count += 1
        row: dict[str, Any] = {"market": MARKET, "token": UP, "price_e4": PriceE4(10_000), **spoil}
        self.positions.take(
            build_fill_record(
                trade_id=TradeId(f"t{self._count}"),
                side=side,
                size_e6=SizeE6(size),
                settlement=settlement,
                **row,
            ),
            now_ns=NOW.boot_ns,
        )

    def order(self, side: str, size: int, state: str = "LIVE", **spoil: Any) -> Order:
        self._count += 1
        row: dict[str, Any] = {"market": MARKET, "token": UP, **spoil}
        record = build_order_record(
            order_id=OrderHash(f"0x{self._count}"),
            side=side,
            size_e6=SizeE6(size),
            state=state,
            **row,
        )
        order = as_order(record, NOW)
        self.register.add(order)
        return order

    def extremes(self, token: TokenId = UP) -> tuple[int, int]:
        return self.inventory.extremes_e6(token, BootNs(NOW.boot_ns + 2))

    def read_chain(self, balance: int | None) -> None:
        self.positions.take_chain(UP, balance, BootNs(NOW.boot_ns + 1))

    def available(self, strategy: StrategyName = MAKER) -> int:
        return self.inventory.available_e6(MARKET, UP, strategy, NOW.boot_ns)


@pytest.mark.req("EX-23")
@pytest.mark.parametrize(
    ("side", "settlement", "expected"),
    [
        ("BUY", "MATCHED", (110, 100)),
        ("BUY", "RETRYING", (110, 100)),
        ("BUY", "MINED", (110, 100)),
        ("BUY", "CONFIRMED", (110, 110)),
        ("BUY", "FAILED", (100, 100)),
        ("SELL", "MATCHED", (100, 90)),
        ("SELL", "RETRYING", (100, 90)),
        ("SELL", "MINED", (100, 90)),
        ("SELL", "CONFIRMED", (90, 90)),
        ("SELL", "FAILED", (100, 100)),
    ],
)
def test_trade_counts_for_and_against_us_until_it_is_settled(
    side: str, settlement: str, expected: tuple[int, int]
) -> None:
    account = Account()
    account.trade("BUY", 100, "CONFIRMED")
    account.trade(side, 10, settlement)
    assert account.extremes() == expected


@pytest.mark.req("EX-24")
@pytest.mark.parametrize("state", ["INTENDED", "SUBMITTED", "UNKNOWN", "LIVE", "PARTLY_FILLED"])
@pytest.mark.parametrize(("side", "expected"), [("BUY", (110, 100)), ("SELL", (100, 90))])
def test_order_counts_in_every_state_in_which_it_may_fill(
    state: str, side: str, expected: tuple[int, int]
) -> None:
    account = Account()
    account.trade("BUY", 100, "CONFIRMED")
    account.order(side, 10, state)
    assert account.extremes() == expected


@pytest.mark.parametrize(("side", "expected"), [("BUY", (110, 100)), ("SELL", (100, 90))])
def test_order_counts_the_same_while_its_fills_are_told_one_way_or_the_other(
    side: str, expected: tuple[int, int]
) -> None:
    account = Account()
    account.trade("BUY", 100, "CONFIRMED")
    order = account.order(side, 10)
    account.register.fill(order, 4, NOW)
    assert account.extremes() == expected, "counted by the venue, told by no trade"
    account.register.apply(order, "canceled", NOW)
    assert account.extremes() == expected, "ended, and nobody said how much was filled"
    account.trade(side, 4, "MATCHED")
    account.register.count_leg(order, 4, NOW)
    assert account.extremes() == expected
    account.register.tell_filled(order)
    assert account.extremes() == ((104, 100) if side == "BUY" else (100, 96))


@pytest.mark.req("EX-23")
@pytest.mark.parametrize(
    ("balance", "expected"),
    [(None, (100, 100)), (90, (100, 90)), (100, (100, 100)), (130, (130, 100)), (0, (100, 0))],
)
def test_chain_widens_the_extremes_and_never_narrows_them(
    balance: int | None, expected: tuple[int, int]
) -> None:
    account = Account()
    account.trade("BUY", 100, "CONFIRMED")
    account.read_chain(balance)
    assert account.extremes() == expected


@pytest.mark.parametrize(("settlement", "least"), [("MATCHED", 60), ("MINED", 90)])
def test_sell_that_the_chain_cannot_show_yet_is_taken_off_its_balance(
    settlement: str, least: int
) -> None:
    account = Account()
    account.trade("BUY", 200, "CONFIRMED")
    account.trade("SELL", 30, settlement)
    account.read_chain(90)
    assert account.extremes()[1] == least


@pytest.mark.req("EX-20")
def test_strategy_may_offer_its_own_confirmed_shares_less_its_own_offers() -> None:
    account = Account()
    account.trade("BUY", 100, "CONFIRMED")
    account.trade("BUY", 50, "MINED")
    account.trade("BUY", 40, "CONFIRMED", strategy=StrategyName("other"))
    account.order("SELL", 30)
    assert account.available() == 70
    assert account.available(StrategyName("other")) == 40
    assert account.available(StrategyName("nobody")) == 0


@pytest.mark.req("EX-20")
def test_strategy_may_not_offer_what_a_stranger_sells_or_has_sold() -> None:
    account = Account()
    account.trade("BUY", 100, "CONFIRMED")
    account.order("SELL", 30, strategy=StrategyName("adopted"))
    assert account.available() == 70
    account.trade("SELL", 20, "MATCHED", strategy=StrategyName("adopted"))
    assert account.available() == 50


def test_market_that_left_the_calendar_still_counts() -> None:
    account = Account()
    account.trade("BUY", 100, "CONFIRMED", market=ConditionId("0xgone"), token=TokenId("9"))
    account.trade("BUY", 30, "CONFIRMED", market=ConditionId("0xgone"), token=TokenId("8"))
    account.trade("BUY", 7, "CONFIRMED", token=DOWN)
    assert account.inventory.unpaired_held_e6() == 77
    assert account.inventory._unpaired_e6(MARKET, NOW.boot_ns) == 70
    assert account.inventory._unpaired_e6(ConditionId("0xgone"), NOW.boot_ns) == 7


@pytest.mark.req("EX-14")
def test_exposure_holds_all_that_buys_can_cost() -> None:
    account = Account()
    account.trade("BUY", 1_000_000, "CONFIRMED")
    account.trade("SELL", 400_000, "MATCHED")
    assert account.inventory.exposure_e6() == 1_000_000, "the proceeds may never come"
    buy = account.order("BUY", 1_000_000, price_e4=PriceE4(5_000))
    assert account.inventory.exposure_e6() == 1_500_000
    account.register.apply(buy, "absent", NOW)
    assert account.inventory.exposure_e6() == 1_500_000, "it may have filled before"
    account.order("BUY", 1_000_000, price_e4=PriceE4(5_000), post_only=False)
    assert account.inventory.exposure_e6() == 2_017_500, "half a dollar and the taker's fee"
    account.positions.settle(MARKET, {UP: PriceE4(0), DOWN: PriceE4(10_000)}, NOW)
    assert account.inventory.exposure_e6() == 0


def test_sells_beyond_what_there_is_go_newest_first() -> None:
    account = Account()
    account.trade("BUY", 100, "CONFIRMED")
    first = account.order("SELL", 60)
    second = account.order("SELL", 40)
    assert account.inventory.overdrawn(NOW.boot_ns) == ()
    account.read_chain(99)
    assert account.inventory.overdrawn(BootNs(NOW.boot_ns + 2)) == (second,)
    account.read_chain(59)
    assert account.inventory.overdrawn(BootNs(NOW.boot_ns + 2)) == (first, second)


@pytest.mark.req("EX-26")
@pytest.mark.parametrize("doom", ["", "price_moved"])
@pytest.mark.parametrize("strategy", [MAKER, StrategyName("other"), StrategyName("adopted")])
@pytest.mark.parametrize("state", get_args(OrderState))
def test_candidate_sees_every_order_of_ours_that_may_be_in_its_market(
    state: OrderState, strategy: StrategyName, doom: str
) -> None:
    account = Account()
    order = account.order("BUY", 10, strategy=strategy, token=DOWN)
    order.doom = doom
    order.record = msgspec.structs.replace(order.record, state=state)
    account.register.mark_sent(order, NOW.boot_ns, NOW)
    account.order("BUY", 10, market=ConditionId("0xother"))
    wish = target()
    candidate = Candidate(MAKER, market_info(), wish, wish.price, PriceE4(100))
    seen = account.inventory.load(candidate, 100, NOW).own_quotes
    expected = () if state in TERMINAL else (OwnQuote(DOWN, "BUY", PriceE4(4_900)),)
    assert seen == expected
