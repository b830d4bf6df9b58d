"""The reader's side of the facts: bytes in; facts in sequence, gaps and snapshots out.

Pure. One tracker, one filling of small gaps and one resynchronisation a publisher; the latter two
never at a time: whoever waits for a snapshot needs no single facts. After this reader's own pause,
what was sent before it woke is ignored: a process that was stopped would otherwise read
hundreds of old facts in sequence before its first gap.
"""

from collections.abc import Sequence
from typing import Protocol

from bus.envelope import Cause, Corrupt, Header, decode_body, decode_header
from bus.refill import Fill, FilledGap, Sent
from bus.sequence import UNKNOWN_COUNT, Tracker
from bus.snapshot import Filled, Missing, Resync, decode_answer
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
        self.fill = Fill()
        self.input_ns: MonotonicNs | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether an answer of the publisher is expected now."""
        return self.resync.is_waiting or self.fill.is_waiting


class Intake:
    """All publishers that one component reads.

    Attributes:
        corrupt: Messages that did not decode, since `take_corrupt`.
        corrupt_count: Of this run.
        wants_facts: Whether a request for single facts has come to be since somebody set it False.
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
        self.wants_facts = False
        self._raw = raw
        self._corrupt: list[Corrupt] = []
        self._filled: list[FilledGap] = []
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
        if judgement.cause == "sequence":
            last = header.sequence - 1
            lost = Missing(header.topic, header.sequence - judgement.missed, last)
            messages += self._lose(source, lost, now)
        elif judgement.joined:
            messages += self._give_up(source, now)
            if judgement.missed:
                messages.append(Gap(header.component, "", judgement.missed, "incarnation"))
            self._want(source, now, lossy=bool(judgement.missed))
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
        if source is None or isinstance(answer, Filled):
            return []
        if not source.resync.is_current(answer):
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

    def fill(self, frames: Sequence[bytes], now: Instant) -> list[Message] | None:
        """Take the answer to a request for single facts in; None when it is no such answer."""
        answer, facts = decode_answer(frames) or (None, [])
        if not isinstance(answer, Filled):
            return None
        source = self.sources.get(answer.component)
        if source is None or not source.fill.is_current(answer):
            return []
        headers: list[Header] = []
        opened: list[Sent] = []
        for frames in facts:
            header = decode_header(frames)
            if isinstance(header, Corrupt) or header.incarnation != source.tracker.incarnation:
                break
            message = _envelope(header, frames, now) if self._raw else decode_body(header, frames)
            if isinstance(message, Corrupt):
                break
            headers.append(header)
            opened.append((header.sent_ns, message))
        numbers = [(header.topic, header.sequence) for header in headers]
        messages = source.fill.finish(numbers, opened)
        if messages is None:
            return self._give_up(source, now)
        self._filled.append(FilledGap(answer.component, len(opened)))
        if self._raw:
            return messages
        return [one for one in messages if isinstance(one, Received) and one.topic != SEQUENCES]

    def expire(self, now: Instant) -> list[Message]:
        """Deliver what was held back for answers that do not come."""
        messages: list[Message] = []
        for source in self.sources.values():
            messages += source.resync.expire(now.monotonic_ns)
            if source.fill.is_over(now.monotonic_ns):
                messages += self._give_up(source, now)
        return messages

    def pause(self, now: Instant) -> list[Message]:
        """Forget all sequences after this reader's own pause; every source has a gap."""
        self._ignored_before_ns = now.monotonic_ns
        self._causes = None
        gaps: list[Message] = []
        for component, source in self.sources.items():
            source.tracker.forget()
            source.resync.abandon()
            source.fill.abandon()
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

    def take_filled(self) -> list[FilledGap]:
        """Return the gaps that were filled since the last call, for the log."""
        filled, self._filled = self._filled, []
        return filled

    def _lose(self, source: Source, lost: Missing, now: Instant) -> list[Message]:
        """Have a gap filled, or tell of it and have everything anew."""
        is_patched = not source.resync.is_waiting and source.fill.want(lost, now.monotonic_ns)
        if is_patched:
            self.wants_facts = True
            return []
        messages = self._give_up(source, now)
        messages.append(Gap(source.tracker.component, lost.topic, lost.count, "sequence"))
        self._want(source, now, lossy=True)
        return messages

    def _want(self, source: Source, now: Instant, *, lossy: bool) -> None:
        if not self._raw:
            source.resync.want(now.monotonic_ns, lossy=lossy)

    def _give_up(self, source: Source, now: Instant) -> list[Message]:
        """End a filling without its answer: the gaps are told, and what was held follows."""
        gaps, held = source.fill.give_up(source.tracker.component)
        messages: list[Message] = [*gaps]
        if gaps:
            self._want(source, now, lossy=True)
        for message in held:
            if not (isinstance(message, Received) and source.resync.hold(message)):
                messages.append(message)
        return messages

    def _open(
        self, source: Source, header: Header, frames: Sequence[bytes], now: Instant
    ) -> list[Message]:
        received = self._opener.body(header, frames)
        if isinstance(received, Corrupt):
            self._note(received)
            messages = self._give_up(source, now)
            self._want(source, now, lossy=True)
            return [*messages, Gap(header.component, header.topic, 1, "corrupt")]
        messages = []
        if isinstance(received.body, Sequences):
            messages += self._compare(source, received, received.body, now)
        if self._raw:
            envelope = _envelope(header, frames, now)
            return messages if source.fill.hold(header.sent_ns, envelope) else [*messages, envelope]
        if header.topic != SEQUENCES and not (
            source.fill.hold(header.sent_ns, received) or source.resync.hold(received)
        ):
            messages.append(received)
        return messages

    def _compare(
        self, source: Source, received: Received, told: Sequences, now: Instant
    ) -> list[Message]:
        losses = source.tracker.compare(received.incarnation, told.newest)
        messages: list[Message] = []
        for loss in losses:
            newest = told.newest[loss.topic]
            lost = Missing(loss.topic, newest - loss.missed + 1, newest)
            messages += self._lose(source, lost, now)
        return messages

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
