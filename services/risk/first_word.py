"""Programs that hang before they have said a first word to risk. Pure.

A run is known to risk by its pongs, and a hang by their end. A process that stops while it starts
has sent none: no pidfd is held on it, no silence is counted, and supervisord, which asks only
whether a process exists, is content. It would keep its lock and the account from trading for
good. Found by `ops/model`.

Counts looks and not time: risk's own pause is nobody's silence. Who answers under another process
id is a contradiction, which is told and never acted on (`contradictions.py`).
"""

from typing import Final

import msgspec

from services.risk.messages import ProgramRow
from shared.control import Pong
from shared.topics import COMPONENTS, RISK

LOOKS_MAX: Final = 60
"""Answers of supervisord, a second apart. Before it answers a start only imports and waits for its
lock, and execution nine seconds at most for a ledger that somebody reads; a kill that came too
early would come after each restart."""


class _Waited(msgspec.Struct):
    """One process that supervisord runs.

    Attributes:
        looks: How often it was seen without a word.
        has_spoken: Whether any run of its component has answered since it was first seen.
    """

    pid: int
    looks: int = 0
    has_spoken: bool = False


class FirstWord:
    """Who runs and has never answered."""

    def __init__(self) -> None:
        """Begin without having seen anybody."""
        self._waited: dict[str, _Waited] = {}

    def hear(self, pong: Pong) -> None:
        """Note that a component answers."""
        waited = self._waited.get(pong.component)
        if waited is not None:
            waited.has_spoken = True

    def overdue(self, rows: tuple[ProgramRow, ...]) -> list[ProgramRow]:
        """Take one answer of supervisord in; return who is to be killed.

        One that a kill did not end is returned again after as many looks.
        """
        found = []
        for row in rows:
            if row.program == RISK or row.program not in COMPONENTS:
                continue
            if row.state != "RUNNING" or not row.pid:
                self._waited.pop(row.program, None)
                continue
            waited = self._waited.get(row.program)
            if waited is None or waited.pid != row.pid:
                waited = self._waited[row.program] = _Waited(row.pid)
            waited.looks += 1
            if not waited.has_spoken and waited.looks >= LOOKS_MAX:
                waited.looks = 0
                found.append(row)
        return found
