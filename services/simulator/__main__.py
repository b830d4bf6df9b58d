"""Shell of the simulator: `python -m services.simulator`."""

import asyncio
import sys

from bus import clock, process
from services.simulator import rest
from services.simulator.core import SimulatorCore
from services.simulator.shell import Shell
from shared.effects import Log
from shared.identifiers import Component


async def serve(started: process.Started) -> None:
    """Be a venue until told to stop."""
    config = started.settings.config
    settings = config.simulator
    core = SimulatorCore(settings, config.markets.assets, config.markets.interval_s)
    wire_log = started.settings.data_directory / settings.wire_log if settings.wire_log else None
    shell = Shell(core, wire_log)
    shell.tick()
    runner, port = await rest.start(shell, settings.port)
    started.lines.write(Log("simulator.serving", {"port": port}), clock.read())
    try:
        await shell.run(lambda: started.stop.cause is not None)
    finally:
        await rest.stop(runner)
        shell.close()


def main() -> int:
    """Run until told to stop; return the exit status."""
    started = process.start(Component("simulator"))
    asyncio.run(serve(started))
    return 0


if __name__ == "__main__":
    sys.exit(main())
