"""Which requests cancel a set of orders."""

from typing import Any

import msgspec
import pytest

from services.execution.cancels.forms import BATCH_MAX, choose, cost_max, cost_of, wire_form
from services.execution.lifecycle import Order, as_order
from services.execution.requests import CancelAllAsk, CancelAsk, CancelMarketAsk
from shared.identifiers import ConditionId, OrderHash
from tests.builders.ledger_rows import build_order_record
from tests.builders.markets import MARKET, instant

OTHER = ConditionId(MARKET.replace("a1", "b2"))


def order(number: int, *, doomed: bool = True, **spoil: Any) -> Order:
    row = msgspec.structs.replace(
        build_order_record(),
        order_id=OrderHash(f"0x{number:064x}"),
        **{"market": MARKET, "state": "LIVE", **spoil},
    )
    made = as_order(row, instant())
    made.doom = "test" if doomed else ""
    return made


def ids(*orders: Order) -> tuple[OrderHash, ...]:
    return tuple(one.record.order_id for one in orders)


def test_single_order_goes_by_its_id_on_a_path_of_its_own() -> None:
    one, kept = order(1), order(2, doomed=False)
    (ask,) = choose([one], [one, kept], 120)
    assert ask == CancelAsk(ids(one))
    path, body = wire_form(ask)
    assert (path, msgspec.json.decode(body)) == ("/order", {"orderID": ids(one)[0]})


def test_several_orders_go_in_one_request_while_ids_can_be_paid() -> None:
    due = [order(number) for number in range(5)]
    (ask,) = choose(due, due, 5)
    assert ask == CancelAsk(ids(*due))
    path, body = wire_form(ask)
    assert (path, tuple(msgspec.json.decode(body))) == ("/orders", ids(*due))


def test_no_request_is_larger_than_any_bucket() -> None:
    due = [order(number) for number in range(BATCH_MAX + 1)]
    asks = choose(due, due, 1_000)
    assert [len(ask.order_ids) for ask in asks] == [BATCH_MAX, 1]


@pytest.mark.parametrize("left", [4, 1, 0, -50])
def test_everything_goes_at_once_when_all_is_doomed_and_ids_cannot_be_paid(left: int) -> None:
    due = [order(number) for number in range(5)]
    waiting = order(9)
    assert choose(due, [*due, waiting], left) == [CancelAllAsk(ids(*due, waiting))]


def test_a_whole_market_goes_at_once_and_what_can_be_paid_before_the_rest() -> None:
    there = [order(number, market=OTHER) for number in range(3)]
    here = [order(10 + number) for number in range(4)]
    kept = order(99, doomed=False)
    asks = choose([*here, *there], [*here, *there, kept], 3)
    assert asks == [
        CancelMarketAsk(OTHER, ids(*there)),
        CancelAsk(ids(*here[:2])),
        CancelAsk(ids(*here[2:])),
    ]


@pytest.mark.req("INV-4")
@pytest.mark.parametrize("left", range(-3, 9))
def test_nothing_that_is_due_is_ever_left_out(left: int) -> None:
    due = [order(number, market=(MARKET, OTHER)[number % 2]) for number in range(7)]
    kept = order(99, doomed=False)
    asks = choose(due, [*due, kept], left)
    named = [one for ask in asks for one in ask.order_ids]
    assert sorted(named) == sorted(ids(*due)), "each of them once, whatever the tokens"


def test_ids_cost_beforehand_and_the_others_afterwards() -> None:
    two = ids(order(1), order(2))
    assert (cost_max(CancelAsk(two)), cost_of(CancelAsk(two), 0)) == (2, 2)
    assert (cost_max(CancelAllAsk(two)), cost_of(CancelAllAsk(two), 5)) == (3, 6)
    assert cost_of(CancelMarketAsk(MARKET, two), 1) == 2
