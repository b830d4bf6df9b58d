"""Decides a component's recorded runs again: the shell of `python -m services.<name> replay`.

Impure: reads the files, and writes one JSON line a run on standard output, then one for all. Files
are read once, in the order in which they were begun, and only a window of them is held: a
batch of inputs is decided again when the recording has gone on for some seconds behind it, by
when everything that it names has been read.
"""

import hashlib
import mmap
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from bus.envelope import Corrupt, Header, decode, decode_header
from bus.lives import Key, Life, MakeCore, Report
from bus.settings import hash_build
from bus.turn_log import TOPIC
from shared.effects import ClockStepped, Gap, Message, Paused, Received, Stop
from shared.facts import Turns
from shared.identifiers import Component
from shared.recording import SCHEMA, Damage, FactRecord, GapRecord, Head, Record, read
from shared.topics import TOPICS, subscriptions
from shared.units import NS_PER_S

BEHIND_NS: Final = 15 * NS_PER_S
"""How far the recording is read beyond a batch before it is decided again: a run tells its first
inputs 3 s late, and a slow reader's queue of 5000 facts holds less than the rest."""

HEAD_BYTES_MAX: Final = 4_096
"""A head is smaller by far."""

KEPT_NS: Final = 60 * NS_PER_S
"""How long facts are held that a batch may still name."""

UNEQUAL: Final = 1
UNPROVEN: Final = 2

_OF_THE_LOOP: Final = frozenset({"bus.sequences", TOPIC})
"""Facts that no core decides."""

KINDS: Final[Mapping[str, type[Message]]] = {
    kind.__name__: kind for kind in (Gap, Paused, Stop, ClockStepped)
}
"""What every shell may give its core."""


class Summary(msgspec.Struct, frozen=True):
    """What became of all runs of a component.

    Attributes:
        hash: Over the runs' own hashes, in order.
        problems: What is wrong with the files themselves.
    """

    component: str
    runs: int
    entries: int
    equal: int
    unheard: int
    is_equal: bool
    hash: str
    gaps: int
    problems: tuple[str, ...]


class Unusable(Exception):
    """No recording of ours."""


class Replay:
    """Reads recordings and decides again what one component decided in them."""

    def __init__(
        self, component: Component, make_core: MakeCore, kinds: Sequence[type[Message]] = ()
    ) -> None:
        """Take the component with what makes its core, and the messages of its own edges."""
        self._component = component
        self._make_core = make_core
        self._kinds = {**KINDS, **{kind.__name__: kind for kind in kinds}}
        self._build_hash = hash_build()
        wanted = {topic for topics in subscriptions(component).values() for topic in topics}
        self._topics = wanted - _OF_THE_LOOP
        self._published = {topic.name for topic in TOPICS if component in topic.publishers}
        self._published -= _OF_THE_LOOP
        self._lives: dict[int, Life] = {}
        self._facts: dict[Key, FactRecord] = {}
        self._ages: deque[tuple[int, Key]] = deque()
        self._pending: deque[tuple[int, int, Turns]] = deque()
        self.gaps = 0
        self.problems: list[str] = []

    def read(self, paths: Sequence[Path]) -> list[Report]:
        """Read files to their ends; return what became of each run.

        Raises:
            OSError: A file cannot be read.
            Unusable: One is no recording.
        """
        newest_ns = 0
        for path in _in_order(paths):
            for record in self._records(path):
                if isinstance(record, Head) and record.opened_ns < newest_ns - KEPT_NS:
                    self._catch_up(None)  # the machine was started anew: its clocks too
                elif isinstance(record, GapRecord):
                    self.gaps += 1
                elif isinstance(record, FactRecord):
                    newest_ns = record.received_ns
                    self._take(record)
                    self._catch_up(newest_ns - BEHIND_NS)
                    self._forget(newest_ns - KEPT_NS)
        self._catch_up(None)
        return [life.report() for life in self._lives.values()]

    def _records(self, path: Path) -> Iterator[Record]:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            if not size:
                return
            with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as content:
                view = memoryview(content)
                try:
                    for found in read(view):
                        if isinstance(found, Damage):
                            self.problems.append(f"{path.name} at {found.offset}: {found.why}")
                            return
                        yield found[1]
                finally:
                    view.release()

    def _take(self, record: FactRecord) -> None:
        if record.topic == TOPIC:
            self._take_turns(record)
            return
        is_input = record.topic in self._topics
        if not is_input and record.topic not in self._published:
            return
        header = decode_header((record.topic.encode(), record.header, record.body))
        if isinstance(header, Corrupt):
            self.problems.append(f"{record.topic}: {header.why}")
            return
        if header.component == self._component:
            self._life(header).hear(header, record)
        elif is_input:
            key = (header.component, header.incarnation, header.topic, header.sequence)
            self._facts[key] = record
            self._ages.append((record.received_ns, key))

    def _take_turns(self, record: FactRecord) -> None:
        fact = decode((record.topic.encode(), record.header, record.body))
        if isinstance(fact, Corrupt):
            self.problems.append(f"{record.topic}: {fact.why}")
        elif fact.component == self._component:
            self._life(fact)
            self._pending.append((record.received_ns, fact.incarnation, fact.body))

    def _life(self, said: Header | Received) -> Life:
        life = self._lives.get(said.incarnation)
        if life is None:
            life = self._lives[said.incarnation] = Life(
                said.component, said.incarnation, self._make_core, self._kinds, self._build_hash
            )
        return life

    def _catch_up(self, until_ns: int | None) -> None:
        """Decide again what was received before a moment, None for all."""
        while self._pending and (until_ns is None or self._pending[0][0] <= until_ns):
            _, incarnation, turns = self._pending.popleft()
            self._lives[incarnation].decide(turns, self._facts)

    def _forget(self, before_ns: int) -> None:
        while self._ages and self._ages[0][0] < before_ns:
            self._facts.pop(self._ages.popleft()[1], None)


def summarise(component: Component, reports: Sequence[Report], replay: Replay) -> Summary:
    """Put the runs of a component together."""
    told = "\n".join(f"{report.component} {report.hash}" for report in reports)
    return Summary(
        component,
        len(reports),
        sum(report.entries for report in reports),
        sum(report.equal for report in reports),
        sum(report.unheard for report in reports),
        bool(reports) and not replay.problems and all(report.is_equal for report in reports),
        hashlib.blake2b(told.encode(), digest_size=16).hexdigest(),
        replay.gaps,
        tuple(replay.problems),
    )


def _in_order(paths: Sequence[Path]) -> list[Path]:
    """Return recordings in the order in which they were begun.

    Raises:
        Unusable: One has no head.
    """
    begun: list[tuple[int, str, Path]] = []
    for path in paths:
        with path.open("rb") as file:
            first = next(read(file.read(HEAD_BYTES_MAX)), Damage(0, "empty"))
        if isinstance(first, Damage) or not isinstance(first[1], Head):
            raise Unusable(f"{path} is no recording of facts")
        if first[1].schema != SCHEMA:
            raise Unusable(f"{path} is of schema {first[1].schema}, not {SCHEMA}")
        begun.append((first[1].opened_wall_ns, path.name, path))
    return [path for _, _, path in sorted(begun)]


def decide_again(
    component: Component,
    make_core: MakeCore,
    names: Sequence[str],
    kinds: Sequence[type[Message]] = (),
) -> int:
    """Replay files and write what was found; return the exit status.

    Status 0: everything was compared and is equal; 1: something differs; 2: nothing differs, but
    not all could be compared, or there was nothing.
    """
    replay = Replay(component, make_core, kinds)
    try:
        reports = replay.read([Path(name) for name in names])
    except (OSError, Unusable) as error:
        sys.stdout.write(msgspec.json.encode({"problem": str(error)}).decode() + "\n")
        return UNPROVEN
    summary = summarise(component, reports, replay)
    for line in (*reports, summary):
        sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    if any(report.difference is not None for report in reports):
        return UNEQUAL
    return 0 if summary.is_equal else UNPROVEN
