"""What the simulator's core is told, and what it asks of its shell.

The shell is either the aiohttp servers (`rest.py`, `sockets.py`) or a simulation that
holds everything in one process under virtual time; the core cannot tell which.
"""

from collections.abc import Mapping
from typing import Literal

from shared.effects import Durable, Effect, Message

StreamKind = Literal["market", "user", "price", "rtds", "perp"]


class Request(Message, frozen=True):
    """One complete HTTP request.

    Attributes:
        request_id: Chosen by the shell, never reused; every effect about it names it.
        method: Upper case.
        path: Without the query.
        query: Decoded parameters; of a repeated one the last.
        repeated: All values of those parameters that are given more than once.
        headers: Names in upper case, as the venue writes them.
        body: Exact bytes.
    """

    request_id: int
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    repeated: Mapping[str, tuple[str, ...]] = {}


def last_segment(request: Request) -> str:
    """Return what stands behind the last slash of a request's path."""
    return request.path.rpartition("/")[2]


def values_of(request: Request, name: str) -> tuple[str, ...]:
    """Return the values of a parameter, given once for each or joined by commas."""
    given = request.repeated.get(name) or (request.query.get(name, ""),)
    return tuple(part for text in given for part in text.split(",") if part)


class StreamOpened(Message, frozen=True):
    """A client has opened a WebSocket."""

    connection: int
    kind: StreamKind


class StreamText(Message, frozen=True):
    """A client has sent one text frame."""

    connection: int
    text: str


class StreamClosed(Message, frozen=True):
    """A WebSocket is gone, whoever ended it."""

    connection: int


class Respond(Effect, frozen=True):
    """Answer a request.

    Attributes:
        drip_ms: Pause after each byte of the body; 0 sends it at once.
    """

    request_id: int
    status: int
    body: bytes
    headers: Mapping[str, str] = {}
    content_type: str = "application/json"
    drip_ms: int = 0


class Abort(Effect, frozen=True):
    """Reset the connection of a request without an answer."""

    request_id: int


class Push(Effect, frozen=True):
    """Send one text frame.

    Attributes:
        is_cut: Whether only the first half of its bytes goes out, and nothing on this socket after.
    """

    connection: int
    text: str
    is_cut: bool = False


class Close(Effect, frozen=True):
    """End a WebSocket.

    Attributes:
        connection: Which one.
        code: Close code; 0 resets the connection without a close frame.
        reason: Text of the close frame.
    """

    connection: int
    code: int
    reason: str


class Persist(Durable, frozen=True):
    """Write one line of the journal, before anybody is told what it says.

    Attributes:
        line: Without its line end.
        whole: Whether it replaces all lines before it, at once or not at all.
    """

    line: bytes
    whole: bool


class Record(Effect, frozen=True):
    """Append one line to the wire log: a JSON object without its line end."""

    line: bytes
