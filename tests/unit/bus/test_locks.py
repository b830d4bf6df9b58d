import os
from pathlib import Path

import pytest

from bus.locks import (
    AlreadyRunning,
    UnsafeDirectory,
    lock_component,
    make_private_directory,
)
from shared.topics import EXECUTION, RISK


@pytest.mark.req("CP-8")
def test_second_of_a_component_is_refused_with_the_first_ones_pid(tmp_path: Path) -> None:
    directory = tmp_path / "run"
    lock = lock_component(directory, EXECUTION)
    with pytest.raises(AlreadyRunning) as refused:
        lock_component(directory, EXECUTION)
    assert refused.value.pid == os.getpid()
    assert str(refused.value) == f"execution is already running as process {os.getpid()}"
    lock.close()


def test_lock_is_free_again_when_its_holder_lets_go(tmp_path: Path) -> None:
    directory = tmp_path / "run"
    lock_component(directory, EXECUTION).close()
    again = lock_component(directory, EXECUTION)
    with pytest.raises(AlreadyRunning):
        lock_component(directory, EXECUTION)
    again.close()


def test_components_do_not_lock_each_other(tmp_path: Path) -> None:
    directory = tmp_path / "run"
    locks = [lock_component(directory, EXECUTION), lock_component(directory, RISK)]
    assert {path.name for path in directory.glob("*.lock")} == {"execution.lock", "risk.lock"}
    for lock in locks:
        lock.close()


def test_lock_held_by_an_unnamed_process_has_pid_zero(tmp_path: Path) -> None:
    directory = tmp_path / "run"
    lock = lock_component(directory, EXECUTION)
    (directory / "execution.lock").write_text("")
    with pytest.raises(AlreadyRunning) as refused:
        lock_component(directory, EXECUTION)
    assert refused.value.pid == 0
    lock.close()


@pytest.mark.req("OP-2")
def test_run_directory_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    directory = tmp_path / "run"
    make_private_directory(directory)
    assert directory.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o777])
def test_directory_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    directory = tmp_path / "run"
    directory.mkdir()
    directory.chmod(mode)
    with pytest.raises(UnsafeDirectory, match="open to others"):
        make_private_directory(directory)


def test_link_to_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "run").symlink_to(tmp_path / "real")
    with pytest.raises(UnsafeDirectory, match="no directory"):
        make_private_directory(tmp_path / "run")
