"""Every switch and every alert has its page, and what a page tells to type exists."""

import ast
import re
from pathlib import Path

import click
import pytest

from ops.cli.__main__ import COMMANDS, main
from ops.runbook_index import INDEX, RUNBOOKS, pages, render
from shared.switches import SWITCHES, Switch
from tests.architecture.tree import ROOT, modules, name_of

PAGES = pages()
HEADINGS = ("**What it means.**", "**Done already.**", "**What ends it.**")
COLLECTED = {"liveness", "contradictions"}
"""Pages of several alerts each, which say these things by alert."""

RUNBOOK_PLACE = {"Alert": 3, "alert": 3, "Notice": 3, "Tell": 3}
"""Which argument names the page, by what is called."""

SOURCES = [path for part in ("services", "bus", "ops") for path in modules(part)]
TYPED = re.compile(r"`interlock ([a-z]+)((?: [^`]*)?)`")


def named_in(path: Path) -> set[str]:
    """Return the pages that a module names in its alerts, by text or by a constant of its own."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        place = RUNBOOK_PLACE.get(called)
        if place is None:
            continue
        given = [keyword.value for keyword in node.keywords if keyword.arg == "runbook"]
        given += node.args[place : place + 1]
        for argument in given:
            if isinstance(argument, ast.Constant):
                found.add(str(argument.value))
            elif isinstance(argument, ast.Name) and argument.id in constants:
                found.add(str(constants[argument.id]))
    return found


@pytest.mark.req("OP-8")
@pytest.mark.parametrize("switch", SWITCHES, ids=lambda switch: switch.name)
def test_every_switch_has_its_page(switch: Switch) -> None:
    assert f"`{switch.name}`" in PAGES[switch.runbook].partition("\n")[0]


@pytest.mark.req("OP-6", "OP-8")
@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_every_alert_names_a_page_that_is_there(path: Path) -> None:
    assert named_in(path) <= set(PAGES)


def test_alerts_are_found_where_they_are() -> None:
    """Break the test above and see it fail: it must find what is there."""
    found = {page for path in SOURCES for page in named_in(path)}
    assert {"liveness", "drill", "cancel-failing", "health-check", "heartbeat-lost"} <= found


@pytest.mark.parametrize("name", PAGES)
def test_page_says_what_it_means_what_was_done_and_what_ends_it(name: str) -> None:
    text = PAGES[name]
    assert text.startswith("# ")
    if name not in COLLECTED:
        assert not [heading for heading in HEADINGS if heading not in text]


@pytest.mark.parametrize("name", PAGES)
def test_commands_of_a_page_exist_with_their_options(name: str) -> None:
    for word, rest in TYPED.findall(PAGES[name]):
        assert word in COMMANDS, word
        command = main.get_command(click.Context(main), word)
        assert command is not None
        options = {option for one in _with_subcommands(command) for option in _options(one)}
        used = {part for part in rest.split() if part.startswith("--")}
        assert used <= options | {"--help"}, f"interlock {word}{rest}"


def _with_subcommands(command: click.Command) -> list[click.Command]:
    below = list(command.commands.values()) if isinstance(command, click.Group) else []
    return [command, *below]


def _options(command: click.Command) -> set[str]:
    return {name for parameter in command.params for name in parameter.opts}


def test_index_names_every_page() -> None:
    """After a new page: `make switches-page`."""
    assert (RUNBOOKS / INDEX).read_text(encoding="utf-8") == render()


def test_links_of_the_switches_page_lead_somewhere() -> None:
    text = (ROOT / "docs" / "switches.md").read_text(encoding="utf-8")
    for link in re.findall(r"\]\((\.\./[^)]+)\)", text):
        assert (ROOT / "docs" / link).resolve().exists(), link
