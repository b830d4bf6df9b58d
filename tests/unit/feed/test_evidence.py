from services.feed.evidence import EvidenceBoard
from shared.facts import Evidence
from tests.builders.feeds import at


def test_watched_key_has_no_evidence_at_first() -> None:
    board = EvidenceBoard()
    board.watch(["a"], at(0).monotonic_ns)
    assert board.entries() == (Evidence("a", None),)
    assert board.silent_since("a") == at(0).monotonic_ns


def test_evidence_only_grows() -> None:
    board = EvidenceBoard()
    board.watch(["a"], at(0).monotonic_ns)
    board.prove("a", at(5).monotonic_ns)
    board.prove("a", at(3).monotonic_ns)
    assert board.silent_since("a") == at(5).monotonic_ns


def test_unwatched_key_takes_no_evidence() -> None:
    board = EvidenceBoard()
    board.prove("a", at(5).monotonic_ns)
    assert board.entries() == ()
    assert not board.is_watched("a")


def test_kept_key_keeps_its_evidence_and_a_dropped_one_loses_it() -> None:
    board = EvidenceBoard()
    board.watch(["a", "b"], at(0).monotonic_ns)
    board.prove("a", at(1).monotonic_ns)
    board.watch(["c", "a"], at(2).monotonic_ns)
    board.watch(["a", "b"], at(3).monotonic_ns)
    assert board.keys() == ("a", "b")
    assert board.entries() == (Evidence("a", at(1).monotonic_ns), Evidence("b", None))
