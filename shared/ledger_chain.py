"""How the ledger's events are chained, and the digest of the rows that follow from them.

Pure arithmetic. An event is hashed over the one before it, its number, time, body, and (since
version 3) the version of its body and the state after it. The state is the sum, modulo 2^256, of
the SHA-256 of each row of the working set: taking a row out and putting another in costs two
hashes, whatever the number of rows. It shows damage and mistakes; against somebody who may write
the file and computes all hashes anew, only a copy of the newest hash kept elsewhere helps.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec

CHAIN_START: Final = bytes(32)
"""What the first event names as the one before it."""

STATE_BYTES: Final = 32

PLAIN_VERSION: Final = 2
"""Newest version whose events carry neither their version nor a state."""

_MODULUS: Final = 1 << (8 * STATE_BYTES)

_ENCODER = msgspec.json.Encoder()


def event_hash(
    previous: bytes, sequence: int, wall_ns: int, body: bytes, version: int, state: bytes
) -> bytes:
    """Return the hash that chains an event to the one before it, 32 bytes.

    Args:
        previous: Hash of the event before it.
        sequence: From 1.
        wall_ns: When it was written.
        body: The record as it was written.
        version: Of the schema under which it was written.
        state: Digest of the working set after it; empty up to version 2.
    """
    content = previous + sequence.to_bytes(8, "big") + wall_ns.to_bytes(8, "big")
    if version > PLAIN_VERSION:
        content += version.to_bytes(4, "big") + state
    elif state:
        return b""
    return hashlib.sha256(content + body).digest()


def row_digest(table: str, values: Sequence[str | int]) -> int:
    """Return what a row of the working set adds to the state, 0..2^256 - 1.

    Args:
        table: Its name.
        values: Of the record's fields, in order.
    """
    content = table.encode() + b"\0" + _ENCODER.encode(values)
    return int.from_bytes(hashlib.sha256(content).digest(), "big")


def pack_state(total: int) -> bytes:
    """Return a sum of row digests, possibly less others, as an event keeps it."""
    return (total % _MODULUS).to_bytes(STATE_BYTES, "big")


def unpack_state(state: bytes) -> int:
    """Return the sum of a state; 0 for that of an event up to version 2."""
    return int.from_bytes(state, "big")
