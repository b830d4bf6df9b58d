"""Restart intensity: a component that ends too often is stopped, and an operator starts it again.

What trading needs is fenced and latched with it; a strategy is disabled alone; recorder and
dashboard are stopped and told of, and trading goes on. The counts are folded from the events that
watch and risk have written down, so a new risk counts as the one before it did, its own ends
included. Who asks supervisord is an edge; a question that is not answered is asked again with the
next look, and nothing rests on the answer.
"""

from collections.abc import Iterator
from typing import Final

from services.risk.first_word import FirstWord
from services.risk.messages import (
    AskSupervisor,
    LatchEnded,
    NoteProgram,
    ProcessKilled,
    ProgramRow,
    ProgramsSeen,
    ProgramsTold,
    SupervisorSilent,
)
from services.risk.restart_policy import Ends, Limit
from services.risk.samples import ACCOUNT, Sample
from services.risk.source import Notice
from shared.config import ComponentsSettings, RestartSettings
from shared.control import Pong
from shared.effects import ControlReceived, Effect, Message
from shared.program_events import EventKind, ProgramEvent
from shared.switches import FLAPPING, STRATEGY_DISABLED
from shared.topics import (
    DASHBOARD,
    EXECUTION,
    FEEDS,
    RECORDER,
    RISK,
    SIDE_FEEDS,
    STATE,
    STRATEGIES,
)
from shared.units import NS_PER_S, Instant

ACCOUNT_CRITICAL: Final = frozenset({*FEEDS, STATE, EXECUTION, RISK})
"""Without these nothing may trade."""

DISPENSABLE: Final = frozenset({*SIDE_FEEDS, RECORDER, DASHBOARD})
"""Trading goes on without these."""

DOWN: Final = frozenset({"STOPPED", "FATAL"})
"""States in which supervisord has no process of a program and makes none."""

WATCHED: Final[frozenset[EventKind]] = frozenset({"exited", "backoff", "stopped"})
"""What watch writes down; everything else is risk's own."""

LIVENESS_RUNBOOK: Final = "liveness"


class Restarts:
    """Counts the ends of every component."""

    def __init__(self, settings: ComponentsSettings) -> None:
        """Begin without any end."""
        self._ends = {name: Ends(_limit(settings, name)) for name in settings.__struct_fields__}
        self._first_word = FirstWord()
        self._states: dict[str, str] = {}
        self._to_start: set[str] = set()
        self._tripped: set[str] = set()
        self._effects: list[Effect] = []
        self._notices: list[Notice] = []

    def hear(self, message: Message, now: Instant) -> None:
        """Take in what became of programs, and what an operator has ended."""
        match message:
            case ProgramsTold():
                self._told(message)
            case ProgramsSeen(rows=rows):
                self._states = {row.program: row.state for row in rows}
                self._mend(now)
                self._end_the_mute(rows, now)
            case ControlReceived(body=Pong() as pong):
                self._first_word.hear(pong)
            case SupervisorSilent(why=why):
                self._states = {}
                self._notice("supervisord silent", f"what runs is unknown: {why}")
            case ProcessKilled(component=component, pid=pid):
                self._note("killed", component, now, pid)
            case LatchEnded():
                self._ended(message, now)
            case _:
                pass

    def data(self, now: Instant) -> Iterator[Sample | Notice | Effect]:
        """Yield who ends too often, and what is asked of supervisord about it."""
        for program, ends in self._ends.items():
            if not ends.is_flapping and ends.is_over(now.boot_ns):
                self._found(program, ends, now)
        for program, ends in self._ends.items():
            if program in DISPENSABLE or not (ends.is_flapping or program in self._tripped):
                continue
            yield self._sample(program, ends, now)
        notices, self._notices = self._notices, []
        effects, self._effects = self._effects, []
        yield from notices
        yield from effects

    def _told(self, told: ProgramsTold) -> None:
        for event in told.events:
            ends = self._ends.get(event.program)
            # What risk itself writes down it knows already, unless it was a risk before this one.
            if ends is not None and (told.is_past or event.kind in WATCHED):
                ends.take(event)
        if told.unreadable:
            text = f"{told.unreadable} lines of the restart count cannot be read"
            self._notice("restart count unreadable", text)

    def _found(self, program: str, ends: Ends, now: Instant) -> None:
        """Begin to stop what has ended once too often."""
        words = f"{program}: {ends.words(now.boot_ns)}"
        self._note("flapping", program, now)
        ends.is_flapping = True
        if program == RISK:
            return  # it runs this; the latch alone holds trading
        self._effects.append(AskSupervisor("stop", program))
        if program in DISPENSABLE:
            text = f"{words}; it is stopped, trading goes on: `interlock restart {program}`"
            self._notices.append(Notice("critical", f"{program} flapping", text, FLAPPING.runbook))

    def _sample(self, program: str, ends: Ends, now: Instant) -> Sample:
        """Return the sample of one program that has ended too often.

        It is bad once at least, and good again once the program is down: what the operator's
        resume waits for.
        """
        is_new = program not in self._tripped
        self._tripped.add(program)
        is_up = not ends.is_down and program != RISK
        bad = ends.is_flapping and (is_new or is_up)
        why = f"{program} has ended too often: {ends.words(now.boot_ns)}"
        if bad and is_up:
            why = f"{why}; it is not stopped yet"
        if program in STRATEGIES:
            return Sample(STRATEGY_DISABLED, "flapping", ("strategy", program), bad, why)
        return Sample(FLAPPING, program, ACCOUNT, bad, why)

    def _mend(self, now: Instant) -> None:
        """Ask again for what supervisord's picture does not show yet."""
        for program, ends in self._ends.items():
            state = self._states.get(program)
            if state is None or program == RISK:
                continue
            if ends.is_flapping and not ends.is_down:
                if state in DOWN:
                    ends.is_down = True
                elif state != "STOPPING":
                    self._effects.append(AskSupervisor("stop", program))
            elif ends.is_flapping and program in DISPENSABLE and state == "RUNNING":
                ends.clear()  # somebody has started it again, which is all that it waited for
                self._note("cleared", program, now)
            if program in self._to_start:
                if state in DOWN:
                    self._effects.append(AskSupervisor("start", program))
                else:
                    self._to_start.discard(program)

    def _end_the_mute(self, rows: tuple[ProgramRow, ...], now: Instant) -> None:
        """Have supervisord kill who hangs before a first word: nobody else holds a line to it."""
        for row in self._first_word.overdue(rows):
            self._note("killed", row.program, now, row.pid)
            self._effects.append(AskSupervisor("kill", row.program))
            text = f"{row.program}: process {row.pid} has run and never answered; killed"
            self._notices.append(
                Notice("critical", f"killed {row.program}", text, LIVENESS_RUNBOOK)
            )

    def _ended(self, ended: LatchEnded, now: Instant) -> None:
        """Count anew and start again what an operator has let go on."""
        for program, ends in self._ends.items():
            if ended.name == FLAPPING.name:
                concerned = program in ACCOUNT_CRITICAL
            else:
                concerned = ended.name == STRATEGY_DISABLED.name and ended.scope_id == program
            if not concerned:
                continue
            self._tripped.discard(program)
            if program != RISK and (ends.is_flapping or self._states.get(program) in DOWN):
                self._to_start.add(program)
                self._effects.append(AskSupervisor("start", program))
            ends.clear()
            self._note("cleared", program, now)

    def _note(self, kind: EventKind, program: str, now: Instant, pid: int = 0) -> None:
        event = ProgramEvent(now.boot_ns, now.wall_ns, program, kind, pid)
        if kind == "killed" and program in self._ends:
            self._ends[program].take(event)
        self._effects.append(NoteProgram(event))

    def _notice(self, name: str, text: str) -> None:
        self._notices.append(Notice("warning", name, text, LIVENESS_RUNBOOK))


def _limit(settings: ComponentsSettings, name: str) -> Limit:
    """Return what a component may do, of the settings."""
    table: RestartSettings = getattr(settings, name)
    return Limit(table.restarts_max, table.restarts_window_s * NS_PER_S)
