"""Watch's decisions: when risk counts as hung, and which events are worth an alert. Pure."""

from typing import Final

import msgspec

from shared.program_events import EventKind
from shared.units import NS_PER_MS, NS_PER_S, MonotonicNs

RISK = "risk"

HANG_NS = 1_500 * NS_PER_MS
"""Silence of risk's loop before it is killed: seven touches of its file. Execution has fenced
itself after a lease, so this need not be quick, and a false kill costs a fence."""

KILL_AGAIN_NS = 3 * NS_PER_S
"""A kill that changed nothing is repeated this much later."""

AWAY_NS = NS_PER_S
"""A look this late means that watch itself was away: it has seen no silence."""

ABSENT_NS = 30 * NS_PER_S
"""Time without any risk after which people are told."""

LOUD_STATES = {"PROCESS_STATE_FATAL", "PROCESS_STATE_UNKNOWN"}
"""States in which supervisord has given up on a process, or lost it."""


ENDS: Final[dict[str, EventKind]] = {
    "PROCESS_STATE_EXITED": "exited",
    "PROCESS_STATE_BACKOFF": "backoff",
    "PROCESS_STATE_STOPPED": "stopped",
}
"""States that a program reaches by ending. Source: https://supervisord.org/events.html."""


class RiskSign(msgspec.Struct, frozen=True):
    """What `risk.alive` says.

    Attributes:
        pid: Of risk.
        stamp_ns: Modification time: compared with itself only, never with a clock.
    """

    pid: int
    stamp_ns: int


class Kill(msgspec.Struct, frozen=True):
    """SIGKILL to a hung risk."""

    pid: int


class Tell(msgspec.Struct, frozen=True):
    """An alert for people."""

    severity: str
    name: str
    text: str
    runbook: str


class Note(msgspec.Struct, frozen=True):
    """An end of a program, for risk, which counts them (`shared/program_events.py`)."""

    program: str
    kind: EventKind
    pid: int
    expected: bool


Action = Kill | Tell | Note


class WatchCore:
    """What watch knows of risk."""

    def __init__(self, now_ns: MonotonicNs) -> None:
        self._sign: RiskSign | None = None
        self._looked_ns = now_ns
        self._moved_ns = now_ns
        self._killed_ns: MonotonicNs | None = None
        self._absence_told = False

    def looked(self, sign: RiskSign | None, now_ns: MonotonicNs) -> list[Action]:
        """Take a look at risk's sign of life; None when there is none."""
        away = now_ns - self._looked_ns >= AWAY_NS
        self._looked_ns = now_ns
        if sign != self._sign or away:
            self._sign = sign
            self._moved_ns = now_ns
            self._killed_ns = None
            self._absence_told = self._absence_told and sign is None
            return []
        silent_ns = now_ns - self._moved_ns
        if sign is None:
            return self._absent(silent_ns)
        return self._silent(sign, silent_ns, now_ns)

    def happened(self, event: str, fields: dict[str, str]) -> list[Action]:
        """Take an event of supervisord's, with the fields of its first line."""
        process = fields.get("processname", "")
        actions: list[Action] = []
        if event in ENDS:
            actions.append(_note(ENDS[event], process, fields))
        return actions + _told(event, process)

    def _absent(self, silent_ns: int) -> list[Action]:
        if self._absence_told or silent_ns < ABSENT_NS:
            return []
        self._absence_told = True
        text = f"no risk for {silent_ns // NS_PER_S} s: nothing trades"
        return [Tell("critical", "risk absent", text, "heartbeat-lost")]

    def _silent(self, sign: RiskSign, silent_ns: int, now_ns: MonotonicNs) -> list[Action]:
        if silent_ns < HANG_NS:
            return []
        if self._killed_ns is not None and now_ns - self._killed_ns < KILL_AGAIN_NS:
            return []
        self._killed_ns = now_ns
        text = f"risk ({sign.pid}) has hung for {silent_ns // NS_PER_MS} ms and is killed"
        return [Kill(sign.pid), Tell("critical", "risk hung", text, "heartbeat-lost")]


def _note(kind: EventKind, process: str, fields: dict[str, str]) -> Note:
    """Return an end as it is written down; what supervisord does not tell is 0 and False."""
    pid = fields.get("pid", "")
    return Note(
        process, kind, int(pid) if pid.isdecimal() else 0, fields.get("expected", "0") == "1"
    )


def _told(event: str, process: str) -> list[Action]:
    """Return what people are told of an event."""
    if process == RISK and event == "PROCESS_STATE_EXITED":
        text = "risk has exited; execution fences itself, supervisord starts risk again"
        return [Tell("critical", "risk exited", text, "heartbeat-lost")]
    if event in LOUD_STATES:
        text = f"supervisord has given up on {process}: {event}"
        return [Tell("critical", f"{process} given up", text, "liveness")]
    return []
