"""What sources of time say, and what a majority of them shares."""

import pytest

from services.risk.sntp import ERA_S, Refused, question, read_answer
from services.risk.time_readings import TimeReading, agree
from services.simulator import time_server
from shared.units import NS_PER_MS, NS_PER_S

NONCE = 0x1234_5678_9ABC_DEF0
START_NS = 1_790_000_000 * NS_PER_S


def reading(source: str, low_ms: int, high_ms: int) -> TimeReading:
    return TimeReading(source, low_ms * NS_PER_MS, high_ms * NS_PER_MS)


def answered(ahead_ns: int, *, way_ns: int = 20 * NS_PER_MS) -> bytes:
    """Return the answer of the simulated time server whose clock is ahead of ours."""
    received = START_NS + way_ns // 2 + ahead_ns
    packet = time_server.answer(question(NONCE), received, received)
    assert packet is not None
    return packet


def spoiled(packet: bytes, at: int, value: bytes) -> bytes:
    return packet[:at] + value + packet[at + len(value) :]


@pytest.mark.req("CK-1")
@pytest.mark.parametrize("ahead_ms", [0, 1, 999, 6_000, -6_000, 86_400_000])
def test_true_offset_lies_in_the_reading_whatever_the_way_took(ahead_ms: int) -> None:
    ahead_ns = ahead_ms * NS_PER_MS
    found = read_answer("a", answered(ahead_ns), NONCE, START_NS, 20 * NS_PER_MS)
    assert found.low_ns <= ahead_ns + 1
    assert found.high_ns >= ahead_ns - 1
    assert found.high_ns - found.low_ns == 20 * NS_PER_MS


def test_answer_of_the_protocols_next_era_is_read() -> None:
    start_ns = (2**32 - ERA_S + 5) * NS_PER_S
    packet = time_server.answer(question(NONCE), start_ns, start_ns)
    assert packet is not None
    found = read_answer("a", packet, NONCE, start_ns, NS_PER_MS)
    assert abs(found.high_ns) <= 1


def test_distance_to_the_reference_widens_the_reading() -> None:
    far = spoiled(answered(0), 4, (1 << 15).to_bytes(4, "big"))  # half a second of delay
    found = read_answer("a", far, NONCE, START_NS, 20 * NS_PER_MS)
    assert found.high_ns - found.low_ns == 20 * NS_PER_MS + NS_PER_S // 2


@pytest.mark.req("CK-1")
@pytest.mark.parametrize(
    ("packet", "why"),
    [
        (b"", "0 bytes"),
        (spoiled(answered(0), 0, bytes([4 << 3 | 3])), "mode 3"),
        (spoiled(answered(0), 24, bytes(8)), "another question"),
        (spoiled(answered(0), 0, bytes([3 << 6 | 4 << 3 | 4])), "not synchronised"),
        (spoiled(answered(0), 1, bytes([16])), "not synchronised"),
        (spoiled(answered(0), 1, b"\0\1\1RATE"[:1]), "says LOCL"),
        (spoiled(answered(0), 40, bytes(8)), "not synchronised"),
        (spoiled(answered(0), 8, b"\0\2\0\0"), "times cannot be"),
        (spoiled(answered(0), 40, b"\xff" * 8), "times cannot be"),
    ],
)
def test_what_no_sound_server_answers_is_refused(packet: bytes, why: str) -> None:
    with pytest.raises(Refused, match=why):
        read_answer("a", packet, NONCE, START_NS, 20 * NS_PER_MS)


@pytest.mark.req("CK-1")
def test_one_source_is_a_majority_of_one() -> None:
    found = agree([reading("a", -10, 30)])
    assert found is not None
    assert (found.offset_ns, found.outsiders) == (10 * NS_PER_MS, ())


@pytest.mark.req("CK-1")
def test_two_that_disagree_are_no_majority() -> None:
    assert agree([reading("a", -10, 10), reading("b", 5_000, 5_020)]) is None
    assert agree([]) is None


@pytest.mark.req("CK-1")
def test_one_that_lies_is_told_from_two_that_agree() -> None:
    found = agree([reading("a", -10, 10), reading("liar", 5_000, 5_020), reading("b", 0, 30)])
    assert found is not None
    assert (found.low_ns, found.high_ns) == (0, 10 * NS_PER_MS)
    assert found.outsiders == ("liar",)


def test_narrow_intervals_inside_a_wide_one_do_not_make_a_majority_by_the_wide_one_alone() -> None:
    wide = reading("wide", -5_000, 5_000)
    found = agree([wide, reading("a", -4_000, -3_990), reading("b", 4_000, 4_010)])
    assert found is not None  # two of three share a moment, whichever it is
    assert len(found.outsiders) == 1
