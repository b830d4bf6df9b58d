"""Shell of risk: database, pidfds, lanes to the venue, operator's socket, and the core."""

import os
import sys
from pathlib import Path

from bus import actor, clock, process
from bus.control_socket import ControlSocketEdge
from bus.endpoints import operator_path
from bus.locks import AlreadyRunning, lock_file
from bus.name_book import NameRules
from bus.restart_calendar import plan_restarts
from bus.settings import Settings
from services.risk.core import RiskCore
from services.risk.crash_files import CrashFiles
from services.risk.halt_signal import HaltSignal
from services.risk.host_watch import HostWatch
from services.risk.process_watch import ProcessWatch
from services.risk.release import Release
from services.risk.risk_file import RiskFile
from services.risk.state_files import AliveFile, PanicFile
from services.risk.store import RiskStore
from services.risk.supervisor_line import SupervisorLine
from services.risk.time_watch import TimeWatch
from services.risk.venue_guard import venue_edges
from services.risk.watching import Surroundings, make_sources
from shared.effects import Log
from shared.risk_schema import PANIC_FILE, RISK_FILE
from shared.topics import RISK

LOG_DIRECTORY = "log"
"""Of supervisord's logs, inside the run directory (`supervisor.conf`)."""

KILLS_VARIABLE = "INTERLOCK_RISK_KILLS"
"""`no` leaves hung processes alone, in mode simulation only: the drill of what holds without."""


def may_kill(mode: str) -> bool:
    """Tell whether hung processes are killed; always outside simulation."""
    return mode != "simulation" or os.environ.get(KILLS_VARIABLE) != "no"


def read_surroundings(settings: Settings) -> Surroundings:
    """Return what this risk was made of, and what the venue has planned."""
    release = Release(settings.build_hash, settings.config_hash, settings.dependency_hash)
    planned = plan_restarts(settings.config.venue, clock.read().wall_ns)
    return Surroundings(release, planned)


def main() -> int:
    """Run risk until it is told to stop; return the exit status.

    Exit status 1: zero was not proven in time at the end; 3: another has the database.
    """
    supervisor = os.getppid()
    started = process.start(RISK)
    settings = started.settings
    config = settings.config
    try:
        lock = lock_file(settings.data_directory / f"{RISK_FILE}.lock", "the risk database")
    except AlreadyRunning as error:
        started.lines.write(Log("process.refused", {"why": str(error)}, "critical"), clock.read())
        return process.EXIT_LOCKED
    file = RiskFile(settings.data_directory, config.account.name)
    sources = make_sources(config, file.stored, read_surroundings(settings))
    core = RiskCore(config, started.incarnation, file.stored, clock.read(), sources)
    edges = (
        RiskStore(file),
        ProcessWatch(supervisor, kills=may_kill(config.run.mode)),
        PanicFile(settings.data_directory / PANIC_FILE),
        AliveFile(settings.run_directory),
        SupervisorLine(settings.run_directory, acts=may_kill(config.run.mode)),
        CrashFiles(settings.data_directory, settings.run_directory / LOG_DIRECTORY),
        HaltSignal(),
        TimeWatch(config),
        HostWatch(
            {"data": settings.data_directory, "run": settings.run_directory},
            config.resources.measure_every_ms,
            config.run.mode,
        ),
        ControlSocketEdge(Path(operator_path(str(settings.run_directory)))),
        *venue_edges(
            config.venue.clob_url,
            settings.credentials_file,
            config.timing.socket_timeout_ms,
            NameRules.of(config.names),
        ),
    )
    try:
        return actor.run(started, core, edges)
    finally:
        lock.close()


if __name__ == "__main__":
    sys.exit(main())
