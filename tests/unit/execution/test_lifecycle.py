"""How far an order counts as filled, and the moments that bound it."""

from typing import get_args

import msgspec
import pytest

from services.execution.lifecycle import (
    NEVER_NS,
    advance,
    as_order,
    deadline_wall_ns,
    expiration_s,
    with_filled,
)
from shared.ledger_schema import OrderRecord
from shared.orders import EXPOSED, TERMINAL, OrderState
from shared.units import NS_PER_MS, NS_PER_S, BootNs, SizeE6
from tests.builders.ledger_rows import build_order_record
from tests.builders.markets import instant

STATES: tuple[OrderState, ...] = get_args(OrderState)
NOW = instant()


def build_order(state: OrderState = "LIVE", filled: int = 0) -> OrderRecord:
    return msgspec.structs.replace(build_order_record(), state=state, filled_e6=SizeE6(filled))


@pytest.mark.req("INV-5")
@pytest.mark.parametrize(
    ("filled", "expected"), [(1, 1), (6_000_000, 6_000_000), (7_000_000, 6_000_000)]
)
def test_filled_never_exceeds_the_ordered_size(filled: int, expected: int) -> None:
    row = with_filled(build_order(), filled, NOW)
    assert row is not None
    assert row.filled_e6 == expected
    assert row.state == ("FILLED" if expected == row.size_e6 else "PARTLY_FILLED")


@pytest.mark.req("INV-5")
def test_filled_never_shrinks() -> None:
    assert with_filled(build_order("PARTLY_FILLED", 5), 5, NOW) is None
    assert with_filled(build_order("PARTLY_FILLED", 5), 4, NOW) is None


def test_late_fill_of_a_terminal_order_changes_its_size_only() -> None:
    row = with_filled(build_order("CANCELED"), 6_000_000, NOW)
    assert row is not None
    assert (row.state, row.filled_e6) == ("CANCELED", 6_000_000)


@pytest.mark.parametrize("fraction_ms", [0, 1, 499, 500, 501, 999])
@pytest.mark.parametrize("margin_ms", [500, 2_000, 10_000])
def test_expiration_is_taken_now_and_refused_after_the_margin(
    fraction_ms: int, margin_ms: int
) -> None:
    wall_ns = 1_790_000_000 * NS_PER_S + fraction_ms * NS_PER_MS
    ahead_ns = expiration_s(wall_ns, margin_ms) * NS_PER_S - wall_ns
    assert ahead_ns >= 180 * NS_PER_S
    assert ahead_ns <= 180 * NS_PER_S + max(margin_ms * NS_PER_MS, NS_PER_S)


def test_deadline_is_no_sooner_than_the_socket_timeout_after_the_last_write() -> None:
    wall_ns = 1_790_000_000 * NS_PER_S
    posted = expiration_s(wall_ns, 500)
    assert deadline_wall_ns(posted, wall_ns, 2_000) == wall_ns + 2_200 * NS_PER_MS
    posted = expiration_s(wall_ns, 10_000)
    assert deadline_wall_ns(posted, wall_ns, 2_000) == wall_ns + 11_000 * NS_PER_MS


def test_adopted_order_without_expiry_never_counts_as_expired() -> None:
    record = msgspec.structs.replace(build_order(), expiration_s=0)
    assert as_order(record, NOW).expires_ns == NEVER_NS


def test_order_read_back_remembers_nothing_of_an_earlier_run() -> None:
    order = as_order(build_order(), NOW)
    of_this_run = {"record", "deadline_ns", "expires_ns", "wished_price"}
    rest = {name for name in order.__struct_fields__ if name not in of_this_run}
    assert {name: getattr(order, name) for name in rest} == {
        name: "" if name == "doom" else 0 for name in rest
    }


def test_never_is_the_last_moment_that_there_is() -> None:
    assert NEVER_NS == 9_223_372_036_854_775_807


@pytest.mark.req("INV-5")
@pytest.mark.parametrize("state", STATES)
def test_terminal_order_has_nothing_left_to_fill(state: OrderState) -> None:
    order = as_order(build_order(state, filled=2_000_000), NOW)
    assert order.remaining_e6 == (0 if state in TERMINAL else 4_000_000)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(("late_ns", "may_arrive"), [(-1, True), (0, False), (1, False)])
def test_order_is_unresolved_while_the_venue_could_still_take_it(
    state: OrderState, late_ns: int, may_arrive: bool
) -> None:
    order = as_order(build_order(state), NOW)
    expected = may_arrive and state in EXPOSED
    assert order.is_unresolved(BootNs(order.deadline_ns + late_ns)) is expected


def test_event_without_a_reason_leaves_none() -> None:
    row = advance(build_order("LIVE"), "canceled", NOW)
    assert row is not None
    assert row.reason == ""
    named = advance(build_order("LIVE"), "canceled", NOW, "asked")
    assert named is not None
    assert named.reason == "asked"
