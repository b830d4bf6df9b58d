"""The state builder's process.

With `replay FILE...` it decides recorded runs again instead, and with `rehearse ...` it measures a
restart.
"""

import sys
from pathlib import Path

import msgspec

from bus.actor import run
from bus.decisions import decide_again
from bus.process import start
from bus.settings import Settings, load
from services.state.core import StateCore
from services.state.memory import NotRemembered, Remembered
from services.state.memory_file import MemoryFile
from services.state.rehearsal import rehearse
from shared.topics import STATE


def main(arguments: list[str]) -> int:
    """Build state until told to stop, or decide again; return the exit status."""
    if arguments[:1] == ["replay"]:
        return decide_again(STATE, StateCore, arguments[1:], (Remembered, NotRemembered))
    if arguments[:1] == ["rehearse"]:
        return rehearse_restart(*arguments[1:])
    if arguments:
        sys.exit("nothing, `replay FILE...` or `rehearse DIRECTORY ...` is expected")
    started = start(STATE)
    config = started.settings.config
    memory = MemoryFile(started.settings.data_directory, config, started.incarnation)
    return run(started, StateCore(config), (memory,))


def rehearse_restart(
    directory: str, profile: str, markets: str, seconds: str, restarts: str
) -> int:
    """Rehearse a restart in an empty directory; write what came of it as JSON."""
    settings = load(Path(profile))
    if not isinstance(settings, Settings):
        sys.exit(f"profile: {settings}")
    found = rehearse(Path(directory), settings.config, int(markets), int(seconds), int(restarts))
    sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
    return 0 if found.is_equal else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
