"""Keeps records of crashes as files: one a crash, whole or not at all, a bounded number of them.

Impure. A thread of its own, since a disk may take long and nothing waits for a record. The end of
the program's log is read here, where a Python error has left its trace.
"""

import os
import queue
import sys
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from bus.credentials import write_private
from bus.edge import Edge
from services.risk.messages import SaveCrash
from shared.effects import Effect, Message
from shared.units import NS_PER_MS, Instant

CRASHES_DIRECTORY: Final = "crashes"
"""Inside the data directory."""

RECORDS_MAX: Final = 50
"""Newest records kept: a strategy is disabled after a handful, so this is a week of bad days."""

LOG_BYTES_MAX: Final = 64 * 1024
"""End of the log that is kept: a trace is some thousand bytes, a line at most 4096."""

CLOSE_S: Final = 1.0


class CrashFiles(Edge):
    """Carries out `SaveCrash`."""

    handles = (SaveCrash,)

    def __init__(self, data_directory: Path, log_directory: Path) -> None:
        """Start the thread.

        Args:
            data_directory: Where `crashes/` is made.
            log_directory: Of the programs' logs, one `<program>.log` each.
        """
        self._directory = data_directory / CRASHES_DIRECTORY
        self._logs = log_directory
        self._asked: queue.SimpleQueue[SaveCrash | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="crash-files", daemon=True)
        self._thread.start()

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Hand a record to the thread."""
        assert isinstance(effect, SaveCrash), f"not of this edge: {effect}"
        self._asked.put(effect)
        return []

    def sockets(self) -> Iterable[tuple[int, int]]:
        """Return nothing: nobody waits for a record."""
        return ()

    def close(self) -> None:
        """End the thread after what it holds, or after a while without it."""
        self._asked.put(None)
        self._thread.join(CLOSE_S)

    def _work(self) -> None:
        while (crash := self._asked.get()) is not None:
            try:
                self._save(crash)
            except OSError as error:
                sys.stderr.write(f"a crash of {crash.program} is not kept: {error}\n")

    def _save(self, crash: SaveCrash) -> None:
        """Write one record, unless it is there already, and make room.

        Raises:
            OSError: The disk takes no record.
        """
        at = datetime.fromtimestamp(crash.wall_ns // NS_PER_MS / 1_000, UTC)
        stamp = at.strftime("%Y%m%dT%H%M%S.%f")[:-3]
        path = self._directory / f"{crash.program}-{stamp}Z.json"
        if path.exists():
            return
        self._directory.mkdir(mode=0o700, exist_ok=True)
        record = {"utc": at.isoformat(), **crash.facts, "log": self._log_end(crash.program)}
        content = msgspec.json.format(msgspec.json.encode(record, enc_hook=repr), indent=1)
        write_private(path, content)
        # Names of one program sort by time; the modification time sorts all of them.
        kept = sorted(self._directory.glob("*.json"), key=lambda found: found.stat().st_mtime_ns)
        for old in kept[:-RECORDS_MAX]:
            old.unlink(missing_ok=True)

    def _log_end(self, program: str) -> list[str] | None:
        """Return the last whole lines of a program's log, None when it cannot be read."""
        try:
            with (self._logs / f"{program}.log").open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - LOG_BYTES_MAX))
                lines = file.read(LOG_BYTES_MAX).decode(errors="replace").splitlines()
        except OSError:
            return None
        return lines[1:] if size > LOG_BYTES_MAX else lines
