"""The reader's side of the facts: bytes in; facts in sequence, gaps and snapshots out.

Pure. One tracker and one resynchronisation a publisher. After this reader's own pause,
what was sent before it woke is ignored: a process that was stopped would otherwise read
hundreds of old facts in sequence before its first gap.
"""

from collections.abc import Sequence
from typing import Protocol

from bus.envelope import Cause, Corrupt, Header, decode_body, decode_header
from bus.sequence import UNKNOWN_COUNT, Tracker
from bus.snapshot import Resync, decode_answer
from shared.control import InputAge
from shared.effects import EnvelopeReceived, Gap, Message, Received
from shared.facts import Sequences
from shared.identifiers import Component
from shared.topics import subscriptions
from shared.units import Instant, MonotonicNs

SEQUENCES = "bus.sequences"

CORRUPT_MAX = 64
"""Kept for the log until the end of the turn; further ones are only counted."""


class Opener(Protocol):
    """Reads the frames of a message."""

    def header(self, frames: Sequence[bytes]) -> Header | Corrupt:
        """Read a header and check it against the routing table."""
        ...

    def body(self, header: Header, frames: Sequence[bytes]) -> Received | Corrupt:
        """Read the payload that belongs to a checked header."""
        ...


class Decoding:
    """Reads every message anew, as a process of its own must."""

    def header(self, frames: Sequence[bytes]) -> Header | Corrupt:
        """Read a header."""
        return decode_header(frames)

    def body(self, header: Header, frames: Sequence[bytes]) -> Received | Corrupt:
        """Read a payload."""
        return decode_body(header, frames)


DECODING = Decoding()


class Source:
    """What a reader knows of one publisher."""

    def __init__(self, component: Component, topics: tuple[str, ...]) -> None:
        self.topics = topics
        self.tracker = Tracker(component, topics)
        self.resync = Resync()
        self.input_ns: MonotonicNs | None = None


class Intake:
    """All publishers that one component reads.

    Attributes:
        corrupt: Messages that did not decode, since `take_corrupt`.
        corrupt_count: Of this run.
    """

    def __init__(self, reader: Component, *, raw: bool = False, opener: Opener = DECODING) -> None:
        """Follow the routing table.

        Args:
            reader: Whose subscriptions.
            raw: Deliver whole envelopes, undecoded and without snapshots, for the recording.
            opener: Reads the frames of facts.
        """
        self._opener = opener
        self.sources = {
            component: Source(component, topics)
            for component, topics in subscriptions(reader).items()
        }
        self.corrupt_count = 0
        self._raw = raw
        self._corrupt: list[Corrupt] = []
        self._ignored_before_ns = MonotonicNs(0)
        self._causes: tuple[Cause, ...] | None = ()

    def take(self, frames: Sequence[bytes], now: Instant) -> list[Message]:
        """Take one arriving message in."""
        header = self._opener.header(frames)
        if isinstance(header, Corrupt):
            self._note(header)
            return []
        source = self.sources.get(header.component)
        if source is None or header.sent_ns < self._ignored_before_ns:
            return []
        judgement = source.tracker.judge(header.incarnation, header.topic, header.sequence)
        if not judgement.fresh:
            return []
        self._causes = None
        messages: list[Message] = []
        if judgement.missed:
            topic = "" if judgement.cause == "incarnation" else header.topic
            messages.append(Gap(header.component, topic, judgement.missed, judgement.cause))
        if (judgement.missed or judgement.joined) and not self._raw:
            source.resync.want(now.monotonic_ns, lossy=bool(judgement.missed))
        source.input_ns = max(source.input_ns or header.input_ns, header.input_ns)
        return messages + self._open(source, header, frames, now)

    def answer(self, frames: Sequence[bytes], now: Instant) -> list[Message]:
        """Take the answer to a snapshot request in."""
        decoded = decode_answer(frames)
        if decoded is None:
            self._note(Corrupt(tuple(frames), "snapshot"))
            return []
        answer, facts = decoded
        source = self.sources.get(answer.component)
        if source is None or not source.resync.is_current(answer):
            return []
        known = source.tracker.incarnation
        messages: list[Message] = []
        if known is not None and known != answer.incarnation:
            messages.append(Gap(answer.component, "", UNKNOWN_COUNT, "incarnation"))
        for fact in facts:
            messages.extend(self._open_snapshot(source, fact))
        messages.extend(source.resync.finish(answer))
        source.tracker.rebase(answer.incarnation, answer.newest)
        self._causes = None
        return messages

    def expire(self, now: Instant) -> list[Message]:
        """Deliver what was held back for answers that do not come."""
        return [
            fact
            for source in self.sources.values()
            for fact in source.resync.expire(now.monotonic_ns)
        ]

    def pause(self, now: Instant) -> list[Message]:
        """Forget all sequences after this reader's own pause; every source has a gap."""
        self._ignored_before_ns = now.monotonic_ns
        self._causes = None
        gaps: list[Message] = []
        for component, source in self.sources.items():
            source.tracker.forget()
            source.resync.abandon()
            gaps.append(Gap(component, "", UNKNOWN_COUNT, "pause"))
        return gaps

    def causes(self) -> tuple[Cause, ...]:
        """Return the newest sequences seen of each source."""
        if self._causes is None:
            self._causes = tuple(
                Cause(component, source.tracker.incarnation, dict(source.tracker.newest))
                for component, source in self.sources.items()
                if source.tracker.incarnation is not None
            )
        return self._causes

    def input_ages(self, now: Instant) -> tuple[InputAge, ...]:
        """Return the age of the newest input of each source."""
        return tuple(
            InputAge(
                component,
                None if source.input_ns is None else now.monotonic_ns - source.input_ns,
            )
            for component, source in self.sources.items()
        )

    def take_corrupt(self) -> list[Corrupt]:
        """Return the messages that did not decode since the last call, for the log."""
        corrupt, self._corrupt = self._corrupt, []
        return corrupt

    def _open(
        self, source: Source, header: Header, frames: Sequence[bytes], now: Instant
    ) -> list[Message]:
        received = self._opener.body(header, frames)
        if isinstance(received, Corrupt):
            self._note(received)
            if not self._raw:
                source.resync.want(now.monotonic_ns, lossy=True)
            return [Gap(header.component, header.topic, 1, "corrupt")]
        messages: list[Message] = []
        if isinstance(received.body, Sequences):
            messages.extend(self._compare(source, received, received.body, now))
        if self._raw:
            return [*messages, _envelope(header, frames, now)]
        if header.topic != SEQUENCES and not source.resync.hold(received):
            messages.append(received)
        return messages

    def _compare(
        self, source: Source, received: Received, told: Sequences, now: Instant
    ) -> list[Message]:
        losses = source.tracker.compare(received.incarnation, told.newest)
        if losses and not self._raw:
            source.resync.want(now.monotonic_ns, lossy=True)
        return [Gap(received.component, loss.topic, loss.missed, "sequence") for loss in losses]

    def _open_snapshot(self, source: Source, frames: Sequence[bytes]) -> list[Message]:
        header = decode_header(frames)
        if isinstance(header, Corrupt):
            self._note(header)
            return []
        if header.topic not in source.topics:
            return []
        received = decode_body(header, frames)
        if isinstance(received, Corrupt):
            self._note(received)
            return []
        return [received]

    def _note(self, corrupt: Corrupt) -> None:
        self.corrupt_count += 1
        if len(self._corrupt) < CORRUPT_MAX:
            self._corrupt.append(corrupt)


def _envelope(header: Header, frames: Sequence[bytes], now: Instant) -> EnvelopeReceived:
    return EnvelopeReceived(
        header.component,
        header.incarnation,
        header.topic,
        header.sequence,
        tuple(frames),
        now.monotonic_ns,
    )
