"""Log effects as JSON lines on standard output, without ever waiting for whoever reads it.

A pipe whose reader is stopped fills, and a plain write would then hang the loop. A line is
at most PIPE_BUF long and is written only when poll(2) says that so much fits; otherwise it is
dropped, and the next line says how many were.
"""

import os
import select

import msgspec

from shared.effects import Log
from shared.identifiers import Component
from shared.units import Instant

LINE_BYTES_MAX = 4096
"""PIPE_BUF on Linux: a pipe that polls writable takes so much without blocking (pipe(7))."""

STANDARD_OUTPUT = 1


def format_line(component: Component, log: Log, now: Instant, dropped: int = 0) -> bytes:
    """Return one JSON line; fields that make it too long are left out and counted."""
    line = {
        "wall_ns": now.wall_ns,
        "level": log.level,
        "component": component,
        "event": log.event,
        **({"lines_dropped": dropped} if dropped else {}),
    }
    whole = _encode({**line, "fields": log.fields})
    if len(whole) <= LINE_BYTES_MAX:
        return whole
    kept: dict[str, object] = {}
    for name, value in log.fields.items():
        shortened = value if len(_encode({"": value})) <= 512 else str(value)[:128]
        kept[name] = shortened
        if len(_encode({**line, "fields": kept, "fields_cut": len(log.fields)})) > LINE_BYTES_MAX:
            del kept[name]
            break
    return _encode({**line, "fields": kept, "fields_cut": len(log.fields)})[:LINE_BYTES_MAX]


def _encode(line: dict[str, object]) -> bytes:
    return msgspec.json.encode(line, enc_hook=repr) + b"\n"


class LogLines:
    """The writer of one process.

    Attributes:
        only_critical: Whether a disk is full (CP-5): other lines are left out and counted.
    """

    def __init__(self, component: Component, descriptor: int = STANDARD_OUTPUT) -> None:
        self._component = component
        self._descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)
        self._dropped = 0
        self.only_critical = False

    def write(self, log: Log, now: Instant) -> None:
        """Write one line, or count it as dropped: it would block, or nobody may or does listen."""
        if self.only_critical and log.level != "critical":
            self._dropped += 1
            return
        ready = self._poll.poll(0)
        if not ready or not ready[0][1] & select.POLLOUT:
            self._dropped += 1
            return
        line = format_line(self._component, log, now, self._dropped)
        try:
            os.write(self._descriptor, line)
        except OSError:
            self._dropped += 1
            return
        self._dropped = 0
