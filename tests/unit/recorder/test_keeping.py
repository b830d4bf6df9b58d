"""When recordings are checked, archived and deleted."""

from pathlib import Path

import pytest

from services.recorder.housekeeping import clean_logs, make_room
from services.recorder.keeping import AGAIN_NS, Keeping
from services.recorder.orders import Orders
from services.recorder.work import (
    CleanLogs,
    HoldKeeping,
    Keep,
    Kept,
    LogsCleaned,
    MakeRoom,
    Pass,
    RoomMade,
)
from shared.effects import Effect, Log
from shared.units import NS_PER_MS
from tests.builders.feeds import at, of_type
from tests.builders.segments import segment

HOUR_MS = 3_600_000
FILE = "2026-09-21T14-0000000000000007-0000.ilr"
CALM = Orders()


def keeping() -> Keeping:
    return Keeping(98, 5)


def test_pass_is_due_at_the_start_and_in_each_new_hour() -> None:
    made = keeping()
    assert of_type(made.on_tick(at(0), CALM, ""), Keep) == [
        Keep("2026-09-21T14", "", 1, at(0).wall_ns, 5)
    ]
    assert made.on_tick(at(10), CALM, FILE) == []
    made.on_message(Kept(Pass()))
    assert made.on_tick(at(20), CALM, FILE) == []
    later = "2026-09-21T15-0000000000000007-0001.ilr"
    assert made.on_tick(at(HOUR_MS), CALM, FILE) == [], "the hour before is not sealed yet"
    assert made.on_tick(at(HOUR_MS + 10), CALM, later) == [
        Keep("2026-09-21T15", later, 2, at(HOUR_MS + 10).wall_ns, 5)
    ]


@pytest.mark.req("CB-5")
def test_pass_stands_still_while_the_host_is_short() -> None:
    made = keeping()
    short = Orders(unhurried=True)
    assert made.on_tick(at(0), short, "") == []
    assert of_type(made.on_tick(at(10), CALM, ""), Keep)
    assert made.on_tick(at(20), short, "") == [HoldKeeping(True)]
    assert made.on_tick(at(30), short, "") == []
    assert made.on_tick(at(40), CALM, "") == [HoldKeeping(False)]


@pytest.mark.req("CP-5")
def test_levels_of_the_disk_clean_then_archive_then_delete() -> None:
    made = keeping()
    made.on_tick(at(0), CALM, "")
    made.on_message(Kept(Pass()))
    first: list[Effect] = made.on_tick(at(10), Orders(disk="warn"), "")
    assert [type(effect) for effect in first] == [CleanLogs, Keep]
    made.on_message(Kept(Pass()))
    critical = Orders(stopped="full", disk="critical")
    assert made.on_tick(at(20), critical, "") == []
    full = Orders(stopped="full", disk="full")
    assert made.on_tick(at(30), full, "") == [MakeRoom(98)]
    again_ms = 30 + AGAIN_NS // NS_PER_MS
    assert made.on_tick(at(again_ms - 1), full, "") == []
    assert made.on_tick(at(again_ms), full, "") == [MakeRoom(98)]


@pytest.mark.req("CP-4")
def test_damage_that_a_pass_finds_is_said_until_a_pass_finds_none() -> None:
    made = keeping()
    made.on_tick(at(0), CALM, "")
    said = made.on_message(Kept(Pass(damaged=("a.ilr: checksum",))))
    assert [log.level for log in of_type(said, Log)] == ["error"]
    assert made.notice == "damaged: a.ilr: checksum"
    made.on_message(Kept(Pass()))
    assert made.notice == ""


def test_deletions_are_said_and_nothing_is_not() -> None:
    made = keeping()
    deleted = made.on_message(RoomMade(("a",), 1, ""))
    assert [log.level for log in of_type(deleted, Log)] == ["critical"]
    assert made.on_message(RoomMade((), 0, "")) == []
    assert of_type(made.on_message(LogsCleaned(2, 3)), Log)
    assert made.on_message(LogsCleaned(0, 0)) == []


@pytest.mark.req("CP-5")
def test_room_is_made_of_the_oldest_hours_and_never_of_the_newest(tmp_path: Path) -> None:
    names = [f"2026-09-21T{hour}-0000000000000007-0000.ilr" for hour in (12, 13, 14)]
    for name in names:
        segment(tmp_path, name)
    assert make_room(tmp_path, 100) == RoomMade((), 0, "")
    made = make_room(tmp_path, 0)
    assert made.deleted == tuple(names[:2])
    assert [path.name for path in tmp_path.iterdir()] == names[2:]


@pytest.mark.req("CP-5")
def test_logs_that_were_rotated_away_are_cleaned_and_those_in_use_stay(tmp_path: Path) -> None:
    for name in ("risk.log", "risk.log.1", "risk.log.12", "risk.logs", "risk.log.old"):
        (tmp_path / name).write_bytes(b"12")
    assert clean_logs(tmp_path) == LogsCleaned(2, 4)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "risk.log",
        "risk.log.old",
        "risk.logs",
    ]
