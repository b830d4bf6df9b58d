"""Every event in every state of an order, against a table written by hand.

Each cell is walked through the real functions: the table's own `next_state`, `advance` on a
row, `OrderRegister.apply` and `OrderRegister.fill` with their indices, and the restart.
"""

from typing import get_args

import msgspec
import pytest

from services.execution.lifecycle import advance, as_order
from services.execution.order_register import ENDS_UNSEEN, UNSEEN_NS, OrderRegister
from services.execution.positions import Positions
from services.execution.reconciliation.reconcile import Reconciler, restore_doubt
from shared.identifiers import TokenId
from shared.ledger_schema import OrderRecord
from shared.orders import (
    EXPOSED,
    TERMINAL,
    IllegalTransition,
    OrderEvent,
    OrderState,
    next_state,
)
from shared.units import BootNs, SizeE6
from tests.builders.ledger_rows import build_order_record
from tests.builders.markets import instant

STATES: tuple[OrderState, ...] = get_args(OrderState)
EVENTS: tuple[OrderEvent, ...] = get_args(OrderEvent)
NOW = instant()
TOKEN = TokenId("1")
SIZE = 6_000_000

TABLE = """
state          withheld  sent       lost     accepted       refused   part           full    canceled  expired  absent
INTENDED       NOT_SENT  SUBMITTED  UNKNOWN  LIVE           REJECTED  PARTLY_FILLED  FILLED  CANCELED  EXPIRED  EXPIRED
SUBMITTED      -         -          UNKNOWN  LIVE           REJECTED  PARTLY_FILLED  FILLED  CANCELED  EXPIRED  EXPIRED
UNKNOWN        -         -          same     LIVE           REJECTED  PARTLY_FILLED  FILLED  CANCELED  EXPIRED  EXPIRED
LIVE           -         -          -        same           UNKNOWN   PARTLY_FILLED  FILLED  CANCELED  EXPIRED  EXPIRED
PARTLY_FILLED  -         -          -        same           -         same           FILLED  CANCELED  EXPIRED  EXPIRED
NOT_SENT       -         -          -        -              -         -              -       -         -        -
FILLED         -         -          -        -              -         -              -       -         -        -
CANCELED       -         -          -        -              -         -              -       -         -        -
REJECTED       -         -          -        -              -         -              -       -         -        -
EXPIRED        -         -          -        -              -         -              -       -         -        -
"""  # noqa: E501
"""State after the event in its column; `-` for an edge that is none and so no news, `same`
for an edge that leads back."""

COLUMNS = {"part": "filled_partly", "full": "filled_fully"}
FILLED_IN: dict[OrderState, int] = {"PARTLY_FILLED": 2_000_000, "FILLED": SIZE}
"""What is filled of an order in a state, where that follows from the state."""


def cells() -> list[tuple[OrderState, OrderEvent, str]]:
    head, *rows = [line.split() for line in TABLE.split("\n") if line]
    return [
        (row[0], COLUMNS.get(head[i], head[i]), row[i])  # type: ignore[misc]
        for row in rows
        for i in range(1, len(head))
    ]


CELLS = cells()


def build_row(state: OrderState, filled: int | None = None) -> OrderRecord:
    filled = FILLED_IN.get(state, 0) if filled is None else filled
    return msgspec.structs.replace(build_order_record(), state=state, filled_e6=SizeE6(filled))


def check_register(register: OrderRegister, row: OrderRecord) -> None:
    """Sums and indices say of an order what its row says."""
    exposed = row.state in EXPOSED
    assert [o.record for o in register.exposed()] == ([row] if exposed else [])
    assert 0 <= row.filled_e6 <= row.size_e6
    assert register.open_size_e6(TOKEN, "BUY") == (row.size_e6 - row.filled_e6) * exposed
    assert register.outstanding_e6(TOKEN, "BUY") <= row.size_e6


def test_table_has_every_state_and_every_event_once() -> None:
    assert [(state, event) for state, event, _ in CELLS] == [
        (state, event)
        for state in (line.split()[0] for line in TABLE.split("\n")[2:] if line)
        for event in EVENTS
    ]
    assert {state for state, _, _ in CELLS} == set(STATES)
    assert set(STATES) == EXPOSED | TERMINAL
    assert not EXPOSED & TERMINAL


@pytest.mark.req("EX-1")
@pytest.mark.parametrize(("state", "event", "expected"), CELLS)
def test_table_of_edges(state: OrderState, event: OrderEvent, expected: str) -> None:
    if expected == "-":
        with pytest.raises(IllegalTransition):
            next_state(state, event)
    else:
        assert next_state(state, event) == (state if expected == "same" else expected)


@pytest.mark.req("EX-1")
@pytest.mark.req("INV-5")
@pytest.mark.parametrize(("state", "event", "expected"), CELLS)
def test_event_changes_a_row_as_the_table_says(
    state: OrderState, event: OrderEvent, expected: str
) -> None:
    before = build_row(state)
    after = advance(before, event, NOW, "because")
    if expected in ("-", "same"):
        assert after is None
        return
    assert after is not None
    assert (after.state, after.reason) == (expected, "because")
    assert after.filled_e6 == before.filled_e6, "an event alone fills nothing"
    assert before.state not in TERMINAL


@pytest.mark.req("EX-1")
@pytest.mark.req("INV-5")
@pytest.mark.parametrize(("state", "event", "expected"), CELLS)
def test_event_goes_through_the_register(
    state: OrderState, event: OrderEvent, expected: str
) -> None:
    register = OrderRegister([build_row(state)], NOW)
    (order,) = register
    changes = expected not in ("-", "same")
    assert register.apply(order, event, NOW) is changes
    assert order.record.state == (expected if changes else state)
    assert list(register.unjournaled.values()) == ([order.record] if changes else [])
    check_register(register, order.record)
    is_gone_unseen = changes and event in ENDS_UNSEEN
    assert (order.unseen_since_ns > 0) is is_gone_unseen
    assert len(register.troubles) == (state == "LIVE" and event == "refused")


@pytest.mark.req("INV-5")
@pytest.mark.req("EX-8")
@pytest.mark.parametrize("filled", [1, 3_000_000, SIZE, SIZE + 1])
@pytest.mark.parametrize("state", STATES)
def test_fill_in_every_state_grows_to_the_size_and_revives_nothing(
    state: OrderState, filled: int
) -> None:
    register = OrderRegister([build_row(state)], NOW)
    (order,) = register
    before = order.record.filled_e6
    grown = max(before, min(filled, SIZE))
    assert register.fill(order, filled, NOW) is (grown > before)
    assert order.record.filled_e6 == grown
    if state in TERMINAL or grown == before:
        assert order.record.state == state
    else:
        assert order.record.state == ("FILLED" if grown == SIZE else "PARTLY_FILLED")
    check_register(register, order.record)
    impossible = state in ("NOT_SENT", "REJECTED")
    assert len(register.troubles) == impossible
    assert order.outstanding_e6 >= (SIZE - grown) * impossible, "it may rest there after all"


@pytest.mark.req("INV-5")
@pytest.mark.parametrize("state", STATES)
def test_filled_size_never_shrinks(state: OrderState) -> None:
    register = OrderRegister([build_row(state, 3_000_000)], NOW)
    (order,) = register
    assert not register.fill(order, 2_999_999, NOW)
    assert not register.fill(order, 3_000_000, NOW)
    assert order.record.filled_e6 == 3_000_000


@pytest.mark.req("INV-5")
@pytest.mark.parametrize("end", sorted(TERMINAL))
def test_ended_order_never_comes_back_whatever_is_told_in_whatever_order(end: OrderState) -> None:
    register = OrderRegister([build_row(end, 1_000_000)], NOW)
    (order,) = register
    for first in EVENTS:
        for second in EVENTS:
            register.apply(order, first, NOW)
            register.fill(order, order.record.filled_e6 + 1, NOW)
            register.count_leg(order, 1, NOW)
            register.apply(order, second, NOW)
            assert order.record.state == end
            assert not order.is_exposed
            assert order.record.filled_e6 <= order.record.size_e6


@pytest.mark.req("EX-1")
@pytest.mark.parametrize("state", STATES)
def test_restart_makes_unknown_what_had_no_answer_and_nothing_else(state: OrderState) -> None:
    register = OrderRegister([build_row(state)], NOW)
    restore_doubt(register, NOW)
    (order,) = register
    unanswered = state in ("INTENDED", "SUBMITTED", "UNKNOWN")
    assert order.record.state == ("UNKNOWN" if unanswered else state)
    assert (order.live_ns > 0) is (state in ("LIVE", "PARTLY_FILLED"))


@pytest.mark.req("EX-1")
def test_answer_walks_through_submitted() -> None:
    register = OrderRegister((), NOW)
    register.add(as_order(build_row("INTENDED"), NOW))
    (order,) = register
    register.mark_sent(order, NOW.boot_ns, NOW)
    states = [order.record.state]
    register.apply(order, "accepted", NOW)
    register.mark_sent(order, NOW.boot_ns, NOW)
    assert [*states, order.record.state] == ["SUBMITTED", "LIVE"]


# --- what ended before all of its fills were told ---


@pytest.mark.req("EX-8")
@pytest.mark.parametrize("event", sorted(ENDS_UNSEEN))
@pytest.mark.parametrize("state", ["UNKNOWN", "LIVE", "PARTLY_FILLED"])
def test_order_that_ended_unseen_counts_until_its_fills_are_told(
    state: OrderState, event: OrderEvent
) -> None:
    register = OrderRegister([build_row(state)], NOW)
    (order,) = register
    register.restore_legs({order.record.order_id: order.record.filled_e6})
    left = SIZE - order.record.filled_e6
    register.apply(order, event, NOW)
    assert register.open_size_e6(TOKEN, "BUY") == 0
    assert register.outstanding_e6(TOKEN, "BUY") == left
    just_before = BootNs(NOW.boot_ns + UNSEEN_NS - 1)
    assert not register.awaits_trades(just_before, just_before)
    register.tell_trades(just_before, 0)
    assert register.outstanding_e6(TOKEN, "BUY") == left, "a trade may be listed a moment later"
    at = BootNs(NOW.boot_ns + UNSEEN_NS)
    assert register.awaits_trades(just_before, at)
    assert not register.awaits_trades(at, at)
    register.tell_trades(at, order.record.created_wall_ns + 1)
    assert register.outstanding_e6(TOKEN, "BUY") == left, "and that read does not go back so far"
    register.tell_trades(BootNs(NOW.boot_ns + UNSEEN_NS), order.record.created_wall_ns)
    assert register.outstanding_e6(TOKEN, "BUY") == 0


@pytest.mark.req("EX-25")
@pytest.mark.parametrize("end", ["NOT_SENT", "CANCELED", "REJECTED", "EXPIRED"])
def test_ended_order_that_the_venue_still_lists_counts_as_long_as_it_does(end: OrderState) -> None:
    register = OrderRegister([build_row(end)], NOW)
    (order,) = register
    register.note_ghosts([order.record.order_id])
    register.tell_filled(order)
    assert register.outstanding_e6(TOKEN, "BUY") == SIZE
    assert order.record.state == end
    assert register.exposed() == ()
    register.note_ghosts([])
    assert register.outstanding_e6(TOKEN, "BUY") == 0


@pytest.mark.req("EX-8")
def test_fill_that_crossed_the_cancel_is_counted_once() -> None:
    register = OrderRegister([build_row("LIVE")], NOW)
    (order,) = register
    register.apply(order, "canceled", NOW)
    register.count_leg(order, 4_000_000, NOW)
    assert (order.record.state, order.record.filled_e6) == ("CANCELED", 4_000_000)
    assert register.outstanding_e6(TOKEN, "BUY") == 2_000_000, "and the rest may follow"
    register.tell_filled(order)
    assert register.outstanding_e6(TOKEN, "BUY") == 0
    register.count_leg(order, 1_000_000, NOW)
    assert order.record.filled_e6 == 5_000_000, "a trade told later still counts"


@pytest.mark.req("EX-4")
def test_order_that_the_venue_ends_alone_was_turned_away() -> None:
    for doom, expected in (("", 1), ("price_moved", 0)):
        register = OrderRegister([build_row("LIVE")], NOW)
        (order,) = register
        order.doom = doom
        register.apply(order, "canceled", NOW)
        assert len(register.turned_away) == expected


@pytest.mark.req("EX-8")
def test_reads_go_back_to_what_ended_unseen_and_not_to_a_count_that_never_agrees() -> None:
    row = build_row("LIVE", 4_000_001)
    register = OrderRegister([row], NOW)
    reconciler = Reconciler(register, Positions((), ()), 1)
    (order,) = register
    register.restore_legs({row.order_id: 4_000_000})
    register.apply(order, "canceled", NOW)
    assert reconciler.doubtful_since_ns() == row.created_wall_ns
    register.tell_filled(order)
    assert order.unseen_e6 == 1, "the legs of a trade may differ by dust from what it counts"
    assert reconciler.doubtful_since_ns() is None
