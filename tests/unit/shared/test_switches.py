"""The switch table is whole, and refuses live trading for what is not there yet."""

import msgspec
import pytest

from shared.config import Config
from shared.switches import BY_NAME, BY_REQUIREMENT, SWITCHES, Switch, refusals_for_live

COMPANIONS = {"place_unknown"}
"""Rows that pause while it is unknown whether another row of their requirement holds."""

ROWS = tuple(f"KS-{number}" for number in range(1, 15)) + tuple(
    f"CB-{number}" for number in range(1, 7)
)


@pytest.mark.parametrize("requirement", ROWS)
def test_switch_table_has_one_row_for_each_kill_switch_and_breaker(requirement: str) -> None:
    rows = [row for row in SWITCHES if row.name not in COMPANIONS]
    assert [row.requirement for row in rows].count(requirement) == 1
    assert BY_REQUIREMENT[requirement].requirement == requirement


def test_switch_names_are_unique() -> None:
    assert len(BY_NAME) == len(SWITCHES)


@pytest.mark.parametrize("switch", SWITCHES, ids=lambda switch: switch.name)
def test_switch_row_is_consistent(switch: Switch) -> None:
    assert 1 <= switch.confirmation.needed <= switch.confirmation.of
    assert switch.flatten == (switch.state == "REDUCING")
    assert switch.runbook == switch.name.replace("_", "-")
    if switch.state == "HALTED":
        assert switch.kind == "latch"


@pytest.mark.parametrize("switch", SWITCHES, ids=lambda switch: switch.name)
def test_switch_row_names_settings_that_exist(switch: Switch) -> None:
    tables = {field.name: field.type for field in msgspec.structs.fields(Config)}
    for setting in switch.setting:
        table, _, key = setting.partition(".")
        keys = {field.name for field in msgspec.structs.fields(tables[table])}
        assert key in keys, setting


def test_switches_that_are_facts_need_no_second_sample() -> None:
    for name in ("operator_halt", "panic", "heartbeat_lost", "market_cutoff"):
        assert BY_NAME[name].confirmation.of == 1


def test_live_is_refused_by_each_row_that_is_not_implemented() -> None:
    refused = {refusal.switch for refusal in refusals_for_live()}
    assert refused == {switch.name for switch in SWITCHES if not switch.implemented}
    assert "operator_halt" not in refused
