"""What is on a disk after a crash: every state that the operations up to a moment allow.

A process that is killed leaves all that it wrote: the operations up to a moment, the last write
perhaps in part. A power cut leaves what was synced, and of everything since then any
subset, torn at sectors of 512 bytes; a name that was made or deleted since its directory was
last synced may be there or not. SQLite syncs the directory with the first sync of a journal
or a log that it has made. Source: https://www.sqlite.org/atomiccommit.html (2026-11).
"""

import random
from collections.abc import Iterator, Sequence
from typing import Final

from tests.builders.recording_disk import Op

SECTOR: Final = 512

SUBSETS_ALL_MAX: Final = 3
"""Up to so many unsynced operations every subset of them is tried, beyond it some by chance."""

TORN_SHARE: Final = 0.3
"""Of the unsynced writes: torn at their sectors; the others are kept or lost as a whole."""

Image = dict[str, bytes]


class Disk:
    """The files as the operations so far leave them, and as a power cut may leave them."""

    def __init__(self, base: Image) -> None:
        """Begin with files that are durable."""
        self._written = {name: bytearray(data) for name, data in base.items()}
        self._durable = dict(base)
        self._pending: list[Op] = []
        self._unsynced_names: set[str] = set()
        self._fresh_journals: set[str] = set()

    @property
    def pending(self) -> int:
        """How many operations a power cut may undo."""
        return len(self._pending)

    def apply(self, op: Op) -> None:
        """Carry an operation out."""
        _change(self._written, op)
        if op.kind == "sync":
            self._sync(op.name)
        elif op.kind == "rename" or (op.kind == "delete" and op.is_durable):
            self._sync_names(op)
        else:
            self._pending.append(op)
            if op.kind == "create" and op.name.endswith(("-wal", "-journal")):
                self._fresh_journals.add(op.name)

    def killed(self) -> Image:
        """Return what a killed process leaves."""
        return {name: bytes(data) for name, data in self._written.items()}

    def torn(self, op: Op, chance: random.Random) -> Image:
        """Return what is left of a write in whose midst the process is killed."""
        files = {name: bytearray(data) for name, data in self._written.items()}
        _change(files, _part(op, chance.randrange(1, len(op.data))))
        return {name: bytes(data) for name, data in files.items()}

    def cut(self, chance: random.Random, count: int) -> Iterator[Image]:
        """Return what power cuts may leave: nothing unsynced, then subsets of it."""
        yield self._image([])
        if not self._pending:
            return
        if len(self._pending) <= SUBSETS_ALL_MAX:
            for bits in range(1, 1 << len(self._pending)):
                yield self._image([op for i, op in enumerate(self._pending) if bits >> i & 1])
            return
        for _ in range(count):
            kept: list[Op] = []
            share = chance.random()
            for op in self._pending:
                kept += _sectors(op, chance, share)
            yield self._image(kept)

    def _image(self, kept: Sequence[Op]) -> Image:
        files = {name: bytearray(data) for name, data in self._durable.items()}
        for op in kept:
            _change(files, op)
        return {name: bytes(data) for name, data in files.items()}

    def _sync(self, name: str) -> None:
        """Make a file's content durable; its directory too, the first time of a journal."""
        files = {kept: bytearray(data) for kept, data in self._durable.items()}
        is_first = name in self._fresh_journals
        left: list[Op] = []
        for op in self._pending:
            is_name = op.kind in ("create", "delete")
            if (op.name == name and not (is_name and op.kind == "delete")) or (
                is_name and is_first
            ):
                _change(files, op)
            else:
                left.append(op)
        self._pending = left
        self._fresh_journals.discard(name)
        self._durable = {kept: bytes(data) for kept, data in files.items()}

    def _sync_names(self, op: Op) -> None:
        """Make a change of names durable that was synced with its directory."""
        files = {kept: bytearray(data) for kept, data in self._durable.items()}
        left: list[Op] = []
        for pending in self._pending:
            if pending.kind in ("create", "delete") or pending.name == op.name:
                _change(files, pending)
            else:
                left.append(pending)
        _change(files, op)
        self._pending = left
        self._durable = {kept: bytes(data) for kept, data in files.items()}


def _change(files: dict[str, bytearray], op: Op) -> None:
    """Carry an operation out on files; a write to a file that is not there makes it."""
    match op.kind:
        case "create":
            files.setdefault(op.name, bytearray())
        case "delete":
            files.pop(op.name, None)
        case "rename":
            if op.name in files:
                files[op.renamed] = files.pop(op.name)
        case "truncate":
            file = files.setdefault(op.name, bytearray())
            del file[op.offset :]
        case "write":
            file = files.setdefault(op.name, bytearray())
            end = op.offset + len(op.data)
            if len(file) < end:
                file.extend(bytes(end - len(file)))
            file[op.offset : end] = op.data


def _part(op: Op, length: int) -> Op:
    return Op("write", op.name, op.offset, op.data[:length])


def _sectors(op: Op, chance: random.Random, share: float) -> list[Op]:
    """Return what is left of an unsynced operation: sectors of a write, or all or nothing."""
    if op.kind != "write":
        return [op] if chance.random() < share else []
    kept: list[Op] = []
    start, end = op.offset, op.offset + len(op.data)
    is_torn, is_kept = chance.random() < TORN_SHARE, chance.random() < share
    while start < end:
        stop = min(end, (start // SECTOR + 1) * SECTOR)
        if chance.random() < share if is_torn else is_kept:
            piece = op.data[start - op.offset : stop - op.offset]
            kept.append(Op("write", op.name, start, piece))
        start = stop
    return kept
