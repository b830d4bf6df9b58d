"""The state builder's process."""

import sys

from bus.actor import run
from bus.process import start
from services.state.core import StateCore
from shared.topics import STATE


def main() -> int:
    """Build state until told to stop; return the exit status."""
    started = start(STATE)
    return run(started, StateCore(started.settings.config))


if __name__ == "__main__":
    sys.exit(main())
