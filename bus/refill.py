"""Small gaps are filled from their source (DQ-2): what was lost is asked for by its numbers.

Pure. A publisher keeps the newest facts of each topic as they left. A reader that misses fewer than
ten asks for exactly those, holds back what the same publisher sends meanwhile, for a bounded time
and number, and goes on in the order of sending as if nothing had been lost. Ten or more, an
answer without all of them, or none in time: the gap is told and a snapshot asked for.

Every topic is filled. A snapshot is larger, waits for the publisher's commit, and resets what
readers hold; holding back costs no more than it does, and ages count from the input stamps, so that
a fact that waited is as old as it is.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final

import msgspec

from bus.snapshot import Filled, FillRequest, Missing, encode_filled
from shared.effects import Gap, Message
from shared.identifiers import Component, Incarnation
from shared.units import NS_PER_MS, MonotonicNs

MISSED_MAX: Final = 9
"""Facts of one gap that are filled. Source: requirement DQ-2, "under 10"."""

KEPT_MAX: Final = 64
"""Newest facts of a topic that a publisher keeps: a burst goes on while a question travels."""

KEPT_BYTES_MAX: Final = 4 * 1024 * 1024
"""Of one topic: facts are small, and one that is not leaves no room for others."""

RANGES_MAX: Final = 8
"""Gaps of one publisher at a time; a reader that loses more is no case for patching."""

FILL_NS_MAX: Final = 50 * NS_PER_MS
"""Half of what a snapshot may take: both together stay below half a lease."""

HELD_MAX: Final = 2_000
"""Facts held back of one publisher, as for a snapshot."""

Sent = tuple[MonotonicNs, Message]
"""When a fact was sent, and what is delivered of it."""


class SentFacts:
    """The publisher's side: its newest facts, as they left."""

    def __init__(self, component: Component, incarnation: Incarnation) -> None:
        """Keep nothing yet."""
        self._component = component
        self._incarnation = incarnation
        self._kept: dict[str, deque[tuple[int, list[bytes]]]] = {}
        self._bytes: dict[str, int] = {}

    def keep(self, topic: str, number: int, frames: list[bytes]) -> None:
        """Keep a fact that has left; the oldest of its topic goes."""
        kept = self._kept.get(topic)
        if kept is None:
            kept = self._kept[topic] = deque()
            self._bytes[topic] = 0
        kept.append((number, frames))
        size = self._bytes[topic] + len(frames[1]) + len(frames[2])
        while len(kept) > KEPT_MAX or (size > KEPT_BYTES_MAX and len(kept) > 1):
            _, oldest = kept.popleft()
            size -= len(oldest[1]) + len(oldest[2])
        self._bytes[topic] = size

    def answer(self, request: FillRequest) -> list[bytes]:
        """Return all frames of an answer; one that lacks anything has no facts at all."""
        facts: list[list[bytes]] = []
        for missing in request.missing:
            found = [
                frames
                for number, frames in self._kept.get(missing.topic, ())
                if missing.first <= number <= missing.last
            ]
            if len(found) != missing.count:
                facts = []
                break
            facts += found
        filled = Filled(request.number, self._component, self._incarnation, len(facts))
        return encode_filled(filled, facts)


class Fill:
    """The reader's side, for one publisher."""

    def __init__(self) -> None:
        self._number = 0
        self._missing: list[Missing] = []
        self._held: list[Sent] = []
        self._since_ns = MonotonicNs(0)
        self._unsent = False

    @property
    def is_waiting(self) -> bool:
        """Whether an answer is expected now."""
        return bool(self._missing)

    def want(self, missing: Missing, now_ns: MonotonicNs) -> bool:
        """Ask for what is missing; False when it is too much. A question before is repeated."""
        if not 1 <= missing.count <= MISSED_MAX or len(self._missing) >= RANGES_MAX:
            return False
        if not self._missing:
            self._since_ns = now_ns
        self._missing.append(missing)
        self._number += 1
        self._unsent = True
        return True

    def take_request(self) -> FillRequest | None:
        """Return a request that is to be sent now, None when none is."""
        return FillRequest(self._number, tuple(self._missing)) if self._unsent else None

    def sent(self) -> None:
        """Note that the request has gone out."""
        self._unsent = False

    def hold(self, sent_ns: MonotonicNs, message: Message) -> bool:
        """Keep a fact back while an answer is expected; False when it is to be delivered."""
        if not self._missing:
            return False
        self._held.append((sent_ns, message))
        return True

    def is_current(self, filled: Filled) -> bool:
        """Tell whether an answer is the one that is expected."""
        return bool(self._missing) and filled.number == self._number

    def is_over(self, now_ns: MonotonicNs) -> bool:
        """Tell whether time or room for an answer is over."""
        if not self._missing:
            return False
        return now_ns - self._since_ns >= FILL_NS_MAX or len(self._held) >= HELD_MAX

    def finish(self, numbers: Iterable[tuple[str, int]], facts: list[Sent]) -> list[Message] | None:
        """Return everything in the order of sending; None when the answer is not what was asked.

        Args:
            numbers: Topic and sequence of each fact of the answer.
            facts: Those facts, in the answer's order.
        """
        asked = [
            (missing.topic, number)
            for missing in self._missing
            for number in range(missing.first, missing.last + 1)
        ]
        if list(numbers) != asked:
            return None
        # Within a topic the answer is older than what is held, and sorting keeps their order.
        merged = sorted([*facts, *self._held], key=lambda fact: fact[0])
        self.abandon()
        return [message for _, message in merged]

    def give_up(self, component: Component) -> tuple[list[Gap], list[Message]]:
        """End without the answer; return what is lost, and what was held back meanwhile."""
        gaps = [Gap(component, one.topic, one.count, "sequence") for one in self._missing]
        held = [message for _, message in self._held]
        self.abandon()
        return gaps, held

    def abandon(self) -> None:
        """Drop everything held and expect nothing."""
        self._missing = []
        self._held = []
        self._unsent = False


class FilledGap(msgspec.Struct, frozen=True):
    """A gap that was filled, for the log."""

    component: Component
    count: int
