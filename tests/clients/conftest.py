"""One quiet simulator for all tests of a file."""

from collections.abc import Iterator

import pytest

from tests.builders.clob_server import Server, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("simulator")) as server:
        yield server
