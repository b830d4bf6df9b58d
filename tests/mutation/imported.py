"""Lets an import find a mutant: for those whose say is at the import of their module.

Named by an environment variable, `path:number`, as `session.py` starts the interpreter.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, ModuleType

from tests.mutation.operators import mutants_of, mutated

VARIABLE = "INTERLOCK_MUTANT"
ROOT = Path(__file__).resolve().parents[2]


class _MutantLoader(importlib.machinery.SourceFileLoader):
    """Loads a module's mutant, never from a compiled file."""

    def __init__(self, name: str, path: Path, number: int) -> None:
        super().__init__(name, str(path))
        self._number = number

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        source = Path(path).read_text(encoding="utf-8")
        tree = mutated(source, mutants_of(source)[self._number])
        return compile(tree, path, "exec")


class MutantFinder(importlib.abc.MetaPathFinder):
    """Finds one module as its mutant."""

    def __init__(self, path: str, number: int) -> None:
        self._name = path.removesuffix(".py").replace("/", ".")
        self._loader = _MutantLoader(self._name, ROOT / path, number)

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != self._name:
            return None
        return importlib.util.spec_from_file_location(
            name, self._loader.get_filename(name), loader=self._loader
        )


def put_in_place() -> None:
    """Let the import find the mutant that the environment names, if it names any."""
    if named := os.environ.get(VARIABLE):
        path, _, number = named.rpartition(":")
        finder = MutantFinder(path, int(number))
        assert finder._name not in sys.modules, "imported too early"
        sys.meta_path.insert(0, finder)
