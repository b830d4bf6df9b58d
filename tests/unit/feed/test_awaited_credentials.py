from pathlib import Path

import pytest

from bus.credentials import write_credentials
from services.feed.awaited_credentials import LOOK_AGAIN_NS, LOOK_EVERY_NS, AwaitedCredentials
from services.feed.messages import CredentialsFound
from shared.units import NS_PER_MS
from shared.venue.auth import Credentials
from tests.builders.feeds import at

FOUND = Credentials("0x" + "ab" * 20, "the-key", "c2VjcmV0", "the-passphrase")
EVERY_MS = LOOK_EVERY_NS / NS_PER_MS


def test_credentials_that_appear_later_are_told_once(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    awaited = AwaitedCredentials(path)
    assert awaited.on_tick(at(0)) == []
    assert awaited.problem.endswith("is missing")
    write_credentials(path, FOUND)
    assert awaited.on_tick(at(EVERY_MS - 1)) == [], "the disk is looked at once a second"
    (message,) = awaited.on_tick(at(EVERY_MS))
    assert isinstance(message, CredentialsFound)
    assert message.credentials.api_key == "the-key"
    assert awaited.on_tick(at(10 * EVERY_MS)) == []


@pytest.mark.parametrize("content", [b"", b"{}", b"{"])
def test_wrong_file_is_waited_for_like_a_missing_one(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "credentials.json"
    path.write_bytes(content)
    path.chmod(0o600)
    awaited = AwaitedCredentials(path)
    assert awaited.on_tick(at(0)) == []
    assert "something else" in awaited.problem


def test_file_open_to_others_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    write_credentials(path, FOUND)
    path.chmod(0o644)
    awaited = AwaitedCredentials(path)
    assert awaited.on_tick(at(0)) == []
    assert awaited.credentials is None


def test_other_credentials_are_told_and_the_same_ones_are_not(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    write_credentials(path, FOUND)
    awaited = AwaitedCredentials(path)
    assert awaited.on_tick(at(0))
    again_ms = LOOK_AGAIN_NS / NS_PER_MS
    assert awaited.on_tick(at(again_ms)) == []
    path.unlink()
    write_credentials(path, Credentials(FOUND.address, "another-key", "c2VjcmV0", "words"))
    assert awaited.on_tick(at(2 * again_ms - 1)) == []
    (message,) = awaited.on_tick(at(2 * again_ms))
    assert isinstance(message, CredentialsFound)
    assert message.credentials.api_key == "another-key"


def test_what_was_read_stays_in_use_while_the_file_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    write_credentials(path, FOUND)
    awaited = AwaitedCredentials(path)
    awaited.on_tick(at(0))
    path.unlink()
    assert awaited.on_tick(at(LOOK_AGAIN_NS / NS_PER_MS)) == []
    assert awaited.credentials is not None
    assert awaited.problem.endswith("is missing")
