import pytest

from services.simulator.time_server import ERA_S, PACKET_BYTES, answer, stamp
from shared.units import NS_PER_S
from tests.builders.venue_rig import START_S, VenueRig

SENT = bytes(range(8))
ASK = bytes([4 << 3 | 3]) + bytes(39) + SENT


def seconds(packet: bytes, at: int) -> float:
    return int.from_bytes(packet[at : at + 8], "big") / 2**32 - ERA_S


@pytest.mark.req("CK-1")
def test_answer_tells_both_moments_and_repeats_the_clients() -> None:
    told = answer(ASK, START_S * NS_PER_S, START_S * NS_PER_S + 250_000_000)
    assert told is not None
    assert len(told) == PACKET_BYTES
    assert (told[0] & 7, told[0] >> 3 & 7, told[0] >> 6, told[1]) == (4, 4, 0, 2)
    assert told[24:32] == SENT
    assert seconds(told, 32) == START_S
    assert seconds(told, 40) == START_S + 0.25


@pytest.mark.parametrize(
    "packet", [b"", ASK[:47], bytes([4 << 3 | 4]) + ASK[1:], bytes([3]) + ASK[1:]]
)
def test_what_no_client_sends_gets_no_answer(packet: bytes) -> None:
    assert answer(packet, 0, 0) is None


def test_stamp_goes_on_after_the_protocols_era() -> None:
    after = (2**32 - ERA_S) * NS_PER_S
    assert stamp(after) == 0
    assert stamp(after - NS_PER_S) == (2**32 - 1) << 32


@pytest.mark.req("TST-9")
def test_shifted_clock_is_told_by_both() -> None:
    rig = VenueRig()
    before = rig.ask("GET", "/time")[1]
    rig.fault("shift_clock", delay_ms=6_000, duration_ms=1_000)
    assert rig.ask("GET", "/time")[1] == before + 6
    assert rig.core.faults.clock_offset_ns(rig.now.monotonic_ns) == 6 * NS_PER_S
    rig.advance(1)
    assert rig.ask("GET", "/time")[1] == before + 1
    assert rig.core.faults.clock_offset_ns(rig.now.monotonic_ns) == 0


@pytest.mark.req("TST-9")
def test_silence_of_the_time_server_is_its_own_and_ends() -> None:
    rig = VenueRig()
    rig.fault("silence", stream="market", duration_ms=1_000)
    assert rig.core.faults.tells_time(rig.now.monotonic_ns)
    rig.fault("silence", stream="time", duration_ms=1_000)
    assert not rig.core.faults.tells_time(rig.now.monotonic_ns)
    rig.advance(1)
    assert rig.core.faults.tells_time(rig.now.monotonic_ns)


@pytest.mark.req("TST-9")
def test_moved_price_is_told_by_the_sources_that_are_meant() -> None:
    rig = VenueRig()
    faults, now_ns = rig.core.faults, rig.now.monotonic_ns
    assert faults.price_percent("btc", "chainlink", now_ns, "price") == 100
    rig.fault("move_price", percent=30, event="chainlink", asset="btc")
    rig.fault("move_price", percent=-5)
    assert faults.price_percent("btc", "chainlink", now_ns, "price") == 125
    assert faults.price_percent("btc", "pyth", now_ns, "price") == 95
    assert faults.price_percent("eth", "chainlink", now_ns, "price") == 95
