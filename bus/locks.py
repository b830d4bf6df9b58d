"""One of each component: a file lock held for life, in a run directory that is ours alone.

A second bind on a live ipc endpoint succeeds silently, so the lock is taken before the
first bind. The kernel lets go of it when the process ends, however it ends.
"""

import fcntl
import os
import stat
from pathlib import Path

from shared.identifiers import Component

DIRECTORY_MODE = 0o700
FILE_MODE = 0o600
PID_BYTES_MAX = 20


class LockFault(Exception):
    """Local fault: this process may not start here. Subclasses say why."""


class AlreadyRunning(LockFault):
    """Another process holds the lock.

    Attributes:
        name: Whose lock.
        pid: Holder, 0 when the file does not tell.
    """

    def __init__(self, name: str, pid: int) -> None:
        """Take the lock's name and its holder."""
        super().__init__(f"{name} is already running as process {pid}")
        self.name = name
        self.pid = pid


class UnsafeDirectory(LockFault):
    """The directory is not ours alone: another user's, a link, or open to others."""


def make_private_directory(path: Path) -> None:
    """Create a directory with mode 0700, or check that an existing one is ours alone.

    Raises:
        UnsafeDirectory: It is not.
    """
    path.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise UnsafeDirectory(f"{path} is no directory")
    if found.st_uid != os.getuid():
        raise UnsafeDirectory(f"{path} belongs to user {found.st_uid}")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise UnsafeDirectory(f"{path} is open to others: mode must be 0700")


class FileLock:
    """An exclusive lock, held from construction to `close` or the end of the process."""

    def __init__(self, path: Path, name: str) -> None:
        """Take the lock at once or not at all.

        Raises:
            AlreadyRunning: Somebody else has it.
        """
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = _read_pid(self._descriptor)
            os.close(self._descriptor)
            raise AlreadyRunning(name, pid) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def fileno(self) -> int:
        """Return the descriptor, which a process may hand on to the program it becomes."""
        return self._descriptor

    def close(self) -> None:
        """Let go. The file stays: removing it would let two processes lock two files."""
        os.close(self._descriptor)


def lock_component(run_directory: Path, component: Component) -> FileLock:
    """Take a component's lock in a checked run directory.

    Raises:
        AlreadyRunning: The component runs there already.
        UnsafeDirectory: The run directory is not ours alone.
    """
    make_private_directory(run_directory)
    return FileLock(run_directory / f"{component}.lock", component)


def lock_file(path: Path, name: str) -> FileLock:
    """Take the lock of a database or data directory, beside the component's own.

    Raises:
        AlreadyRunning: Somebody else has it.
    """
    return FileLock(path, name)


def _read_pid(descriptor: int) -> int:
    text = os.pread(descriptor, PID_BYTES_MAX, 0).strip()
    return int(text) if text.isdigit() else 0
