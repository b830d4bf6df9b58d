"""The state builder's process; with `replay FILE...` it decides recorded runs again instead."""

import sys

from bus.actor import run
from bus.decisions import decide_again
from bus.process import start
from services.state.core import StateCore
from shared.topics import STATE


def main(arguments: list[str]) -> int:
    """Build state until told to stop, or decide again; return the exit status."""
    if arguments[:1] == ["replay"]:
        return decide_again(STATE, StateCore, arguments[1:])
    if arguments:
        sys.exit("nothing or `replay FILE...` is expected")
    started = start(STATE)
    return run(started, StateCore(started.settings.config))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
