"""The recorder's process; with `verify FILE...` it checks segments instead."""

import sys
from pathlib import Path

import msgspec

from bus.actor import run
from bus.process import start
from bus.recording_files import DIRECTORY, verify
from services.recorder.core import RecorderCore
from services.recorder.housekeeping import Housekeeping
from services.recorder.segments import Segments
from shared.topics import RECORDER

LOGS = "log"
"""Inside the run directory, where supervisord writes."""


def main(arguments: list[str]) -> int:
    """Record until told to stop, or verify; return the exit status."""
    if arguments[:1] == ["verify"]:
        return verify_files(arguments[1:])
    if arguments:
        sys.exit("nothing or `verify FILE...` is expected")
    started = start(RECORDER)
    core = RecorderCore(started.settings.config, started.incarnation)
    recordings = started.settings.data_directory / DIRECTORY
    housekeeping = Housekeeping(recordings, started.settings.run_directory / LOGS)
    return run(started, core, (Segments(recordings), housekeeping), raw=True)


def verify_files(names: list[str]) -> int:
    """Write one JSON line a file; return 0 only when every one is whole and sealed."""
    is_right = bool(names)
    for name in names:
        line: dict[str, object] = {"file": name}
        try:
            found = verify(Path(name))
        except OSError as error:
            line["problem"] = error.strerror
            is_right = False
        else:
            line.update(msgspec.structs.asdict(found))
            is_right = is_right and found.sealed and not found.problem
        sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
