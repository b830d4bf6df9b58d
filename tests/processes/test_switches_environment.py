"""The switches that watch the host and the reference prices, in one group that trades."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bus import clock
from ops.waiting import wait_for
from services.risk.host_watch import READINGS_VARIABLE
from shared.switches import BREAKER_COUNT
from shared.topics import EXECUTION, RISK
from shared.units import NS_PER_MS
from tests.processes.group import GroupUnderTest

SEES_WITHIN_S = 15.0
RECOVERS_WITHIN_S = 40.0

SETTINGS = """
[timing]
clean_data_ms = 500
[clock]
measure_every_ms = 1000
unknown_ms = 2000
[abnormal]
pause_ms = 2000
rebuild_every_ms = 3000
"""
RESOURCES = {
    "cpu_percent_max = 100": """cpu_percent_max = 95
cpu_ms = 1000
measure_every_ms = 200
disk_warn_percent = 100
disk_critical_percent = 100
disk_full_percent = 100"""
}
"""The switches' times shortened; what they are in production is judged under a clock that moves."""


CALM: dict[str, object] = {"cpu_percent": 5.0, "memory_percent": 20.0}
"""How busy this machine really is decides nothing here."""

SMALL_MIB = 256
MIB = 1 << 20


class Environment:
    """A group whose host can be spoiled where it is read."""

    def __init__(self) -> None:
        self.group = GroupUnderTest(extra=SETTINGS, changes=RESOURCES)
        self._wrong_clock = self.group.directory / "wrong-clock"
        self.clock_wrong_by(0)
        self.group.environment[clock.WRONG_CLOCK_VARIABLE] = str(self._wrong_clock)
        self._host = self.group.directory / "host.json"
        self.host_is(CALM)
        self.group.environment[READINGS_VARIABLE] = str(self._host)
        self.disk_is_small = self._mount_small_disk()
        ran = self.group.up()
        assert ran.status == 0, repr(ran)

    def clock_wrong_by(self, offset_ms: int) -> None:
        """Set the wall clock of all processes of the group; the venue's stays right."""
        clock.be_wrong_by(self._wrong_clock, offset_ms * NS_PER_MS)

    def host_is(self, fields: dict[str, object]) -> None:
        """Let risk read something else of its host; nothing is really short."""
        fresh = self._host.with_suffix(".new")
        fresh.write_text(json.dumps(fields), encoding="utf-8")
        fresh.rename(self._host)

    def _mount_small_disk(self) -> bool:
        """Put the group's data on a small file system of its own, where that is permitted."""
        self.group.data.mkdir(mode=0o700)
        options = f"size={SMALL_MIB}m,mode=700"
        words = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.group.data)]
        return subprocess.run(words, capture_output=True, check=False).returncode == 0

    def close(self) -> None:
        """End the group and let go of its disk."""
        data = self.group.data
        self.group.close()
        if self.disk_is_small:
            subprocess.run(["umount", "-l", str(data)], check=True)
            shutil.rmtree(self.group.directory, ignore_errors=True)

    def make_right(self) -> None:
        """Spoil nothing any more, and wait until it trades."""
        self.clock_wrong_by(0)
        self.host_is(CALM)
        self.group.venue.clear_faults()
        self.group.wait_until_trading()

    def alerted(self, name: str) -> bool:
        """Tell whether risk has ever told people of something."""
        log = self.group.run / "log" / "risk.log"
        return f'"risk.alert.{name}"' in log.read_text(errors="replace")

    def tripped(self) -> set[str]:
        """Return the names of the switches that are tripped, but the count of those before."""
        risk = self.group.view().risk()
        names = set() if risk is None else {one.name for one in risk.switches}
        return names - {BREAKER_COUNT.name}

    def recorder_state(self) -> str:
        """Return what the recorder says of itself."""
        recorder = self.group.view().recorder()
        return "" if recorder is None else recorder.state

    def waits_for(self, what: Callable[[], Any], within_s: float = SEES_WITHIN_S) -> None:
        """Wait until something holds."""
        found = wait_for(lambda: what() or None, within_s)
        assert found, f"not within {within_s} s\n{self.group.log_tails()}"

    def is_empty(self) -> bool:
        """Tell whether nothing of ours is open at the venue."""
        return not self.group.venue.open_orders().open

    def resume(self) -> tuple[int, str]:
        """Ask for a resume of everything; return the status and what was said."""
        ran = self.group.command("resume", "--reason", "test")
        return ran.status, ran.out + ran.err


@pytest.fixture(scope="module")
def spoilt() -> Iterator[Environment]:
    """One group for all switches of this file."""
    environment = Environment()
    try:
        yield environment
    finally:
        environment.close()


@pytest.fixture
def environment(spoilt: Environment) -> Environment:
    """The group, trading again after whatever the test before did to it."""
    spoilt.make_right()
    return spoilt


@pytest.mark.req("KS-9")
def test_clock_off_by_more_than_a_second_is_told_and_stops_nothing(
    environment: Environment,
) -> None:
    group = environment.group
    execution = group.pid(EXECUTION)
    environment.clock_wrong_by(1_500)
    environment.waits_for(lambda: environment.alerted("clock_drifts"))
    seen_ns = clock.read().monotonic_ns
    assert group.placed_within(seen_ns, SEES_WITHIN_S), "trading goes on"
    assert not environment.tripped()
    assert group.pid(EXECUTION) == execution


@pytest.mark.req("CK-1")
def test_clock_that_nobody_vouches_for_pauses_until_somebody_does(
    environment: Environment,
) -> None:
    venue = environment.group.venue
    venue.fault(kind="silence", stream="time")
    environment.waits_for(lambda: environment.alerted("clock_unknown"))
    seen_ns = clock.read().monotonic_ns
    assert environment.group.placed_within(seen_ns, SEES_WITHIN_S), "the venue still vouches"
    venue.fault(kind="refuse", path="/time", status=503)
    environment.waits_for(lambda: "clock_unknown" in environment.tripped())
    environment.waits_for(environment.is_empty)
    venue.clear_faults()
    environment.group.wait_until_trading(RECOVERS_WITHIN_S)


@pytest.mark.req("CB-5")
def test_short_resources_pause_background_work_and_trading_goes_on(
    environment: Environment,
) -> None:
    group = environment.group
    environment.host_is({"cpu_percent": 96.0, "memory_percent": 91.0})
    environment.waits_for(lambda: environment.tripped() == {"resources"})
    seen_ns = clock.read().monotonic_ns
    assert group.placed_within(seen_ns, SEES_WITHIN_S), "trading goes on"
    environment.host_is(CALM)
    environment.waits_for(lambda: not environment.tripped())


@pytest.mark.req("CB-3")
def test_price_that_both_sources_tell_rests_the_asset_and_goes_on(
    environment: Environment,
) -> None:
    group = environment.group
    execution = group.pid(EXECUTION)
    group.venue.fault(kind="move_price", percent=30, duration_ms=1_500)
    environment.waits_for(lambda: "abnormal_market" in environment.tripped())
    environment.waits_for(environment.is_empty)
    environment.waits_for(lambda: not environment.tripped())
    assert environment.alerted("abnormal_market_over")
    assert not environment.alerted("price_error")
    assert group.pid(EXECUTION) == execution


@pytest.mark.req("CB-3")
def test_price_that_the_second_source_contradicts_is_rebuilt_before_anything_goes_on(
    environment: Environment,
) -> None:
    group = environment.group
    group.venue.fault(kind="move_price", percent=30, event="chainlink")
    environment.waits_for(lambda: "abnormal_market" in environment.tripped())
    environment.waits_for(environment.is_empty)
    environment.waits_for(lambda: environment.alerted("price_error"))
    log = group.run / "log" / "feed_price.log"
    environment.waits_for(lambda: log.read_text(errors="replace").count("risk doubts btc") >= 2)
    assert "abnormal_market" in environment.tripped(), "the error holds for as long as it lasts"
    assert environment.is_empty()
    group.venue.clear_faults()
    group.wait_until_trading(RECOVERS_WITHIN_S)


@pytest.mark.req("CP-5")
def test_disk_that_is_nearly_full_stops_the_recorder_and_then_placing(
    environment: Environment,
) -> None:
    """By the reading the recorder stops; by a disk that really fills nothing is placed."""
    if not environment.disk_is_small:
        pytest.skip("no file system may be mounted here")
    group = environment.group
    ballast = group.data / "ballast"
    used = shutil.disk_usage(group.data)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, used.free - 50 * MIB)
    environment.waits_for(lambda: "ledger_space" in environment.tripped())
    environment.waits_for(environment.is_empty)
    ballast.unlink()
    group.wait_until_trading(RECOVERS_WITHIN_S)
    full = [{"name": "data", "used_percent": 100.0, "free_mib": 5_000}]
    environment.host_is(CALM | {"disks": full})
    environment.waits_for(lambda: environment.recorder_state() == "stopped")
    seen_ns = clock.read().monotonic_ns
    assert group.placed_within(seen_ns, SEES_WITHIN_S), "trading goes on"
    environment.host_is(CALM)
    environment.waits_for(lambda: environment.recorder_state() == "recording")


@pytest.mark.req("KS-9", "CK-2", "INV-9")
def test_clock_off_by_more_than_five_seconds_halts_until_it_is_corrected_and_resumed(
    environment: Environment,
) -> None:
    """Every process begins anew when the clock is set, risk latches, and a resume is refused."""
    group = environment.group
    execution = group.pid(EXECUTION)
    environment.clock_wrong_by(6_000)
    environment.waits_for(lambda: "clock_off" in environment.tripped())
    environment.waits_for(environment.is_empty)
    environment.waits_for(lambda: group.pid(EXECUTION) not in (0, execution))
    status, words = environment.resume()
    assert status != 0
    assert "ahead" in words, words
    group.kill_at_once(RISK)
    environment.waits_for(lambda: "clock_off" in environment.tripped())
    halted_ns = clock.read().monotonic_ns
    environment.clock_wrong_by(0)
    environment.waits_for(lambda: environment.resume()[0] == 0, RECOVERS_WITHIN_S)
    group.wait_until_trading(RECOVERS_WITHIN_S)
    resumed = [order for order in group.placed_within(halted_ns, SEES_WITHIN_S)]
    assert resumed
