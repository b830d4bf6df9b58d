"""What is read of the host: disks, a container's limits of both versions, and a drill's word."""

import json
import select
from pathlib import Path

import pytest

from bus import clock
from services.risk.host_readings import HostRead, HostReading
from services.risk.host_watch import READINGS_VARIABLE, Container, HostWatch

WAIT_S = 10.0
MIB = 1 << 20


def read(watch: HostWatch) -> HostReading:
    ((pipe, _),) = tuple(watch.sockets())
    assert select.select([pipe], [], [], WAIT_S)[0], "nothing was read"
    message = watch.on_ready(pipe, 1, clock.read())[-1]
    assert isinstance(message, HostRead)
    return message.reading


def look(places: dict[str, Path], mode: str = "simulation") -> HostReading:
    watch = HostWatch(places, 100, mode)
    try:
        return read(watch)
    finally:
        watch.close()


@pytest.mark.req("CB-5", "CP-5")
def test_host_and_disks_are_read(tmp_path: Path) -> None:
    found = look({"data": tmp_path, "run": tmp_path})
    assert found.cpu_percent is not None
    assert 0 <= found.cpu_percent <= 100
    assert found.memory_percent is not None
    assert 0 < found.memory_percent <= 100
    assert [disk.name for disk in found.disks] == ["data", "run"]
    assert all(disk.free_mib >= 0 and disk.used_percent <= 100 for disk in found.disks)
    assert found.trouble == ""


@pytest.mark.req("CP-5")
def test_disk_that_cannot_be_read_is_absent_and_told(tmp_path: Path) -> None:
    found = look({"data": tmp_path / "gone"})
    assert found.disks == ()
    assert found.trouble == "data: No such file or directory"


@pytest.mark.req("CB-5")
@pytest.mark.parametrize(("mode", "percent"), [("simulation", 97.5), ("live", None)])
def test_drill_is_believed_in_a_simulation_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str, percent: float | None
) -> None:
    drill = tmp_path / "drill.json"
    drill.write_text(json.dumps({"cpu_percent": 97.5, "memory_percent": 1.5}))
    monkeypatch.setenv(READINGS_VARIABLE, str(drill))
    found = look({"data": tmp_path}, mode)
    assert (found.memory_percent == 1.5) is (percent is not None)
    assert (found.cpu_percent == 97.5) is (percent is not None)


def test_drill_that_cannot_be_read_says_so_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drill = tmp_path / "drill.json"
    drill.write_text('{"cpu_percent": "much"}')
    monkeypatch.setenv(READINGS_VARIABLE, str(drill))
    found = look({"data": tmp_path})
    assert "drill.json" in found.trouble
    assert found.disks


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.req("CB-5")
def test_containers_limits_of_version_2_count(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "memory.max": f"{100 * MIB}\n",
            "memory.current": f"{95 * MIB}\n",
            "memory.stat": f"anon 1\ninactive_file {5 * MIB}\nactive_file 3\n",
            "cpu.max": "50000 100000\n",
            "cpu.stat": "usage_usec 1000000\nuser_usec 1\n",
        },
    )
    container = Container(root)
    assert container.memory_percent() == pytest.approx(90.0)
    assert container.cpu_percent() is None, "the first look begins the count"
    (root / "cpu.stat").write_text("usage_usec 9000000000\n")
    assert container.cpu_percent() == 100.0


@pytest.mark.req("CB-5")
def test_containers_limits_of_version_1_count(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "memory/memory.limit_in_bytes": f"{100 * MIB}\n",
            "memory/memory.usage_in_bytes": f"{60 * MIB}\n",
            "memory/memory.stat": f"total_inactive_file {10 * MIB}\n",
            "cpu/cpu.cfs_quota_us": "50000\n",
            "cpu/cpu.cfs_period_us": "100000\n",
            "cpu/cpuacct.usage": "1000\n",
        },
    )
    container = Container(root)
    assert container.memory_percent() == pytest.approx(50.0)
    assert container.cpu_percent() is None
    (root / "cpu/cpuacct.usage").write_text("9000000000000\n")
    assert container.cpu_percent() == 100.0


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"memory.max": "max\n", "cpu.max": "max 100000\n"},
        {
            "memory/memory.limit_in_bytes": "9223372036854771712\n",
            "memory/memory.usage_in_bytes": "1\n",
            "cpu/cpu.cfs_quota_us": "-1\n",
            "cpu/cpu.cfs_period_us": "100000\n",
        },
    ],
)
def test_container_without_limits_says_nothing(tmp_path: Path, files: dict[str, str]) -> None:
    container = Container(tree(tmp_path, files))
    assert container.memory_percent() is None
    container.cpu_percent()
    assert container.cpu_percent() is None
