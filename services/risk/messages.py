"""What risk's core and its own edges tell each other. Pure words; no edge is imported here."""

from typing import Any, Literal

import msgspec

from shared.clean_run import CleanRun
from shared.effects import Effect, Message
from shared.identifiers import Component, Incarnation
from shared.program_events import ProgramEvent
from shared.risk_schema import CHAIN_START, LatchRow, RiskRecord
from shared.units import BootNs, WallNs


class Persist(Effect, frozen=True):
    """Write records in one transaction, beside the loop; answered by `Persisted`.

    Deliberately not `Durable`: a fence must not wait for a disk. Writes are carried out in the
    order asked, and each is tried again until it is done.
    """

    write_id: int
    records: tuple[RiskRecord, ...]


class Persisted(Message, frozen=True):
    """A write is on disk."""

    write_id: int


class PersistFailed(Message, frozen=True):
    """A write is not on disk yet; it, and all after it, will be tried again."""

    write_id: int
    reason: str


class WatchProcess(Effect, frozen=True):
    """Hold a pidfd on one run of a component; its exit comes as `ProcessExited`."""

    component: Component
    incarnation: Incarnation
    pid: int


class KillProcess(Effect, frozen=True):
    """SIGKILL through the pidfd held, so that no other process can be hit."""

    component: Component
    incarnation: Incarnation


class ForgetProcess(Effect, frozen=True):
    """Let go of a pidfd."""

    component: Component
    incarnation: Incarnation


class ProcessExited(Message, frozen=True):
    """The kernel says that this run has ended: it writes nothing any more."""

    component: Component
    incarnation: Incarnation


class ProcessUnwatchable(Message, frozen=True):
    """No pidfd could be had though the process may live: its exit will not be seen."""

    component: Component
    incarnation: Incarnation
    reason: str


class SupervisorGone(Message, frozen=True):
    """The process that started this one has ended: the group fences and ends."""


class PanicSeen(Message, frozen=True):
    """Whether the PANIC file exists; told at start and at each change."""

    present: bool


class KeyFound(Message, frozen=True):
    """Credentials are there; told once, before any request can leave with them.

    Attributes:
        api_key: Public id of the API key.
    """

    api_key: str


class BeatPermit(msgspec.Struct, frozen=True):
    """How long a decided beat may still be sent; afterwards it is dropped, not sent late."""

    not_after_ns: BootNs


class LatchEnded(Message, frozen=True):
    """An operator has ended a latch, and that is on disk; told to sources by the guard.

    A source that counts what led to it counts anew.
    """

    name: str
    scope: str
    scope_id: str


class ProcessKilled(Message, frozen=True):
    """Risk has killed a run, which hung; told to sources by the guard.

    A source that counts ends weighs this one less.
    """

    component: Component
    pid: int


class ProgramRow(msgspec.Struct, frozen=True):
    """One program as supervisord has it.

    Attributes:
        state: `RUNNING`, `STARTING`, `BACKOFF`, `STOPPING`, `STOPPED`, `EXITED`, `FATAL`.
        pid: 0 when it does not run.
    """

    program: str
    state: str
    pid: int


class ProgramsSeen(Message, frozen=True):
    """All programs as supervisord has them, asked for each second."""

    rows: tuple[ProgramRow, ...]


class SupervisorSilent(Message, frozen=True):
    """Supervisord did not answer, or refused what it was asked: what runs is unknown."""

    why: str


class ProgramsTold(Message, frozen=True):
    """What became of programs since the last look, in order.

    Attributes:
        is_past: Whether it was written before this process began to look.
        unreadable: Lines that were no events.
    """

    events: tuple[ProgramEvent, ...]
    is_past: bool
    unreadable: int = 0


class AskSupervisor(Effect, frozen=True):
    """Ask supervisord to stop, start or kill one program; a refusal is `SupervisorSilent`.

    Nothing rests on it: it is asked again for as long as the programs do not look as wished.
    """

    verb: Literal["stop", "start", "kill"]
    program: str


class NoteProgram(Effect, frozen=True):
    """Append what risk did to the file from which ends are counted."""

    event: ProgramEvent


class SaveCrash(Effect, frozen=True):
    """Keep what is known of a crash, with the end of the program's log, for people.

    Attributes:
        program: Whose log; the file is named after it and after the moment.
        wall_ns: Of the crash.
        facts: Everything else, of any type: what JSON does not know is written as its repr.
    """

    program: str
    wall_ns: WallNs
    facts: dict[str, Any]


class CapitalIs(Message, frozen=True):
    """The step of the capital, told to sources by the guard before each look."""

    usd: int


class BreakerTripped(Message, frozen=True):
    """A switch has tripped, told to sources by the guard."""

    name: str


class StoredState(msgspec.Struct, frozen=True):
    """What the database held when it was opened, before the loop began.

    Attributes:
        used_max: Highest epoch that an earlier run may have used: what was reserved before.
        reserved: Highest epoch that this run may use, durable already.
        latch_version: Highest version given to a latch.
        audit_sequence: Of the newest audit row, 0 for none; audit_hash: its hash.
        fresh: Neither database nor marker existed: a first start, unless the ledger has
            epochs of its own.
        capital_usd: Step of the capital that an operator has set; None for none yet.
        clean_run: What the audit trail says of the run since then.
        kept: What sources have kept for their next run, by name.
        trouble: Why the database cannot be trusted or written; empty when it can.
        api_key: Whose orders may be in the market; `ANY_KEY` when that is not known, None for
            a first start, before which nobody of ours had any.
    """

    used_max: int = 0
    reserved: int = 0
    latch_version: int = 0
    latches: tuple[LatchRow, ...] = ()
    audit_sequence: int = 0
    audit_hash: bytes = CHAIN_START
    fresh: bool = False
    capital_usd: int | None = None
    clean_run: CleanRun = CleanRun()
    kept: dict[str, str] = {}
    trouble: str = ""
    api_key: str | None = None
