import stat
from pathlib import Path

import pytest

from bus.credentials import (
    FILE_BYTES_MAX,
    CredentialsFault,
    Missing,
    read_credentials,
    write_credentials,
    write_private,
)
from shared.venue.auth import Credentials

KEY = Credentials("0xabc", "key-id", "c2VjcmV0LXNlY3JldA==", "whisper")


def test_credentials_come_back_as_written(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    write_credentials(path, KEY)
    found = read_credentials(path)
    assert isinstance(found, Credentials)
    assert (found.address, found.api_key) == ("0xabc", "key-id")
    assert (found.secret, found.passphrase) == ("c2VjcmV0LXNlY3JldA==", "whisper")


@pytest.mark.req("OP-12")
def test_credentials_file_is_replaced_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    path.write_text("old")
    write_credentials(path, KEY)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["credentials.json"]


def test_missing_credentials_are_a_value(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    assert read_credentials(path) == Missing(path)


def test_credentials_open_to_others_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    write_credentials(path, KEY)
    path.chmod(0o640)
    with pytest.raises(CredentialsFault, match="0640"):
        read_credentials(path)


@pytest.mark.req("NET-7")
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"address":"a","apiKey":"b","secret":"whisper","passphrase":7}',
        b'{"address":"a","apiKey":"b","secret":"not base64 whisper","passphrase":"p"}',
        b'{"address":"a","apiKey":"b","secret":"","passphrase":"p","whisper":1}',
        b"x" * (FILE_BYTES_MAX + 1),
    ],
)
def test_file_of_something_else_is_a_fault_that_repeats_nothing(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "credentials.json"
    write_private(path, content)
    with pytest.raises(CredentialsFault) as caught:
        read_credentials(path)
    assert "whisper" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_failed_write_leaves_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "taken"
    path.mkdir()
    with pytest.raises(OSError):  # noqa: PT011  (any refusal of the file system)
        write_private(path, b"new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["taken"]
