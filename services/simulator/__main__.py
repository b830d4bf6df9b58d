"""Shell of the simulator: `python -m services.simulator`."""

import asyncio
import sys
from pathlib import Path

from bus import clock, process
from bus.log_lines import LogLines
from bus.name_book import NameRules
from bus.settings import Settings
from services.simulator import rest, time_socket
from services.simulator.core import SimulatorCore
from services.simulator.journal_rows import Damaged
from services.simulator.line_file import LineFile
from services.simulator.mirror.core import MirrorCore
from services.simulator.mirror.recording import Recording, Unplayable, read_recording
from services.simulator.mirror.shell import MirrorShell, Upstream
from services.simulator.oracles.prices_file import Unreadable
from services.simulator.oracles.recording_file import load_recording
from services.simulator.saved import fold
from services.simulator.shell import Shell
from services.simulator.stamps import not_written
from shared.config import Config
from shared.effects import Log
from shared.identifiers import Component

JOURNAL = "venue.jsonl"
"""In the data directory: what the next run of the venue begins with."""


def open_shell(settings: Settings, lines: LogLines | None = None) -> Shell:
    """Open the files, mend what a kill has left of them, and go on where the last run ended.

    Raises:
        Damaged: The journal cannot be trusted.
        Unplayable: The recording cannot be played.
        Unreadable: The recording that is to be played cannot be read.
    """
    config = settings.config
    directory = settings.data_directory
    journal = LineFile(directory / JOURNAL)
    saved = fold(journal.read())
    recording = load_recording(config) if config.run.mode == "simulation" else None
    if saved.seed not in (None, config.simulator.seed):
        raise Damaged(1, f"is of a venue of seed {saved.seed}; move the file away for a new one")
    played = "" if recording is None else recording.name
    if saved.seed is not None and saved.prices != played:
        raise Damaged(1, "is of a venue with other prices; move the file away for a new one")
    wire_log = None
    if config.simulator.wire_log:
        wire_log = LineFile(directory / config.simulator.wire_log)
        wire_log.append(not_written(wire_log.last(), map(bytes, saved.stamps)))
    if config.run.mode == "paper":
        mirror = MirrorCore(config, saved)
        return MirrorShell(
            mirror, wire_log, journal, Upstream(config.venue, NameRules.of(config.names)), lines
        )
    if config.run.mode == "replay":
        mirror = MirrorCore(config, saved, open_recording(config))
        return MirrorShell(mirror, wire_log, journal, None, lines)
    markets = config.markets
    core = SimulatorCore(config.simulator, markets.assets, markets.interval_s, saved, recording)
    return Shell(core, wire_log, journal)


def open_recording(config: Config) -> Recording:
    """Read the recording that a profile names; paths are relative to the current directory.

    Raises:
        Unplayable: It cannot be read or played.
    """
    mirror = config.mirror
    try:
        content = Path(mirror.recording).read_bytes()
        row = Path(mirror.recorded_market).read_bytes() if mirror.recorded_market else None
    except OSError as error:
        raise Unplayable(f"cannot be read: {error.filename}: {error.strerror}") from error
    return read_recording(content, row, config.markets.assets[0])


async def serve(started: process.Started, shell: Shell) -> None:
    """Be a venue until told to stop."""
    shell.tick()
    runner, port = await rest.start(shell, started.settings.config.simulator.port)
    started.lines.write(Log("simulator.serving", {"port": port}), clock.read())
    time = None
    if started.settings.config.simulator.time_port:
        time_port = started.settings.config.simulator.time_port
        time, _ = await time_socket.start(time_port, shell.clock_offset_ns)
        started.lines.write(Log("simulator.tells_time", {"port": time_port}), clock.read())
    try:
        await shell.run(lambda: started.stop.cause is not None)
    finally:
        if time is not None:
            time.close()
        await rest.stop(runner)
        shell.close()


def main() -> int:
    """Run until told to stop; return the exit status.

    Exit status 2: the journal is damaged, or the recording cannot be played.
    """
    started = process.start(Component("simulator"))
    try:
        shell = open_shell(started.settings, started.lines)
    except (Damaged, Unplayable) as error:
        is_journal = isinstance(error, Damaged)
        path = started.settings.data_directory / JOURNAL
        named = path if is_journal else started.settings.config.mirror.recording
        return _refuse(started, f"{named}: {error}")
    except Unreadable as error:
        return _refuse(started, str(error))
    asyncio.run(serve(started, shell))
    return 0


def _refuse(started: process.Started, reason: str) -> int:
    started.lines.write(Log("process.refused", {"reason": reason}, "critical"), clock.read())
    return process.EXIT_CONFIGURATION


if __name__ == "__main__":
    sys.exit(main())
