"""The credentials file: address, API key, secret and passphrase as JSON, mode 0600.

Reads it for whoever speaks to the venue with a key, and writes it for the command that
obtained one. The file may appear after a process has started: a missing one is a value,
`Missing`, to be asked again, while a wrong one is a fault that only people mend. No text
from here repeats a secret.

    CredentialsFault(Exception)     local: the file is open to others, or holds something else
"""

import os
from pathlib import Path

import msgspec

from bus.settings import MISSING, secret_file_problem
from shared.venue.auth import Credentials

FILE_BYTES_MAX = 4_096
"""Four short texts; more is another file."""

FILE_MODE = 0o600


class CredentialsFault(Exception):
    """The file is there and may not or cannot be used."""


class Missing(msgspec.Struct, frozen=True):
    """There is no such file yet."""

    path: Path


class _File(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What the file holds; private, since its repr shows secrets."""

    address: str
    api_key: str
    secret: str
    passphrase: str


def read_credentials(path: Path) -> Credentials | Missing:
    """Return the credentials of a file, or that it is not there yet.

    Raises:
        CredentialsFault: It is open to others, unreadable, or holds something else.
    """
    problem = secret_file_problem(path)
    if problem == MISSING:
        return Missing(path)
    if problem is not None:
        raise CredentialsFault(f"{path} {problem}")
    try:
        with path.open("rb") as file:
            content = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise CredentialsFault(f"{path} cannot be read: {error.strerror}") from None
    if len(content) > FILE_BYTES_MAX:
        raise CredentialsFault(f"{path} is longer than {FILE_BYTES_MAX} bytes")
    try:
        found = msgspec.json.decode(content, type=_File)
        return Credentials(found.address, found.api_key, found.secret, found.passphrase)
    except (msgspec.DecodeError, ValueError):
        raise CredentialsFault(f"{path} holds something else than credentials") from None


def write_credentials(path: Path, credentials: Credentials) -> None:
    """Put credentials into a file, whole or not at all.

    Raises:
        OSError: The directory takes no file; the old content stands.
    """
    content = msgspec.json.encode(
        _File(credentials.address, credentials.api_key, credentials.secret, credentials.passphrase)
    )
    write_private(path, content)


def write_private(path: Path, content: bytes) -> None:
    """Replace a file by one of mode 0600, atomically and durably.

    Raises:
        OSError: The directory takes no file; the old content stands.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, FILE_MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.rename(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
