"""CB-5 and CP-5: just below, at and just above each limit, and what nobody could read."""

import pytest

from services.risk.host_readings import DiskReading, HostRead, HostReading
from services.risk.loop_latency import BASELINE_MIN, WINDOW, LoopLatency
from services.risk.resources import ResourceSource
from services.risk.samples import Sample
from services.risk.source import Notice
from shared.config import ResourceSettings
from shared.switches import DISK_LOW, LEDGER_SPACE, RESOURCES
from shared.units import NS_PER_MS
from tests.builders.risk import World, instant

SETTINGS = ResourceSettings()
MS = NS_PER_MS


def read(
    cpu: float | None = 5.0, memory: float | None = 20.0, used: float = 10.0, free_mib: int = 9_000
) -> HostRead:
    return HostRead(HostReading(cpu, memory, (DiskReading("data", used, free_mib),)))


def tripped(source: ResourceSource, ms: float) -> set[str]:
    return {
        f"{one.switch.name} {one.subject}".rstrip()
        for one in source.data(instant(ms))
        if isinstance(one, Sample) and one.bad
    }


def after(reading: HostRead) -> set[str]:
    source = ResourceSource(SETTINGS)
    source.hear(reading, instant(0))
    return tripped(source, 1)


@pytest.mark.req("CB-5")
@pytest.mark.parametrize(("percent", "bad"), [(89.9, False), (90.0, False), (90.1, True)])
def test_memory_is_short_just_above_its_limit(percent: float, bad: bool) -> None:
    assert after(read(memory=percent)) == ({"resources memory"} if bad else set())


@pytest.mark.req("CB-5")
@pytest.mark.parametrize(("percent", "bad"), [(94.9, False), (95.0, False), (95.1, True)])
def test_processor_is_short_just_above_its_mean(percent: float, bad: bool) -> None:
    source = ResourceSource(SETTINGS)
    for second in range(31):
        source.hear(read(cpu=percent), instant(second * 1_000))
    assert tripped(source, 30_000) == ({"resources cpu"} if bad else set())


@pytest.mark.req("CB-5")
def test_processor_is_judged_over_its_whole_time_and_released_by_it() -> None:
    source = ResourceSource(SETTINGS)
    for second in range(30):
        source.hear(read(cpu=100.0), instant(second * 1_000))
        assert tripped(source, second * 1_000) == set()
    source.hear(read(cpu=100.0), instant(30_000))
    assert tripped(source, 30_000) == {"resources cpu"}
    source.hear(read(cpu=0.0), instant(31_000))
    assert tripped(source, 31_000) == {"resources cpu"}
    source.hear(read(cpu=0.0), instant(32_000))
    assert tripped(source, 32_000) == set()


@pytest.mark.req("CP-5")
@pytest.mark.parametrize(
    ("used", "levels"),
    [
        (89.9, set()),
        (90.0, {"warn"}),
        (94.9, {"warn"}),
        (95.0, {"warn", "critical"}),
        (97.9, {"warn", "critical"}),
        (98.0, {"warn", "critical", "full"}),
    ],
)
def test_levels_of_a_disk_begin_at_their_percentage(used: float, levels: set[str]) -> None:
    assert after(read(used=used)) == {f"{DISK_LOW.name} {level}" for level in levels}


@pytest.mark.req("CP-5")
@pytest.mark.parametrize(("free_mib", "bad"), [(65, False), (64, False), (63, True)])
def test_ledgers_reserve_is_touched_just_below_it(free_mib: int, bad: bool) -> None:
    assert after(read(free_mib=free_mib)) == ({LEDGER_SPACE.name} if bad else set())


@pytest.mark.req("CP-5")
def test_space_that_nobody_could_read_counts_as_none() -> None:
    source = ResourceSource(SETTINGS)
    assert tripped(source, 0) == set()
    assert tripped(source, SETTINGS.unread_ms) == set()
    assert tripped(source, SETTINGS.unread_ms + 1) == {LEDGER_SPACE.name}
    source.hear(read(), instant(20_000))
    assert tripped(source, 20_001) == set()
    source.hear(HostRead(HostReading(None, None, (), "data: gone")), instant(21_000))
    found = list(source.data(instant(21_001)))
    assert [one.text for one in found if isinstance(one, Notice)] == ["data: gone"]
    assert tripped(source, 20_000 + SETTINGS.unread_ms + 1) == {LEDGER_SPACE.name}


@pytest.mark.req("CB-5")
def test_loop_is_slow_ten_times_above_its_own_baseline() -> None:
    latency = LoopLatency(10, 50 * MS)
    for _ in range(BASELINE_MIN * WINDOW):
        latency.add(6 * MS)
    assert latency.baseline_ns() == 6 * MS
    for longest, slow in ((60 * MS, False), (60 * MS + 1, True)):
        for _ in range(WINDOW):
            latency.add(longest)
        assert latency.is_slow() is slow


@pytest.mark.req("CB-5")
def test_fast_loop_is_never_slow_below_the_floor() -> None:
    latency = LoopLatency(10, 50 * MS)
    for _ in range(BASELINE_MIN * WINDOW):
        latency.add(MS)
    for _ in range(WINDOW):
        latency.add(50 * MS)
    assert not latency.is_slow()


def test_slow_window_does_not_become_what_is_usual() -> None:
    latency = LoopLatency(10, 50 * MS)
    for _ in range(BASELINE_MIN * WINDOW):
        latency.add(6 * MS)
    for _ in range(100 * WINDOW):
        latency.add(80 * MS)
    assert latency.is_slow()
    assert latency.baseline_ns() == 6 * MS


def test_one_slow_turn_in_a_hundred_is_no_p99() -> None:
    latency = LoopLatency(10, 50 * MS)
    for _ in range(BASELINE_MIN * WINDOW):
        latency.add(6 * MS)
    for turn in range(WINDOW):
        latency.add(900 * MS if turn % 100 == 0 else 6 * MS)
    assert not latency.is_slow()


@pytest.mark.req("CB-5")
def test_shortage_is_told_pauses_no_trading_and_ends_by_itself() -> None:
    world = World()
    world.trade()
    world.tell(read(memory=99.0))
    for _ in range(4):  # n of m: the world's own readings are calm again each 100 ms
        world.tell(read(memory=99.0))
        world.core._guard.sample_data(world.now)
    assert world.status.trading_state == "ACTIVE"
    assert RESOURCES.name in [one.name for one in world.alerts()]
    assert RESOURCES.name in [one.name for one in world.core._guard.status(world.now).switches]
    world.run(4_000)
    assert RESOURCES.name not in [one.name for one in world.status.switches]
