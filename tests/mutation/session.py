"""Judges mutants: `pytest --mutants PAGE` with the tests that may be asked.

The tests are collected once. One run of them in a child tells which test reaches which line of the
modules under judgement, and how long each takes. Each mutant is then judged in a child of its own,
which gets the mutant's code in place of the real one and runs the tests that reach its lines, those
of its module first and the quickest of them, until one fails. No file is ever changed. A mutant of
a module's own body (constants, tables, defaults) has its say when the module is imported, so it
gets a fresh interpreter, in which the import finds the mutant (`imported.py`).

Why no tool from elsewhere: mutmut 3 mutates functions alone, and half of what matters here stands
in tables; cosmic-ray writes every mutant into the working tree and pays a whole start of pytest
for each, half an hour for what takes minutes here.
Source: https://mutmut.readthedocs.io and https://cosmic-ray.readthedocs.io (2026-11-21).
"""

import importlib
import os
import pickle
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, Literal

import msgspec
import pytest
from coverage import Coverage
from hypothesis import HealthCheck, Phase, settings

from tests.mutation.imported import VARIABLE
from tests.mutation.memory import Memory
from tests.mutation.operators import Mutant, mutants_of, mutated
from tests.mutation.page import Module, render
from tests.mutation.targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]
MEMORY = ROOT / "build" / "mutants.json"
CHILDREN = 2
CHILD_S = 20.0
"""More than ten times what all tests of a module take: a mutant that is slower hangs."""

FRESH_S = 60.0
FAILED, PASSED, MISPLACED = 1, 0, 9
SICK = frozenset({3, 4, 5, MISPLACED})
"""Ends that judge nothing: pytest had a fault of its own, was misused, or found no test."""

Fate = Literal["killed", "survived", "not reached"]


class Reach(msgspec.Struct):
    """What one test reaches: lines of each module, and how long it takes."""

    lines: dict[str, set[int]] = {}
    seconds: float = 0.0

    def meets(self, path: str, mutant: Mutant) -> bool:
        """Tell whether the test runs a line of a mutant."""
        lines = range(mutant.line, mutant.last_line + 1)
        return not self.lines.get(path, set()).isdisjoint(lines)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--mutants", default="", help="judge mutants of the ledger's modules; page")
    parser.addoption("--mutate", default="", help="only these modules: parts of paths, commas")
    parser.addoption("--spare", action="store_true", help="pass over what the last run killed")


def pytest_configure(config: pytest.Config) -> None:
    if target := config.getoption("--mutants"):
        only = tuple(filter(None, config.getoption("--mutate").split(",")))
        judge = Judge(config, Path(target), only, spares=config.getoption("--spare"))
        config.pluginmanager.register(judge, "interlock-mutants")


class Judge:
    """Takes the place of the usual run of the collected tests."""

    def __init__(
        self, config: pytest.Config, page: Path, only: tuple[str, ...], *, spares: bool
    ) -> None:
        self._config = config
        self._page = page
        self._only = only
        self._spares = spares
        self._memory = Memory(MEMORY)
        self._failures: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failures.append(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        _steady()
        parts = self._only or ("",)
        paths = [path for path in TARGETS if any(part in path for part in parts)]
        reach = self._learn(session.items, paths)
        modules: list[Module] = []
        for path in paths:
            modules.append(self._judge_module(path, session.items, reach))
            done = modules[-1]
            _say(f"{path}: {done.killed} of {len(done.fates)} killed")
            for mutant, fate in done.survivors:
                _say(f"    {fate} {mutant.line}: {mutant.name}")
        if not self._only:
            self._page.write_text(render(modules), encoding="utf-8")
        session.testsfailed = sum(len(module.faults) for module in modules)
        for module in modules:
            for fault in module.faults:
                _say(fault)
        return True

    # --- what reaches what ----------------------------------------------------------

    def _learn(self, items: Sequence[pytest.Item], paths: Sequence[str]) -> list[Reach]:
        """Run every test once in a child, and return what each reaches."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            quiet(self._config)
            found = self._trace(items, {str(ROOT / path): path for path in paths})
            with os.fdopen(writer, "wb") as out:
                pickle.dump((found, self._failures), out)
            os._exit(PASSED)
        os.close(writer)
        with os.fdopen(reader, "rb") as told:
            found, failures = pickle.load(told)
        os.waitpid(child, 0)
        assert not failures, f"fail without any mutant: {failures}"
        assert len(found) == len(items)
        return list(found)

    def _trace(self, items: Sequence[pytest.Item], files: Mapping[str, str]) -> list[Reach]:
        found = [Reach() for _ in items]
        traced = Coverage(data_file=None, include=list(files), config_file=False)
        traced.start()
        for place, item in enumerate(items):
            traced.switch_context(str(place))
            began = time.perf_counter()
            _run(item)
            found[place].seconds = time.perf_counter() - began
        traced.stop()
        for file, path in files.items():
            for line, contexts in traced.get_data().contexts_by_lineno(file).items():
                for context in filter(str.isdigit, contexts):
                    found[int(context)].lines.setdefault(path, set()).add(line)
        return found

    # --- one module -----------------------------------------------------------------

    def _judge_module(
        self, path: str, items: Sequence[pytest.Item], reach: Sequence[Reach]
    ) -> Module:
        source = (ROOT / path).read_text(encoding="utf-8")
        mutants = mutants_of(source)
        own = TARGETS[path].tests
        assert all((ROOT / test).exists() for test in own), own
        spared = self._memory.killed(path, source) if self._spares else frozenset()
        order = sorted(
            range(len(items)),
            key=lambda place: (not items[place].nodeid.startswith(own), reach[place].seconds),
        )
        fates: dict[Mutant, Fate] = {}
        jobs: list[tuple[Mutant, Callable[[], int], float]] = []
        for number, mutant in enumerate(mutants):
            chosen = [items[place] for place in order if reach[place].meets(path, mutant)]
            if mutant.place in spared:
                fates[mutant] = "killed"
            elif not mutant.within:
                jobs.append((mutant, self._fresh(path, number), FRESH_S))
            elif chosen:
                jobs.append((mutant, self._forked(path, source, mutant, chosen), CHILD_S))
            else:
                fates[mutant] = "not reached"
        for mutant, status in _carry_out(jobs):
            assert status not in SICK, f"{path}: {mutant.name} was not judged: {status}"
            fates[mutant] = "survived" if status == PASSED else "killed"
        found = tuple((mutant, fates[mutant]) for mutant in mutants)
        self._memory.keep(path, source, found)
        return Module(path, found)

    def _fresh(self, path: str, number: int) -> Callable[[], int]:
        """Return what starts an interpreter in which the import finds the mutant."""

        def start() -> int:
            command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
            nowhere = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
            return os.posix_spawn(
                sys.executable,
                [*command, *TARGETS[path].tests],
                {**os.environ, VARIABLE: f"{path}:{number}"},
                file_actions=[nowhere, (os.POSIX_SPAWN_DUP2, 1, 2)],
            )

        return start

    def _forked(
        self, path: str, source: str, mutant: Mutant, items: Sequence[pytest.Item]
    ) -> Callable[[], int]:
        """Return what forks a child that runs tests over the mutant."""

        def start() -> int:
            child = os.fork()
            if child:
                return child
            quiet(self._config)
            try:
                replace_code(path, mutant.within, mutated(source, mutant))
            except BaseException:  # noqa: BLE001  (told by the status)
                os._exit(MISPLACED)
            for item in items:
                try:
                    _run(item)
                except BaseException:  # noqa: BLE001  (a mutant may raise what it likes)
                    os._exit(FAILED)
                if self._failures:
                    os._exit(FAILED)
            os._exit(PASSED)

        return start


def _carry_out(
    jobs: Sequence[tuple[Mutant, Callable[[], int], float]],
) -> Iterator[tuple[Mutant, int]]:
    """Start all jobs, a few at a time; yield how each ended. One that hangs has failed."""
    waiting = list(reversed(jobs))
    running: dict[int, tuple[int, Mutant, float]] = {}
    while waiting or running:
        while waiting and len(running) < CHILDREN:
            mutant, start, within_s = waiting.pop()
            pid = start()
            running[os.pidfd_open(pid)] = (pid, mutant, time.monotonic() + within_s)
        ready, _, _ = select.select(list(running), [], [], 0.5)
        for handle, (pid, mutant, until) in list(running.items()):
            if handle not in ready:
                if time.monotonic() < until:
                    continue
                os.kill(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
            os.close(handle)
            del running[handle]
            yield mutant, os.waitstatus_to_exitcode(status)


def _run(item: pytest.Item) -> None:
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)


def _steady() -> None:
    """Let properties try the same examples every time, and simplify none: one failure is enough."""
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile(
        "mutants",
        derandomize=True,
        database=None,
        deadline=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("mutants")


def quiet(config: pytest.Config) -> None:
    """Send what a child says nowhere."""
    config.pluginmanager.unregister(name="terminalreporter")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _say(text: str) -> None:
    os.write(2, f"{text}\n".encode())


def replace_code(path: str, within: str, tree: Any) -> None:
    """Give a function of the imported module the code of its mutant.

    Whoever holds the function has the mutant from then on, whatever name they know it by.
    """
    module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    code = _code_of(compile(tree, str(ROOT / path), "exec"), within)
    assert code is not None
    function: Any = module
    for name in within.split("."):
        function = vars(function)[name]
    if isinstance(function, property):
        function = function.fget
    function = getattr(function, "__func__", function)
    while not isinstance(function, FunctionType) or hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    function.__code__ = code


def _code_of(code: CodeType, name: str) -> CodeType | None:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_qualname == name:
                return constant
            if found := _code_of(constant, name):
                return found
    return None
