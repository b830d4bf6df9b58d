"""Writes which requirement is proven by which tests, from the tests that ran.

`pytest --safety-case PAGE.md` makes one table a chapter of docs/requirements.md. With `PART.json`
it leaves what it saw; this file, run by its path with a page and parts, makes one page of several
runs. A row counts as proven only when every test that carries its id passed; a skipped one
proves nothing. The page holds no times, so that two equal runs write equal pages.
"""

import json
import re
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest

REQUIREMENTS = Path(__file__).parent.parent / "docs" / "requirements.md"
ROW = re.compile(r"^\| ([A-Z]+-\d+) \| (.+) \|$")
CHAPTER = re.compile(r"^## (.+)$")


def known_requirements() -> dict[str, dict[str, str]]:
    """Return the text of each requirement by id, by chapter, in the order of the page."""
    chapters: dict[str, dict[str, str]] = {}
    chapter = ""
    for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines():
        if heading := CHAPTER.match(line):
            chapter = heading[1]
        elif row := ROW.match(line):
            chapters.setdefault(chapter, {})[row[1]] = row[2]
    return chapters


def known_ids() -> frozenset[str]:
    """Return every id of the page."""
    return frozenset(name for rows in known_requirements().values() for name in rows)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--safety-case", default="", help="write requirement, tests, result here")


def pytest_configure(config: pytest.Config) -> None:
    if target := config.getoption("--safety-case"):
        config.pluginmanager.register(SafetyCase(Path(target)), "interlock-safety-case")


class SafetyCase:
    """Collects the outcome of every marked test and writes the page at the end."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.ids: dict[str, tuple[str, ...]] = {}
        self.outcomes: dict[str, str] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            marks = [name for mark in item.iter_markers("req") for name in mark.args]
            if marks:
                self.ids[item.nodeid] = tuple(marks)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.nodeid not in self.ids:
            return
        worst = self.outcomes.get(report.nodeid, "passed")
        if report.failed:
            worst = "FAILED"
        elif report.skipped and worst == "passed":
            worst = "skipped"
        self.outcomes[report.nodeid] = worst

    def pytest_sessionfinish(self) -> None:
        saw = [(self.ids[node], node, outcome) for node, outcome in self.outcomes.items()]
        self.target.parent.mkdir(parents=True, exist_ok=True)
        if self.target.suffix == ".json":
            self.target.write_text(json.dumps(saw), "utf-8")
        else:
            self.target.write_text(render(known_requirements(), by_requirement(saw)), "utf-8")


Saw = Sequence[tuple[Sequence[str], str, str]]
"""Ids, test and outcome of each test that carries an id."""


def by_requirement(saw: Saw) -> dict[str, dict[str, str]]:
    """Return, for each id, the functions that carry it and their worst outcome."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    order = ("passed", "skipped", "FAILED")
    for ids, nodeid, outcome in saw:
        function = nodeid.split("[")[0]
        for name in ids:
            before = found[name].get(function, "passed")
            found[name][function] = max(before, outcome, key=order.index)
    return found


def merge(page: Path, parts: Sequence[Path]) -> None:
    """Write one page of what several runs saw."""
    saw = [row for part in parts for row in json.loads(part.read_text("utf-8"))]
    page.write_text(render(known_requirements(), by_requirement(saw)), "utf-8")


def render(chapters: dict[str, dict[str, str]], found: dict[str, dict[str, str]]) -> str:
    """Return the page."""
    total = sum(len(rows) for rows in chapters.values())
    proven = sum(
        1 for rows in chapters.values() for name in rows if result(found, name) == "proven"
    )
    lines = [
        "# Safety case",
        "",
        "Requirement, tests that carry its id, and how they ended: written by `make safety-case`,",
        "never by hand. A row without a test is open.",
        "",
        f"Proven: {proven} of {total}.",
    ]
    for chapter, rows in chapters.items():
        lines += ["", f"## {chapter}", "", "| id | result | tests |", "|---|---|---|"]
        for name in rows:
            tests = "<br>".join(
                f"`{function}`" + ("" if outcome == "passed" else f" {outcome}")
                for function, outcome in sorted(found.get(name, {}).items())
            )
            lines.append(f"| {name} | {result(found, name)} | {tests} |")
    return "\n".join(lines) + "\n"


def result(found: dict[str, dict[str, str]], name: str) -> str:
    """Return `open`, `FAILED`, `skipped` or `proven` for one id."""
    outcomes = set(found.get(name, {}).values())
    if not outcomes:
        return "open"
    if "FAILED" in outcomes:
        return "FAILED"
    return "skipped" if "skipped" in outcomes else "proven"


if __name__ == "__main__":
    merge(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
