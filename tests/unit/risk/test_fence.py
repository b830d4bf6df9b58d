"""A fence reaches zero by facts alone: who answered, who is gone, what the venue showed."""

from typing import Any

import pytest

from services.risk.fence import KILL_AGAIN_NS, Fence, FenceTiming
from shared.control import FenceAnswer
from shared.identifiers import Incarnation
from shared.proof import LEASE_OVER_MARGIN_NS
from shared.units import NS_PER_MS, NS_PER_S, BootNs
from tests.builders.risk import RISK_INCARNATION

FENCE_ID = 9
FIRST, SECOND = Incarnation(500), Incarnation(501)
START = BootNs(NS_PER_S)
TIMING = FenceTiming(100 * NS_PER_MS, 2 * NS_PER_S, 2 * NS_PER_S, 2 * NS_PER_S)


def ms(after: float) -> BootNs:
    return BootNs(START + int(after * NS_PER_MS))


def fence(*executions: Incarnation, **spoil: Any) -> Fence:
    fields: dict[str, Any] = {
        "risk_incarnation": RISK_INCARNATION,
        "executions": executions or (FIRST,),
        "granted_until_ns": ms(10_000),
        "timing": TIMING,
    }
    return Fence(FENCE_ID, "test", START, **{**fields, **spoil})


def stage(made: Fence) -> str:
    return made.stage


def answer(**spoil: Any) -> FenceAnswer:
    fields: dict[str, Any] = {
        "risk_incarnation": RISK_INCARNATION,
        "fence_id": FENCE_ID,
        "blocked_ns": ms(5),
        "quiet_ns": ms(6),
        "zero_ns": BootNs(0),
    }
    return FenceAnswer(**{**fields, **spoil})


def quiet_fence() -> Fence:
    """Return a fence whose execution has blocked and reported no intent."""
    made = fence()
    made.answered(FIRST, answer(), ms(10))
    made.intents_reported(0, BootNs(0), ms(20))
    return made


def read(made: Fence, at: float, open_orders: int | None = 0, took: float = 5) -> None:
    made.read_answered(ms(at), ms(at + took), open_orders)


def test_fence_passes_its_stages_in_order_and_tells_their_times() -> None:
    made = fence()
    assert stage(made) == "fencing"
    made.answered(FIRST, answer(quiet_ns=BootNs(0)), ms(10))
    assert stage(made) == "blocked"
    made.answered(FIRST, answer(), ms(20))
    assert stage(made) == "quiet"
    made.intents_reported(0, BootNs(0), ms(21))
    read(made, 30)
    read(made, 2_040)
    assert stage(made) == "zero"
    times = made.times()
    assert (times.blocked_ns, times.quiet_ns) == (10 * NS_PER_MS, 20 * NS_PER_MS)
    assert times.zero_ns == 2_045 * NS_PER_MS


@pytest.mark.parametrize(
    "spoil", [{"fence_id": 8}, {"risk_incarnation": Incarnation(78)}, {"blocked_ns": BootNs(0)}]
)
def test_answer_to_another_fence_or_of_another_risk_is_ignored(spoil: dict[str, Any]) -> None:
    made = fence()
    made.answered(FIRST, answer(**spoil), ms(10))
    assert stage(made) == "fencing"


def test_each_known_execution_must_answer_or_be_gone() -> None:
    made = fence(FIRST, SECOND)
    made.answered(FIRST, answer(), ms(10))
    assert stage(made) == "fencing"
    made.exited(SECOND, ms(20))
    assert stage(made) == "quiet"


def test_execution_that_appears_during_the_fence_must_answer_too() -> None:
    made = fence()
    made.execution_known(SECOND)
    made.answered(FIRST, answer(), ms(10))
    assert stage(made) == "fencing"


def test_nobody_known_is_no_acknowledgement_before_the_last_lease_is_over() -> None:
    made = fence(executions=(), granted_until_ns=ms(400))
    over = ms(400) + LEASE_OVER_MARGIN_NS
    made.tick(BootNs(over - 1))
    assert stage(made) == "fencing"
    made.tick(BootNs(over))
    assert stage(made) == "blocked"


def test_reads_before_the_acknowledgement_prove_nothing() -> None:
    made = fence()
    read(made, 10)
    read(made, 2_100)
    assert stage(made) == "fencing"
    made.answered(FIRST, answer(), ms(3_000))
    made.intents_reported(0, BootNs(0), ms(3_010))
    assert not made.is_zero
    read(made, 3_020)
    assert not made.is_zero


@pytest.mark.parametrize(("gap", "proven"), [(1_999, False), (2_000, True), (2_001, True)])
def test_second_read_is_sent_no_sooner_than_the_gap(gap: int, proven: bool) -> None:
    made = quiet_fence()
    read(made, 30)
    read(made, 35 + gap)
    assert made.is_zero is proven


def test_unresolved_intents_hold_the_proof_until_their_deadline() -> None:
    made = fence()
    made.answered(FIRST, answer(), ms(10))
    made.intents_reported(2, ms(4_000), ms(20))
    read(made, 30)
    read(made, 2_100)
    assert not made.is_zero
    read(made, 4_001)
    read(made, 6_010)
    assert made.is_zero


def test_dead_executions_intents_are_over_by_their_own_deadline_alone() -> None:
    made = fence(granted_until_ns=ms(300))
    made.exited(FIRST, ms(10))
    read(made, 30)
    read(made, 2_100)
    assert not made.is_zero
    over = 300 + 50 + 3_000
    read(made, over + 1)
    read(made, over + 2_010)
    assert made.is_zero


def test_read_without_an_answer_says_nothing() -> None:
    made = quiet_fence()
    read(made, 30, None)
    read(made, 2_040, None)
    assert not made.is_zero


def test_order_seen_between_the_reads_starts_the_proof_again() -> None:
    made = quiet_fence()
    read(made, 30)
    read(made, 2_040, 1)
    read(made, 2_100)
    assert not made.is_zero
    read(made, 4_110)
    assert made.is_zero


def test_order_after_the_proof_breaks_it_and_it_must_be_made_anew() -> None:
    made = quiet_fence()
    read(made, 30)
    read(made, 2_040)
    made.broken(ms(8_000))
    assert stage(made) == "quiet"
    made.intents_reported(0, BootNs(0), ms(8_010))
    read(made, 8_020)
    assert not made.is_zero
    read(made, 10_030)
    assert made.is_zero


@pytest.mark.parametrize(("after", "killed"), [(99, False), (100, True), (101, True)])
def test_missing_blocked_is_overdue_at_its_limit(after: int, killed: bool) -> None:
    made = fence()
    made.pinged(FIRST, ms(3))
    assert (made.overdue(ms(3 + after)) == (FIRST,)) is killed


def test_execution_that_could_not_have_heard_is_not_overdue() -> None:
    assert fence().overdue(ms(5_000)) == ()


def test_kill_is_repeated_while_no_exit_comes_and_not_otherwise() -> None:
    made = fence()
    made.pinged(FIRST, ms(0))
    assert made.overdue(ms(100)) == (FIRST,)
    assert made.overdue(ms(110)) == ()
    again = BootNs(ms(100) + KILL_AGAIN_NS)
    assert made.overdue(again) == (FIRST,)
    made.exited(FIRST, again)
    assert made.overdue(BootNs(again + KILL_AGAIN_NS)) == ()


def test_missing_quiet_or_zero_kills_nobody() -> None:
    made = fence()
    made.pinged(FIRST, ms(0))
    made.answered(FIRST, answer(quiet_ns=BootNs(0)), ms(50))
    assert made.overdue(ms(60_000)) == ()
