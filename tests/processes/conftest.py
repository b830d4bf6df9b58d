"""Groups for the process tests: one that a module shares and mends, and one of a test's own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.processes.group import GroupUnderTest

HERE: Final = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder spawns processes."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.processes)


@pytest.fixture(scope="module")
def shared_group() -> Iterator[GroupUnderTest]:
    """A group that trades, for all tests of a module."""
    group = GroupUnderTest()
    try:
        ran = group.up()
        assert ran.status == 0, repr(ran)
        yield group
    finally:
        group.close()


@pytest.fixture
def trading(shared_group: GroupUnderTest) -> GroupUnderTest:
    """The module's group, trading again after whatever the test before did to it."""
    shared_group.venue.clear_faults()
    shared_group.wait_until_trading()
    return shared_group


@pytest.fixture
def own_group() -> Iterator[GroupUnderTest]:
    """A group of this test alone, not started yet."""
    group = GroupUnderTest()
    try:
        yield group
    finally:
        group.close()
