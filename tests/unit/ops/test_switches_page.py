"""The page of switches is the table, and the list of them leaves no row out."""

import pytest

from ops.switch_view import lines_of
from ops.switches_page import render
from shared.facts import SwitchStatus
from shared.operator import SwitchDetail, SwitchList
from shared.switches import SWITCHES
from tests.architecture.tree import ROOT

LATCH = SwitchStatus("operator_halt", "account", "", "latch", 3, 9, "because", "asked by uid 0")
PAUSE = SwitchStatus("oracle_stale", "asset", "btc", "pause", 4, 9, "3 s old", "pause")


def test_page_of_switches_is_the_table() -> None:
    """After a change of the table: `make switches-page`."""
    page = ROOT / "docs" / "switches.md"
    assert page.read_text(encoding="utf-8") == render()


@pytest.mark.req("OP-2")
def test_list_has_every_row_tripped_first() -> None:
    detail = SwitchDetail("market_feed_stale", "market", "0xm", "", 2, 3, 5, "old")
    lines = lines_of(SwitchList(switches=(PAUSE, LATCH), details=(detail,)))
    assert [line.condition for line in lines[:3]] == ["latched", "paused", "seen"]
    assert lines[2].samples == "2 of 5 bad, 3 trip"
    assert {line.name for line in lines} == {switch.name for switch in SWITCHES}
    assert {line.condition for line in lines[3:]} == {"clear"}


def test_latch_that_no_row_knows_is_shown_halted() -> None:
    stranger = SwitchStatus("of_another_release", "account", "", "latch", 3, 9, "x", "")
    (line,) = [one for one in lines_of(SwitchList(switches=(stranger,))) if one.requirement == ""]
    assert (line.state, line.resumes) == ("HALTED", "operator")


def test_nothing_is_clear_when_nobody_has_said() -> None:
    assert {line.condition for line in lines_of(None)} == {"unknown"}


def test_blockers_stand_beside_their_latch() -> None:
    detail = SwitchDetail("operator_halt", "account", "", "", 0, 0, 0, "", ("zero is not proven",))
    (line,) = [
        one
        for one in lines_of(SwitchList(switches=(LATCH,), details=(detail,)))
        if one.name == "operator_halt"
    ]
    assert line.blockers == ("zero is not proven",)
    assert line.samples == ""
