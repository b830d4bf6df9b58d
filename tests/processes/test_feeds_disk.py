"""CP-5 on a disk that really fills: what each level does while trading goes on."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bus import clock
from bus.ledger_reader import LedgerReader, Unreadable
from ops.waiting import wait_for
from shared.recording import MAGIC, FactRecord, Head, Record, Seal, frame
from shared.topics import RECORDER, RISK
from shared.units import MonotonicNs
from tests.processes.group import GroupUnderTest

SMALL_MIB = 256
MIB = 1 << 20
WAIT_S = 90.0
TRADES_WITHIN_S = 60.0

SETTINGS = """
[timing]
clean_data_ms = 500
"""
RESOURCES = {
    "cpu_percent_max = 100": "cpu_percent_max = 100\nmeasure_every_ms = 200\nledger_reserve_mib = 1"
}
HOURS = tuple(f"2026-01-01T{hour:02d}" for hour in range(3))
"""Long over, whatever the clock says."""


def old_segment(directory: Path, hour: str) -> Path:
    """Write what a recorder of an hour that is over has left."""
    body = os.urandom(MIB // 4)
    fact = FactRecord(MonotonicNs(2), "feed.price", b"h", body)
    records: tuple[Record, ...] = (Head(1, 7, 1, MonotonicNs(1)), fact, Seal(2))
    path = directory / f"{hour}-0000000000000007-0000.ilr"
    content = MAGIC + b"".join(frame(record) for record in records)
    path.with_suffix(".new").write_bytes(content)
    return path.with_suffix(".new").rename(path)


class SmallDisk:
    """A group whose data lie on a small file system of its own."""

    def __init__(self) -> None:
        self.group = GroupUnderTest(extra=SETTINGS, changes=RESOURCES)
        self.data = self.group.data
        self.data.mkdir(mode=0o700)
        options = f"size={SMALL_MIB}m,mode=700"
        words = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.data)]
        self.is_mounted = not subprocess.run(words, capture_output=True, check=False).returncode
        self.recordings = self.data / "recordings"

    def fill_to(self, percent: float) -> None:
        """Let something else use so much of the disk."""
        ballast = self.data / "ballast"
        used = shutil.disk_usage(self.data)
        size = ballast.stat().st_size if ballast.exists() else 0
        wished = size + int(used.total * percent / 100) - used.used
        with ballast.open("ab") as file:
            if wished < size:
                file.truncate(wished)
            else:
                os.posix_fallocate(file.fileno(), 0, wished)

    def waits_for(self, what: Callable[[], Any]) -> None:
        """Wait until something holds; the time only guards against a hang."""
        assert wait_for(lambda: what() or None, WAIT_S), self.group.log_tails()

    def levels(self) -> set[str]:
        """Return the levels of the disk that risk tells."""
        risk = self.group.view().risk()
        rows = () if risk is None else risk.switches
        return {row.evidence for row in rows if row.name == "disk_low"}

    def recorder_state(self) -> str:
        """Return what the recorder says of itself."""
        recorder = self.group.view().recorder()
        return "" if recorder is None else recorder.state

    def names(self) -> set[str]:
        """Return the files of the old hours."""
        return {path.name for path in self.recordings.glob("2026-01-01T*")}

    def log_lines(self, component: str, offset: int = 0) -> list[dict[str, Any]]:
        """Return what a process has logged since an offset."""
        text = (self.group.run / "log" / f"{component}.log").read_bytes()[offset:]
        return [json.loads(line) for line in text.splitlines() if line.startswith(b"{")]

    def trades_on(self) -> None:
        """Fail unless something is placed from now on."""
        now_ns = clock.read().monotonic_ns
        assert self.group.placed_within(now_ns, TRADES_WITHIN_S), self.group.log_tails()

    def orders(self) -> int:
        """Return how many orders the ledger holds."""
        found = LedgerReader(self.data / "ledger.db").orders()
        assert not isinstance(found, Unreadable)
        return len(found.rows)

    def close(self) -> None:
        """End the group and let go of its disk."""
        self.group.close()
        if self.is_mounted:
            subprocess.run(["umount", "-l", str(self.data)], check=True)
            shutil.rmtree(self.group.directory, ignore_errors=True)


@pytest.fixture
def disk() -> Iterator[SmallDisk]:
    made = SmallDisk()
    try:
        yield made
    finally:
        made.close()


@pytest.mark.req("CP-5", "CP-4")
def test_each_level_of_a_filling_disk_does_what_it_should_and_the_ledger_keeps_everything(
    disk: SmallDisk,
) -> None:
    if not disk.is_mounted:
        pytest.skip("no file system may be mounted here")
    group = disk.group
    assert group.up().status == 0
    group.wait_until_trading()
    disk.waits_for(lambda: list(disk.recordings.glob("*.ilr")))
    for hour in HOURS:
        old_segment(disk.recordings, hour)
    rotated = group.run / "log" / "state.log.1"
    rotated.write_bytes(b"old")
    before = disk.orders()

    disk.fill_to(91.5)
    disk.waits_for(lambda: disk.levels() == {"warn"})
    disk.waits_for(lambda: disk.names() == {f"{hour}.parquet" for hour in HOURS})
    disk.waits_for(lambda: not rotated.exists())
    disk.waits_for(lambda: disk.recorder_state() == "recording")
    disk.trades_on()

    disk.fill_to(96.0)
    disk.waits_for(lambda: disk.recorder_state() == "stopped")
    assert len(disk.names()) == len(HOURS), "nothing is deleted below 98 %"
    disk.trades_on()

    disk.fill_to(98.7)
    disk.waits_for(lambda: not disk.names())
    disk.waits_for(lambda: "full" in disk.levels())
    log = group.run / "log" / f"{RISK}.log"
    offset = log.stat().st_size
    group.kill_at_once(RECORDER)  # which risk would write down
    disk.waits_for(lambda: disk.recorder_state() == "stopped")
    disk.trades_on()
    assert {line["level"] for line in disk.log_lines(RISK, offset)} <= {"critical"}

    disk.fill_to(50.0)
    disk.waits_for(lambda: not disk.levels())
    disk.waits_for(lambda: disk.recorder_state() == "recording")
    disk.trades_on()
    disk.waits_for(lambda: any("lines_dropped" in line for line in disk.log_lines(RISK, offset)))
    assert disk.orders() > before
    proven = group.command("audit", "verify", "--data-directory", str(disk.data))
    assert proven.status == 0, repr(proven)
    verified = group.command("record", "verify", "--data-directory", str(disk.data))
    assert "damaged" not in verified.out, repr(verified)
