"""Words that say nothing, and words that say it is not finished."""

import re
from pathlib import Path

import pytest

from tests.architecture.tree import modules, name_of, packages

EMPTY_WORDS = {"utils", "util", "helpers", "helper", "manager", "common", "misc", "base"}
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK|NotImplementedError)\b")
SOURCE = modules("bus", "ops", "services", "shared")


def test_no_module_or_package_is_named_by_an_empty_word() -> None:
    names = {path.stem for path in SOURCE} | {name.rpartition(".")[2] for name in packages()}
    assert not {name for name in names if set(name.split("_")) & EMPTY_WORDS}


@pytest.mark.parametrize("path", SOURCE, ids=name_of)
def test_source_holds_nothing_unfinished(path: Path) -> None:
    assert not UNFINISHED.findall(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", SOURCE, ids=name_of)
def test_module_says_what_it_is_for(path: Path) -> None:
    assert path.read_text(encoding="utf-8").lstrip().startswith('"""')
