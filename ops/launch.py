"""Becomes supervisord, holding the locks of the group for as long as supervisord lives.

Run as `python -m ops.launch` by `interlock up`. Three locks are taken, and the process is
then replaced by supervisord, which keeps their descriptors open and its children do not: the
kernel lets go when supervisord ends, however it ends.

- the run directory: one group a directory;
- the data directory: one group a ledger;
- the account: one group on this machine for one wallet at one venue.

Descriptors 0, 3 and 4 carry them, because supervisord closes all from 5 on at its start, and
its children close all from 3 on and get a pipe as 0. Source: supervisor 4.3.0, options.py
(`cleanup_fds`) and process.py (`_prepare_child_fds`).
"""

import hashlib
import os
import sys
import tempfile
from pathlib import Path

from bus.locks import FileLock, LockFault, make_private_directory
from bus.settings import SOURCE_ROOT, Settings, load
from ops.keys import KeyFault, read_key

EXIT_REFUSED = 3
LOCK_FILE = "group.lock"
CONFIGURATION = SOURCE_ROOT / "supervisor.conf"
HELD_AS = (0, 3, 4)


def account_lock_path(address: str, clob_url: str) -> Path:
    """Return the machine's lock for one wallet at one venue, in a directory of this user."""
    place = hashlib.blake2b(f"{address.lower()} {clob_url}".encode(), digest_size=12).hexdigest()
    return Path(tempfile.gettempdir()) / f"interlock-{os.getuid()}" / f"account-{place}.lock"


def take_locks(settings: Settings, address: str) -> tuple[FileLock, FileLock, FileLock]:
    """Take all three locks of a group.

    Raises:
        LockFault: A group has one of them, or a directory is not ours alone.
    """
    account = account_lock_path(address, settings.config.venue.clob_url)
    make_private_directory(settings.run_directory)
    make_private_directory(account.parent)
    run = FileLock(settings.run_directory / LOCK_FILE, f"a group in {settings.run_directory}")
    data = FileLock(settings.data_directory / LOCK_FILE, f"a group on {settings.data_directory}")
    return run, data, FileLock(account, f"a group on account {address}")


def main() -> None:
    """Take the locks and become supervisord."""
    settings = load()
    if not isinstance(settings, Settings):
        sys.exit("; ".join(f"{found.where} {found.what}" for found in settings))
    try:
        locks = take_locks(settings, read_key(settings.key_file).address)
    except (LockFault, KeyFault) as fault:
        print(fault, file=sys.stderr)
        sys.exit(EXIT_REFUSED)
    # First out of the way: a lock may itself have been given one of the low numbers.
    high = [os.dup(lock.fileno()) for lock in locks]
    while any(number in HELD_AS for number in high):
        high = [os.dup(number) for number in high]
    for target, number in zip(HELD_AS, high, strict=True):
        os.dup2(number, target, inheritable=True)
    os.umask(0o077)  # supervisord sets its own only when it makes itself a daemon
    command = [sys.executable, "-m", "supervisor.supervisord", "--nodaemon"]
    os.execv(sys.executable, [*command, "--configuration", str(CONFIGURATION)])  # noqa: S606


if __name__ == "__main__":
    main()
