"""Trouble of the recording is told once, and its end; nothing trips."""

import pytest

from services.risk.recording_watch import RecordingWatch
from shared.effects import Received
from shared.facts import RecorderStatus
from shared.identifiers import Incarnation
from shared.topics import RECORDER
from tests.builders.feeds import at


def hear(watch: RecordingWatch, state: str, reason: str = "", damage: str = "") -> list[str]:
    """Return the names of the alerts that a status leads to."""
    now = at(0)
    body = RecorderStatus("a.ilr", 1, 1, 0, state, reason, damage)
    stamp = now.monotonic_ns
    watch.hear(
        Received(RECORDER, Incarnation(1), "recorder.status", 1, stamp, stamp, now.wall_ns, body),
        now,
    )
    return [notice.name for notice in watch.data(now)]


@pytest.mark.req("CP-4", "CP-5")
def test_each_trouble_is_told_once_and_its_end() -> None:
    watch = RecordingWatch()
    assert hear(watch, "recording") == []
    assert hear(watch, "failing", "no space") == ["recorder_failing"]
    assert hear(watch, "failing", "no space") == []
    assert hear(watch, "recording") == ["recorder_recording"]
    assert hear(watch, "stopped", "disk used") == ["recorder_stopped"]
    assert hear(watch, "recording", damage="torn: a.ilr") == [
        "recorder_recording",
        "recording_damaged",
    ]
    assert hear(watch, "recording", damage="torn: a.ilr") == []
    assert hear(watch, "recording") == []
