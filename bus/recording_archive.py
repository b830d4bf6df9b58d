"""Archives of the recording: one Parquet file an hour, which gives back every byte of its segments.

Impure. One row is one record. Facts have their header's fields as columns, and the payload as it
travelled and as JSON text besides, so that pandas, DuckDB and Spark select and read without this
program. What an archive holds is proven by making each segment's bytes anew from its rows: only a
segment that comes out the same is deleted. An archive appears under its name whole or not at all.

Source: https://parquet.apache.org/docs/file-format/ and the pyarrow 26 documentation, read
2026-11-21 (zstd pages with checksums).
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from bus.envelope import Corrupt, Header, decode_header
from bus.recording_files import ARCHIVE_SUFFIX, PART_SUFFIX, sync_directory
from shared.recording import (
    MAGIC,
    Damage,
    FactRecord,
    GapRecord,
    Head,
    Record,
    Seal,
    frame,
    read,
    read_payload,
)

ROWS_A_GROUP_MAX = 20_000
BYTES_A_GROUP_MAX = 8 * 1024 * 1024
"""Rows are gathered up to the lower of both: what one group costs of memory, a few times over."""

ZSTD_LEVEL = 9
FORMAT = b"interlock.recording"
FORMAT_VERSION = b"1"
SUMMARY = b"interlock.summary"

ARCHIVES_AN_HOUR_MAX = 100
"""Segments of an hour that come after its archive get another one."""

_NAME = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    [
        pa.field("segment", _NAME, nullable=False),
        pa.field("record", pa.int64(), nullable=False),
        pa.field("kind", _NAME, nullable=False),
        pa.field("received_ns", pa.int64()),
        pa.field("topic", _NAME),
        pa.field("component", _NAME),
        pa.field("incarnation", pa.int64()),
        pa.field("sequence", pa.int64()),
        pa.field("sent_ns", pa.int64()),
        pa.field("input_ns", pa.int64()),
        pa.field("wall_ns", pa.int64()),
        pa.field("missed", pa.int64()),
        pa.field("cause", _NAME),
        pa.field("header", pa.binary()),
        pa.field("body", pa.binary(), nullable=False),
        pa.field("body_json", pa.string()),
    ],
    metadata={FORMAT: FORMAT_VERSION},
)
"""`body` of a record that is no fact is its own payload."""

RECORD_COLUMNS = ("segment", "kind", "received_ns", "topic", "header", "body")
"""What a record is made of; everything else in a row only says it in other words."""

Row = dict[str, Any]


class NotTheSame(Exception):
    """An archive does not give back its segments, or a segment is damaged: nothing is deleted."""


class Summary(msgspec.Struct, frozen=True):
    """What an archive holds, told by its footer.

    Attributes:
        segments: Bytes of each, by name.
    """

    segments: dict[str, int]
    facts: int
    gaps: int


def archive(segments: Sequence[Path], target: Path) -> Summary:
    """Write the segments of one hour into one archive and prove it; nothing is deleted.

    Raises:
        NotTheSame: A segment is damaged, or does not come out as it went in.
        OSError: Something cannot be read or written.
    """
    part = target.with_name(target.name + PART_SUFFIX)
    counted = {"fact": 0, "gap": 0}
    sizes: dict[str, int] = {}
    try:
        with part.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)
            with parquet_writer(file) as writer:
                for segment in segments:
                    sizes[segment.name] = _write_segment(writer, segment, counted)
                summary = Summary(sizes, counted["fact"], counted["gap"])
                writer.add_key_value_metadata({SUMMARY: msgspec.json.encode(summary)})
            file.flush()
            os.fsync(file.fileno())
        _prove(part, {segment.name: segment for segment in segments})
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)
    sync_directory(target.parent)
    return summary


def archive_name(directory: Path, hour: str) -> Path:
    """Return the name of an hour's next archive.

    Raises:
        OSError: It has too many.
    """
    for number in range(1, ARCHIVES_AN_HOUR_MAX + 1):
        path = directory / f"{hour}{'' if number == 1 else f'-{number}'}{ARCHIVE_SUFFIX}"
        if not path.exists():
            return path
    raise OSError(f"{hour} has {ARCHIVES_AN_HOUR_MAX} archives")


def is_within(segment: Path, path: Path) -> bool:
    """Tell whether an archive gives back a segment that still lies beside it.

    Raises:
        NotTheSame: It cannot be read.
        OSError: Either cannot be read.
    """
    if segment.name not in summary_of(path).segments:
        return False
    try:
        _prove(path, {segment.name: segment})
    except NotTheSame:
        return False
    return True


def summary_of(path: Path) -> Summary:
    """Return what the footer of an archive says.

    Raises:
        NotTheSame: It is no archive of ours.
        OSError: It cannot be read.
    """
    with _faults_of(path), pq.ParquetFile(path) as file:
        return msgspec.json.decode((file.metadata.metadata or {})[SUMMARY], type=Summary)


def verify_archive(path: Path) -> Summary:
    """Read a whole archive, with its pages' checksums, and make every record of it anew.

    Raises:
        NotTheSame: Something in it is damaged.
        OSError: It cannot be read.
    """
    summary = summary_of(path)
    sizes: dict[str, int] = dict.fromkeys(summary.segments, len(MAGIC))
    for segment, record in _proven_rows(path):
        if segment not in sizes:
            raise NotTheSame(f"{path.name}: {segment} is not in its footer")
        sizes[segment] += len(frame(record))
    wrong = [name for name, size in sizes.items() if size != summary.segments[name]]
    if wrong:
        raise NotTheSame(f"{path.name}: {', '.join(wrong)} not as long as the footer says")
    return summary


def read_archive(path: Path) -> Iterator[tuple[str, Record]]:
    """Yield every record of an archive with the name of its segment, in their order.

    Raises:
        NotTheSame: Something in it is damaged.
        OSError: It cannot be read.
    """
    for row in _rows(path, RECORD_COLUMNS):
        yield row["segment"], _record(path, row)


def unpack(path: Path, directory: Path) -> list[Path]:
    """Write the segments of an archive, byte for byte as they were, into a directory.

    Raises:
        NotTheSame: Something in it is damaged; what was written until there stays.
        OSError: It cannot be read, a segment is there already, or cannot be written.
    """
    made: list[Path] = []
    with ExitStack() as opened:
        files: dict[str, Any] = {}
        for name, record in read_archive(path):
            if name not in files:
                made.append(directory / name)
                files[name] = opened.enter_context(made[-1].open("xb"))
                files[name].write(MAGIC)
            files[name].write(frame(record))
    return made


def _proven_rows(path: Path) -> Iterator[tuple[str, Record]]:
    """Yield every record, and compare all other columns with what it says."""
    number, last = 0, ""
    for row in _rows(path, SCHEMA.names):
        record = _record(path, row)
        number = number + 1 if row["segment"] == last else 0
        last = row["segment"]
        if any(row[name] != said for name, said in row_of(last, number, record).items()):
            raise NotTheSame(f"{path.name}: columns of record {number} of {last} do not fit it")
        yield last, record


def _rows(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    with _faults_of(path), pq.ParquetFile(path, page_checksum_verification=True) as file:
        if file.schema_arrow.names != SCHEMA.names:
            raise NotTheSame(f"{path.name} has other columns")
        for group in range(file.num_row_groups):
            yield from file.read_row_group(group, columns, use_threads=False).to_pylist()


@contextmanager
def _faults_of(path: Path) -> Iterator[None]:
    """Turn what the library says of damage into one exception; the system's errors pass."""
    try:
        yield
    except (pa.ArrowException, KeyError, UnicodeDecodeError, msgspec.DecodeError) as error:
        raise NotTheSame(f"{path.name}: {error}") from error
    except OSError as error:
        if error.errno is not None:
            raise
        # The library's own: a page that does not decode has no number of the system.
        raise NotTheSame(f"{path.name}: {error}") from error


def _record(path: Path, row: Row) -> Record:
    if row["kind"] == "fact":
        return FactRecord(row["received_ns"], row["topic"], row["header"], row["body"])
    record = read_payload(row["body"])
    if isinstance(record, str):
        raise NotTheSame(f"{path.name}: {record}")
    return record


def parquet_writer(file: Any) -> pq.ParquetWriter:
    """Return a writer of rows with the archive's columns."""
    return pq.ParquetWriter(
        file,
        SCHEMA,
        compression="zstd",
        compression_level=ZSTD_LEVEL,
        write_page_checksum=True,
        use_dictionary=["segment", "kind", "topic", "component", "cause"],
    )


def write_rows(writer: pq.ParquetWriter, rows: Sequence[Row]) -> None:
    """Write one group of rows."""
    writer.write_table(pa.Table.from_pylist(list(rows), SCHEMA))


def _write_segment(writer: pq.ParquetWriter, segment: Path, counted: dict[str, int]) -> int:
    """Write the records of a segment; return its bytes."""
    rows: list[Row] = []
    size = 0
    with _mapped(segment) as content:
        with memoryview(content) as view:
            for number, found in enumerate(read(view)):
                if isinstance(found, Damage):
                    raise NotTheSame(f"{segment.name}: {found.why} at {found.offset}")
                row = row_of(segment.name, number, found[1])
                counted[row["kind"]] = counted.get(row["kind"], 0) + 1
                rows.append(row)
                size += len(row["body"]) + len(row["header"] or b"")
                if len(rows) >= ROWS_A_GROUP_MAX or size >= BYTES_A_GROUP_MAX:
                    write_rows(writer, rows)
                    rows, size = [], 0
        if rows:
            write_rows(writer, rows)
        return len(content)


def row_of(segment: str, number: int, record: Record) -> Row:
    """Return what an archive says of one record.

    Args:
        segment: Name of its file.
        number: Its place in the file, from 0.
        record: One of any kind.
    """
    row: Row = {"segment": segment, "record": number, "header": None}
    match record:
        case FactRecord():
            row |= {"kind": "fact", "received_ns": record.received_ns, "topic": record.topic}
            row |= {"header": record.header, "body": record.body}
            row["body_json"] = _as_json(record.body)
            header = decode_header((record.topic.encode(), record.header, record.body))
            return row if isinstance(header, Corrupt) else row | _header_columns(header)
        case GapRecord():
            row |= {"kind": "gap", "received_ns": record.noticed_ns, "topic": record.topic}
            row |= {"component": record.component, "missed": record.missed, "cause": record.cause}
        case Head():
            row |= {"kind": "head", "received_ns": record.opened_ns}
            row |= {"incarnation": record.incarnation, "wall_ns": record.opened_wall_ns}
        case Seal():
            row["kind"] = "seal"
    row["body"] = bytes(memoryview(frame(record))[8:])
    row["body_json"] = _as_json(row["body"])
    return row


def _header_columns(header: Header) -> Row:
    return {
        "component": header.component,
        "incarnation": header.incarnation,
        "sequence": header.sequence,
        "sent_ns": header.sent_ns,
        "input_ns": header.input_ns,
        "wall_ns": header.wall_ns,
    }


def _as_json(payload: bytes) -> str | None:
    """Return a payload as text; None for bytes that are none, which stay as they are beside."""
    try:
        return msgspec.json.encode(msgspec.msgpack.decode(payload)).decode()
    except (msgspec.MsgspecError, TypeError, ValueError, RecursionError):
        return None


def _prove(path: Path, segments: dict[str, Path]) -> None:
    """Compare what an archive gives back with the segments, byte by byte.

    Raises:
        NotTheSame: They differ.
        OSError: Either cannot be read.
    """
    with ExitStack() as opened:
        remaining = {name: opened.enter_context(_mapped(one)) for name, one in segments.items()}
        offsets = dict.fromkeys(remaining, len(MAGIC))
        for name, record in _proven_rows(path):
            content = remaining.get(name)
            if content is None:
                continue
            made = frame(record)
            offset = offsets[name]
            if content[offset : offset + len(made)] != made:
                raise NotTheSame(f"{name} differs at {offset}")
            offsets[name] = offset + len(made)
        short = [name for name, content in remaining.items() if offsets[name] != len(content)]
    if short:
        raise NotTheSame(f"{', '.join(short)} is not whole in {path.name}")


@contextmanager
def _mapped(segment: Path) -> Iterator[mmap]:
    """Yield the content of a file that is not empty, without reading it whole."""
    with segment.open("rb") as file:
        try:
            content = mmap(file.fileno(), 0, access=ACCESS_READ)
        except ValueError as error:
            raise NotTheSame(f"{segment.name} is empty") from error
        with content:
            yield content
