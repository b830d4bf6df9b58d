"""The order of things in the simulator's shell: on disk first, told afterwards."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

from bus.settings import Settings, load
from services.simulator.__main__ import open_shell
from services.simulator.core import SimulatorCore
from services.simulator.edge import Request, Respond
from services.simulator.line_file import LineFile
from services.simulator.saved import Saved, fold
from services.simulator.shell import Shell
from shared.config import SimulatorSettings
from tests.architecture.tree import ROOT
from tests.builders.venue_rig import Client, VenueRig

DEPOSIT = Request(1, "POST", "/admin/deposit", {}, {}, b'{"account":"0x1","amount":"5"}')


class WatchedFile(LineFile):
    """A journal that looks whether the answer was given when a line is written.

    Attributes:
        answer: Of the request under way.
        was_answered: For every line written while a request was under way.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.answer: asyncio.Future[Respond] | None = None
        self.was_answered: list[bool] = []

    def append(self, lines: Iterable[bytes]) -> None:
        if self.answer is not None:
            self.was_answered.append(self.answer.done())
        super().append(lines)


class FullDisk(WatchedFile):
    """A journal that takes its first line, and no other."""

    def append(self, lines: Iterable[bytes]) -> None:
        raise OSError(28, "No space left on device")


def make_shell(journal: LineFile) -> Shell:
    shell = Shell(SimulatorCore(SimulatorSettings(), ("btc",), 14_400, Saved()), None, journal)
    shell.tick()
    return shell


def test_line_is_written_before_the_answer_is_given(tmp_path: Path) -> None:
    async def deposit() -> None:
        journal = WatchedFile(tmp_path / "venue.jsonl")
        shell = make_shell(journal)
        journal.answer = shell.expect(1, lambda: None)
        shell.feed(DEPOSIT)
        assert journal.answer.done()
        assert journal.was_answered == [False]
        assert fold(journal.read()).accounts["0x1"].collateral == 1_005_000_000
        shell.close()

    asyncio.run(deposit())


def test_nothing_is_told_of_what_could_not_be_written(tmp_path: Path) -> None:
    async def deposit() -> None:
        shell = make_shell(FullDisk(tmp_path / "venue.jsonl"))
        answer = shell.expect(1, lambda: None)
        with pytest.raises(OSError, match="No space"):
            shell.feed(DEPOSIT)
        assert not answer.done()
        with pytest.raises(AssertionError, match="the core failed"):
            await shell.run(lambda: False)
        shell.close()

    asyncio.run(deposit())


def test_wire_log_gets_the_records_that_a_kill_kept_from_it(tmp_path: Path) -> None:
    rig = VenueRig(interval_s=60, saved=Saved())
    rig.place(Client(1, 2), outcome=1, price=6_000)
    rig.place(price=4_000)
    records = [msgspec.json.encode(record) for record in rig.records]
    missing = [record["kind"] for record in rig.records[-4:]]
    assert "fill" in missing
    for name, lines in (("venue.jsonl", rig.journal), ("wire.jsonl", records[:-4])):
        (tmp_path / name).write_bytes(b"".join(line + b"\n" for line in lines))
    with (tmp_path / "wire.jsonl").open("ab") as file:
        file.write(records[-4][:30])
    profile = tmp_path / "profile.toml"
    profile.write_bytes((ROOT / "ops" / "sim.toml").read_bytes())
    paths = {"INTERLOCK_RUN": str(tmp_path), "INTERLOCK_DATA": str(tmp_path)}
    settings = load(profile, paths)
    assert isinstance(settings, Settings)
    open_shell(settings).close()
    written = (tmp_path / "wire.jsonl").read_bytes().splitlines()
    assert list(map(msgspec.json.decode, written)) == rig.records
