"""Shell of the simulator: `python -m services.simulator`."""

import asyncio
import sys

from bus import clock, process
from bus.settings import Settings
from services.simulator import rest
from services.simulator.core import SimulatorCore
from services.simulator.journal_rows import Damaged
from services.simulator.line_file import LineFile
from services.simulator.saved import fold
from services.simulator.shell import Shell
from services.simulator.stamps import not_written
from shared.effects import Log
from shared.identifiers import Component

JOURNAL = "venue.jsonl"
"""In the data directory: what the next run of the venue begins with."""


def open_shell(settings: Settings) -> Shell:
    """Open the files, mend what a kill has left of them, and go on where the last run ended.

    Raises:
        Damaged: The journal cannot be trusted.
    """
    config = settings.config
    directory = settings.data_directory
    journal = LineFile(directory / JOURNAL)
    saved = fold(journal.read())
    if saved.seed not in (None, config.simulator.seed):
        raise Damaged(1, f"is of a venue of seed {saved.seed}; move the file away for a new one")
    wire_log = None
    if config.simulator.wire_log:
        wire_log = LineFile(directory / config.simulator.wire_log)
        wire_log.append(not_written(wire_log.last(), map(bytes, saved.stamps)))
    core = SimulatorCore(config.simulator, config.markets.assets, config.markets.interval_s, saved)
    return Shell(core, wire_log, journal)


async def serve(started: process.Started, shell: Shell) -> None:
    """Be a venue until told to stop."""
    shell.tick()
    runner, port = await rest.start(shell, started.settings.config.simulator.port)
    started.lines.write(Log("simulator.serving", {"port": port}), clock.read())
    try:
        await shell.run(lambda: started.stop.cause is not None)
    finally:
        await rest.stop(runner)
        shell.close()


def main() -> int:
    """Run until told to stop; return the exit status.

    Exit status 2: the journal is damaged.
    """
    started = process.start(Component("simulator"))
    try:
        shell = open_shell(started.settings)
    except Damaged as error:
        path = started.settings.data_directory / JOURNAL
        reason = f"{path}: {error}"
        started.lines.write(Log("process.refused", {"reason": reason}, "critical"), clock.read())
        return process.EXIT_CONFIGURATION
    asyncio.run(serve(started, shell))
    return 0


if __name__ == "__main__":
    sys.exit(main())
