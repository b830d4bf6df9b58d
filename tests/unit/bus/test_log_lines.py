import json
import os
from collections.abc import Iterator

import pytest

from bus.log_lines import LINE_BYTES_MAX, LogLines, format_line
from shared.effects import Log
from shared.topics import STATE
from shared.units import BootNs, Instant, MonotonicNs, WallNs

NOW = Instant(BootNs(1), MonotonicNs(2), WallNs(3))


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)
    os.close(writer)


@pytest.mark.req("OP-7")
def test_line_is_one_json_object_with_time_level_component_and_event() -> None:
    line = format_line(STATE, Log("book.doubted", {"token": "7"}, "warning"), NOW)
    assert line.endswith(b"\n")
    assert json.loads(line) == {
        "wall_ns": 3,
        "level": "warning",
        "component": "state",
        "event": "book.doubted",
        "fields": {"token": "7"},
    }


@pytest.mark.parametrize("length", [10, LINE_BYTES_MAX, 100 * LINE_BYTES_MAX])
def test_line_is_never_longer_than_a_pipe_takes_at_once(length: int) -> None:
    fields = {"short": 1, "long": "x" * length, **{f"n{i}": "y" * 90 for i in range(60)}}
    line = format_line(STATE, Log("event", fields), NOW)
    assert len(line) <= LINE_BYTES_MAX
    assert json.loads(line)["fields"]["short"] == 1


def test_what_json_does_not_know_is_shown_by_its_repr() -> None:
    line = format_line(STATE, Log("event", {"x": object}), NOW)
    assert json.loads(line)["fields"]["x"] == "<class 'object'>"


def test_full_pipe_drops_lines_and_the_next_tells_how_many(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    lines = LogLines(STATE, writer)
    os.set_blocking(reader, False)
    for number in range(5_000):
        lines.write(Log("event", {"number": number}), NOW)
    heard = os.read(reader, 1 << 20)
    kept = heard.count(b"\n")
    assert kept < 5_000
    lines.write(Log("again"), NOW)
    assert json.loads(os.read(reader, 1 << 20))["lines_dropped"] == 5_000 - kept


def test_reader_that_is_gone_stops_nothing() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    lines = LogLines(STATE, writer)
    lines.write(Log("event"), NOW)
    heard, replacement = os.pipe()
    os.dup2(replacement, writer)
    lines.write(Log("again"), NOW)
    assert json.loads(os.read(heard, 1 << 20))["lines_dropped"] == 1
    for descriptor in (writer, heard, replacement):
        os.close(descriptor)


@pytest.mark.req("CP-5")
def test_only_what_is_critical_is_written_while_a_disk_is_full(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    lines = LogLines(STATE, writer)
    lines.only_critical = True
    lines.write(Log("usual", {}, "error"), NOW)
    lines.write(Log("grave", {}, "critical"), NOW)
    lines.only_critical = False
    lines.write(Log("usual again"), NOW)
    written = [json.loads(line) for line in os.read(reader, 1 << 16).splitlines()]
    assert [line["event"] for line in written] == ["grave", "usual again"]
    assert written[0]["lines_dropped"] == 1
