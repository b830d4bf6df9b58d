"""Where each process listens: Unix sockets in the run directory.

Pure: makes names, opens nothing. A path that the kernel would cut is refused.
Source: unix(7), `sun_path` has 108 bytes with its closing zero.
"""

from shared.identifiers import Component

PATH_BYTES_MAX = 107
"""Longest path of a Unix socket on Linux."""


class PathTooLong(ValueError):
    """The run directory is too long for a Unix socket inside it: a local fault, fixed by people."""


def socket_path(run_directory: str, name: str) -> str:
    """Return the path of a socket file in the run directory.

    Raises:
        PathTooLong: It has more than 107 bytes.
    """
    path = f"{run_directory.rstrip('/')}/{name}"
    length = len(path.encode())
    if length > PATH_BYTES_MAX:
        raise PathTooLong(f"{path} has {length} bytes, a socket path ends at {PATH_BYTES_MAX}")
    return path


def facts_endpoint(run_directory: str, component: Component) -> str:
    """Return where a component publishes its facts (PUB)."""
    return "ipc://" + socket_path(run_directory, f"{component}.pub")


def snapshot_endpoint(run_directory: str, component: Component) -> str:
    """Return where a component answers requests for a snapshot (ROUTER)."""
    return "ipc://" + socket_path(run_directory, f"{component}.snap")


def control_endpoint(run_directory: str) -> str:
    """Return where risk keeps the control line (ROUTER)."""
    return "ipc://" + socket_path(run_directory, "risk.control")


def operator_path(run_directory: str) -> str:
    """Return the path of the operator's Unix socket."""
    return socket_path(run_directory, "operator.sock")
