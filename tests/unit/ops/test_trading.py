from typing import Any

import msgspec
import pytest

from ops.cli.status_view import _headline, as_builtins
from ops.cli.up import wait_until_trading
from ops.observe import Seen, View
from ops.trading import is_active, reasons_not_trading
from shared.effects import Received
from shared.facts import ExecutionStatus, RefusalCount, RiskStatus, StrategyStatus
from shared.identifiers import Component, Incarnation, StrategyName
from shared.units import BootNs, MonotonicNs


def a_risk(**spoiled: Any) -> RiskStatus:
    status = RiskStatus(
        trading_state="ACTIVE",
        reasons=(),
        epoch=1,
        fence="none",
        fence_reason="",
        beat_age_ns=1,
        switches=(),
        components=(),
        switch_version=1,
    )
    return msgspec.structs.replace(status, **spoiled)


def an_execution(**spoiled: Any) -> ExecutionStatus:
    status = ExecutionStatus(
        trading_state="ACTIVE",
        cause="",
        epoch=1,
        lease_until_ns=BootNs(1),
        open_orders=2,
        in_flight=0,
        unknown=0,
        proven_start=True,
        reconciled_ns=MonotonicNs(1),
        refusals=(),
    )
    return msgspec.structs.replace(status, **spoiled)


def a_view(*told: tuple[str, str, msgspec.Struct]) -> View:
    facts = {
        (topic, component): Seen(
            Received(
                Component(component),
                Incarnation(1),
                topic,
                1,
                MonotonicNs(0),
                MonotonicNs(0),
                0,
                body,
            )
        )
        for topic, component, body in told
    }
    return View(facts, MonotonicNs(50), 0)


RISK = ("risk.status", "risk", a_risk())
EXECUTION = ("execution.status", "execution", an_execution())


def test_group_that_trades_has_no_reason() -> None:
    view = a_view(RISK, EXECUTION)
    assert reasons_not_trading(view) == ()
    assert is_active(view)
    assert view.age_ns("risk.status", "risk") == 50


@pytest.mark.req("EX-22")
def test_silence_is_a_reason_and_not_active() -> None:
    assert reasons_not_trading(a_view()) == ("risk is not heard",)
    assert reasons_not_trading(a_view(RISK)) == ("execution is not heard",)
    assert not is_active(a_view(EXECUTION))
    assert a_view().age_ns("risk.status", "risk") is None


def test_reasons_of_risk_and_execution_are_both_told() -> None:
    view = a_view(
        ("risk.status", "risk", a_risk(trading_state="HALTED", reasons=("drill",))),
        ("execution.status", "execution", an_execution(trading_state="HALTED", cause="fence")),
    )
    assert reasons_not_trading(view) == ("risk: drill", "execution: fence")
    assert not is_active(view)


def test_active_group_without_an_order_says_what_its_strategies_and_its_gate_say() -> None:
    quoting = StrategyStatus(StrategyName("market_making"), "waiting", "no strike", ())
    refusals = (RefusalCount("cutoff", 3),)
    view = a_view(
        RISK,
        ("execution.status", "execution", an_execution(open_orders=0, refusals=refusals)),
        ("strategy.status", "market_making", quoting),
    )
    assert reasons_not_trading(view) == (
        "no order rests",
        "market_making: no strike",
        "denied so far: cutoff x3",
    )
    assert is_active(view), "paused is what risk says, not what rests"


@pytest.mark.req("EX-21")
def test_dry_run_is_ready_without_a_resting_order_and_says_so_in_the_headline() -> None:
    risk = ("risk.status", "risk", a_risk())
    for dry_run, reasons in ((True, ()), (False, ("no order rests",))):
        told = an_execution(open_orders=0, dry_run=dry_run)
        view = a_view(risk, ("execution.status", "execution", told))
        assert reasons_not_trading(view) == reasons
        assert ("DRY RUN" in _headline(view).plain) is dry_run
        assert as_builtins(view, None)["dry_run"] is dry_run


def test_waiting_ends_with_the_view_in_which_an_order_rested() -> None:
    """The next look may fall between two orders of a requote, and would call it not trading."""
    between = a_view(RISK, ("execution.status", "execution", an_execution(open_orders=0)))
    views = iter((a_view(), a_view(), between, a_view(RISK, EXECUTION), between))
    said: list[str] = []
    found = wait_until_trading(lambda: next(views), said.append, 10)
    assert reasons_not_trading(found) == ()
    assert len(said) == 2
    assert next(views) is between


def test_waiting_that_is_over_ends_with_the_last_view() -> None:
    assert reasons_not_trading(wait_until_trading(a_view, lambda words: None, 0.01))
