"""Every service has its files, is supervised once, and stands in the map."""

import configparser
import re

import pytest

from shared import config
from shared.topics import COMPONENTS
from tests.architecture.tree import ROOT, packages, services

MANY_CORES = {"feed", "strategy"}
"""Services with a core a source or strategy, each a noun's file of its own beside core.py."""

NOT_ON_THE_BUS = {"simulator", "watch"}


def supervised() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=None)
    parser.read(ROOT / "supervisor.conf")
    return parser


def programs() -> dict[str, str]:
    """Return the command of each supervised program by its name."""
    parser = supervised()
    return {
        name.partition(":")[2]: parser[name]["command"]
        for name in parser.sections()
        if name.partition(":")[0] in ("program", "eventlistener")
    }


@pytest.mark.parametrize("service", services())
def test_service_has_contract_shell_and_core(service: str) -> None:
    folder = ROOT / "services" / service
    assert (folder / "__init__.py").read_text(encoding="utf-8").startswith('"""')
    assert (folder / "__main__.py").is_file()
    assert (folder / "core.py").is_file() or service in MANY_CORES


@pytest.mark.parametrize("service", services())
def test_service_is_supervised(service: str) -> None:
    commands = list(programs().values())
    assert any(re.search(rf"-m services\.{service}( |$)", command) for command in commands)


def test_every_component_is_supervised_once_and_in_no_group() -> None:
    names = list(programs())
    assert sorted(names) == sorted({*COMPONENTS, *NOT_ON_THE_BUS})
    assert len(set(programs().values())) == len(names)
    assert not [name for name in supervised().sections() if name.startswith("group:")]


def test_shutdown_ends_execution_after_strategies_and_before_what_it_listens_to() -> None:
    """Supervisord ends the highest priority first and waits for it, one program at a time."""
    parser = supervised()
    priority = {
        name.partition(":")[2]: int(parser[name]["priority"])
        for name in parser.sections()
        if name.startswith(("program:", "eventlistener:"))
    }
    order = ["market_making", "execution", "state", "feed_user", "risk", "recorder", "watch"]
    found = [priority[name] for name in [*order, "simulator"]]
    assert found == sorted(found, reverse=True)
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("name", [*COMPONENTS, *sorted(NOT_ON_THE_BUS)])
def test_program_is_started_again_for_ever_and_ends_by_term(name: str) -> None:
    parser = supervised()
    section = parser["eventlistener:watch" if name == "watch" else f"program:{name}"]
    assert section["autorestart"] == "true"
    assert int(section["startretries"]) >= 1_000_000
    assert section["stopsignal"] == "TERM"
    enough_s = 15 if name in ("execution", "risk") else 5
    assert int(section["stopwaitsecs"]) >= enough_s


def test_programs_stand_in_flow_order() -> None:
    names = [name for name in programs() if name not in NOT_ON_THE_BUS]
    assert names == list(COMPONENTS)


@pytest.mark.parametrize("package", packages())
def test_architecture_page_names_package(package: str) -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert f"`{package.replace('.', '/')}/`" in page


@pytest.mark.parametrize(
    "profile", sorted((ROOT / "ops").glob("*.toml")), ids=lambda path: path.name
)
def test_profile_has_no_finding(profile: object) -> None:
    assert hasattr(profile, "read_text")
    assert isinstance(config.parse(profile.read_text(encoding="utf-8")), config.Config)
