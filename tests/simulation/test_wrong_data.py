"""Wrong data in a whole group under virtual time: each is found, nothing is bought on it."""

import pytest

from ops.simulation.checkers import Findings, Intent
from ops.simulation.data_checkers import OBEYED_NS_MAX, DataChecker
from ops.simulation.data_faults import DATA_FAULTS, with_data_faults
from ops.simulation.faults import Fault, Plan, Rates, draw
from ops.simulation.run import run
from services.simulator.chance import stream
from shared.facts import MarketView, QualityFinding, StateQuality, StateView
from shared.identifiers import Asset, ConditionId, OrderHash
from shared.units import NS_PER_S, MonotonicNs, PriceE4, WallMs
from tests.builders.risk import instant

SECONDS = 62
BEGIN_S = {
    "prices-backwards": 10,
    "older-prices-garbled": 14,
    "price-hangs": 18,
    "prices-ahead": 36,
    "prices-garbled": 42,
}
LASTS_S = {"price-hangs": 13}


@pytest.mark.req("DQ-1", "DQ-4", "DQ-5")
def test_wrong_data_is_found_and_nothing_is_bought_on_it() -> None:
    assert BEGIN_S.keys() == DATA_FAULTS.keys()
    schedule = tuple(
        Fault(
            begin_s * NS_PER_S,
            "venue_fault",
            lasts_ns=LASTS_S.get(name, 4) * NS_PER_S,
            mode=name,
        )
        for name, begin_s in BEGIN_S.items()
    )
    plan = Plan(Rates(), schedule, 48 * NS_PER_S, garbles=True)
    outcome = run(1, SECONDS, plan=plan)
    assert not outcome.violations
    told = {what.removeprefix("alert.") for _, _, what, _ in outcome.told}
    assert {"data_backwards", "data_unchanged", "data_future", "data_corrupt"} <= told


def test_data_faults_are_drawn_beside_the_others() -> None:
    plans = [draw(stream(seed, "faults"), SECONDS * NS_PER_S) for seed in range(40)]
    for plan in plans:
        assert set(plan.schedule) <= set(with_data_faults(plan, stream(7, "data")).schedule)
    drawn = {
        fault.mode
        for seed, plan in enumerate(plans)
        for fault in with_data_faults(plan, stream(seed, "data")).schedule
    }
    assert drawn >= DATA_FAULTS.keys()


class Ledger:
    def __init__(self, side: str) -> None:
        self.side = side

    def intent(self, order_id: OrderHash) -> Intent | None:
        return Intent(order_id, "i", "SUBMITTED", 1, side=self.side)


def view(asset: str) -> MarketView:
    return MarketView(
        market=ConditionId(asset),
        asset=Asset(asset),
        valid=True,
        reason="",
        proven_ns=None,
        tick_e4=PriceE4(100),
        books=None,
        reference=None,
        strike_e18=None,
        volatility_e9=None,
        venue_ms=WallMs(0),
    )


def wrong(asset: str, *, blocks: bool = True) -> StateQuality:
    zero = MonotonicNs(0)
    found = QualityFinding(asset, asset, "jump", "refused", "", "", "", zero, zero, 1, blocks)
    return StateQuality(1, 1, 0, (found,))


@pytest.mark.parametrize(
    ("assets", "side", "late_ms", "blocks", "is_found"),
    [
        (("btc",), "BUY", 1, True, True),
        (("btc",), "BUY", 0, True, False),
        (("btc",), "SELL", 1, True, False),
        (("btc",), "BUY", 1, False, False),
        (("btc", "eth"), "BUY", 1, True, False),
    ],
)
def test_checker_finds_what_is_bought_on_a_wrong_price(
    assets: tuple[str, ...], side: str, late_ms: int, blocks: bool, is_found: bool
) -> None:
    findings = Findings(lambda: 0)
    checker = DataChecker(findings, Ledger(side))
    checker.told(StateView(tuple(view(asset) for asset in assets)), instant(0))
    checker.told(wrong("btc", blocks=blocks), instant(0))
    checker.posted(OrderHash("0x1"), instant(OBEYED_NS_MAX / 1_000_000 + late_ms))
    assert bool(findings.violations) is is_found
