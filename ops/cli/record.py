"""`interlock record`: what was recorded, whether it is whole, and a part of it for other tools."""

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import click
import msgspec

from bus.recording_archive import (
    BYTES_A_GROUP_MAX,
    ROWS_A_GROUP_MAX,
    NotTheSame,
    Row,
    parquet_writer,
    row_of,
    unpack,
    write_rows,
)
from bus.recording_files import DIRECTORY, Found
from ops.cli.ledger_view import data_directory_of
from ops.cli.options import group_options, json_option, place_of
from ops.cli.output import (
    DONE,
    FAILED,
    chosen,
    console,
    fail,
    progress_console,
    show_json,
    table,
)
from ops.recordings import BAD, Continuity, Held, examine, files_of, list_file, records_of
from shared.topics import BY_NAME
from shared.units import NS_PER_S

NARROW = ("hour", "file", "state", "facts", "problem")
MIB = 1 << 20


@click.group("record")
def command() -> None:
    """Look at the recording: everything that was said on the bus, hour by hour.

    The newest file is being written while the group runs. An hour that is over becomes one
    Parquet file (DuckDB: `SELECT topic, count(*) FROM 'recordings/*.parquet' GROUP BY topic`).
    """


@command.command("ls")
@group_options
@json_option
def list_files(
    profile: Path | None, run_directory: Path | None, data_directory: Path | None, as_json: bool
) -> None:
    """Show every file: its hour, what it holds, gaps that were noticed, and its state.

    Exit status 0 only when there is a recording and nothing in it is unsealed or damaged.
    """
    files = _files(profile, run_directory, data_directory, as_json=as_json)
    held = [list_file(one, is_open=is_open) for one, is_open in files]
    _show(held, as_json=as_json)


@command.command("verify")
@group_options
@json_option
def verify(
    profile: Path | None, run_directory: Path | None, data_directory: Path | None, as_json: bool
) -> None:
    """Read everything and check it: checksums, seals, columns, and that each loss was told.

    Exit status 0 only when all of it is right; else the first damage is named.
    """
    files = _files(profile, run_directory, data_directory, as_json=as_json)
    runs: dict[int, Continuity] = {}
    held = []
    with progress_console().status("") as status:
        for one, is_open in files:
            status.update(one.path.name)
            held.append(examine(one, runs, is_open=is_open))
    _show(held, as_json=as_json)


@command.command("export")
@group_options
@click.argument("topics", nargs=-1)
@click.option("--from", "since", default="", help="UTC, 2026-09-21T14 or 2026-09-21T14:05:30.")
@click.option("--to", "until", default="", help="UTC, not included.")
@click.option(
    "--format", "form", type=click.Choice(("jsonl", "parquet")), default="jsonl", show_default=True
)
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="Default: standard output."
)
def export(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    topics: tuple[str, ...],
    since: str,
    until: str,
    form: str,
    output: Path | None,
) -> None:
    """Write facts and gaps of a time span; TOPICS are names or beginnings of names.

    Times are the sender's wall clock. Gaps of any topic come along: what is not there was perhaps
    lost. Exit status 0 only when everything in the span could be read.
    """
    for topic in topics:
        if not any(name.startswith(topic) for name in BY_NAME):
            raise click.UsageError(f"no topic {topic!r}; there are {', '.join(BY_NAME)}")
    if form == "parquet" and output is None:
        raise click.UsageError("Parquet needs --output")
    span = (_moment(since, 0), _moment(until, 1 << 62))
    files = _files(profile, run_directory, data_directory, as_json=False)
    chosen_files = [one for one, is_open in files if one.kind != "torn" and _may_hold(one, span)]
    open_names = {one.path.name for one, is_open in files if is_open}
    damage: list[str] = []
    rows = _rows(chosen_files, open_names, topics, span, damage)
    count = _write(rows, form, output)
    click.echo(f"{count} records of {len(chosen_files)} files", err=True)
    for one_damage in damage:
        click.echo(f"damaged: {one_damage}", err=True)
    raise SystemExit(FAILED if damage else DONE)


@command.command("unpack")
@group_options
@click.argument("hour")
@click.option(
    "--output",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    required=True,
    help="Directory that takes the segments.",
)
def unpack_hour(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    hour: str,
    output: Path,
) -> None:
    """Write the segments of an archived HOUR (2026-09-21T14) as they were, for `interlock replay`.

    Exit status 0 only when all of the hour's archives could be read.
    """
    files = _files(profile, run_directory, data_directory, as_json=False)
    archives = [one for one, _ in files if one.kind == "archive" and one.hour == hour]
    if not archives:
        fail(f"there is no archive of {hour}", FAILED)
    try:
        for one in archives:
            for path in unpack(one.path, output):
                click.echo(str(path))
    except NotTheSame as fault:
        fail(str(fault), FAILED)
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}", FAILED)
    raise SystemExit(DONE)


def _files(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    *,
    as_json: bool,
) -> list[tuple[Found, bool]]:
    data = data_directory_of(profile, run_directory, data_directory)
    run = place_of(profile, run_directory, data_directory).run_directory
    try:
        files = files_of(data, run, DIRECTORY)
    except OSError as error:
        fail(f"unknown: {data / DIRECTORY}: {error.strerror}", FAILED, as_json=as_json)
    if not files:
        fail(f"nothing was recorded in {data / DIRECTORY}", FAILED, as_json=as_json)
    return files


def _show(held: list[Held], *, as_json: bool) -> None:
    """Show files and the first damage, and end with the status that says whether there is any."""
    wrong = [one for one in held if one.state in BAD]
    if as_json:
        totals = {
            "facts": sum(one.facts for one in held),
            "gaps": sum(one.gaps for one in held),
            "bytes": sum(one.bytes for one in held),
        }
        first = wrong[0] if wrong else None
        show_json({"ok": not wrong, "files": held, "totals": totals, "first_damage": first})
        raise SystemExit(FAILED if wrong else DONE)
    names, cells = chosen([_cells(one) for one in held], NARROW)
    console().print(table("", names, cells))
    if wrong:
        click.echo(f"{wrong[0].file}: {wrong[0].problem}", err=True)
    raise SystemExit(FAILED if wrong else DONE)


def _cells(one: Held) -> dict[str, object]:
    return {
        "hour": one.hour,
        "file": one.file.removeprefix(f"{one.hour}-"),
        "state": one.state,
        "facts": one.facts,
        "gaps": one.gaps,
        "MiB": f"{one.bytes / MIB:.1f}",
        "problem": one.problem,
    }


def _moment(text: str, default: int) -> int:
    """Return a moment of the command line as wall time in ns."""
    if not text:
        return default
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.UsageError(f"{text!r} is no time: {error}") from error
    moment = moment.replace(tzinfo=moment.tzinfo or UTC)
    return int(moment.timestamp() * 1_000_000) * 1_000


def _may_hold(one: Found, span: tuple[int, int]) -> bool:
    """Tell whether a file of an hour can hold anything of a span, one hour early or late."""
    begins = _moment(one.hour, 0)
    hour_ns = 3_600 * NS_PER_S
    return begins < span[1] + hour_ns and begins + 2 * hour_ns > span[0]


def _rows(
    files: list[Found],
    open_names: set[str],
    topics: tuple[str, ...],
    span: tuple[int, int],
    damage: list[str],
) -> Iterator[Row]:
    """Yield what is asked for; what cannot be read is noted and passed over."""
    for one in files:
        # A gap carries no wall time: the file's head says how the clocks stood to each other.
        wall_ahead_ns = 0
        try:
            for segment, number, record in records_of(one):
                row = row_of(segment, number, record)
                if row["kind"] == "head":
                    wall_ahead_ns = row["wall_ns"] - row["received_ns"]
                if row["kind"] not in ("fact", "gap"):
                    continue
                at_ns = row.get("wall_ns") or row["received_ns"] + wall_ahead_ns
                is_asked = row["kind"] == "gap" or not topics or row["topic"].startswith(topics)
                if is_asked and span[0] <= at_ns < span[1]:
                    yield row | {"wall_ns": at_ns}
        except NotTheSame as fault:
            if one.path.name not in open_names:
                damage.append(str(fault))
        except OSError as error:
            damage.append(f"{one.path.name}: {error.strerror}")


def _write(rows: Iterator[Row], form: str, output: Path | None) -> int:
    if output is None:
        return _write_lines(rows, sys.stdout.buffer)
    part = output.with_name(output.name + ".part")
    with part.open("wb") as file:
        count = _write_lines(rows, file) if form == "jsonl" else _write_parquet(rows, file)
        file.flush()
        os.fsync(file.fileno())
    part.rename(output)
    return count


def _write_lines(rows: Iterator[Row], file: BinaryIO) -> int:
    count = 0
    for row in rows:
        line: dict[str, Any] = {
            name: value
            for name, value in row.items()
            if value is not None and name not in ("header", "body", "body_json")
        }
        text = row.get("body_json")
        if row["kind"] == "fact":
            line["body"] = msgspec.Raw(text.encode()) if text else row["body"]
        file.write(msgspec.json.encode(line) + b"\n")
        count += 1
    return count


def _write_parquet(rows: Iterator[Row], file: BinaryIO) -> int:
    count = size = 0
    waiting: list[Row] = []
    with parquet_writer(file) as writer:
        for row in rows:
            waiting.append(row)
            size += len(row["body"])
            count += 1
            if len(waiting) >= ROWS_A_GROUP_MAX or size >= BYTES_A_GROUP_MAX:
                write_rows(writer, waiting)
                waiting, size = [], 0
        write_rows(writer, waiting)
    return count
