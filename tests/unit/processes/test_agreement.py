"""The judge of the torture run finds every kind of disagreement that is planted."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from shared.identifiers import ConditionId, OrderHash, StrategyName, TokenId, TradeId
from shared.ledger_schema import FillRecord, OrderRecord, PayoutRecord
from shared.units import MoneyE6, PriceE4, SizeE6, WallNs
from tests.builders.ledger_rows import build_fill_record, build_order_record
from tests.processes.accounts import Balances, LedgerSide, VenueSide, ledger_side, units
from tests.processes.agreement import (
    disagreements,
    duplicates,
    orphans,
    revived,
    unexplained,
)
from tests.processes.wire_log import WireRecord

ACCOUNT = "0x" + "AB" * 20
MARKET = ConditionId("0xm")
TOKEN = TokenId("1")
BEGIN_NS = 1_790_000_000 * 10**9
MS = 10**6
FILLED, CANCELED, ABSENT = "0xfilled", "0xcanceled", "0xabsent"


def order_record(order_id: str, at_ms: int, **spoil: Any) -> WireRecord:
    return {
        "kind": "order",
        "wall_ns": BEGIN_NS + at_ms * MS,
        "order_id": order_id,
        "owner": "key",
        "account": ACCOUNT.lower(),
        "market": MARKET,
        "token": TOKEN,
        "side": "BUY",
        "price": "0.49",
        "size": "6",
        "filled": "0",
        "change": "PLACEMENT",
        "status": "LIVE",
        **spoil,
    }


def post_record(order_id: str) -> WireRecord:
    return {"kind": "post", "order_id": order_id, "account": ACCOUNT.lower()}


def fill_record(trade_id: str = "t1", **spoil: Any) -> WireRecord:
    return {
        "kind": "fill",
        "account": ACCOUNT.lower(),
        "trade_id": trade_id,
        "order_id": FILLED,
        "market": MARKET,
        "token": TOKEN,
        "side": "BUY",
        "role": "MAKER",
        "price": "0.49",
        "size": "6",
        "money": "2.94",
        "fee": "0",
        **spoil,
    }


WIRE: tuple[WireRecord, ...] = (
    post_record(FILLED),
    order_record(FILLED, 5),
    post_record(CANCELED),
    order_record(CANCELED, 6, side="SELL", price="0.53"),
    order_record(CANCELED, 8, side="SELL", status="CANCELED", change="CANCELLATION"),
    fill_record(),
    order_record(FILLED, 9, filled="6", status="MATCHED", change="UPDATE"),
    {"kind": "trade", "trade_id": "t1", "status": "MINED"},
    {"kind": "trade", "trade_id": "t1", "status": "CONFIRMED"},
    {"kind": "fill", **{k: v for k, v in fill_record().items() if k != "kind"}, "account": "0xb"},
    {
        "kind": "payout",
        "account": ACCOUNT.lower(),
        "market": MARKET,
        "token": TOKEN,
        "size": "4",
        "payout": "4",
    },
)
"""An order that was filled, one that was cancelled, a trade that ended well, and a payout."""

HELD_E6 = 2_000_000
EARNED_E6 = 4_000_000 - 2_940_000


def row(order_id: str, **spoil: Any) -> OrderRecord:
    record = build_order_record(order_id=OrderHash(order_id), created_wall_ns=WallNs(BEGIN_NS))
    return msgspec.structs.replace(record, **spoil)


ROWS = (
    row(FILLED, state="FILLED", filled_e6=SizeE6(6_000_000)),
    row(CANCELED, state="CANCELED", side="SELL", price_e4=PriceE4(5_300), intent="0xm/1/SELL/0"),
    row(ABSENT, state="REJECTED", intent="0xm/1/BUY/1"),
)
FILL = build_fill_record(
    order_id=OrderHash(FILLED), size_e6=SizeE6(6_000_000), settlement="CONFIRMED"
)
PAYOUT = PayoutRecord(
    market=MARKET,
    token=TOKEN,
    strategy=StrategyName("market_making"),
    account="main",
    payout_e4=PriceE4(10_000),
    size_e6=SizeE6(4_000_000),
    amount_e6=MoneyE6(4_000_000),
    cost_e6=MoneyE6(1_960_000),
    realised_e6=MoneyE6(2_040_000),
    updated_wall_ns=WallNs(BEGIN_NS),
)


def venue_side(*further: WireRecord, without: int | None = None) -> VenueSide:
    side = VenueSide(ACCOUNT)
    side.take(record for place, record in enumerate(WIRE) if place != without)
    side.take(further)
    return side


def ledger(
    rows: tuple[OrderRecord, ...] = ROWS,
    fills: tuple[FillRecord, ...] = (FILL,),
    payouts: tuple[PayoutRecord, ...] = (PAYOUT,),
) -> LedgerSide:
    return ledger_side(rows, fills, payouts)


def spoiled_row(place: int, **spoil: Any) -> LedgerSide:
    rows = list(ROWS)
    rows[place] = msgspec.structs.replace(rows[place], **spoil)
    return ledger(tuple(rows))


def spoiled_fill(**spoil: Any) -> LedgerSide:
    return ledger(fills=(msgspec.structs.replace(FILL, **spoil),))


def balances(earned_e6: int = EARNED_E6, held_e6: int = HELD_E6) -> Balances:
    return Balances(earned_e6, {TOKEN: held_e6})


def test_two_sides_of_the_same_orders_agree() -> None:
    venue = venue_side()
    assert disagreements(venue, ledger(), balances(), venue.open_ids()) == []
    assert unexplained(venue, ledger()) == []
    assert duplicates(venue, ledger()) == []
    assert revived(ledger(), venue.open_ids()) == []


PLANTED: dict[str, Callable[[], LedgerSide]] = {
    "filled_e6": lambda: spoiled_row(0, filled_e6=SizeE6(5_999_999)),
    "FILLED in the ledger, CANCELED": lambda: spoiled_row(1, state="FILLED"),
    "CANCELED in the ledger, MATCHED": lambda: spoiled_row(0, state="CANCELED"),
    "REJECTED in the ledger, CANCELED": lambda: spoiled_row(1, state="REJECTED"),
    "LIVE in the ledger, not open": lambda: spoiled_row(1, state="LIVE"),
    "CANCELED, filled 0; the venue never": lambda: spoiled_row(2, state="CANCELED"),
    "REJECTED, filled 1; the venue never": lambda: spoiled_row(2, filled_e6=SizeE6(1)),
    "price_e4": lambda: spoiled_row(0, price_e4=PriceE4(4_800)),
    "size_e6": lambda: spoiled_row(1, size_e6=SizeE6(7_000_000)),
    "side": lambda: spoiled_row(1, side="BUY"),
    "token": lambda: spoiled_row(1, token=TokenId("2")),
    "market": lambda: spoiled_row(1, market=ConditionId("0xn")),
    "not in the ledger": lambda: ledger(fills=()),
    "not at the venue": lambda: ledger(
        fills=(FILL, msgspec.structs.replace(FILL, trade_id=TradeId("t2")))
    ),
    "settlement": lambda: spoiled_fill(settlement="MINED"),
    "fee_e6": lambda: spoiled_fill(fee_e6=MoneyE6(1)),
    "role": lambda: spoiled_fill(role="TAKER"),
    "earned by the ledger": lambda: spoiled_fill(price_e4=PriceE4(4_901)),
    "held": lambda: spoiled_fill(size_e6=SizeE6(6_000_001)),
    "paid 0 by the ledger": lambda: ledger(payouts=()),
    "paid 4000001 by the ledger": lambda: ledger(
        payouts=(msgspec.structs.replace(PAYOUT, amount_e6=MoneyE6(4_000_001)),)
    ),
}


@pytest.mark.parametrize("told", PLANTED)
def test_planted_disagreement_of_the_ledger_is_found(told: str) -> None:
    venue = venue_side()
    found = disagreements(venue, PLANTED[told](), balances(), venue.open_ids())
    assert any(told in finding for finding in found), found


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ("earned by the ledger", balances(EARNED_E6 + 1)),
        ("earned by the venue's log", balances(EARNED_E6 - 1)),
        ("held", balances(held_e6=HELD_E6 + 1)),
        ("held", Balances(EARNED_E6, {TOKEN: HELD_E6, "7": 1})),
    ],
)
def test_balance_that_is_off_by_one_base_unit_is_found(told: str, wrong: Balances) -> None:
    venue = venue_side()
    found = disagreements(venue, ledger(), wrong, venue.open_ids())
    assert any(told in finding for finding in found), found


def test_failed_trade_counts_for_nobody() -> None:
    venue = venue_side({"kind": "trade", "trade_id": "t1", "status": "FAILED"})
    failed = spoiled_fill(settlement="FAILED")
    found = disagreements(venue, failed, Balances(4_000_000, {TOKEN: -4_000_000}), ())
    assert found == []


def test_order_without_an_intent_is_found() -> None:
    assert "without an intent" in unexplained(venue_side(), ledger(ROWS[1:]))[0]


def test_order_that_was_adopted_is_found() -> None:
    assert "adopted" in unexplained(venue_side(), spoiled_row(0, purpose="adopted"))[0]


@pytest.mark.parametrize(("late_ns", "count"), [(-1, 0), (0, 1), (1, 1)])
def test_intent_must_be_older_than_its_order(late_ns: int, count: int) -> None:
    late = spoiled_row(0, created_wall_ns=WallNs(BEGIN_NS + 5 * MS + late_ns))
    assert len(unexplained(venue_side(), late)) == count


def test_order_posted_twice_is_found() -> None:
    assert "posted 2 times" in duplicates(venue_side(post_record(FILLED)), ledger())[0]


def test_order_that_nobody_posted_is_found() -> None:
    assert "posted 0 times" in duplicates(venue_side(without=0), ledger())[0]


def test_leg_told_twice_is_found() -> None:
    assert "told twice" in duplicates(venue_side(fill_record()), ledger())[0]


@pytest.mark.parametrize(("placed_ms", "count"), [(8, 1), (9, 0)])
def test_two_open_orders_of_one_intent_are_found(placed_ms: int, count: int) -> None:
    """The filled one is open from 5 to 9 ms."""
    venue = venue_side(post_record("0xnext"), order_record("0xnext", placed_ms))
    both = ledger((*ROWS, row("0xnext", state="LIVE")))
    assert len(duplicates(venue, both)) == count


def test_order_beside_one_that_never_ends_is_found() -> None:
    """A short one between the two hides nothing."""
    further = [
        post_record("0xlong"),
        order_record("0xlong", 20),
        post_record("0xshort"),
        order_record("0xshort", 21),
        order_record("0xshort", 22, status="CANCELED", change="CANCELLATION"),
        post_record("0xlast"),
        order_record("0xlast", 30),
    ]
    rows = [row(name, state="LIVE") for name in ("0xlong", "0xshort", "0xlast")]
    found = duplicates(venue_side(*further), ledger((*ROWS, *rows)))
    assert [finding.split()[-3] for finding in found] == ["0xlong", "0xlong"]


def test_order_open_at_the_venue_alone_is_an_orphan() -> None:
    assert "open at the venue, not in the ledger" in orphans(ledger(), ["0xghost"])[0]
    assert "open at the venue, not in the ledger" in orphans(ledger(), [CANCELED])[0]


@pytest.mark.parametrize("state", ["INTENDED", "SUBMITTED", "UNKNOWN", "PARTLY_FILLED"])
def test_order_open_in_the_ledger_alone_is_an_orphan(state: str) -> None:
    assert state in orphans(spoiled_row(2, state=state), [])[0]


def test_ended_order_that_is_open_at_the_venue_has_come_back() -> None:
    assert "CANCELED in the ledger" in revived(ledger(), [CANCELED, "0xghost"])[0]


def test_price_finer_than_a_base_unit_is_refused() -> None:
    assert units("0.0001", 4) == 1
    with pytest.raises(AssertionError):
        units("0.00001", 4)
