"""Starts the seeds before the first test and asks for them after the last."""

import pytest

from tests.simulation.seeds import Seeds

MARK = "seeds"
SEEDS = pytest.StashKey[Seeds]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what waits for the seeds at the end."""
    items.sort(key=lambda item: item.get_closest_marker(MARK) is not None)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start the seeds when a selected test will ask for them."""
    wanted = any(item.get_closest_marker(MARK) for item in session.items)
    if wanted and not session.config.option.collectonly:
        session.config.stash[SEEDS] = Seeds()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave nothing running."""
    if SEEDS in session.config.stash:
        session.config.stash[SEEDS].end()


@pytest.fixture
def seeds(request: pytest.FixtureRequest) -> Seeds:
    """Return the runs under way."""
    return request.config.stash[SEEDS]
