"""Faults of what is only read: drawn beside the others, and judged by the oracle itself."""

import pytest

from ops.simulation.checkers import Findings
from ops.simulation.faults import Fault, Plan, Rates, draw
from ops.simulation.read_faults import MOVING, READ_FAULTS, moves_prices, with_read_faults
from ops.simulation.run import run
from ops.simulation.told_prices import PriceChecker
from ops.simulation.venue_faults import VENUE_FAULTS, orders_of
from services.simulator.chance import Chance
from services.simulator.oracles.oracle import Tick
from shared.facts import PriceSocket, ReferencePrice
from shared.identifiers import Asset, Incarnation
from shared.units import NS_PER_MS, NS_PER_S, MonotonicNs, ReferenceE18, WallMs

LENGTH_NS = 60 * NS_PER_S
BTC = Asset("btc")
FEED = Incarnation(1)


def test_every_fault_is_drawn_by_some_seed_and_none_by_all() -> None:
    drawn = []
    for seed in range(200):
        plan = draw(Chance(seed), LENGTH_NS)
        more = with_read_faults(plan, Chance(seed + 1_000))
        new = [fault for fault in more.schedule if fault not in plan.schedule]
        assert len(new) <= 1
        drawn += [fault.mode for fault in new]
        assert moves_prices(more) == any(fault.mode in MOVING for fault in new)
    assert set(drawn) == set(READ_FAULTS)
    assert 70 < len(drawn) < 130


def test_names_of_faults_mean_one_thing() -> None:
    assert not set(READ_FAULTS) & set(VENUE_FAULTS)
    (order,) = orders_of("prices-current-silent", 700 * NS_PER_MS)
    assert (order.kind, order.stream, order.duration_ms) == ("silence", "price", 700)


class Rig:
    """A checker of an oracle with one tick a second."""

    def __init__(self) -> None:
        self.findings = Findings(lambda: 0)
        self.checker = PriceChecker(self.findings, self.ticks)

    def ticks(self, asset: Asset, from_ms: int, until_ms: int) -> list[Tick]:
        seconds = range(0, 100_000, 1_000)
        return [Tick(asset, WallMs(at), at, 2 * at) for at in seconds if from_ms <= at < until_ms]

    def told(
        self,
        at_ms: int,
        e8: int,
        source: str = "chainlink",
        socket: PriceSocket = "current",
        *,
        is_history: bool = False,
    ) -> list[str]:
        value = ReferenceE18(e8 * 10**10)
        stamp = MonotonicNs(0)
        tick = ReferencePrice(BTC, source, value, WallMs(at_ms), stamp, is_history, socket)
        self.checker.told(tick, FEED)
        return [found.rule for found in self.findings.violations]


@pytest.mark.req("VEN-5")
def test_checker_wants_the_oracles_own_price_over_either_socket() -> None:
    rig = Rig()
    assert not rig.told(5_000, 5_000)
    assert not rig.told(5_000, 10_000, "chainlink_twap_60", "legacy")
    assert not rig.told(5_000, 77, "pyth")
    assert not rig.told(500_000, 77), "older or newer than the oracle remembers"
    assert rig.told(501_000, 1) == []
    assert rig.told(6_000, 6_001, is_history=True) == ["VEN-5"]


@pytest.mark.req("VEN-5")
def test_checker_sees_a_price_that_goes_back() -> None:
    rig = Rig()
    assert not rig.told(5_000, 5_000)
    assert not rig.told(4_000, 4_000, is_history=True)
    assert rig.told(4_000, 4_000) == ["VEN-5"]


@pytest.mark.req("VEN-5", "KS-3")
def test_group_trades_on_over_the_older_socket_and_tells_the_oracles_prices() -> None:
    """A whole group whose current socket is silent for longer than KS-3 would wait."""
    silent = Fault(
        12 * NS_PER_S, "venue_fault", lasts_ns=16 * NS_PER_S, mode="prices-current-silent"
    )
    outcome = run(1, 46, plan=Plan(Rates(), (silent,), 30 * NS_PER_S))
    assert not outcome.violations
    told = [(what, text) for _, _, what, text in outcome.told]
    assert any("price_socket btc" in what for what, _ in told)
    assert not any("oracle" in text for what, text in told if what.startswith("state."))
