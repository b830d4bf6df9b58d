"""The facts that the recorder has kept since a memory was taken.

Impure: reads files. A memory names how far each file went when it was taken, or before; only what
lies behind that is read, so that an hour's recording costs no more than its last seconds. Facts
that are folded in already are passed over by their numbers. Within bounds: what lies beyond them is
not read and is said, and then the live feed has to tell it.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from bus.envelope import Corrupt, decode_header
from services.state.memory import RecordedFact, Stored
from shared.recording import MAGIC, NAME_SUFFIX, Damage, FactRecord, Record, read
from shared.topics import FEED_DISCOVERY, FEED_MARKET, FEED_PRICE

TOPICS: Final = {
    "feed.market": FEED_MARKET,
    "feed.price": FEED_PRICE,
    "feed.calendar": FEED_DISCOVERY,
}
"""What state folds; what feeds say of themselves holds for nobody who was away."""

READ_BYTES_MAX: Final = 32 * 1024 * 1024
"""Half a minute of a thousand facts a second; reading it takes well below a second."""

FACTS_MAX: Final = 30_000
"""Likewise, of facts that are given to the core in its first turn."""


class Since(msgspec.Struct, frozen=True):
    """What was recorded, in the order in which the recorder heard it, and what was not read."""

    facts: tuple[RecordedFact, ...]
    problems: tuple[str, ...]


def facts_since(directory: Path, stored: Stored) -> Since:
    """Return what a memory does not hold yet."""
    facts: list[RecordedFact] = []
    problems: list[str] = []
    heard = {
        (one.component, one.topic): (one.incarnation, one.sequence) for one in stored.memory.heard
    }
    left = READ_BYTES_MAX
    try:
        begun = _begun(directory, stored)
    except OSError as error:
        return Since((), (f"{directory}: {error.strerror}",))
    for path, offset in begun:
        try:
            content = _content(path, offset, left)
            if content is not None and not _is_record(content):
                # The size was looked at while a record was being written: begin at the beginning.
                content = _content(path, len(MAGIC), left)
        except OSError as error:
            problems.append(f"{path.name}: {error.strerror}")
            continue
        if content is None:
            problems.append(f"{path.name}: more than {READ_BYTES_MAX} bytes since")
            continue
        left -= len(content)
        for record in _records(content):
            fact = _wanted(record, heard)
            if fact is None:
                continue
            if len(facts) >= FACTS_MAX:
                return Since((), (f"more than {FACTS_MAX} facts since",))
            facts.append(fact)
    return Since(tuple(facts), tuple(problems))


def _begun(directory: Path, stored: Stored) -> list[tuple[Path, int]]:
    """Return the files that have grown since, with where to begin, oldest first.

    Raises:
        OSError: The directory cannot be read.
    """
    known = {place.name: place.bytes for place in stored.recorded}
    found: list[tuple[int, str, Path, int]] = []
    for path in directory.glob(f"*{NAME_SUFFIX}"):
        told = path.stat()
        offset = known.get(path.name, len(MAGIC))
        is_older = path.name not in known and told.st_mtime_ns < stored.recorded_wall_ns
        if told.st_size > offset and not is_older:
            found.append((told.st_mtime_ns, path.name, path, offset))
    return [(path, offset) for _, _, path, offset in sorted(found)]


def _content(path: Path, offset: int, left: int) -> bytes | None:
    """Return what lies behind an offset; None when that is too much."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        if size - offset > left:
            return None
        file.seek(offset)
        return file.read(left)


def _is_record(content: bytes) -> bool:
    """Tell whether bytes begin with a whole record."""
    return not isinstance(next(read(MAGIC + content), Damage(0, "")), Damage)


def _records(content: bytes) -> Iterator[Record]:
    """Yield whole records up to the first that is none: the newest may be half written."""
    for found in read(MAGIC + content):
        if isinstance(found, Damage):
            return
        yield found[1]


def _wanted(
    record: Record, heard: Mapping[tuple[str, str], tuple[int, int]]
) -> RecordedFact | None:
    """Return a record as a fact to fold; None for what is folded, or is none of ours."""
    if not isinstance(record, FactRecord) or record.topic not in TOPICS:
        return None
    header = decode_header((record.topic.encode(), record.header, record.body))
    if isinstance(header, Corrupt):
        return None
    incarnation, sequence = heard.get((header.component, header.topic), (None, 0))
    if header.incarnation == incarnation and header.sequence <= sequence:
        return None
    return RecordedFact(
        header.component,
        header.incarnation,
        header.topic,
        header.sequence,
        header.input_ns,
        record.body,
    )
