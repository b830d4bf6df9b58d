"""What the last run killed: spared by the next one where the module has not changed since.

For whoever adds a test to kill one survivor. `make mutants` reads no memory.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from tests.mutation.operators import Mutant

Place = tuple[int, int]


class _Killed(msgspec.Struct, frozen=True):
    """Of one module: the hash of its source, and which of its mutants were killed."""

    source: str
    places: tuple[Place, ...]


class Memory:
    """One file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._modules: dict[str, _Killed] = {}
        if path.exists():
            self._modules = msgspec.json.decode(path.read_bytes(), type=dict[str, _Killed])

    def killed(self, path: str, source: str) -> frozenset[Place]:
        """Return the places of the mutants that this very source lost before."""
        known = self._modules.get(path)
        if known is None or known.source != _hash(source):
            return frozenset()
        return frozenset(known.places)

    def keep(self, path: str, source: str, fates: Iterable[tuple[Mutant, str]]) -> None:
        """Remember what was killed, on disk at once: a run may be stopped."""
        places = tuple(mutant.place for mutant, fate in fates if fate == "killed")
        self._modules[path] = _Killed(_hash(source), places)
        self._path.parent.mkdir(exist_ok=True)
        self._path.write_bytes(msgspec.json.encode(self._modules))


def _hash(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()
