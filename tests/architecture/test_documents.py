"""Pages say what the program says: commands, their help, and what a README promises."""

from pathlib import Path

import pytest

from ops.cli.__main__ import COMMANDS
from ops.cli.manual import render
from tests.architecture.tree import ROOT

PAGES = sorted((*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")))


def test_page_of_commands_is_their_own_help() -> None:
    """After a change of a help text: `python -m ops.cli.manual > docs/commands.md`."""
    page = ROOT / "docs" / "commands.md"
    assert page.read_text(encoding="utf-8") == render()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_pages_hold_no_mark_of_an_unfinished_merge(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if line.startswith(("<<<<<<<", "=======", ">>>>>>>"))]


def test_changelog_names_every_command() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert not [name for name in COMMANDS if name not in text]


def test_changelog_begins_with_safety_and_schema() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = [line for line in text.splitlines() if line.startswith("### ")]
    assert headings[:2] == ["### Safety", "### Schema"]


def test_readme_shows_running_before_anything_else() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    order = ["make run", "interlock status", "interlock down", "never do"]
    places = [text.index(words) for words in order]
    assert places == sorted(places)


def test_architecture_page_stays_within_300_lines() -> None:
    lines = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 300
    assert sum(line.startswith("**Invariant:**") for line in lines) >= 6
