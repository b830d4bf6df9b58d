"""The switches that watch orders and inventory, in one group that trades.

What losses lead to is judged in `test_switches_traded_losses.py`.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ops.waiting import wait_for
from shared.facts import RiskStatus
from shared.units import SHARE_E6
from tests.processes.group import GroupUnderTest

SEES_WITHIN_S = 20.0
TRIPS_WITHIN_S = 60.0
CLOSES_WITHIN_S = 45.0

SETTINGS = """
[timing]
clean_data_ms = 500
reconcile_full_ms = 2000
mismatch_grace_ms = 1000

[strategy.market_making]
size_shares = 5
price_e4_min = 2500

[throttle]
orders_max = 4
window_s = 3600
"""
CHANGES = {'assets = ["btc"]': 'assets = ["btc", "eth"]'}

ORDERS_MAX = 4


class Watched:
    """A group and what is latched in it."""

    def __init__(self) -> None:
        self.group = GroupUnderTest(extra=SETTINGS, changes=CHANGES)
        ran = self.group.up()
        assert ran.status == 0, repr(ran)

    def waits_for(self, what: Callable[[], Any], within_s: float = SEES_WITHIN_S) -> Any:
        """Wait until something holds, and return it."""
        found = wait_for(lambda: what() or None, within_s)
        assert found, f"not within {within_s} s: {self.risk()}\n{self.group.log_tails()}"
        return found

    def risk(self) -> RiskStatus | None:
        """Return what risk says."""
        return self.group.view().risk()

    def latched(self) -> set[str]:
        """Return the latches that hold."""
        risk = self.risk()
        return set() if risk is None else {one.name for one in risk.switches if one.kind == "latch"}

    def resume(self, *words: str) -> tuple[int, str]:
        """Ask for a resume; return the status and what was said."""
        ran = self.group.command("resume", "--reason", "test", *words)
        return ran.status, ran.out + ran.err

    def resumes(self) -> None:
        """Resume until nothing blocks it: zero is proven first."""
        self.waits_for(lambda: self.resume()[0] == 0 or not self.latched(), CLOSES_WITHIN_S)


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    """One group for this file, in its order: the first test needs one that has not traded yet."""
    made = Watched()
    try:
        yield made
    finally:
        made.group.close()


@pytest.mark.req("KS-13", "INV-9")
@pytest.mark.timeout(240)
def test_strategy_that_orders_too_often_is_cut_off_through_the_death_of_everything(
    watched: Watched,
) -> None:
    group = watched.group
    watched.waits_for(lambda: "repeated_execution" in watched.latched(), TRIPS_WITHIN_S)
    watched.waits_for(lambda: not group.venue.open_orders().open)
    placed = [one for one in group.venue.of_kind("post") if one["account"] == group.address.lower()]
    ordered = {one["order_id"] for one in placed}
    assert 0 < len(ordered) <= ORDERS_MAX, "its own gate cut it off at its limit"
    group.kill_everything()
    text = group.profile.read_text(encoding="utf-8")
    group.profile.write_text(text.replace("orders_max = 4", "orders_max = 5000"), encoding="utf-8")
    assert group.up().status == 0
    watched.waits_for(lambda: "repeated_execution" in watched.latched())
    status, said = watched.resume("--scope", "strategy:market_making")
    assert status == 0, said
    group.wait_until_trading()


@pytest.mark.req("KS-6")
@pytest.mark.timeout(240)
def test_inventory_over_its_cap_halts_until_it_is_gone(watched: Watched) -> None:
    group = watched.group
    market = next(one for one in group.venue.ask("GET", "/admin/markets") if one["state"] == "OPEN")
    body = {"account": group.address, "token": market["tokens"][0], "amount": 150 * SHARE_E6}
    group.venue.ask("POST", "/admin/balance", body)
    watched.waits_for(lambda: "inventory_cap" in watched.latched(), CLOSES_WITHIN_S)
    watched.waits_for(lambda: not group.venue.open_orders().open)
    watched.waits_for(lambda: "inventory_cap still holds" in watched.resume()[1])
    group.venue.ask("POST", "/admin/balance", body | {"amount": -150 * SHARE_E6})
    watched.resumes()
    group.wait_until_trading()
