"""A pause below the account is a new generation, repeated until it is carried out."""

import pytest

from services.risk.scopes import CARRIED_NS_MAX, ScopeKey, Scopes
from shared.trading_state import TradingState
from shared.units import NS_PER_S, BootNs

KEY: ScopeKey = ("asset", "btc")
NOW = BootNs(NS_PER_S)


def held(*, cancel: bool = True) -> Scopes:
    scopes = Scopes(100)
    scopes.hold(KEY, "one", "PAUSED", "why", NOW, cancel=cancel)
    return scopes


def test_pause_is_a_new_generation_above_every_earlier_risks() -> None:
    (order,) = held().orders()
    assert (order.generation, order.state, order.reason) == (101, "PAUSED", "why")


def test_pause_without_cancelling_keeps_the_generation() -> None:
    scopes = held(cancel=False)
    (order,) = scopes.orders()
    assert (order.generation, order.state) == (0, "PAUSED")
    assert scopes.is_carried(KEY)


def test_scope_is_repeated_while_held_and_until_carried_out() -> None:
    scopes = held()
    scopes.carried_out((("asset", "btc", 101),))
    assert len(scopes.orders()) == 1
    scopes.release(KEY, "one")
    assert scopes.orders() == ()
    scopes.hold(KEY, "one", "PAUSED", "why", NOW)
    scopes.release(KEY, "one")
    (order,) = scopes.orders()
    assert (order.generation, order.state) == (102, "ACTIVE")
    scopes.carried_out((("asset", "btc", 101),))
    assert len(scopes.orders()) == 1
    scopes.carried_out((("asset", "btc", 102),))
    assert scopes.orders() == ()


def test_worst_of_several_holds_stands_and_each_ends_alone() -> None:
    scopes = held()
    scopes.hold(KEY, "two", "HALTED", "worse", NOW)
    assert scopes.orders()[0].state == "HALTED"
    scopes.release(KEY, "two")
    assert scopes.orders()[0].state == "PAUSED"


@pytest.mark.parametrize(("early", "overdue"), [(1, False), (0, True)])
def test_pause_not_carried_out_is_overdue_at_its_limit(early: int, overdue: bool) -> None:
    assert bool(held().overdue(BootNs(NOW + CARRIED_NS_MAX - early))) is overdue


def test_proof_of_zero_carries_every_pause_out() -> None:
    scopes = held()
    scopes.all_carried()
    assert scopes.is_carried(KEY)
    assert scopes.overdue(BootNs(NOW + CARRIED_NS_MAX)) == ()


@pytest.mark.req("CP-3")
@pytest.mark.parametrize(
    ("holds", "state", "care"),
    [
        ({"strategy_handover": "REDUCING"}, "REDUCING", True),
        ({"strategy_disabled": "REDUCING", "strategy_lost": "PAUSED"}, "REDUCING", True),
        ({"strategy_handover": "REDUCING", "operator_flatten": "REDUCING"}, "REDUCING", False),
        ({"operator_flatten": "REDUCING"}, "REDUCING", False),
        ({"strategy_handover": "REDUCING", "operator_halt": "HALTED"}, "HALTED", False),
        ({"strategy_lost": "PAUSED"}, "PAUSED", False),
    ],
)
def test_scope_is_cared_for_only_when_nobody_wants_it_sold(
    holds: dict[str, TradingState], state: TradingState, care: bool
) -> None:
    scopes = Scopes(100)
    for switch, held_in in holds.items():
        scopes.hold(("strategy", "market_making"), switch, held_in, "why", NOW)
    (order,) = scopes.orders()
    assert (order.state, order.care) == (state, care)
