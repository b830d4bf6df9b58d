"""Rows of the trail: a burst at once, then one after each while; what is left out is counted."""

from services.risk.audit_budget import SUM_EVERY_NS, AuditBudget
from shared.units import NS_PER_S, BootNs


def _at(seconds: float) -> BootNs:
    return BootNs(int(seconds * NS_PER_S))


def _budget() -> AuditBudget:
    return AuditBudget(burst=3, every_ns=10 * NS_PER_S, now_ns=_at(0))


def test_burst_is_written_and_one_more_is_not() -> None:
    budget = _budget()
    assert [budget.take(_at(1)) for _ in range(4)] == [True, True, True, False]
    assert budget.left_out == 1


def test_place_comes_back_after_its_while_and_not_before() -> None:
    budget = _budget()
    for _ in range(3):
        budget.take(_at(0))
    assert not budget.take(_at(9.9))
    assert budget.take(_at(10))
    assert not budget.take(_at(10))


def test_rest_gives_no_more_than_a_burst() -> None:
    budget = _budget()
    assert sum(budget.take(_at(10_000)) for _ in range(50)) == 3


def test_sum_comes_once_a_minute_and_only_when_something_was_left_out() -> None:
    budget = _budget()
    assert budget.sum_due(_at(100)) == 0
    for _ in range(5):
        budget.take(_at(100))
    assert budget.sum_due(_at(100)) == 2
    budget.take(_at(100))
    assert budget.sum_due(_at(101)) == 0
    assert budget.sum_due(BootNs(_at(100) + SUM_EVERY_NS)) == 1
