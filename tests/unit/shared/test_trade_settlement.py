"""Every report in every state of a settlement, against a table written by hand."""

from itertools import permutations
from typing import get_args

import pytest

from services.execution.positions import Positions
from shared.identifiers import TokenId, TradeId
from shared.trade_settlement import (
    FINAL,
    TRANSITIONS,
    SettlementState,
    after_report,
    is_contradiction,
)
from tests.builders.ledger_rows import build_fill_record

STATES: tuple[str, ...] = get_args(SettlementState)

PUSHED = """
state      MATCHED    RETRYING   MINED      CONFIRMED  FAILED
MATCHED    MATCHED    RETRYING   MINED      CONFIRMED  FAILED
RETRYING   RETRYING   RETRYING   MINED      CONFIRMED  FAILED
MINED      MINED      MINED      MINED      CONFIRMED  FAILED
CONFIRMED  CONFIRMED  CONFIRMED  CONFIRMED  CONFIRMED  CONFIRMED
FAILED     FAILED     FAILED     FAILED     FAILED     FAILED
"""
"""What a report of the stream (column) makes of a state (row)."""

ANSWERED = {("CONFIRMED", "FAILED"): "FAILED", ("FAILED", "CONFIRMED"): "CONFIRMED"}
"""Where the answer to a question of ours makes something else of it."""


def cells() -> list[tuple[str, str, str]]:
    head, *rows = [line.split() for line in PUSHED.split("\n") if line]
    return [(row[0], head[i], row[i]) for row in rows for i in range(1, len(head))]


@pytest.mark.req("EX-10")
@pytest.mark.parametrize(("state", "report", "expected"), cells())
def test_every_report_in_every_state(state: str, report: str, expected: str) -> None:
    assert after_report(state, report, asked=False) == expected
    answered = ANSWERED.get((state, report), expected)
    assert after_report(state, report, asked=True) == answered
    assert is_contradiction(state, report) == ((state, report) in ANSWERED)


@pytest.mark.req("EX-10")
@pytest.mark.req("INV-8")
@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize(("state", "report", "expected"), cells())
def test_every_cell_moves_the_position_once(
    state: str, report: str, expected: str, asked: bool
) -> None:
    positions = Positions((), ())
    assert positions.take(build_fill_record(settlement=state)) == "new"
    if asked:
        expected = ANSWERED.get((state, report), expected)
    told = positions.take(build_fill_record(settlement=report), asked=asked)
    assert told == ("" if expected == state else "changed")
    held = positions.of_token(TokenId("1"))
    assert held.matched_e6 == (0 if expected == "FAILED" else 2_000_000)
    is_certain = not is_contradiction(state, report) or asked
    assert held.confirmed_e6 == (2_000_000 if expected == "CONFIRMED" and is_certain else 0)
    rows = [row.settlement for row in positions.unpublished]
    # A contradiction is written again although nothing moved, so that a restart doubts it too.
    is_written = expected != state or is_contradiction(state, report)
    assert rows == ([state, expected] if is_written else [state])


def test_table_has_every_state_and_no_other() -> None:
    assert set(TRANSITIONS) == set(STATES)
    assert {state for state, row in TRANSITIONS.items() if not row} == FINAL
    assert len(cells()) == len(STATES) ** 2


@pytest.mark.req("INV-8")
@pytest.mark.parametrize("final", ["CONFIRMED", "FAILED"])
def test_reports_of_one_trade_reach_its_end_in_any_order(final: str) -> None:
    for order in permutations(["MATCHED", "RETRYING", "MINED", final, final]):
        positions = Positions((), ())
        for report in order:
            positions.take(build_fill_record(trade_id=TradeId("t"), settlement=report))
        assert positions.unsettled() == ()
        assert positions.of_token(TokenId("1")).matched_e6 == (
            2_000_000 if final == "CONFIRMED" else 0
        )
