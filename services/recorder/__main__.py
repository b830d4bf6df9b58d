"""The recorder's process."""

import sys

from bus.actor import run
from bus.process import start
from services.recorder.core import RecorderCore
from services.recorder.segments import Segments
from shared.topics import RECORDER

DIRECTORY = "recordings"


def main() -> int:
    """Record until told to stop; return the exit status."""
    started = start(RECORDER)
    core = RecorderCore(started.settings.config, started.incarnation)
    segments = Segments(started.settings.data_directory / DIRECTORY)
    return run(started, core, (segments,), raw=True)


if __name__ == "__main__":
    sys.exit(main())
