"""Answers of a time server, as SNTP clients on this machine ask for them.

Source: RFC 4330, "Simple Network Time Protocol (SNTP) Version 4 for IPv4, IPv6 and OSI", section 4
(packet), 5 (client) and 6 (server).
"""

import struct

from shared.units import NS_PER_S

PACKET_BYTES = 48
CLIENT_MODE = 3
SERVER_MODE = 4
STRATUM = 2
POLL_EXPONENT = 4
PRECISION_EXPONENT = -20
"""About a microsecond: what the host's clock shows."""

ERA_S = 2_208_988_800
"""From 1900, where the protocol's seconds begin, to 1970."""

REFERENCE = b"LOCL"

_HEADER = struct.Struct("!BBbb")
_BODY = struct.Struct("!II4sQQQQ")
_ERA_MASK = (1 << 64) - 1
_VERSIONS = (1, 2, 3, 4)


def stamp(wall_ns: int) -> int:
    """Return a wall time as the protocol's 32.32 bits of seconds since 1900, modulo its era."""
    whole_s, part_ns = divmod(wall_ns, NS_PER_S)
    return ((whole_s + ERA_S) << 32 | (part_ns << 32) // NS_PER_S) & _ERA_MASK


def answer(packet: bytes, received_ns: int, sent_ns: int) -> bytes | None:
    """Return the answer to a client's packet, None for what is none.

    Args:
        packet: As received; longer ones carry a key that is not looked at.
        received_ns: Wall time at which it came, by the clock that is told.
        sent_ns: Wall time at which the answer goes, by the same clock.
    """
    if len(packet) < PACKET_BYTES:
        return None
    version, mode = packet[0] >> 3 & 7, packet[0] & 7
    if mode != CLIENT_MODE or version not in _VERSIONS:
        return None
    header = _HEADER.pack(version << 3 | SERVER_MODE, STRATUM, POLL_EXPONENT, PRECISION_EXPONENT)
    originated = int.from_bytes(packet[40:48], "big")
    received = stamp(received_ns)
    body = _BODY.pack(0, 0, REFERENCE, received, originated, received, stamp(sent_ns))
    return header + body
