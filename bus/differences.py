"""How two decisions differ, and what a core had been given, in words for people. Pure."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from bus.envelope import Header
from shared.effects import ControlReceived, Message, Received
from shared.units import Instant, MonotonicNs

SHOWN_CHARACTERS_MAX: Final = 200
"""Of a value, a whole book being too much to look at."""

ABSENT: Final = "absent"


class Difference(msgspec.Struct, frozen=True):
    """The first decision of a life that is not the recorded one.

    Attributes:
        wall_ns: When the recorded one left.
        field: Way to the first value that differs, as `markets.0.reason`; empty when one of the
            two was not made at all.
        recorded: What it was.
        again: What it is now.
        seen: The newest inputs before it, oldest first; the last one it answers.
    """

    wall_ns: int
    topic: str
    number: int
    field: str
    recorded: str
    again: str
    seen: tuple[str, ...]


def first_difference(
    header: Header, body: bytes, now: Instant, input_ns: MonotonicNs, again: bytes
) -> tuple[str, str, str] | None:
    """Compare a recorded fact with the one decided again.

    Args:
        header: Of the recorded fact.
        body: Its payload.
        now: Instant of the new decision.
        input_ns: Stamp of what the new decision rests on.
        again: Its payload.

    Returns:
        The field with both values; None when all bytes are equal.
    """
    if body != again:
        try:
            found = _walk(msgspec.msgpack.decode(body), msgspec.msgpack.decode(again), ())
        except (msgspec.DecodeError, UnicodeError) as error:
            return ("payload", f"unreadable: {error}", shown(again))
        return found or ("payload", shown(body), shown(again))
    if header.now != now:
        return ("now", shown(header.now), shown(now))
    if header.input_ns != input_ns:
        return ("input_ns", shown(header.input_ns), shown(input_ns))
    return None


def words_of(message: Message) -> str:
    """Name an input, as far as a line holds it."""
    match message:
        case Received(topic=topic, sequence=sequence, component=component):
            return f"{topic} {sequence} of {component}: {shown(message.body)}"
        case ControlReceived(body=body):
            return shown(body)
        case _:
            return shown(message)


def shown(value: object) -> str:
    """Return a value in so many characters."""
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS_MAX else text[:SHOWN_CHARACTERS_MAX] + "..."


def _walk(was: Any, again: Any, way: Sequence[str]) -> tuple[str, str, str] | None:
    """Return the first place in which two trees differ."""
    if isinstance(was, dict) and isinstance(again, dict):
        for key in [*was, *(key for key in again if key not in was)]:
            found = _walk(was.get(key, ABSENT), again.get(key, ABSENT), (*way, str(key)))
            if found is not None:
                return found
        return None
    if isinstance(was, list) and isinstance(again, list):
        for place in range(max(len(was), len(again))):
            pair = [tree[place] if place < len(tree) else ABSENT for tree in (was, again)]
            found = _walk(pair[0], pair[1], (*way, str(place)))
            if found is not None:
                return found
        return None
    return None if was == again else (".".join(way), shown(was), shown(again))
