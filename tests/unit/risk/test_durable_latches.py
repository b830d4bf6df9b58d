"""Every latch of the table: set on the real path, kept by the file, ended by name and version.

Parametrised over the table itself, so that a new row is tried without being asked for.
"""

from pathlib import Path

import pytest

from services.risk.messages import Persist
from services.risk.risk_file import RiskFile
from shared.operator import Halted, LatchName, Resume, Resumed, ResumeRefused
from shared.risk_schema import KeyUsed, LatchRow
from shared.switches import (
    BY_NAME,
    OPERATOR_FLATTEN,
    OPERATOR_HALT,
    STRATEGY_DISABLED,
    SWITCHES,
    Switch,
)
from tests.builders.risk import API_KEY, MARKET, World

LATCHES = tuple(switch for switch in SWITCHES if switch.is_durable)
SCOPE_IDS = {
    "account": "",
    "asset": "btc",
    "market": str(MARKET),
    "token": "11",
    "strategy": "market_making",
}


class Disk:
    """A real database under a world without one; it can be left as a kill leaves it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.file = RiskFile(directory, "main")
        self.file.write((KeyUsed(API_KEY),))
        self._written = 0

    def keep(self, world: World) -> None:
        """Write what the world has asked for since the last time."""
        writes = world.of(Persist)
        for write in writes[self._written :]:
            self.file.write(write.records)
        self._written = len(writes)

    def killed(self) -> World:
        """Return a new risk over the file as it lies there: nothing was closed or flushed."""
        self.file = RiskFile(self._directory, "main")
        self._written = 0
        return World(self.file.stored)


def latched(switch: Switch, disk: Disk) -> tuple[World, LatchRow]:
    """Return a world that trades until a switch latches, with everything on disk."""
    world = World(disk.file.stored)
    world.trade()
    key = (switch.name, switch.scope, SCOPE_IDS[switch.scope])
    row = world.core._guard.latch(key, "seen", "in a test", world.now)
    world.run(500)
    disk.keep(world)
    return world, row


def held_by(world: World) -> list[tuple[str, str, str, int]]:
    """Return the latches that a status shows."""
    shown = [one for one in world.status.switches if one.kind == "latch"]
    return [(one.name, one.scope, one.scope_id, one.version) for one in shown]


def stands(world: World, switch: Switch) -> bool:
    """Tell whether the switch holds its scope as its row says, by what execution is told."""
    if switch.scope == "account":
        return world.status.trading_state == switch.state
    orders = world.execution.newest.scopes
    return [one.state for one in orders if one.kind == switch.scope] == [switch.state]


@pytest.mark.req("INV-9")
@pytest.mark.parametrize("switch", LATCHES, ids=lambda switch: switch.name)
def test_latch_survives_kills_and_ends_by_its_name_and_version_alone(
    switch: Switch, tmp_path: Path
) -> None:
    disk = Disk(tmp_path)
    world, row = latched(switch, disk)
    wanted = [(switch.name, switch.scope, SCOPE_IDS[switch.scope], row.version)]
    assert held_by(world) == wanted
    for _ in range(2):
        world = disk.killed()
        world.run(8_000)
        disk.keep(world)
        assert held_by(world) == wanted
        assert stands(world, switch)
        if switch.state == "HALTED" and switch.scope == "account":
            assert not world.leases()
    wrong = LatchName(row.name, row.scope, row.scope_id, row.version + 1)
    world.ask(Resume(latches=(wrong,), reason="x"))
    assert isinstance(world.replies[-1][1], ResumeRefused)
    assert held_by(world) == wanted
    right = LatchName(row.name, row.scope, row.scope_id, row.version)
    world.ask(Resume(latches=(right,), reason="x"))
    assert isinstance(world.replies[-1][1], Resumed)
    disk.keep(world)
    world = disk.killed()
    world.trade()
    assert held_by(world) == []
    assert world.leases()[-1].lease is not None


@pytest.mark.req("INV-9")
@pytest.mark.parametrize(
    "switch", [OPERATOR_HALT, OPERATOR_FLATTEN, STRATEGY_DISABLED], ids=lambda switch: switch.name
)
def test_latch_that_never_reached_the_disk_is_not_announced_as_set(
    switch: Switch, tmp_path: Path
) -> None:
    """It holds at once in memory, but whoever asked for it is not told before it would survive."""
    world = World(Disk(tmp_path).file.stored)
    world.trade()
    world.disk_answers = False
    key = (switch.name, switch.scope, SCOPE_IDS[switch.scope])
    row = world.core._guard.latch(key, "seen", "", world.now)
    world.core._guard.desk.await_halt(1, row)
    world.run(6_000)
    assert stands(world, switch)
    assert world.replies == []
    world.finish_writes()
    world.run(4_000)
    assert isinstance(world.replies[-1][1], Halted)


def test_rows_that_no_table_knows_any_more_are_held_too(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    world = World(disk.file.stored)
    world.trade()
    name = "of_another_release"
    assert name not in BY_NAME
    row = world.core._guard.latch((name, "account", ""), "x", "", world.now)
    world.run(500)
    disk.keep(world)
    world = disk.killed()
    world.run(10_000)
    assert held_by(world) == [(name, "account", "", row.version)]
    assert world.status.trading_state == "HALTED"
