"""Takes each rule out of the real code and asks its test: `pytest --removals` with the tests named.

The tests are collected once. Each removal is judged in a child of its own, in which one function
has the code that its source would have without the rule; no file is ever changed.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.mutation.session import FAILED, MISPLACED, PASSED, ROOT, quiet, replace_code
from tests.removals.table import REMOVALS, Removal


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--removals", action="store_true", help="take each rule out, ask its test")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--removals"):
        config.pluginmanager.register(Remover(config), "interlock-removals")


class Remover:
    """Takes the place of the usual run of the collected tests."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._failures = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._failures += report.failed

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        survived = []
        for removal in REMOVALS:
            items = [item for item in session.items if is_of(item.nodeid, removal.test)]
            assert items, f"no such test: {removal.test}"
            status = self._judge(removal, items)
            if status != FAILED:
                survived.append(f"{removal.rule} ({removal.within}): ended by {status}")
        for line in survived:
            os.write(2, f"not missed: {line}\n".encode())
        session.testsfailed = len(survived)
        return True

    def _judge(self, removal: Removal, items: Sequence[pytest.Item]) -> int:
        child = os.fork()
        if child == 0:
            quiet(self._config)
            try:
                replace_code(removal.file, removal.within, without(removal))
            except BaseException:  # noqa: BLE001  (told by the status)
                os._exit(MISPLACED)
            for item in items:
                try:
                    item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
                except BaseException:  # noqa: BLE001  (what is spoiled may raise what it likes)
                    os._exit(FAILED)
                if self._failures:
                    os._exit(FAILED)
            os._exit(PASSED)
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status)


def is_of(nodeid: str, test: str) -> bool:
    """Tell whether a collected test is the named one, or one of its cases."""
    return nodeid == test or nodeid.startswith(f"{test}[")


def without(removal: Removal) -> str:
    """Return the source of a removal's file without its rule."""
    source = (ROOT / removal.file).read_text(encoding="utf-8")
    count = source.count(removal.old)
    assert count == 1, f"{removal.rule}: stands {count} times in {removal.file}: {removal.old}"
    return source.replace(removal.old, removal.new)


def files() -> list[Path]:
    """Return every file that a removal changes."""
    return sorted({ROOT / removal.file for removal in REMOVALS})
