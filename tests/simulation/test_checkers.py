"""Each checker finds what it is for, and nothing where nothing is wrong."""

import msgspec
import pytest

from ops.simulation.checkers import (
    CANCEL_AGAIN_NS,
    CANCEL_WITHIN_NS,
    CancelChecker,
    Findings,
    HaltChecker,
    HungRiskChecker,
    Intent,
    IntentChecker,
    LeaseChecker,
    LifecycleChecker,
)
from shared.control import Lease, Ping
from shared.facts import OrderFact, RiskStatus
from shared.identifiers import ConditionId, Incarnation, OrderHash, StrategyName, TokenId
from shared.orders import EXPOSED
from shared.units import NS_PER_MS, BootNs, Instant, MonotonicNs, PriceE4, SizeE6, WallNs

ME = Incarnation(7)
ASKED_NS = BootNs(1_000 * NS_PER_MS)
LEASE_MS = 400
OVER_NS = ASKED_NS + LEASE_MS * NS_PER_MS
FIRST, SECOND = OrderHash("0x01"), OrderHash("0x02")


def findings() -> Findings:
    return Findings(lambda: 0)


def rules(found: Findings) -> list[str]:
    return [violation.rule for violation in found.violations]


def at(boot_ns: int) -> Instant:
    return Instant(BootNs(boot_ns), MonotonicNs(0), WallNs(0))


def ping(epoch: int = 5, spoiled: dict[str, object] | None = None) -> Ping:
    lease = msgspec.structs.replace(
        Lease(ME, ASKED_NS, LEASE_MS, epoch, "ACTIVE"), **(spoiled or {})
    )
    return Ping(Incarnation(1), 1, BootNs(0), epoch, 0, "", "ACTIVE", (), (), 0, lease)


def fact(**spoiled: object) -> OrderFact:
    made = OrderFact(
        FIRST,
        StrategyName("market_making"),
        ConditionId("0xm"),
        TokenId("1"),
        "BUY",
        0,
        PriceE4(5_000),
        SizeE6(10),
        SizeE6(4),
        "PARTLY_FILLED",
        "",
        5,
        BootNs(0),
    )
    return msgspec.structs.replace(made, **spoiled)


class Ledger:
    def __init__(self, *rows: Intent) -> None:
        self.rows = {row.order_id: row for row in rows}

    def intent(self, order_id: OrderHash) -> Intent | None:
        return self.rows.get(order_id)

    def exposed(self, intent: str) -> list[Intent]:
        return [row for row in self.rows.values() if row.intent == intent and row.state in EXPOSED]


class Venue:
    def __init__(self, *open_ids: OrderHash, filled: int = 4) -> None:
        self.open = list(open_ids)
        self.filled = filled

    def open_ids(self) -> list[OrderHash]:
        return self.open

    def filled_e6(self, order_id: OrderHash) -> int | None:
        return self.filled


@pytest.mark.parametrize(("boot_ns", "expected"), [(OVER_NS - 1, []), (OVER_NS, ["INV-3"])])
def test_lease_is_judged_from_its_asking(boot_ns: int, expected: list[str]) -> None:
    found = findings()
    checker = LeaseChecker(found)
    checker.ordered(ME, ping())
    checker.posted(ME, FIRST, 5, at(boot_ns))
    assert rules(found) == expected


@pytest.mark.parametrize(
    "spoiled", [{"incarnation": Incarnation(8)}, {"epoch": 4}, {"asked_ns": BootNs(0)}]
)
def test_echo_that_grants_nothing_is_no_lease(spoiled: dict[str, object]) -> None:
    found = findings()
    checker = LeaseChecker(found)
    checker.ordered(ME, ping(spoiled=spoiled))
    checker.posted(ME, FIRST, 5, at(ASKED_NS))
    assert rules(found) == ["INV-3"]


def test_newer_epoch_ends_the_lease_of_the_older_one() -> None:
    found = findings()
    checker = LeaseChecker(found)
    checker.ordered(ME, ping())
    checker.ordered(ME, msgspec.structs.replace(ping(6), lease=None))
    checker.posted(ME, FIRST, 5, at(ASKED_NS))
    assert rules(found) == ["INV-3"]


def test_order_of_an_older_epoch_is_found_although_there_is_a_lease() -> None:
    found = findings()
    checker = LeaseChecker(found)
    checker.ordered(ME, ping(6))
    checker.posted(ME, FIRST, 5, at(ASKED_NS))
    assert rules(found) == ["INV-3"]


def test_write_without_a_record_is_found() -> None:
    found = findings()
    IntentChecker(found, Ledger()).posted(FIRST)
    assert rules(found) == ["INV-2"]


def test_second_write_of_an_order_is_found() -> None:
    found = findings()
    checker = IntentChecker(found, Ledger(Intent(FIRST, "slot", "SUBMITTED", 5)))
    checker.posted(FIRST)
    assert rules(found) == []
    checker.posted(FIRST)
    assert rules(found) == ["EX-6"]


@pytest.mark.parametrize(
    ("state", "expected"), [("UNKNOWN", ["INV-6"]), ("LIVE", ["INV-6"]), ("CANCELED", [])]
)
def test_write_beside_an_order_of_the_same_intent_is_found(state: str, expected: list[str]) -> None:
    found = findings()
    rows = Ledger(Intent(FIRST, "slot", "INTENDED", 5), Intent(SECOND, "slot", state, 5))
    IntentChecker(found, rows).posted(FIRST)
    assert rules(found) == expected


def test_two_live_orders_of_an_intent_are_found_at_the_venue() -> None:
    found = findings()
    rows = Ledger(Intent(FIRST, "slot", "LIVE", 5), Intent(SECOND, "slot", "LIVE", 5))
    checker = IntentChecker(found, rows)
    checker.judge_venue(Venue(FIRST))
    assert rules(found) == []
    checker.judge_venue(Venue(FIRST, SECOND))
    assert rules(found) == ["INV-6"]


@pytest.mark.parametrize(
    ("spoiled", "expected"),
    [
        ({}, []),
        ({"filled": SizeE6(5)}, ["INV-8"]),
        ({"filled": SizeE6(11), "size": SizeE6(10)}, ["INV-5", "INV-8"]),
        ({"filled": SizeE6(-1)}, ["INV-5", "INV-8"]),
    ],
)
def test_filled_size_is_judged_against_order_and_venue(
    spoiled: dict[str, object], expected: list[str]
) -> None:
    found = findings()
    LifecycleChecker(found, Venue(filled=4)).told(fact(**spoiled), ME)
    assert set(rules(found)) <= set(expected)
    assert bool(rules(found)) == bool(expected)


def test_terminal_order_that_comes_back_is_found() -> None:
    found = findings()
    checker = LifecycleChecker(found, Venue())
    checker.told(fact(state="CANCELED"), ME)
    checker.told(fact(state="LIVE"), ME)
    assert rules(found) == ["INV-5"]


def test_new_run_may_doubt_what_a_dead_one_had_not_put_on_disk() -> None:
    found = findings()
    checker = LifecycleChecker(found, Venue())
    checker.told(fact(state="CANCELED"), ME)
    checker.told(fact(state="UNKNOWN"), Incarnation(8))
    assert rules(found) == []


def test_order_that_is_told_to_be_gone_while_it_is_live_is_found() -> None:
    found = findings()
    LifecycleChecker(found, Venue(FIRST)).told(fact(state="EXPIRED"), ME)
    assert rules(found) == ["INV-5"]


def status(trading_state: str) -> RiskStatus:
    return RiskStatus(trading_state, (), 5, "zero", "", None, (), (), 1)


def test_halt_that_does_not_last_is_found() -> None:
    found = findings()
    checker = HaltChecker(found)
    checker.told(status("ACTIVE"))
    checker.acknowledged()
    checker.told(status("HALTED"))
    assert rules(found) == []
    checker.told(status("PAUSED"))
    assert rules(found) == ["INV-9"]


def test_order_that_is_live_after_an_acknowledged_halt_is_found() -> None:
    found = findings()
    checker = HaltChecker(found)
    checker.judge_venue(Venue(FIRST))
    checker.acknowledged()
    checker.judge_venue(Venue())
    assert rules(found) == []
    checker.judge_venue(Venue(FIRST))
    assert rules(found) == ["S2"]


def test_resume_ends_what_a_halt_demands() -> None:
    found = findings()
    checker = HaltChecker(found)
    checker.acknowledged()
    checker.resumed()
    checker.told(status("ACTIVE"))
    checker.judge_venue(Venue(FIRST))
    assert rules(found) == []


@pytest.mark.parametrize(("silent_ns", "expected"), [(400, []), (401, ["S5"])])
def test_write_is_judged_by_how_long_risk_has_been_silent(
    silent_ns: int, expected: list[str]
) -> None:
    found = findings()
    HungRiskChecker(found, 400).posted(FIRST, silent_ns)
    assert rules(found) == expected


def test_missing_cancel_is_found_once_its_time_is_over() -> None:
    found = findings()
    checker = CancelChecker(found)
    checker.judge(0, [FIRST])
    checker.judge(CANCEL_WITHIN_NS - 1, [FIRST])
    assert rules(found) == []
    checker.judge(CANCEL_WITHIN_NS, [FIRST])
    assert rules(found) == ["INV-4"]


@pytest.mark.parametrize("named", [None, (FIRST,)])
def test_cancel_covers_its_orders_until_it_should_have_been_answered(
    named: tuple[OrderHash, ...] | None,
) -> None:
    found = findings()
    checker = CancelChecker(found)
    checker.judge(0, [FIRST])
    checker.canceled(0, named)
    checker.judge(CANCEL_AGAIN_NS, [FIRST])
    assert rules(found) == []
    checker.judge(CANCEL_AGAIN_NS + 1, [FIRST])
    assert rules(found) == ["INV-4"]


def test_cancel_of_another_order_covers_nothing() -> None:
    found = findings()
    checker = CancelChecker(found)
    checker.judge(0, [FIRST])
    checker.canceled(0, (SECOND,))
    checker.judge(CANCEL_WITHIN_NS + CANCEL_AGAIN_NS, [FIRST])
    assert rules(found) == ["INV-4"]


def test_stopped_execution_owes_no_cancel() -> None:
    found = findings()
    checker = CancelChecker(found)
    checker.judge(0, [FIRST])
    checker.excused()
    checker.judge(CANCEL_WITHIN_NS, [FIRST])
    assert rules(found) == []
