"""Shell of the dashboard: `python -m services.dashboard`."""

import sys

from bus.actor import run
from bus.process import start
from services.dashboard.core import DashboardCore
from services.dashboard.ledger_watch import LedgerWatch
from services.dashboard.server import ServerEdge
from shared.ledger_schema import LEDGER_FILE
from shared.topics import DASHBOARD
from shared.units import NS_PER_MS

TICK_NS = 100 * NS_PER_MS
"""Nobody waits for a page: facts are taken in ten times a second, many at once."""


def main() -> int:
    """Show until told to stop; return the exit status."""
    started = start(DASHBOARD)
    config = started.settings.config
    core = DashboardCore(config, started.incarnation)
    ledger = LedgerWatch(started.settings.data_directory / LEDGER_FILE)
    server = ServerEdge(config.dashboard.port)
    return run(started, core, (ledger, server), tick_ns=TICK_NS, eager=False)


if __name__ == "__main__":
    sys.exit(main())
