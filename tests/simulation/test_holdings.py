"""The checkers of holdings find what they are for, and nothing where nothing is wrong."""

import msgspec
import pytest

from ops.simulation.checkers import Findings, Intent
from ops.simulation.holdings import (
    ANSWER_NS_MAX,
    ENDED_WITHIN_NS,
    TOLD_WITHIN_NS,
    DustChecker,
    Key,
    Leg,
    LookUpChecker,
    SureChecker,
)
from services.simulator.markets import MIN_SIZE_E6
from shared.facts import ExecutionStatus, FillFact, OrderFact, PositionFact, Positions
from shared.identifiers import (
    ConditionId,
    Incarnation,
    OrderHash,
    StrategyName,
    TokenId,
    TradeId,
)
from shared.units import (
    NS_PER_S,
    BootNs,
    Instant,
    MoneyE6,
    MonotonicNs,
    PriceE4,
    SizeE6,
    WallNs,
)

ME, LATER = Incarnation(7), Incarnation(8)
MARKET, TOKEN, MAKER = ConditionId("0xm"), TokenId("1"), StrategyName("market_making")
KEY: Key = (MARKET, TOKEN, MAKER)
ORDER = OrderHash("0x01")
NOW_NS = 1_000 * NS_PER_S
SHARE = 1_000_000
TEN = 10 * SHARE


class World:
    """Ledger and account."""

    def __init__(self) -> None:
        self.found = Findings(lambda: 0)
        self.now_ns = NOW_NS
        self.held: dict[str, int] = {}
        self.free = 0
        self.ended: int | None = None
        self.list_ns = NOW_NS
        self.rows: dict[OrderHash, Intent] = {}
        self.stored: list[tuple[Key, Leg, int]] = []

    @property
    def rules(self) -> list[str]:
        return [violation.rule for violation in self.found.violations]

    def intent(self, order_id: OrderHash) -> Intent | None:
        return self.rows.get(order_id)

    def exposed(self, intent: str) -> list[Intent]:
        return []

    def legs(self) -> list[tuple[Key, Leg, int]]:
        return self.stored

    def holdings(self) -> dict[str, int]:
        return self.held

    def free_e6(self, token: str) -> int:
        return self.free

    def resolved_ms(self, token: str) -> int | None:
        return self.ended

    def list_sent_ns(self) -> int:
        return self.list_ns

    def clock_ns(self) -> int:
        return self.now_ns


def position(matched: int = TEN, **changed: object) -> Positions:
    one = PositionFact(
        MAKER, MARKET, TOKEN, SizeE6(matched), SizeE6(matched), SizeE6(matched), MoneyE6(0)
    )
    return Positions((msgspec.structs.replace(one, **changed),))


def fill(settlement: str = "MATCHED", trade: str = "t1") -> FillFact:
    return FillFact(
        TradeId(trade),
        ORDER,
        MAKER,
        MARKET,
        TOKEN,
        "BUY",
        PriceE4(5_000),
        SizeE6(TEN),
        "MAKER",
        settlement,
        MoneyE6(0),
    )


def looker(world: World) -> LookUpChecker:
    checker = LookUpChecker(world.found, world, world)
    checker.told(Positions(()), ME, world.now_ns)
    return checker


def tell(checker: LookUpChecker, world: World, fact: Positions) -> None:
    """Tell the same until nothing can be on its way any more."""
    checker.told(fact, ME, world.now_ns)
    checker.told(fact, ME, world.now_ns + TOLD_WITHIN_NS)


@pytest.mark.req("EX-22")
def test_position_that_its_legs_make_is_right() -> None:
    world = World()
    checker = looker(world)
    checker.told_fill(fill())
    tell(checker, world, position())
    checker.told_fill(fill("FAILED"))
    tell(checker, world, Positions(()))
    assert world.rules == []


@pytest.mark.req("EX-22")
def test_position_that_vanishes_is_found_once_nothing_explains_it() -> None:
    world = World()
    checker = looker(world)
    checker.told_fill(fill())
    checker.told(Positions(()), ME, world.now_ns)
    assert world.rules == []
    checker.told(Positions(()), ME, world.now_ns + TOLD_WITHIN_NS - 1)
    assert world.rules == []
    checker.told(Positions(()), ME, world.now_ns + TOLD_WITHIN_NS)
    assert world.rules == ["EX-22"]


def test_position_of_a_resolved_market_may_vanish() -> None:
    world = World()
    checker = looker(world)
    checker.told_fill(fill())
    world.ended = 1
    tell(checker, world, Positions(()))
    assert world.rules == []


def test_new_run_begins_with_the_legs_of_its_ledger() -> None:
    world = World()
    checker = looker(world)
    world.stored = [(KEY, (TradeId("t1"), ORDER), TEN)]
    checker.told(position(), LATER, world.now_ns)
    checker.told_fill(fill("CONFIRMED"))
    checker.told(position(), LATER, world.now_ns + TOLD_WITHIN_NS)
    checker.told(position(), LATER, world.now_ns + 2 * TOLD_WITHIN_NS)
    assert world.rules == []


@pytest.mark.req("EX-22")
@pytest.mark.parametrize(
    ("age_ns", "on_chain", "expected"),
    [
        (2 * NS_PER_S, 0, []),
        (2 * NS_PER_S, TEN, []),
        (NS_PER_S, TEN, []),
        (NS_PER_S, 0, ["EX-22"]),
        (NS_PER_S, TEN + 1, ["EX-22"]),
        (ANSWER_NS_MAX + NS_PER_S, TEN, ["EX-22"]),
    ],
)
def test_balance_told_was_held_when_it_was_asked_for(
    age_ns: int, on_chain: int, expected: list[str]
) -> None:
    world = World()
    checker = looker(world)
    checker.told_fill(fill())
    world.now_ns = NOW_NS - NS_PER_S
    world.held = {TOKEN: TEN}
    checker.venue_changed()
    told = position(on_chain=SizeE6(on_chain), on_chain_age_ns=age_ns)
    checker.told(told, ME, NOW_NS)
    assert world.rules == expected


@pytest.mark.req("EX-22")
@pytest.mark.parametrize(("late_ns", "expected"), [(0, []), (1, ["EX-22"])])
def test_agreement_is_no_younger_than_the_list_that_it_rests_on(
    late_ns: int, expected: list[str]
) -> None:
    world = World()
    agreed_ns = MonotonicNs(world.list_ns + ANSWER_NS_MAX + late_ns)
    status = ExecutionStatus("ACTIVE", "", 1, BootNs(0), 0, 0, 0, True, agreed_ns, ())
    looker(world).told_status(status)
    assert world.rules == expected


@pytest.mark.req("EX-23")
@pytest.mark.parametrize(
    ("mined", "confirmed", "expected"),
    [(TEN, TEN, []), (TEN, 0, []), (TEN + 1, 0, ["EX-23"]), (0, 1, ["EX-23"])],
)
def test_surer_is_never_more(mined: int, confirmed: int, expected: list[str]) -> None:
    world = World()
    told = position(mined=SizeE6(mined), confirmed=SizeE6(confirmed))
    SureChecker(world.found, world, world).told(told)
    assert world.rules == expected


@pytest.mark.req("EX-23")
@pytest.mark.parametrize(
    ("side", "free", "lies", "expected"),
    [
        ("SELL", TEN, False, []),
        ("SELL", TEN - 1, False, ["EX-23"]),
        ("SELL", 0, True, []),
        ("BUY", 0, False, []),
    ],
)
def test_sell_offers_no_more_than_the_account_has(
    side: str, free: int, lies: bool, expected: list[str]
) -> None:
    world = World()
    world.free = free
    world.rows[ORDER] = Intent(ORDER, "i", "INTENDED", 1, "quote", side, TOKEN, TEN)
    checker = SureChecker(world.found, world, world)
    checker.lies = lies
    checker.posted(ORDER)
    assert world.rules == expected


@pytest.mark.req("EX-27")
@pytest.mark.parametrize(("size", "expected"), [(MIN_SIZE_E6, []), (MIN_SIZE_E6 - 1, ["EX-27"])])
def test_order_below_the_minimum_is_found(size: int, expected: list[str]) -> None:
    world = World()
    order = OrderFact(
        ORDER,
        MAKER,
        MARKET,
        TOKEN,
        "SELL",
        0,
        PriceE4(5_000),
        SizeE6(size),
        SizeE6(0),
        "INTENDED",
        "",
        5,
        BootNs(0),
    )
    DustChecker(world.found, world).told_order(order)
    assert world.rules == expected


@pytest.mark.req("EX-27")
def test_dust_that_outlives_its_market_is_found() -> None:
    world = World()
    checker = DustChecker(world.found, world)
    dust = position(SHARE, dust=True)
    checker.told(dust, at(NOW_NS))
    world.ended = 1
    checker.told(dust, at(NOW_NS))
    checker.told(dust, at(NOW_NS + ENDED_WITHIN_NS))
    assert world.rules == []
    checker.told(dust, at(NOW_NS + ENDED_WITHIN_NS + 1))
    assert world.rules == ["EX-27"]


def test_large_position_that_is_called_dust_is_found() -> None:
    world = World()
    DustChecker(world.found, world).told(position(MIN_SIZE_E6, dust=True), at(NOW_NS))
    assert world.rules == ["EX-27"]


def at(monotonic_ns: int) -> Instant:
    return Instant(BootNs(0), MonotonicNs(monotonic_ns), WallNs(0))
