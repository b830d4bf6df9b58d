"""Supervisord's protocol with an event listener: bytes in, events out. Pure.

Source: https://supervisord.org/events.html (event listener notification protocol): a header
line of `key:value` tokens with the payload's length, the payload, and one answer each.
"""

import msgspec

READY = b"READY\n"
ACKNOWLEDGED = b"RESULT 2\nOK"

BUFFER_BYTES_MAX = 1024 * 1024
"""An event is a few hundred bytes; more than this is no event."""


class ProtocolBroken(ValueError):
    """Remote fault: what supervisord sent is no event; the process ends and is started again."""


class Event(msgspec.Struct, frozen=True):
    """One event.

    Attributes:
        name: `PROCESS_STATE_EXITED`, `TICK_5`, ...
        fields: Tokens of the payload's first line.
    """

    name: str
    fields: dict[str, str]


class EventStream:
    """Takes bytes in as they come."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that are whole now.

        Raises:
            ProtocolBroken: This is no event.
        """
        self._buffer += data
        if len(self._buffer) > BUFFER_BYTES_MAX:
            raise ProtocolBroken(f"{len(self._buffer)} bytes without an event")
        events = []
        while (event := self._take()) is not None:
            events.append(event)
        return events

    def _take(self) -> Event | None:
        head, newline, rest = self._buffer.partition(b"\n")
        if not newline:
            return None
        header = tokens(head)
        length = header.get("len", "")
        if not length.isdecimal() or "eventname" not in header:
            raise ProtocolBroken(f"no event header: {head[:80]!r}")
        if len(rest) < int(length):
            return None
        payload, self._buffer = rest[: int(length)], rest[int(length) :]
        return Event(header["eventname"], tokens(payload.partition(b"\n")[0]))


def tokens(line: bytes) -> dict[str, str]:
    """Return the `key:value` tokens of a line; words without a colon are passed over."""
    words = line.decode(errors="replace").split()
    return dict(word.split(":", 1) for word in words if ":" in word)
