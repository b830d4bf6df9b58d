"""The capital ramp: one step up at a time, each after a clean run; down at any time."""

import msgspec
import pytest

from services.risk.messages import StoredState
from services.risk.ramp import PAPER_S_MIN, Ramp
from shared.clean_run import CleanRun
from shared.operator import PaperRun
from shared.units import NS_PER_S, WallNs
from tests.builders.risk_parts import config

DAY_S = 86_400
NOW = WallNs(10 * DAY_S * NS_PER_S)


def _ramp(usd: int | None = None, mode: str = "simulation") -> Ramp:
    settings = config()
    run = msgspec.structs.replace(settings.run, mode=mode)
    return Ramp(msgspec.structs.replace(settings, run=run), StoredState(capital_usd=usd))


def _traded(seconds: int, spoiled_by: str = "") -> CleanRun:
    return CleanRun(traded_ns=seconds * NS_PER_S, spoiled_by=spoiled_by)


def _paper(seconds: int) -> PaperRun:
    return PaperRun(seconds, 9, "0" * 64, 0)


@pytest.mark.req("ST-8")
@pytest.mark.parametrize(("clean_s", "free"), [(DAY_S - 1, False), (DAY_S, True)])
def test_next_step_needs_a_clean_day_at_the_step_before(clean_s: int, free: bool) -> None:
    found = _ramp(50).blockers(100, _traded(clean_s), None, NOW)
    assert (found == ()) is free


@pytest.mark.req("ST-8")
def test_no_step_is_left_out() -> None:
    found = _ramp(50).blockers(500, _traded(DAY_S), None, NOW)
    assert found == ("the step after 50 USD is 100 USD",)


def test_refusal_names_what_spoiled_the_run() -> None:
    (found,) = _ramp(100).blockers(500, _traded(5, "loss_limit latched: x"), None, NOW)
    assert found.endswith("spoiled by loss_limit latched: x")


@pytest.mark.parametrize("usd", [50, 100])
def test_lower_or_equal_step_is_always_free(usd: int) -> None:
    assert _ramp(100).blockers(usd, _traded(0), None, NOW) == ()


@pytest.mark.req("ST-8")
def test_live_has_no_capital_before_its_first_step() -> None:
    assert _ramp(None, "live").capital_usd == 0
    assert _ramp(None, "paper").capital_usd == 50
    assert _ramp(100, "live").capital_usd == 100


@pytest.mark.req("ST-8")
@pytest.mark.parametrize(
    ("paper", "free"),
    [(None, False), (_paper(PAPER_S_MIN - 1), False), (_paper(PAPER_S_MIN), True)],
)
def test_first_live_step_needs_a_day_of_paper(paper: PaperRun | None, free: bool) -> None:
    found = _ramp(None, "live").blockers(50, _traded(0), paper, NOW)
    assert (found == ()) is free


def test_first_live_step_is_the_lowest() -> None:
    found = _ramp(None, "live").blockers(100, _traded(0), _paper(PAPER_S_MIN), NOW)
    assert found == ("the first step is 50 USD",)
