"""Snapshot, then apply: how a reader that missed facts gets whole again.

Pure. The publisher answers a request with its present facts and, for each topic, the
number as of which they hold. The reader asks when it joins and after each gap; until the
answer comes it holds newer facts back for a bounded time, then delivers the snapshot and
what is newer. When no answer comes it delivers what it held and asks again later: waiting for ever
would make one dead publisher's silence look like everybody's.
"""

from collections.abc import Sequence

import msgspec

from bus.envelope import FRAMES, UNDECODABLE
from shared.effects import Received
from shared.identifiers import Component, Incarnation
from shared.units import NS_PER_MS, NS_PER_S, MonotonicNs

HOLD_NS_MAX = 100 * NS_PER_MS
"""A live publisher answers within a turn or two of its loop."""

RETRY_NS = NS_PER_S
"""Between two attempts: a publisher too busy to answer is not asked the harder for it."""

HELD_MAX = 2_000
"""Facts held back of one publisher; four seconds of a sustained peak."""


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="snapshot"):
    """A reader's question. The number comes back, so that an old answer is known as one."""

    number: int


class Missing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Facts of one topic that did not arrive, both ends included."""

    topic: str
    first: int
    last: int

    @property
    def count(self) -> int:
        """How many they are."""
        return self.last - self.first + 1


class FillRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="fill"):
    """A reader's question for single facts (`bus/refill.py`); the number comes back."""

    number: int
    missing: tuple[Missing, ...]


class Filled(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="filled"):
    """First frame of the answer to it; the facts follow as they left, in the order asked for.

    Attributes:
        facts: How many follow: all that was asked for, or none when one of them is gone.
    """

    number: int
    component: Component
    incarnation: Incarnation
    facts: int


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="answer"):
    """First frame of an answer; the facts follow it, three frames each.

    Attributes:
        newest: Newest number of each topic, as of which the facts hold.
        facts: How many follow.
    """

    number: int
    component: Component
    incarnation: Incarnation
    newest: dict[str, int]
    facts: int


_ENCODER = msgspec.msgpack.Encoder()
_REQUEST: msgspec.msgpack.Decoder[Request | FillRequest] = msgspec.msgpack.Decoder(
    Request | FillRequest
)
_ANSWER: msgspec.msgpack.Decoder[Answer | Filled] = msgspec.msgpack.Decoder(Answer | Filled)


def encode_request(number: int) -> bytes:
    """Return the one frame of a request."""
    return _ENCODER.encode(Request(number))


def encode_fill_request(request: FillRequest) -> bytes:
    """Return the one frame of a request for single facts."""
    return _ENCODER.encode(request)


def decode_request(frame: bytes) -> Request | FillRequest | None:
    """Read a request; None for bytes that are none, which get no answer."""
    try:
        return _REQUEST.decode(frame)
    except UNDECODABLE:
        return None


def encode_answer(answer: Answer, facts: Sequence[list[bytes]]) -> list[bytes]:
    """Return all frames of an answer."""
    assert answer.facts == len(facts), "an answer counts its facts"
    return [_ENCODER.encode(answer), *(frame for fact in facts for frame in fact)]


def encode_filled(filled: Filled, facts: Sequence[list[bytes]]) -> list[bytes]:
    """Return all frames of the answer to a request for single facts."""
    assert filled.facts == len(facts), "an answer counts its facts"
    return [_ENCODER.encode(filled), *(frame for fact in facts for frame in fact)]


def decode_answer(
    frames: Sequence[bytes],
) -> tuple[Answer | Filled, list[Sequence[bytes]]] | None:
    """Read an answer into its head and the frames of each fact; None when it is none."""
    try:
        answer = _ANSWER.decode(frames[0])
    except UNDECODABLE:
        return None
    if len(frames) != 1 + FRAMES * answer.facts:
        return None
    return answer, [frames[at : at + FRAMES] for at in range(1, len(frames), FRAMES)]


class Resync:
    """One publisher's way back to whole, at one reader."""

    def __init__(self) -> None:
        self._number = 0
        self._wanted = False
        self._unsent = False
        self._since_ns = MonotonicNs(0)
        self._retry_ns = MonotonicNs(0)
        self._is_holding = False
        self._held: list[Received] = []

    @property
    def is_waiting(self) -> bool:
        """Whether an answer is expected now."""
        return self._is_holding

    def want(self, now_ns: MonotonicNs, *, lossy: bool) -> None:
        """Begin; facts lost while an answer is under way make that answer too old."""
        if self._is_holding and not lossy:
            return
        if not self._is_holding:
            self._since_ns = now_ns
        self._wanted = True
        self._begin()

    def take_request(self, now_ns: MonotonicNs) -> int | None:
        """Return the number of a request that is to be sent now, None when none is."""
        if self._wanted and not self._is_holding and now_ns >= self._retry_ns:
            self._since_ns = now_ns
            self._begin()
        return self._number if self._unsent else None

    def sent(self) -> None:
        """Note that the request has gone out."""
        self._unsent = False

    def hold(self, fact: Received) -> bool:
        """Keep a fact back while an answer is expected; False when it is to be delivered."""
        if not self._is_holding:
            return False
        self._held.append(fact)
        return True

    def is_current(self, answer: Answer) -> bool:
        """Tell whether an answer is the one that is expected."""
        return self._is_holding and answer.number == self._number

    def finish(self, answer: Answer) -> list[Received]:
        """End well; return the held facts that are newer than the answer."""
        held = self._release()
        self._wanted = False
        return [fact for fact in held if self._is_newer(fact, answer)]

    def expire(self, now_ns: MonotonicNs) -> list[Received]:
        """Give up for now when the time or the room is over; return what was held."""
        if not self._is_holding:
            return []
        if now_ns - self._since_ns < HOLD_NS_MAX and len(self._held) < HELD_MAX:
            return []
        self._retry_ns = MonotonicNs(now_ns + RETRY_NS)
        return self._release()

    def abandon(self) -> None:
        """Drop everything held and expect nothing: after the reader's own pause."""
        self._release()
        self._wanted = False

    def _begin(self) -> None:
        self._number += 1
        self._unsent = True
        self._is_holding = True

    def _release(self) -> list[Received]:
        held, self._held = self._held, []
        self._is_holding = False
        self._unsent = False
        return held

    @staticmethod
    def _is_newer(fact: Received, answer: Answer) -> bool:
        if fact.incarnation != answer.incarnation:
            return False
        return fact.sequence > answer.newest.get(fact.topic, 0)
