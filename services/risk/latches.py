"""Latches: what only an operator ends, whatever is restarted meanwhile.

A latch holds from the moment it is set, in memory; it is announced as set only once it is on
disk. Each setting has a version of its own. A resume names the versions that it clears, all
of them or none, and holds only once its clearing is on disk: a halt that arrives before
makes a new version, which voids the resume. Writes are asked for by the core, in this order.
"""

import msgspec

from shared.control import ScopeKind
from shared.operator import LATCHES_MAX, LatchName
from shared.risk_schema import LatchCleared, LatchRow
from shared.units import WallNs

LatchKey = tuple[str, ScopeKind, str]
"""Switch, scope, id of the scope."""


class _Latch(msgspec.Struct):
    """One latch that holds.

    Attributes:
        durable: Whether this version is on disk.
        clearing: Write that clears it, 0 for none.
    """

    row: LatchRow
    durable: bool
    clearing: int = 0


class Latches:
    """All latches that hold.

    Attributes:
        version: Highest version given out.
    """

    def __init__(self, rows: tuple[LatchRow, ...], version: int) -> None:
        """Begin with those of the database."""
        self.version = max((version, *(row.version for row in rows)))
        self._latches = {_key(row): _Latch(row, durable=True) for row in rows}

    def set(self, key: LatchKey, wall_ns: WallNs, reason: str, evidence: str = "") -> LatchRow:
        """Set a latch, or set it again; a resume under way for it is void.

        When there are too many of them, the account's own latch stands for the new one.
        """
        name, scope, scope_id = key
        if key not in self._latches and len(self._latches) >= LATCHES_MAX:
            scope, scope_id = "account", ""
            evidence = f"{key}: too many latches; {evidence}"
        self.version += 1
        row = LatchRow(name, scope, scope_id, self.version, wall_ns, reason, evidence)
        self._latches[_key(row)] = _Latch(row, durable=False)
        return row

    def written(self, row: LatchRow) -> None:
        """Take note that a setting is on disk."""
        latch = self._latches.get(_key(row))
        if latch is not None and latch.row.version == row.version:
            latch.durable = True

    def is_durable(self, row: LatchRow) -> bool:
        """Tell whether this version, or a later one of the same latch, is on disk."""
        latch = self._latches.get(_key(row))
        return latch is None or (latch.row.version >= row.version and latch.durable)

    def rows(self) -> tuple[LatchRow, ...]:
        """Return all that hold, the account's first."""
        rows = [latch.row for latch in self._latches.values()]
        return tuple(sorted(rows, key=lambda row: (row.scope != "account", row.version)))

    def holds(self, key: LatchKey) -> bool:
        """Tell whether a latch holds."""
        return key in self._latches

    def standing(self, key: LatchKey) -> LatchRow | None:
        """Return a latch that holds and that nothing is about to clear; None for neither."""
        latch = self._latches.get(key)
        return None if latch is None or latch.clearing else latch.row

    def misnamed(self, names: tuple[LatchName, ...]) -> tuple[str, ...]:
        """Return why these names cannot be cleared; empty when each holds in that version."""
        faults = []
        for name in names:
            latch = self._latches.get((name.name, name.scope, name.scope_id))
            if latch is None:
                faults.append(f"{_words(name)} is not latched")
            elif latch.row.version != name.version:
                faults.append(
                    f"{_words(name)} has version {latch.row.version}, not {name.version}: "
                    "it was set again"
                )
        return tuple(faults)

    def begin_clearing(
        self, names: tuple[LatchName, ...], write_id: int
    ) -> tuple[LatchCleared, ...]:
        """Return the records that clear these latches; they hold until those are written."""
        assert not self.misnamed(names), "only what was looked at is cleared"
        records = []
        for name in names:
            self._latches[(name.name, name.scope, name.scope_id)].clearing = write_id
            records.append(LatchCleared(name.name, name.scope, name.scope_id, name.version))
        return tuple(records)

    def cleared(self, write_id: int) -> tuple[LatchRow, ...]:
        """End what a write has cleared; latches set again meanwhile are not among them."""
        gone = tuple(latch.row for latch in self._latches.values() if latch.clearing == write_id)
        for row in gone:
            del self._latches[_key(row)]
        return gone


def _key(row: LatchRow) -> LatchKey:
    return row.name, row.scope, row.scope_id


def _words(name: LatchName) -> str:
    return f"{name.name} {name.scope} {name.scope_id}".rstrip()
