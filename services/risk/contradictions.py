"""Heartbeat against process state: witnesses that disagree are told of, and neither is believed.

The kernel says which runs have ended, the control line which ones answer, supervisord which
programs it believes to run. They are asked at different moments, so a disagreement counts only
once it has been seen in several looks in a row. It trips nothing: silence, exits and missing data
each have a switch of their own, and those stand. That a dead run answers is told where pongs come
in.
"""

from collections import deque
from collections.abc import Iterator
from typing import Final

import msgspec

from services.risk.messages import (
    ProcessExited,
    ProgramRow,
    ProgramsSeen,
    ProgramsTold,
    SupervisorSilent,
)
from services.risk.samples import Sample
from services.risk.source import Notice
from shared.control import Pong
from shared.effects import ControlReceived, Effect, Message
from shared.identifiers import Component, Incarnation
from shared.program_events import ProgramEvent
from shared.topics import COMPONENTS, RISK
from shared.units import NS_PER_S, BootNs, Instant

LOOKS: Final = 3
"""Looks of a second in a row: a restart is over within one or two."""

SILENT_NS: Final = 30 * NS_PER_S
"""A program that has run for so long and never spoke to risk: a start waits inside and answers."""

ANSWERS_NS: Final = NS_PER_S
"""A run heard so lately answers now."""

ENDED_KEPT: Final = 16
"""Ended runs remembered of each program, until supervisord's answer shows the next one."""

WATCH: Final = "watch"

RUNBOOK: Final = "liveness"


class _Heard(msgspec.Struct, frozen=True):
    """The newest run of a component on the control line."""

    incarnation: Incarnation
    pid: int
    at_ns: BootNs


class Contradictions:
    """What the witnesses say of each component."""

    def __init__(self) -> None:
        """Begin knowing nobody."""
        self._heard: dict[Component, _Heard] = {}
        self._running: dict[str, tuple[int, BootNs]] = {}
        self._untold: dict[str, int] = {}
        self._ended: dict[str, deque[int]] = {}
        self._seen: dict[str, int] = {}
        self._told: set[str] = set()
        self._notices: list[Notice] = []

    def hear(self, message: Message, now: Instant) -> None:
        """Take in what each witness says."""
        match message:
            case ControlReceived(body=Pong() as pong):
                heard = _Heard(pong.incarnation, pong.pid, now.boot_ns)
                self._heard[pong.component] = heard
            case ProcessExited(component=component, incarnation=incarnation):
                known = self._heard.get(component)
                if known is not None and known.incarnation == incarnation:
                    del self._heard[component]
            case ProgramsTold(events=events):
                for event in events:
                    self._told_end(event)
            case ProgramsSeen(rows=rows):
                self._compare(rows, now)
            case SupervisorSilent():
                self._seen.clear()
            case _:
                pass

    def data(self, now: Instant) -> Iterator[Sample | Notice | Effect]:
        """Yield what has been found, and what is over."""
        notices, self._notices = self._notices, []
        yield from notices

    def _compare(self, rows: tuple[ProgramRow, ...], now: Instant) -> None:
        """Compare one answer of supervisord with what has been heard."""
        for row in rows:
            known = None if row.program == WATCH else self._running.get(row.program)
            if row.pid and (known is None or known[0] != row.pid):
                self._running[row.program] = (row.pid, now.boot_ns)
                if known is not None and known[0] not in self._ended.get(row.program, ()):
                    self._untold[row.program] = known[0]
            if row.program == WATCH:
                self._judge(row.program, self._of_watch(row))
            elif row.program in COMPONENTS and row.program != RISK:
                self._judge(row.program, self._of(row, now))

    def _told_end(self, event: ProgramEvent) -> None:
        """Take an end that watch has told of; one within the first second names no process."""
        self._untold.pop(event.program, None)
        known = self._running.get(event.program)
        pid = event.pid or (known[0] if known is not None else 0)
        self._ended.setdefault(event.program, deque(maxlen=ENDED_KEPT)).append(pid)

    def _of(self, row: ProgramRow, now: Instant) -> str:
        """Return what contradicts what, empty when all agree."""
        heard = self._heard.get(Component(row.program))
        answers = heard is not None and now.boot_ns - heard.at_ns <= ANSWERS_NS
        if row.state == "RUNNING":
            if heard is not None and answers and heard.pid != row.pid:
                return f"supervisord runs it as process {row.pid}, but {heard.pid} answers"
            since_ns = self._running[row.program][1]
            if heard is None and now.boot_ns - since_ns >= SILENT_NS:
                return f"supervisord runs it as process {row.pid}, but it has never answered"
            return ""
        if heard is not None and answers and row.state != "STARTING":
            return f"supervisord says {row.state}, but process {heard.pid} answers"
        return ""

    def _of_watch(self, row: ProgramRow) -> str:
        """Return why ends are not counted, empty while they are."""
        if row.state not in ("RUNNING", "STARTING"):
            return f"{row.state}: ends of programs are not counted"
        if self._untold:
            names = ", ".join(self._untold)
            return f"it has not told of an end of {names}: ends of programs are not counted"
        return ""

    def _judge(self, program: str, why: str) -> None:
        """Count a disagreement, tell it when it lasts, and tell its end."""
        if not why:
            self._seen.pop(program, None)
            if program in self._told:
                self._told.discard(program)
                text = f"{program}: heartbeat and process state agree again"
                self._notices.append(Notice("info", f"agreement {program}", text, RUNBOOK))
            return
        self._seen[program] = self._seen.get(program, 0) + 1
        if self._seen[program] >= LOOKS:
            self._told.add(program)
            text = f"{program}: {why}"
            self._notices.append(Notice("critical", f"contradiction {program}", text, RUNBOOK))
