import pytest

from bus.endpoints import (
    PATH_BYTES_MAX,
    PathTooLong,
    control_endpoint,
    facts_endpoint,
    snapshot_endpoint,
    socket_path,
)
from shared.topics import STATE


def test_endpoints_lie_in_the_run_directory() -> None:
    assert facts_endpoint("/r/", STATE) == "ipc:///r/state.pub"
    assert snapshot_endpoint("/r", STATE) == "ipc:///r/state.snap"
    assert control_endpoint("/r") == "ipc:///r/risk.control"


@pytest.mark.parametrize("over", [-1, 0])
def test_path_up_to_the_kernels_limit_is_taken(over: int) -> None:
    directory = "/" + "d" * (PATH_BYTES_MAX + over - len("/") - len("/state.pub"))
    assert len(socket_path(directory, "state.pub")) == PATH_BYTES_MAX + over


def test_path_over_the_kernels_limit_is_refused() -> None:
    directory = "/" + "d" * (PATH_BYTES_MAX + 1 - len("/") - len("/state.pub"))
    with pytest.raises(PathTooLong, match="108 bytes"):
        socket_path(directory, "state.pub")


def test_path_is_measured_in_bytes() -> None:
    with pytest.raises(PathTooLong):
        socket_path("/" + "é" * 52, "state.pub")
