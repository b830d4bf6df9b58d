"""Keeps what a core is given, in its order and with its instants, and tells it in batches.

Pure. With what the recorder keeps of everybody's facts this is all that a core decides by
(`bus/lives.py` decides it again). The first seconds of a run are told whole and late: the
recorder may still be connecting to this publisher then, and to those whose facts it reads. A
turn costs one append an input; a batch is packed four times a second.
"""

from typing import Final

import msgspec

from shared.config import Config
from shared.effects import Message, Publish, Received
from shared.identifiers import Component, Incarnation
from shared.topics import BY_NAME
from shared.turns import Entry, Packer
from shared.units import NS_PER_MS, NS_PER_S, BootNs, Instant

TOPIC: Final = "bus.turns"

BATCH_NS: Final = 250 * NS_PER_MS
"""Longest time untold, which a kill costs: the fact around a batch is as long as forty entries."""

BATCH_ENTRIES_MAX: Final = 2_000
"""Packing takes microseconds an entry; what waited for longer leaves in several facts."""

BEGINS_NS: Final = 3 * NS_PER_S
"""The first batch leaves so long after the start: a recorder finds a restarted publisher within
100 ms (`bus/sockets.py`), and one that starts with the group within a second or two."""

WHOLE_NS: Final = 10 * NS_PER_S
"""Facts that come before that are told whole, since the recorder may not have heard them."""

JOINED_NS: Final = 3 * NS_PER_S
"""Likewise for the facts of a publisher that has just started again: the recorder may have found it
a moment later than this reader."""

KEPT_MAX: Final = 20_000
"""Inputs that may wait for the first batch; then it leaves at once."""


class TurnLog:
    """The log of one run."""

    def __init__(self, component: Component, config: Config, build_hash: str, now: Instant) -> None:
        """Begin; a component that is not replayed keeps nothing."""
        self._is_kept = component in BY_NAME[TOPIC].publishers
        self._packer = Packer()
        self._settings = msgspec.json.encode(config) if self._is_kept else b""
        self._build_hash = build_hash
        self._entries: list[Entry] = []
        self._whole_until_ns = now.boot_ns + WHOLE_NS
        self._joined: dict[Component, tuple[Incarnation, int]] = {}
        self._next_ns = BootNs(now.boot_ns + BEGINS_NS)

    def given(self, message: Message | None, now: Instant, *, whole: bool = False) -> None:
        """Note an input of the core, None for a tick; `whole` when nobody else heard it."""
        if not self._is_kept:
            return
        whole = whole or now.boot_ns < self._whole_until_ns
        if isinstance(message, Received) and not whole:
            whole = self._has_just_joined(message, now)
        self._entries.append(Entry(now, message, whole))

    def _has_just_joined(self, fact: Received, now: Instant) -> bool:
        """Tell whether the publisher of a fact has not been heard for long."""
        incarnation, until_ns = self._joined.get(fact.component, (None, 0))
        if incarnation != fact.incarnation:
            until_ns = now.boot_ns + JOINED_NS
            self._joined[fact.component] = (fact.incarnation, until_ns)
        return now.boot_ns < until_ns

    def take(self, now: Instant) -> list[Publish]:
        """Return what is to be told now."""
        is_due = now.boot_ns >= self._next_ns or len(self._entries) >= KEPT_MAX
        return self.flush(now) if is_due and self._entries else []

    def flush(self, now: Instant) -> list[Publish]:
        """Return everything that has not been told, as before an end."""
        self._next_ns = BootNs(now.boot_ns + BATCH_NS)
        entries, self._entries = self._entries, []
        batches = [
            entries[first : first + BATCH_ENTRIES_MAX]
            for first in range(0, len(entries), BATCH_ENTRIES_MAX)
        ]
        return [
            Publish(
                TOPIC,
                self._packer.pack(batch, self._settings, self._build_hash),
                now.monotonic_ns,
            )
            for batch in batches
        ]
