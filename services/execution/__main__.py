"""Shell of execution: ledger, gateway, panic file, and the core in the one loop."""

import sys
import threading
from functools import partial

from bus import actor, clock, process
from bus.http import HttpEdge
from bus.locks import AlreadyRunning, lock_file
from bus.name_book import NameRules
from bus.restart_calendar import plan_restarts
from bus.writer import Writer
from services.execution.core import ExecutionCore
from services.execution.gateway import Gateway
from services.execution.ledger.checkpoints import Checkpoints
from services.execution.ledger.fault import LedgerFault
from services.execution.ledger.ledger import Ledger, NoLedger, open_waiting
from services.execution.panic_file import PanicFile
from shared.effects import Log
from shared.ledger_schema import LEDGER_FILE
from shared.topics import EXECUTION


def open_ledger(started: process.Started) -> Ledger | NoLedger:
    """Open the ledger, or stand still without it, saying why."""
    path = started.settings.data_directory / LEDGER_FILE
    try:
        return open_waiting(path, clock.read(), threading.Event().wait)
    except (LedgerFault, OSError) as error:
        started.lines.write(Log("ledger.refused", {"why": str(error)}, "critical"), clock.read())
        return NoLedger(str(error))


def main() -> int:
    """Run execution until it is told to stop; return the exit status.

    Exit status 3: another process holds the ledger.
    """
    started = process.start(EXECUTION)
    settings = started.settings
    try:
        lock = lock_file(settings.data_directory / f"{LEDGER_FILE}.lock", "the ledger")
    except AlreadyRunning as error:
        started.lines.write(Log("process.refused", {"why": str(error)}, "critical"), clock.read())
        return process.EXIT_LOCKED
    ledger = open_ledger(started)
    # The loop that renews the lease waits for no disk.
    writer = Writer(ledger)
    core = ExecutionCore(
        settings.config,
        started.incarnation,
        ledger.opened,
        clock.read(),
        plan_restarts(settings.config.venue, clock.read().wall_ns),
    )
    make_http = partial(HttpEdge, names=NameRules.of(settings.config.names))
    gateway = Gateway(settings, core.may_send, make_http)
    path = settings.data_directory / LEDGER_FILE
    checkpoints = Checkpoints(path) if isinstance(ledger, Ledger) else None
    try:
        return actor.run(started, core, (writer, gateway, PanicFile(settings.data_directory)))
    finally:
        if checkpoints is not None:
            checkpoints.close()
        lock.close()


if __name__ == "__main__":
    sys.exit(main())
