"""Every request, answer and frame of a session, as JSON lines, without secrets.

Several threads write; a line is whole or not there. What is kept can be read again, and is all
that two sessions are compared by.
"""

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from bus import clock
from ops.probe.redact import Redactor
from shared.units import NS_PER_MS

FILE = "session.jsonl"
FILE_MODE = 0o600
BODY_CHARS_MAX = 200_000
"""A book of a busy market has some ten thousand; more is cut."""

LINES_MAX = 200_000
"""Ten minutes of the fastest market, several times over."""


class Transcript:
    """The file of one session.

    Attributes:
        redactor: Knows the secrets; nothing is written past it.
    """

    def __init__(self, directory: Path, redactor: Redactor) -> None:
        """Create the file, readable by its owner alone.

        Raises:
            OSError: The directory takes none.
        """
        descriptor = os.open(
            directory / FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE
        )
        self.redactor = redactor
        self._file = os.fdopen(descriptor, "wb")
        self._lock = threading.Lock()
        self._count = 0
        self._began_ns = clock.read().monotonic_ns

    def request(
        self, label: str, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> None:
        """Keep a request."""
        text = self.redactor.text(body.decode("utf-8", "replace"))
        shown = self.redactor.headers(headers)
        self._add("request", label, method=method, url=url, headers=shown, body=text)

    def response(
        self, label: str, status: int, headers: Mapping[str, str], text: str, took_ms: float
    ) -> None:
        """Keep an answer."""
        self._add(
            "response",
            label,
            status=status,
            headers=self.redactor.headers(headers),
            body=self.redactor.text(text)[:BODY_CHARS_MAX],
            took_ms=round(took_ms, 3),
        )

    def sent(self, label: str, text: str) -> None:
        """Keep a frame of ours."""
        self._add("sent", label, text=self.redactor.text(text))

    def frame(self, label: str, text: str) -> None:
        """Keep a frame of the venue's."""
        self._add("frame", label, text=self.redactor.text(text)[:BODY_CHARS_MAX])

    def note(self, label: str, text: str) -> None:
        """Keep what happened besides."""
        self._add("note", label, text=self.redactor.text(text))

    def close(self) -> None:
        """Put everything on disk."""
        with self._lock:
            if not self._file.closed:
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()

    def _add(self, kind: str, label: str, **fields: Any) -> None:
        now = clock.read()
        with self._lock:
            if self._file.closed or self._count >= LINES_MAX:
                return
            self._count += 1
            line = {
                "n": self._count,
                "at_ms": round((now.monotonic_ns - self._began_ns) / NS_PER_MS, 3),
                "wall_ms": now.wall_ms,
                "kind": kind,
                "label": label,
                **fields,
            }
            self._file.write(msgspec.json.encode(line) + b"\n")
            self._file.flush()
