"""What happened, one line an event with fixed columns, and the hash over all of it.

Two runs of one seed give one hash; a difference means that something inside depends on
what the seed does not fix (an iteration order, a clock, an id).
"""

import hashlib
from collections import deque

import msgspec

from shared.units import to_wire

TOLD = ("log.", "alert.", "state.", "fault")
TOLD_MAX = 20_000
"""Lines for people are few, and all of them are kept; beyond this something repeats itself."""

LINES_KEPT = 4_000
"""Newest lines, shown when a checker finds something."""


class Trace:
    """Lines and their running hash.

    Attributes:
        lines: The newest.
        told: What an operator would have been told, from the beginning on.
    """

    __slots__ = ("_encoder", "_hash", "count", "lines", "told")

    def __init__(self) -> None:
        """Start empty."""
        self._hash = hashlib.blake2b(digest_size=16)
        self._encoder = msgspec.msgpack.Encoder(enc_hook=to_wire)
        self.lines: deque[tuple[int, str, str, str]] = deque(maxlen=LINES_KEPT)
        self.told: list[tuple[int, str, str, str]] = []
        self.count = 0

    def note(self, moment_ns: int, who: str, what: str, detail: str = "") -> None:
        """Keep one line and mix it into the hash."""
        self._hash.update(f"{moment_ns}|{who}|{what}|{detail}\n".encode())
        line = (moment_ns, who, what, detail)
        self.lines.append(line)
        if what.startswith(TOLD) and len(self.told) < TOLD_MAX:
            self.told.append(line)
        self.count += 1

    def mix(self, body: msgspec.Struct) -> None:
        """Mix a whole message into the hash, without a line of its own."""
        self._hash.update(self._encoder.encode(body))

    def hash(self) -> str:
        """Return the hash so far, 32 hex digits."""
        return self._hash.hexdigest()

    def tail(self, count: int, *, who: str = "") -> list[str]:
        """Return the newest lines as text, oldest first, of one component if asked."""
        chosen = [line for line in self.lines if not who or line[1] == who]
        return [
            f"{moment_ns / 1e9:12.6f}  {name:<14} {what:<18} {detail}"
            for moment_ns, name, what, detail in chosen[-count:]
        ]
