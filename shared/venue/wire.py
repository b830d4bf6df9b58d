"""What all messages of the venue share: tolerant structs, decoding, encoding.

Keys of the venue that we do not know are ignored, since it adds some without notice; a key
that we need and that is missing is an error with its path. The messages themselves stand in
`orders_wire`, `account_wire`, `market_wire`, `streams_wire`, `prices_wire` and `gamma_wire`;
the live system and the simulator use the same structs, one to read and the other to write.
"""

from typing import TypeVar

import msgspec

from shared.venue.faults import Malformed

T = TypeVar("T")

WireNumber = str | int | float
"""A number that the venue has been seen to send as text and as a JSON number."""


Unread = object
"""A field that we write and never read: whatever the venue puts there, the rest counts. A fill is
not lost because a note beside it became null, a number, or another type without notice.
Source: `bucket_index` changed its type in
https://github.com/nautechsystems/nautilus_trader/issues/2872."""


class Wire(msgspec.Struct, frozen=True):
    """A JSON object of the venue."""


def decode(decoder: msgspec.json.Decoder[T], data: bytes | str, what: str) -> T:
    """Return the struct in JSON text.

    Args:
        decoder: Of the type expected.
        data: The text, which may be anything.
        what: Name of the message for the error.

    Raises:
        Malformed: Not JSON, or a needed key is missing or of another type; the reason names
            the path.
    """
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as fault:
        raise Malformed(what, str(fault)) from fault


def encode(message: object) -> bytes:
    """Return compact JSON, exactly as it is sent and signed."""
    return msgspec.json.encode(message)
