"""The operator's desk: which requests wait for their answer, and when it may be given.

A halt is answered when its latch is on disk and zero is proven (below the account: when
execution has cancelled the scope); a resume when its clearing is on disk. Decides no halt and no
resume; the core does. An asker that has gone changes nothing of what it asked.
"""

import msgspec

from services.risk.fence import Fence
from services.risk.latches import Latches
from services.risk.scopes import ScopeKey, Scopes
from shared.effects import Effect
from shared.operator import (
    Halted,
    LatchName,
    OperatorReply,
    Reply,
    RequestRefused,
    Resumed,
    ResumeRefused,
    encode_reply,
)
from shared.risk_schema import LatchRow
from shared.units import WallNs

WAITING_MAX = 32
"""Requests that wait at once; there is one operator."""


class _WaitingHalt(msgspec.Struct, frozen=True):
    """A halt whose proof, or whose latch on disk, is awaited."""

    connection: int
    row: LatchRow
    key: ScopeKey


class _WaitingResume(msgspec.Struct, frozen=True):
    """A resume whose clearing is on its way to the disk."""

    connection: int
    write_id: int
    names: tuple[LatchName, ...]


class _WaitingWrite(msgspec.Struct, frozen=True):
    """A change whose writing is awaited, and what is answered then."""

    connection: int
    write_id: int
    reply: Reply


class OperatorDesk:
    """Requests whose answer is still due."""

    def __init__(self) -> None:
        self._halts: list[_WaitingHalt] = []
        self._resumes: list[_WaitingResume] = []
        self._writes: list[_WaitingWrite] = []

    @property
    def is_full(self) -> bool:
        """Whether no further request can wait."""
        return len(self._halts) + len(self._resumes) + len(self._writes) >= WAITING_MAX

    def await_halt(self, connection: int, row: LatchRow) -> None:
        """Answer this connection once the halt is on disk and proven."""
        self._halts.append(_WaitingHalt(connection, row, (row.scope, row.scope_id)))

    def await_resume(self, connection: int, write_id: int, names: tuple[LatchName, ...]) -> None:
        """Answer this connection once the clearing is on disk."""
        self._resumes.append(_WaitingResume(connection, write_id, names))

    def await_write(self, connection: int, write_id: int, reply: Reply) -> None:
        """Give this answer once a write is on disk."""
        self._writes.append(_WaitingWrite(connection, write_id, reply))

    def gone(self, connection: int) -> None:
        """Forget a connection."""
        self._halts = [halt for halt in self._halts if halt.connection != connection]
        self._resumes = [wait for wait in self._resumes if wait.connection != connection]
        self._writes = [wait for wait in self._writes if wait.connection != connection]

    def halts_done(
        self, latches: Latches, fence: Fence, scopes: Scopes, wall_ns: WallNs
    ) -> list[Effect]:
        """Answer the halts that are on disk and proven, or carried out."""
        effects: list[Effect] = []
        for halt in tuple(self._halts):
            account = halt.key[0] == "account"
            stands = fence.is_zero if account else scopes.is_carried(halt.key)
            if not stands or not latches.is_durable(halt.row):
                continue
            self._halts.remove(halt)
            row = halt.row
            latch = LatchName(row.name, row.scope, row.scope_id, row.version)
            times = fence.times() if account else None
            effects.append(
                answer(halt.connection, Halted(latch=latch, fence=times, wall_ns=wall_ns))
            )
        return effects

    def resumes_done(
        self, write_id: int, cleared: tuple[LatchRow, ...], waits_for: tuple[str, ...]
    ) -> list[Effect]:
        """Answer the resumes that a write has carried out; those made void are refused."""
        effects: list[Effect] = []
        for wait in tuple(self._resumes):
            if wait.write_id > write_id:
                continue
            self._resumes.remove(wait)
            if len(cleared) == len(wait.names):
                reply: Reply = Resumed(latches=wait.names, waits_for=waits_for)
            else:
                reply = ResumeRefused(blockers=("a later halt has made this resume void",))
            effects.append(answer(wait.connection, reply))
        return effects

    def writes_done(self, write_id: int) -> list[Effect]:
        """Answer what a write has put on disk."""
        done = [wait for wait in self._writes if wait.write_id <= write_id]
        self._writes = [wait for wait in self._writes if wait.write_id > write_id]
        return [answer(wait.connection, wait.reply) for wait in done]

    def refuse_all(self, why: str) -> list[Effect]:
        """Answer everybody that nothing more will come: this process ends."""
        waiting: list[_WaitingHalt | _WaitingResume | _WaitingWrite] = [
            *self._halts,
            *self._resumes,
            *self._writes,
        ]
        self._halts, self._resumes, self._writes = [], [], []
        refused = RequestRefused(error="stopping", detail=why)
        return [answer(wait.connection, refused) for wait in waiting]


def answer(connection: int, reply: Reply) -> OperatorReply:
    """Return the effect that sends a reply."""
    return OperatorReply(connection, encode_reply(reply))
