"""The page of mutants: how many each module has, how many are killed, and which survive and why."""

from collections.abc import Iterable

import msgspec

from tests.mutation.operators import Mutant
from tests.mutation.targets import TARGETS

SHARE_MIN = 90
"""Percent of a module's mutants that its tests must notice."""

HEAD = """# Mutants

Written by `make mutants`. A mutant is a module with one small lie in it: a boundary moved, a
condition turned round, a sum that subtracts, a statement left out. The tests kill it when one of
them fails. Each module must lose {least} of a hundred at least, and every survivor is explained:
the run fails otherwise.

| Module | Mutants | Killed | Score |
|---|---:|---:|---:|
"""


class Module(msgspec.Struct, frozen=True):
    """What became of the mutants of one module."""

    path: str
    fates: tuple[tuple[Mutant, str], ...]

    @property
    def killed(self) -> int:
        """How many were noticed."""
        return sum(fate == "killed" for _, fate in self.fates)

    @property
    def survivors(self) -> tuple[tuple[Mutant, str], ...]:
        """Those that nobody noticed."""
        return tuple((mutant, fate) for mutant, fate in self.fates if fate != "killed")

    @property
    def faults(self) -> tuple[str, ...]:
        """What the run fails for: too few killed, survivors unexplained, explanations unused."""
        explained = TARGETS[self.path].explained
        names = {mutant.name for mutant, _ in self.survivors}
        found = [f"{self.path}: not explained: {name}" for name in sorted(names - explained.keys())]
        found += [f"{self.path}: killed: {name}" for name in sorted(explained.keys() - names)]
        if self.killed * 100 < SHARE_MIN * len(self.fates):
            found.append(f"{self.path}: {self.killed} of {len(self.fates)} killed")
        return tuple(found)


def render(modules: Iterable[Module]) -> str:
    """Return the page; equal runs give equal pages."""
    chosen = tuple(modules)
    rows = [_row(f"`{one.path}`", len(one.fates), one.killed) for one in chosen]
    mutants, killed = sum(len(one.fates) for one in chosen), sum(one.killed for one in chosen)
    rows.append(_row("all", mutants, killed))
    parts = [HEAD.format(least=SHARE_MIN) + "\n".join(rows), "## Survivors"]
    parts += [_survivors(one) for one in chosen if one.survivors]
    return "\n\n".join(parts) + "\n"


def _survivors(module: Module) -> str:
    explained = TARGETS[module.path].explained
    lines = dict.fromkeys(
        f"- `{mutant.name.replace('`', '')}`: {explained.get(mutant.name, 'not explained.')}"
        for mutant, _ in module.survivors
    )
    return f"### {module.path}\n\n" + "\n".join(lines)


def _row(name: str, mutants: int, killed: int) -> str:
    return f"| {name} | {mutants} | {killed} | {_percent(killed, mutants)} |"


def _percent(part: int, whole: int) -> str:
    """Rounded down: a hundred means all."""
    return f"{part * 1000 // max(1, whole) / 10:.1f} %"
