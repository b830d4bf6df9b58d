"""Fences of a group, as its own logs tell them: when, whose and why, and which turns were slow."""

import json
from pathlib import Path

import msgspec

from shared.topics import EXECUTION, RISK

FENCES = {RISK: "risk.fence", EXECUTION: "execution.zeroing"}
"""Log event that tells of a fence: risk took a new epoch, or execution stopped by itself."""

SLOW = "loop.slow"


class Line(msgspec.Struct, frozen=True):
    """One line of a component's log.

    Attributes:
        wall_ns: When it was written.
        fields: As that event has them.
    """

    wall_ns: int
    component: str
    event: str
    fields: dict[str, object] = {}


def log_lines(run: Path, component: str, *events: str) -> list[Line]:
    """Return a component's log lines of some events, in order."""
    found: list[Line] = []
    for text in (run / "log" / f"{component}.log").read_text(errors="replace").splitlines():
        try:
            line = msgspec.convert(json.loads(text), Line)
        except (json.JSONDecodeError, msgspec.ValidationError):
            continue  # what is no line of ours: a traceback, or a last line being written
        if line.event in events:
            found.append(line)
    return found


def fences_since(run: Path, wall_ns: int) -> list[Line]:
    """Return every fence that was told after a moment."""
    told = [line for name, event in FENCES.items() for line in log_lines(run, name, event)]
    return sorted((line for line in told if line.wall_ns > wall_ns), key=lambda one: one.wall_ns)


def slow_turns_since(run: Path, wall_ns: int) -> list[Line]:
    """Return every turn of risk's and execution's loops that took longer than a ping."""
    told = [line for name in FENCES for line in log_lines(run, name, SLOW)]
    return sorted((line for line in told if line.wall_ns > wall_ns), key=lambda one: one.wall_ns)
