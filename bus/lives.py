"""Decides again what a recorded run decided, and compares: body by body, byte by byte.

Pure. Every run of a component is a life: a core made from the settings that its turn log began
with, given what the log names in that order with those instants. Each fact that it publishes is
compared with the recorded one of the same number. What is missing in the recording ends a life's
comparison with the reason: nothing is skipped, nothing is taken for equal that was not looked at.
Facts that left before the recorder had found the publisher are counted apart.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from bus.differences import Difference, first_difference, words_of
from bus.envelope import SCHEMA, Corrupt, Header, decode, decode_body
from shared.config import Config
from shared.effects import ControlReceived, Core, Effect, Message, Publish, Received
from shared.facts import Turns
from shared.identifiers import Component, Incarnation
from shared.recording import FactRecord
from shared.topics import BY_NAME
from shared.turns import FactNamed, FactTold, Given, MessageTold, PingTold, Unpacker, Unreadable
from shared.units import NS_PER_S, BootNs, Instant, MonotonicNs, WallNs, from_wire, to_wire

UNHEARD_NS_MAX: Final = 10 * NS_PER_S
"""From a run's beginning: a recorder finds a publisher sooner, and a fact that it missed later was
lost on the way."""

SEEN_SHOWN: Final = 5
"""Inputs before a difference that are shown with it."""

Key = tuple[str, int, str, int]
"""Component, incarnation, topic and number of a fact."""

MakeCore = Callable[[Config], Core]


class Report(msgspec.Struct, frozen=True):
    """What became of one life.

    Attributes:
        began_wall_ns: When its first input came; None when its beginning was not recorded.
        ended_wall_ns: When the last input that was decided again came.
        entries: Inputs given again, ticks included.
        equal: Decisions that are the recorded ones.
        unheard: Decisions made before the recorder heard this publisher: made again, not compared.
        hash: Over every decision made again.
        difference: The first one; nothing behind it is compared.
        incomplete: Why the comparison ends before the recording does; empty when it does not.
        note: What else to know.
    """

    component: str
    incarnation: int
    began_wall_ns: int | None
    ended_wall_ns: int | None
    entries: int
    equal: int
    unheard: int
    hash: str
    difference: Difference | None = None
    incomplete: str = ""
    note: str = ""

    @property
    def is_equal(self) -> bool:
        """Whether all of it was compared and nothing differs."""
        return self.difference is None and not self.incomplete


class _Missing(Exception):
    """Something is not in the recording; says what."""


class Life:
    """One run, while it is decided again."""

    def __init__(
        self,
        component: str,
        incarnation: int,
        make_core: MakeCore,
        kinds: Mapping[str, type[Message]],
        build_hash: str,
    ) -> None:
        """Begin before the first batch.

        Args:
            component: Its name.
            incarnation: Which run.
            make_core: Makes its core of its settings.
            kinds: Messages that its shell may give it besides facts and pings, by name.
            build_hash: Of the source that decides again.
        """
        self.component = component
        self.incarnation = incarnation
        self._make_core = make_core
        self._kinds = kinds
        self._build_hash = build_hash
        self._core: Core | None = None
        self._unpacker = Unpacker()
        self._numbers: dict[str, int] = {}
        self._first_heard: dict[str, int] = {}
        self._hash = hashlib.blake2b(digest_size=16)
        self._seen: list[Message | None] = []
        self._entries = self._equal = self._unheard = 0
        self._began: Instant | None = None
        self._now: Instant | None = None
        self._difference: Difference | None = None
        self._incomplete = self._note = ""
        self.decided: dict[tuple[str, int], tuple[FactRecord, Header]] = {}

    def hear(self, header: Header, record: FactRecord) -> None:
        """Keep a recorded decision until it is made again."""
        self._first_heard.setdefault(header.topic, header.sequence)
        if not self._is_over():
            self.decided[header.topic, header.sequence] = (record, header)

    def decide(self, turns: Turns, facts: Mapping[Key, FactRecord]) -> None:
        """Give a batch of inputs again.

        Args:
            turns: The batch.
            facts: What the recording holds of the facts that it may name.
        """
        if self._is_over():
            return
        try:
            core = self._begin(turns)
            for given in self._unpacker.unpack(turns):
                self._give(core, given, facts)
                if self._is_over():
                    return
            self._check_left()
        except (_Missing, Unreadable) as missing:
            self._end(str(missing))

    def report(self) -> Report:
        """Return what became of it, at the end of the recording."""
        if not self._is_over():
            self._check_left()
        if self._began is None and not self._incomplete:
            self._incomplete = "its turns are not in the recording"
        return Report(
            self.component,
            self.incarnation,
            None if self._began is None else self._began.wall_ns,
            None if self._now is None else self._now.wall_ns,
            self._entries,
            self._equal,
            self._unheard,
            self._hash.hexdigest(),
            self._difference,
            self._incomplete,
            self._note,
        )

    def _is_over(self) -> bool:
        return self._difference is not None or bool(self._incomplete)

    def _begin(self, turns: Turns) -> Core:
        if turns.first != self._entries:
            begun = "its beginning" if self._core is None else f"turns from {self._entries} on"
            raise _Missing(f"{begun} is not in the recording, which goes on with {turns.first}")
        if self._core is None:
            try:
                config = msgspec.json.decode(turns.settings, type=Config)
            except (msgspec.DecodeError, UnicodeError) as error:
                raise _Missing(f"its settings are of another schema: {error}") from error
            if turns.build_hash != self._build_hash:
                self._note = f"decided by build {turns.build_hash}, again by {self._build_hash}"
            self._core = self._make_core(config)
        return self._core

    def _give(self, core: Core, given: Given, facts: Mapping[Key, FactRecord]) -> None:
        self._entries += 1
        self._now = now = given.now
        self._began = self._began or now
        if given.what is None:
            self._see(None)
            effects = core.on_tick(now)
        else:
            message = self._message(given.what, facts)
            self._see(message)
            effects = core.on_message(message, now)
        for effect in effects:
            if self._is_over():
                return
            self._compare(effect, now)

    def _see(self, message: Message | None) -> None:
        self._seen.append(message)
        del self._seen[:-SEEN_SHOWN]

    def _seen_words(self) -> tuple[str, ...]:
        return tuple("tick" if one is None else words_of(one) for one in self._seen)

    def _message(
        self, what: FactNamed | FactTold | PingTold | MessageTold, facts: Mapping[Key, FactRecord]
    ) -> Message:
        match what:
            case FactNamed(source=source, sequence=sequence):
                key = (source.component, source.incarnation, source.topic, sequence)
                record = facts.get(key)
                if record is None:
                    raise _Missing(f"{source.topic} {sequence} of {source.component} is missing")
                return _received(decode([record.topic.encode(), record.header, record.body]))
            case FactTold():
                return _received(_told(what))
            case PingTold():
                return ControlReceived(self._unpacker.ping(what))
        kind = self._kinds.get(what.kind)
        if kind is None:
            raise _Missing(f"a message {what.kind} was given, which nobody here knows")
        try:
            return msgspec.msgpack.decode(what.body, type=kind, dec_hook=from_wire)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise _Missing(f"message {what.kind}: {error}") from error

    def _compare(self, effect: Effect, now: Instant) -> None:
        """Compare a published fact with the recorded one of its number."""
        if not isinstance(effect, Publish):
            return
        number = self._numbers.get(effect.topic, 0) + 1
        self._numbers[effect.topic] = number
        body = msgspec.msgpack.encode(effect.body, enc_hook=to_wire)
        self._hash.update(f"{effect.topic} {number} {now.boot_ns} {effect.input_ns} ".encode())
        self._hash.update(body)
        recorded = self.decided.pop((effect.topic, number), None)
        if recorded is None:
            if self._is_unheard(effect.topic, number, now):
                self._unheard += 1
            else:
                self._end(f"decision {effect.topic} {number} is not in the recording")
            return
        record, header = recorded
        found = first_difference(header, record.body, now, effect.input_ns, body)
        if found is None:
            self._equal += 1
            return
        field, was, again = found
        self._difference = Difference(
            header.wall_ns, effect.topic, number, field, was, again, self._seen_words()
        )
        self._end_comparison()

    def _is_unheard(self, topic: str, number: int, now: Instant) -> bool:
        """Whether a decision left before anybody could record it."""
        assert self._began is not None
        is_early = now.boot_ns - self._began.boot_ns < UNHEARD_NS_MAX
        return is_early and number < self._first_heard.get(topic, number + 1)

    def _check_left(self) -> None:
        """Whatever was decided up to the last input is to have been decided again."""
        if self._now is None:
            return
        for (topic, number), (_, header) in self.decided.items():
            if header.now.boot_ns < self._now.boot_ns:
                self._difference = Difference(
                    header.wall_ns, topic, number, "", "decided", "nothing", self._seen_words()
                )
                break
        if self._difference is not None:
            self._end_comparison()

    def _end(self, why: str) -> None:
        self._incomplete = why
        self._end_comparison()

    def _end_comparison(self) -> None:
        self.decided.clear()


def _received(decoded: Received | Corrupt) -> Received:
    if isinstance(decoded, Corrupt):
        raise _Missing(f"a fact that was given cannot be read: {decoded.why}")
    return decoded


def _told(told: FactTold) -> Received | Corrupt:
    """Return a fact that the log tells whole."""
    if told.topic not in BY_NAME:
        return Corrupt((told.body,), f"unknown topic {told.topic!r}")
    header = Header(
        component=Component(told.component),
        incarnation=Incarnation(told.incarnation),
        topic=told.topic,
        sequence=told.sequence,
        sent_ns=MonotonicNs(told.sent_ns),
        input_ns=MonotonicNs(told.input_ns),
        wall_ns=told.wall_ns,
        schema=SCHEMA,
        caused_by=(),
        now=_NEVER,
    )
    return decode_body(header, (b"", b"", told.body))


_NEVER = Instant(BootNs(0), MonotonicNs(0), WallNs(0))
