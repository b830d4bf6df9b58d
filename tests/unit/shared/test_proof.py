"""Each rule of the proof of zero has a test that fails when the rule is taken out."""

import pytest

from shared.identifiers import Incarnation
from shared.proof import LEASE_OVER_MARGIN_NS, ProofOfZero, intents_over_ns
from shared.units import NS_PER_MS, NS_PER_S, BootNs

FENCE = 7
OURS = Incarnation(11)
OTHER = Incarnation(12)
GAP_NS = 2 * NS_PER_S


def ms(value: int) -> BootNs:
    return BootNs(value * NS_PER_MS)


def build_proof(
    *, lease_over: BootNs | None = None, intents_over: BootNs | None = None
) -> ProofOfZero:
    return ProofOfZero(
        FENCE, read_gap_ns=GAP_NS, lease_over_ns=lease_over, intents_over_ns=intents_over
    )


def build_grounded(*, at: BootNs) -> ProofOfZero:
    """Both (a) and (b) hold since `at`."""
    proof = build_proof()
    proof.execution_known(OURS)
    proof.execution_blocked(OURS, FENCE, at)
    proof.intents_reported(0, BootNs(0), at)
    return proof


def read(proof: ProofOfZero, sent: BootNs, *, orders: int | None = 0, took_ms: int = 10) -> None:
    proof.read_answered(
        "own", sent_ns=sent, answered_ns=BootNs(sent + took_ms * NS_PER_MS), open_orders=orders
    )


def test_proof_is_complete_after_two_empty_reads_with_the_gap() -> None:
    proof = build_grounded(at=ms(100))
    read(proof, ms(101))
    assert proof.zero_ns is None
    read(proof, ms(111 + 2000))
    assert proof.zero_ns == ms(2121)


@pytest.mark.parametrize(("sent", "proven"), [(2110, False), (2111, True), (2112, True)])
def test_second_read_counts_only_when_sent_the_gap_after_the_first_answer(
    sent: int, proven: bool
) -> None:
    proof = build_grounded(at=ms(100))
    read(proof, ms(101))
    read(proof, ms(sent))
    assert (proof.zero_ns is not None) is proven


@pytest.mark.parametrize("orders", [None, 1])
def test_read_that_shows_orders_or_nothing_known_does_not_count(orders: int | None) -> None:
    proof = build_grounded(at=ms(100))
    read(proof, ms(101))
    read(proof, ms(3000), orders=orders)
    assert proof.zero_ns is None


def test_read_that_shows_an_order_starts_the_count_again() -> None:
    proof = build_grounded(at=ms(100))
    read(proof, ms(101))
    read(proof, ms(1000), orders=1)
    read(proof, ms(3000))
    assert proof.zero_ns is None
    read(proof, ms(6000))
    assert proof.zero_ns == ms(6010)


def test_order_that_appears_after_the_proof_takes_it_back() -> None:
    proof = build_grounded(at=ms(100))
    read(proof, ms(101))
    read(proof, ms(3000))
    assert proof.missing(ms(4000)) == ""
    read(proof, ms(8000), orders=2)
    assert proof.zero_ns is None
    assert proof.open_orders == 2


def test_failed_read_says_nothing_against_an_earlier_one() -> None:
    proof = build_grounded(at=ms(100))
    read(proof, ms(101))
    read(proof, ms(500), orders=None)
    read(proof, ms(3000))
    assert proof.zero_ns is not None


def test_read_sent_before_execution_is_still_does_not_count() -> None:
    proof = build_proof()
    proof.execution_known(OURS)
    read(proof, ms(50))
    proof.execution_blocked(OURS, FENCE, ms(100))
    proof.intents_reported(0, BootNs(0), ms(100))
    read(proof, ms(2500))
    assert proof.zero_ns is None


def test_read_sent_before_but_answered_after_the_ground_does_not_count() -> None:
    proof = build_grounded(at=ms(100))
    read(proof, ms(99), took_ms=50)
    read(proof, ms(2500))
    assert proof.zero_ns is None


def test_no_known_execution_is_not_an_acknowledgement() -> None:
    proof = build_proof()
    proof.intents_reported(0, BootNs(0), ms(100))
    assert proof.executions_still_ns(ms(10_000)) is None
    assert not proof.read_may_be_sent("own", ms(10_000))


def test_every_known_execution_must_answer() -> None:
    proof = build_proof()
    proof.execution_known(OURS)
    proof.execution_known(OTHER)
    proof.execution_blocked(OURS, FENCE, ms(100))
    assert proof.executions_still_ns(ms(200)) is None
    proof.execution_exited(OTHER, ms(150))
    assert proof.executions_still_ns(ms(200)) == ms(150)


def test_acknowledgement_of_another_fence_is_ignored() -> None:
    proof = build_proof()
    proof.execution_known(OURS)
    proof.execution_blocked(OURS, FENCE - 1, ms(100))
    assert proof.executions_still_ns(ms(200)) is None


def test_execution_that_appears_later_must_answer_too() -> None:
    proof = build_grounded(at=ms(100))
    proof.execution_known(OTHER)
    assert proof.ground_ns(ms(200)) is None


@pytest.mark.parametrize(("now", "still"), [(499, False), (500, True), (501, True)])
def test_lease_that_is_over_stands_for_a_missing_acknowledgement(now: int, still: bool) -> None:
    proof = build_proof(lease_over=ms(500))
    proof.execution_known(OURS)
    assert (proof.executions_still_ns(ms(now)) is not None) is still


def test_report_of_the_intents_counts_only_once_execution_is_still() -> None:
    proof = build_proof()
    proof.execution_known(OURS)
    proof.intents_reported(0, BootNs(0), ms(50))
    proof.execution_blocked(OURS, FENCE, ms(100))
    assert proof.intents_resolved_ns(ms(200)) is None
    proof.intents_reported(0, BootNs(0), ms(200))
    assert proof.intents_resolved_ns(ms(200)) == ms(200)


def test_intents_resolve_only_at_their_latest_deadline() -> None:
    proof = build_proof()
    proof.execution_known(OURS)
    proof.execution_blocked(OURS, FENCE, ms(100))
    proof.intents_reported(1, ms(3000), ms(100))
    assert proof.ground_ns(ms(2999)) is None
    read(proof, ms(1000))
    assert proof.ground_ns(ms(3000)) == ms(3000)
    read(proof, ms(3500))
    assert proof.zero_ns is None
    read(proof, ms(5600))
    assert proof.zero_ns is not None


def test_intents_answered_before_their_deadline_resolve_at_the_report() -> None:
    proof = build_proof()
    proof.execution_known(OURS)
    proof.execution_blocked(OURS, FENCE, ms(100))
    proof.intents_reported(1, ms(3000), ms(100))
    proof.intents_reported(0, BootNs(0), ms(400))
    proof.intents_reported(0, BootNs(0), ms(500))
    assert proof.ground_ns(ms(600)) == ms(400)


def test_report_that_takes_back_an_earlier_one_starts_the_reads_again() -> None:
    proof = build_grounded(at=ms(100))
    read(proof, ms(200))
    proof.intents_reported(1, ms(2000), ms(300))
    read(proof, ms(2500))
    assert proof.zero_ns is None


@pytest.mark.parametrize(("sent", "proven"), [(4999, False), (5000, False), (5001, True)])
def test_orders_of_another_key_hold_the_proof_until_their_end(sent: int, proven: bool) -> None:
    proof = build_grounded(at=ms(100))
    proof.other_key_over(ms(5000))
    assert proof.ground_ns(ms(4999)) is None
    read(proof, ms(sent))
    read(proof, ms(sent + 2010))
    assert (proof.zero_ns is not None) is proven
    assert proof.ground_ns(ms(5000)) == ms(5000)


def test_zero_is_not_proven_while_nobody_knows_whose_orders_there_are() -> None:
    proof = build_grounded(at=ms(100))
    proof.other_key_over(None)
    assert proof.ground_ns(ms(10**9)) is None
    assert "API key" in proof.missing(ms(10**9))
    proof.other_key_over(BootNs(0))
    assert proof.ground_ns(ms(200)) == ms(100)


def test_reads_before_a_later_end_of_other_orders_do_not_count() -> None:
    proof = build_grounded(at=ms(100))
    read(proof, ms(200))
    proof.other_key_over(ms(5000))
    read(proof, ms(5001))
    assert proof.zero_ns is None


def test_worst_case_of_the_intents_stands_for_a_missing_report() -> None:
    proof = build_proof(lease_over=ms(500), intents_over=ms(3500))
    assert proof.ground_ns(ms(3499)) is None
    assert proof.ground_ns(ms(3500)) == ms(3500)


def test_every_key_must_show_zero_twice() -> None:
    proof = ProofOfZero(
        FENCE,
        read_gap_ns=GAP_NS,
        lease_over_ns=ms(10),
        intents_over_ns=ms(10),
        keys=("new", "old"),
    )
    for sent in (ms(20), ms(3000)):
        proof.read_answered("new", sent_ns=sent, answered_ns=sent, open_orders=0)
    assert proof.zero_ns is None
    for sent in (ms(3500), ms(6000)):
        proof.read_answered("old", sent_ns=sent, answered_ns=sent, open_orders=0)
    assert proof.zero_ns == ms(6000)


def test_read_may_be_sent_only_when_it_would_count() -> None:
    proof = build_grounded(at=ms(100))
    assert not proof.read_may_be_sent("own", ms(100))
    assert proof.read_may_be_sent("own", ms(101))
    read(proof, ms(101))
    assert not proof.read_may_be_sent("own", ms(2110))
    assert proof.read_may_be_sent("own", ms(2111))
    read(proof, ms(2111))
    assert not proof.read_may_be_sent("own", ms(9000))


def test_missing_names_what_the_proof_waits_for() -> None:
    proof = build_proof()
    proof.execution_known(OURS)
    assert "neither acknowledged" in proof.missing(ms(1))
    proof.execution_blocked(OURS, FENCE, ms(1))
    assert "may still arrive" in proof.missing(ms(1))
    proof.intents_reported(0, BootNs(0), ms(1))
    assert "first empty" in proof.missing(ms(2))
    read(proof, ms(2), orders=3)
    assert "3 open" in proof.missing(ms(20))
    read(proof, ms(20))
    assert "second empty" in proof.missing(ms(40))
    read(proof, ms(3000))
    assert proof.missing(ms(3010)) == ""


def test_worst_case_waits_for_the_later_of_lateness_and_socket_timeout() -> None:
    assert intents_over_ns(ms(0), 2 * NS_PER_S, NS_PER_S) == 3 * NS_PER_S
    assert intents_over_ns(ms(0), NS_PER_S // 2, 2 * NS_PER_S) == 2 * NS_PER_S
    assert LEASE_OVER_MARGIN_NS > 0
