"""Packaging: what setuptools interpolates, what is pinned, and why each dependency is here."""

import configparser
import re

import pytest

from tests.architecture.tree import ROOT

PINNED = re.compile(r"^[A-Za-z0-9_.-]+==[^ ]+( ; .+)? \\$")
HOST = re.compile(r"(https?|file|ftp|git\+\w+)://|--(extra-)?index-url|--trusted-host|--find-links")
PACKAGING = (
    "setup.cfg",
    "pyproject.toml",
    "Makefile",
    "requirements.lock",
    "requirements-test.lock",
)
LOCKS = ("requirements.lock", "requirements-test.lock")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def dependency_lines() -> list[tuple[str, str]]:
    """Return each dependency of setup.cfg with the line above it."""
    lines = read("setup.cfg").splitlines()
    options = configparser.ConfigParser(interpolation=None)
    options.read_string(read("setup.cfg"))
    named = options["options"]["install_requires"] + options["options.extras_require"]["test"]
    wanted = {line.strip() for line in named.splitlines() if line.strip()}
    return [
        (line.strip(), lines[number - 1].strip())
        for number, line in enumerate(lines)
        if line.strip() in wanted
    ]


def test_setup_cfg_has_no_percent_sign_below_its_first_line() -> None:
    """Setuptools interpolates every section: tests stay green and the build dies."""
    first, _, rest = read("setup.cfg").partition("\n")
    assert "percent" in first
    assert "%" not in rest


def test_pyproject_stays_at_three_lines() -> None:
    """A tool's section there makes mypy drop setup.cfg without a word."""
    assert len(read("pyproject.toml").strip().splitlines()) == 3


def test_each_dependency_has_its_reason_above_it() -> None:
    found = dependency_lines()
    assert len(found) > 15
    for dependency, above in found:
        assert above.startswith("# "), dependency
        assert above.endswith("."), dependency


@pytest.mark.parametrize("lock", LOCKS)
def test_every_lock_entry_is_pinned_with_hashes(lock: str) -> None:
    lines = [line for line in read(lock).splitlines() if line and not line.lstrip().startswith("#")]
    entries = [number for number, line in enumerate(lines) if not line.startswith(" ")]
    assert entries
    for number in entries:
        assert PINNED.match(lines[number]), lines[number]
        assert lines[number + 1].strip().startswith("--hash=sha256:"), lines[number]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_dependency_is_in_the_lock(lock: str) -> None:
    locked = {line.split("==")[0].lower() for line in read(lock).splitlines() if "==" in line}
    test_only = lock == "requirements-test.lock"
    text = read("setup.cfg")
    runtime = text[: text.index("[options.extras_require]")]
    for dependency, _ in dependency_lines():
        if test_only or dependency in runtime:
            assert re.split(r"[ =<>]", dependency)[0].lower() in locked


@pytest.mark.parametrize("name", PACKAGING)
def test_packaging_names_no_registry(name: str) -> None:
    assert not HOST.search(read(name))


def test_readme_commands_are_targets_of_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    assert {"run", "check", "test", "fmt", "bench", "clean"} <= targets
    assert set(re.findall(r"`make ([a-z-]+)`", read("README.md"))) <= targets
    assert "make test" in read(".ci/run")
