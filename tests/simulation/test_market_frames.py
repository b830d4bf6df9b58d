"""The whole system while frames of books are lost, doubled, late and wrong."""

import pytest

from ops.simulation.faults import Fault, Plan, Rates
from ops.simulation.run import run
from ops.simulation.venue_faults import MARKET_FRAMES
from shared.units import NS_PER_MS, NS_PER_S

SECONDS = 45
FIRST_NS = 10 * NS_PER_S
EACH_NS = 3 * NS_PER_S


@pytest.mark.req("DQ-3")
@pytest.mark.req("KS-4")
def test_spoilt_frames_of_books_break_no_rule_and_trading_goes_on() -> None:
    schedule = tuple(
        Fault(FIRST_NS + place * EACH_NS, "venue_fault", lasts_ns=EACH_NS - NS_PER_MS, mode=name)
        for place, name in enumerate(MARKET_FRAMES)
    )
    calm_ns = FIRST_NS + len(schedule) * EACH_NS
    outcome = run(11, SECONDS, plan=Plan(Rates(), schedule, calm_ns, garbles=True))
    assert outcome.violations == ()
    assert outcome.posts > 0
    assert outcome.faults == dict.fromkeys(MARKET_FRAMES, 1)
