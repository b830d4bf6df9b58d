from typing import Any

import pytest

from services.feed.own_orders import DUST_E6, GONE_KEPT_MAX, GRACE_NS, KNOWN_MAX, OwnOrders
from shared.facts import OwnOrder
from shared.identifiers import OrderHash
from shared.units import MonotonicNs, PriceE4, SizeE6, WallMs
from tests.builders.feeds import at
from tests.builders.markets import MARKET, UP

SHARE = 1_000_000
FIRST = OrderHash("0x" + "01" * 32)


def order(**spoil: Any) -> OwnOrder:
    fields: dict[str, Any] = {
        "order_id": FIRST,
        "market": MARKET,
        "token": UP,
        "side": "BUY",
        "price": PriceE4(4_900),
        "original_size_e6": SizeE6(10 * SHARE),
        "size_matched_e6": SizeE6(0),
        "status": "LIVE",
        "status_text": "LIVE",
        "trades": (),
        "venue_ms": WallMs(1),
        "source": "socket",
    }
    return OwnOrder(**{**fields, **spoil})


def settled(orders: OwnOrders, *asked: OwnOrder) -> tuple[OrderHash, ...]:
    """Compare, and again when the grace is over."""
    orders.compare(asked, at(0).monotonic_ns)
    return orders.compare(asked, MonotonicNs(at(0).monotonic_ns + GRACE_NS))


def told(*events: OwnOrder) -> OwnOrders:
    orders = OwnOrders()
    for event in events:
        orders.apply(event, at(0).monotonic_ns)
    return orders


def test_same_orders_agree() -> None:
    orders = told(order())
    assert settled(orders, order()) == ()
    assert orders.is_agreed


@pytest.mark.parametrize("late_ns", [-1, 0])
def test_difference_counts_from_the_end_of_its_grace_on(late_ns: int) -> None:
    orders = told(order())
    assert orders.compare((), at(0).monotonic_ns) == ()
    assert not orders.is_agreed
    found = orders.compare((), MonotonicNs(at(0).monotonic_ns + GRACE_NS + late_ns))
    assert found == (() if late_ns < 0 else (FIRST,))


def test_difference_that_ends_begins_a_new_grace() -> None:
    orders = told(order())
    orders.compare((), at(0).monotonic_ns)
    orders.compare((order(),), at(1_000).monotonic_ns)
    assert orders.compare((), MonotonicNs(at(0).monotonic_ns + GRACE_NS)) == ()


@pytest.mark.parametrize("status", ["CANCELED", "EXPIRED", "INVALID", "UNMATCHED", "MATCHED"])
def test_order_that_is_gone_is_not_expected(status: str) -> None:
    event = order(status=status, size_matched_e6=SizeE6(10 * SHARE))
    assert settled(told(order(), event)) == ()


@pytest.mark.parametrize(("left_e6", "rests"), [(DUST_E6, False), (DUST_E6 + 1, True)])
def test_matched_order_rests_while_more_than_dust_is_left(left_e6: int, *, rests: bool) -> None:
    event = order(status="MATCHED", size_matched_e6=SizeE6(10 * SHARE - left_e6))
    assert bool(settled(told(order(), event))) == rests


def test_placement_after_the_end_does_not_revive_an_order() -> None:
    orders = told(order(status="CANCELED"), order())
    assert settled(orders) == ()
    assert settled(orders, order()) == (FIRST,)


def test_matched_size_only_grows() -> None:
    orders = told(order(size_matched_e6=SizeE6(4 * SHARE)), order())
    assert settled(orders, order(size_matched_e6=SizeE6(4 * SHARE))) == ()


@pytest.mark.parametrize("told_size", [None, SizeE6(0)])
def test_matched_size_that_is_not_told_is_not_compared(told_size: SizeE6 | None) -> None:
    orders = told(order(size_matched_e6=told_size))
    found = settled(orders, order(size_matched_e6=SizeE6(4 * SHARE)))
    assert found == (() if told_size is None else (FIRST,))


def test_stream_that_opened_before_the_answer_is_newer_than_it() -> None:
    orders = told(order(status="CANCELED"))
    orders.begin([order()], at(0).monotonic_ns)
    assert settled(orders) == ()


def test_forgotten_orders_are_unknown() -> None:
    orders = told(order())
    orders.forget()
    assert settled(orders) == ()


def test_gone_orders_are_bounded_and_open_ones_are_kept() -> None:
    orders = told(order())
    for number in range(GONE_KEPT_MAX + 10):
        gone = order(order_id=OrderHash(f"0x{number:064x}"), status="CANCELED")
        orders.apply(gone, at(0).monotonic_ns)
    assert len(orders._known) <= GONE_KEPT_MAX + 1
    assert settled(orders, order()) == ()


def test_open_orders_are_bounded_too_and_one_that_was_forgotten_differs() -> None:
    orders = OwnOrders()
    every = [order(order_id=OrderHash(f"0x{number:064x}")) for number in range(KNOWN_MAX + 1)]
    for one in every:
        orders.apply(one, at(0).monotonic_ns)
    assert settled(orders, *every) == (every[0].order_id,)
