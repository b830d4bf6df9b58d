"""Lines of the control socket: as they come and go, and what they mean."""

import msgspec

from shared.effects import Effect, Message
from shared.operator.replies import Reply, RequestRefused
from shared.operator.requests import TEXT_MAX, Request

REQUEST_BYTES_MAX = 65_536
"""Longest line of a request: the longest legal one is below 20 KiB."""


class OperatorRequest(Message, frozen=True):
    """One line from the control socket, not yet decoded.

    Attributes:
        connection: Names the connection towards the shell.
        uid: User of the other end, as the kernel tells it.
        pid: Process of the other end, for the audit trail.
        body: The line without its end.
    """

    connection: int
    uid: int
    pid: int
    body: bytes


class OperatorForbidden(Message, frozen=True):
    """Another user's process has connected; it was refused and not heard."""

    uid: int
    pid: int


class OperatorGone(Message, frozen=True):
    """A connection is closed; answers to it would go nowhere."""

    connection: int


class OperatorReply(Effect, frozen=True):
    """One line for a connection of the control socket.

    Attributes:
        body: The line without its end.
        close: Whether the connection ends after it.
    """

    connection: int
    body: bytes
    close: bool = False


_REQUESTS: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
_REPLIES: msgspec.json.Decoder[Reply] = msgspec.json.Decoder(Reply)


def decode_request(body: bytes) -> Request | RequestRefused:
    """Return the request of one line, or why it is none."""
    if len(body) > REQUEST_BYTES_MAX:
        return RequestRefused(error="oversized", detail=f"longer than {REQUEST_BYTES_MAX} bytes")
    try:
        return _REQUESTS.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return RequestRefused(error="malformed", detail=str(error)[:TEXT_MAX])


def encode_request(request: Request) -> bytes:
    """Return the line of a request, without its end."""
    return msgspec.json.encode(request)


def decode_reply(body: bytes) -> Reply:
    """Return the reply of one line.

    Raises:
        msgspec.DecodeError: It is none.
    """
    return _REPLIES.decode(body)


def encode_reply(reply: Reply) -> bytes:
    """Return the line of a reply, without its end."""
    return msgspec.json.encode(reply)
