"""What a latch of a strategy's performance asks before real money is at work again."""

from typing import Any

import msgspec
import pytest

from services.risk.paper_run import paper_blockers
from shared.config import Config
from shared.operator import PaperRun
from shared.risk_schema import LatchRow
from shared.switches import STRATEGY_DISABLED, STRATEGY_PERFORMANCE
from shared.units import NS_PER_S, WallNs
from tests.builders.risk_parts import config

LATCHED_NS = WallNs(50 * NS_PER_S)
DAY_S = 86_400
ROW = LatchRow(STRATEGY_PERFORMANCE.name, "strategy", "market_making", 3, LATCHED_NS, "too bad", "")


def _in_mode(mode: str) -> Config:
    settings = config()
    return msgspec.structs.replace(settings, run=msgspec.structs.replace(settings.run, mode=mode))


def _paper(clean_s: int = DAY_S, began_ns: int = LATCHED_NS) -> PaperRun:
    return PaperRun(clean_s, 9, "0" * 64, began_ns)


@pytest.mark.req("CB-4")
@pytest.mark.parametrize(
    ("paper", "words"),
    [
        (None, "--paper DATA"),
        (_paper(began_ns=LATCHED_NS - 1), "began before market_making was latched"),
        (_paper(DAY_S - 1), f"{DAY_S - 1} s of {DAY_S} s"),
        (_paper(), ""),
        (_paper(DAY_S + 1, LATCHED_NS + 1), ""),
    ],
)
def test_live_asks_for_a_long_clean_paper_run_begun_after_the_latch(
    paper: PaperRun | None, words: str
) -> None:
    found = paper_blockers(_in_mode("live"), (ROW, None), paper)
    assert len(found) == bool(words)
    assert all(words in one for one in found)


@pytest.mark.req("CB-4")
@pytest.mark.parametrize(
    ("mode", "changed"),
    [("paper", {}), ("simulation", {}), ("live", {"name": STRATEGY_DISABLED.name})],
)
def test_nothing_is_asked_where_no_real_money_waits_for_it(mode: str, changed: Any) -> None:
    row = msgspec.structs.replace(ROW, **changed)
    assert paper_blockers(_in_mode(mode), (row,), None) == ()
