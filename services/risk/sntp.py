"""A question to a time server, and what its answer says of our clock. Pure.

Our own span between question and answer is measured by a clock that nobody sets, so that a step of
the wall clock in between cannot spoil a reading. That, and that an answer must belong to its
question, is why this is no library's: ntplib 0.4.0, the usual one, takes both ends from the wall
clock and any packet of the server's address for the answer.

Source: RFC 4330, "Simple Network Time Protocol (SNTP) Version 4", sections 4 and 5; RFC 5905,
section 11.1, for the distance to the reference.
"""

import struct
from typing import Final

from services.risk.time_readings import TimeReading
from shared.units import NS_PER_S

PACKET_BYTES: Final = 48
CLIENT_MODE: Final = 3
SERVER_MODE: Final = 4
VERSION: Final = 4
UNSYNCHRONISED: Final = 3
STRATUM_MAX: Final = 15

ERA_S: Final = 2_208_988_800
"""From 1900, where the protocol's seconds begin, to 1970."""

ERA_LASTS_S: Final = 1 << 32

DISTANCE_NS_MAX: Final = NS_PER_S
"""A server farther from its reference than this says nothing about a second. RFC 5905 refuses
from 1.5 s on (MAXDIST)."""

_HEADER: Final = struct.Struct("!BBbbII4s")
_STAMPS: Final = struct.Struct("!QQQQ")


class Refused(Exception):
    """An answer that no sound time server gives to this question."""


def question(nonce: int) -> bytes:
    """Return a client's packet.

    Args:
        nonce: 0..2**64-1. It stands where our time would, comes back, and tells nobody our time.
    """
    first = VERSION << 3 | CLIENT_MODE
    return bytes([first]) + bytes(39) + nonce.to_bytes(8, "big")


def read_answer(
    source: str, packet: bytes, nonce: int, asked_wall_ns: int, took_ns: int
) -> TimeReading:
    """Return what a server's answer says of our clock.

    Args:
        source: Name for people.
        packet: As received.
        nonce: Of the question.
        asked_wall_ns: Our wall time at the question.
        took_ns: From question to answer, by a clock that nobody sets.

    Raises:
        Refused: It is no answer to the question, or the server is not synchronised.
    """
    if len(packet) < PACKET_BYTES:
        raise Refused(f"{len(packet)} bytes")
    first, stratum, _, _, root_delay, root_dispersion, reference = _HEADER.unpack_from(packet)
    _, originated, received, sent = _STAMPS.unpack_from(packet, 16)
    if first & 7 != SERVER_MODE:
        raise Refused(f"mode {first & 7}")
    if originated != nonce:
        raise Refused("answers another question")
    if stratum == 0:
        raise Refused(f"says {reference.decode('ascii', 'replace')}")
    if first >> 6 == UNSYNCHRONISED or stratum > STRATUM_MAX or not sent:
        raise Refused("is not synchronised itself")
    distance_ns = (root_delay // 2 + root_dispersion) * NS_PER_S >> 16
    server_ns = _wall_ns(sent, asked_wall_ns) - _wall_ns(received, asked_wall_ns)
    if not 0 <= server_ns <= took_ns or distance_ns > DISTANCE_NS_MAX:
        raise Refused("its times cannot be")
    # True time at the question is `received` less the way there, at the answer `sent` plus the
    # way back; both ways together took what was not spent at the server.
    way_ns = took_ns - server_ns
    low_ns = _wall_ns(received, asked_wall_ns) - way_ns - asked_wall_ns
    return TimeReading(source, low_ns - distance_ns, low_ns + way_ns + distance_ns)


def _wall_ns(stamp: int, near_ns: int) -> int:
    """Return a stamp as wall time, in the era of 2**32 s that puts it nearest to ours."""
    whole_s, part = stamp >> 32, stamp & 0xFFFF_FFFF
    base_s = whole_s - ERA_S
    eras = round((near_ns // NS_PER_S - base_s) / ERA_LASTS_S)
    return (base_s + eras * ERA_LASTS_S) * NS_PER_S + (part * NS_PER_S >> 32)
