"""Supervisord, and the file of ends, as risk and watch have them.

Starts again what ended, unless it was asked to stop it; writes down every end, as watch does. Its
memory is the group's: it outlives risk, and a new risk reads all of it as the past.
"""

from collections.abc import Callable

from bus.edge import Edge
from ops.simulation.process import Process
from ops.simulation.scheduler import Scheduler
from ops.simulation.trace import Trace
from services.risk.messages import (
    AskSupervisor,
    NoteProgram,
    ProgramRow,
    ProgramsSeen,
    ProgramsTold,
    SaveCrash,
)
from shared.effects import Effect, Message
from shared.identifiers import Component
from shared.program_events import EventKind, ProgramEvent
from shared.units import NS_PER_MS, NS_PER_S, BootNs, Instant

ASK_EVERY_NS = NS_PER_S
ANSWER_NS = 20 * NS_PER_MS
"""From a question to supervisord until it acts."""

EVENTS_MAX = 10_000


class Supervisor:
    """Who keeps the programs of one run.

    Attributes:
        events: The file of ends.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        trace: Trace,
        programs: tuple[Component, ...],
        find: Callable[[Component], Process | None],
        start: Callable[[Component, int], None],
    ) -> None:
        """Take the parts.

        Args:
            scheduler: Time.
            trace: Where what it was asked is noted.
            programs: All that there are.
            find: Returns the newest process of a program.
            start: Starts a program after a delay.
        """
        self._scheduler = scheduler
        self._trace = trace
        self._programs = programs
        self._find = find
        self._start = start
        self._stopped: dict[Component, None] = {}
        self.events: list[ProgramEvent] = []

    def ended(self, process: Process) -> bool:
        """Write an end down; return whether the program is to be started again."""
        is_stopped = process.component in self._stopped
        self._note("stopped" if is_stopped else "exited", process.component, process.identity.pid)
        return not is_stopped

    def append(self, event: ProgramEvent) -> None:
        """Write down what risk did itself."""
        assert len(self.events) < EVENTS_MAX
        self.events.append(event)

    def ask(self, verb: str, program: Component) -> None:
        """Take a question: it is carried out a little later."""
        self._trace.note(self._scheduler.now_ns, "supervisor", verb, program)
        self._scheduler.after(ANSWER_NS, lambda: self._carry_out(verb, program))

    def rows(self) -> tuple[ProgramRow, ...]:
        """Return every program as it is now."""
        found = []
        for program in self._programs:
            process = self._find(program)
            runs = process is not None and process.alive
            pid = process.identity.pid if runs and process is not None else 0
            is_stopped = program in self._stopped
            state = "RUNNING" if runs else "STOPPED" if is_stopped else "STARTING"
            found.append(ProgramRow(program, state, pid))
        return tuple(found)

    def _carry_out(self, verb: str, program: Component) -> None:
        process = self._find(program)
        if verb == "start":
            if program in self._stopped:
                del self._stopped[program]
                if process is None or not process.alive:
                    self._start(program, 0)
            return
        if verb == "stop":
            self._stopped[program] = None
        if process is not None and process.alive:
            process.kill(f"supervisor: {verb}")

    def _note(self, kind: EventKind, program: Component, pid: int) -> None:
        now = self._scheduler.instant()
        self.append(ProgramEvent(now.boot_ns, now.wall_ns, program, kind, pid))


class SupervisorLine(Edge):
    """Risk's line to it, and the file as one run of risk reads it."""

    handles: tuple[type[Effect], ...] = (AskSupervisor, NoteProgram, SaveCrash)

    def __init__(self, supervisor: Supervisor) -> None:
        """Everything that stands in the file now is the past."""
        self._supervisor = supervisor
        self._past = len(supervisor.events)
        self._read = 0
        self._asked_ns = BootNs(0)

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Ask, or write down."""
        match effect:
            case AskSupervisor(verb=verb, program=program):
                self._supervisor.ask(verb, Component(program))
            case NoteProgram(event=event):
                self._supervisor.append(event)
            case _:
                assert isinstance(effect, SaveCrash), f"not of this edge: {effect}"
        return []

    def on_tick(self, now: Instant) -> list[Message]:
        """Tell what is new in the file, the past first, and once a second what runs."""
        told: list[Message] = []
        events = self._supervisor.events
        if self._read < len(events):
            is_past = self._read < self._past
            end = self._past if is_past else len(events)
            told.append(ProgramsTold(tuple(events[self._read : end]), is_past))
            self._read = end
        if now.boot_ns >= self._asked_ns + ASK_EVERY_NS:
            self._asked_ns = now.boot_ns
            told.append(ProgramsSeen(self._supervisor.rows()))
        return told

    def close(self) -> None:
        """Nothing to let go of."""
