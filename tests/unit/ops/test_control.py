import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.control import ScopeFault, Silent, ask, latches_in, parse_scope
from shared.facts import SwitchStatus
from shared.operator import (
    LatchName,
    Switches,
    SwitchList,
    decode_request,
    encode_reply,
)


@pytest.fixture
def run_directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="il", dir="/tmp") as path:
        yield Path(path)


class FakeRisk:
    """Answers one connection with what it was given, after having read one line."""

    def __init__(self, run_directory: Path, answer: bytes) -> None:
        self.request = b""
        self._answer = answer
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(run_directory / "operator.sock"))
        self._listener.listen(1)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            self.request = connection.recv(65_536)
            connection.sendall(self._answer)

    def close(self) -> None:
        self._thread.join(5)
        self._listener.close()


def tripped(
    name: str = "operator_halt", scope: str = "account", scope_id: str = ""
) -> SwitchStatus:
    return SwitchStatus(name, scope, scope_id, "latch", 3, 1, "because", "")


def test_request_is_one_line_and_answer_comes_back(run_directory: Path) -> None:
    answer = SwitchList(switches=(tripped(),))
    risk = FakeRisk(run_directory, encode_reply(answer) + b"\n")
    assert ask(run_directory, Switches(), 5.0) == answer
    risk.close()
    assert risk.request.endswith(b"\n")
    assert decode_request(risk.request) == Switches()


def test_nobody_there_means_not_taken(run_directory: Path) -> None:
    answer = ask(run_directory, Switches(), 1.0)
    assert isinstance(answer, Silent)
    assert not answer.taken


@pytest.mark.req("EX-22")
@pytest.mark.parametrize("answer", [b"", b'{"type":"Halted"', b"garbage\n"])
def test_broken_answer_is_neither_yes_nor_no(run_directory: Path, answer: bytes) -> None:
    risk = FakeRisk(run_directory, answer)
    found = ask(run_directory, Switches(), 5.0)
    risk.close()
    assert isinstance(found, Silent)
    assert found.taken


def test_scopes_are_read_strictly() -> None:
    assert parse_scope("account") == ("account", "")
    assert parse_scope("asset:btc") == ("asset", "btc")
    for text in ("asset", "account:x", "asset:", "btc"):
        with pytest.raises(ScopeFault):
            parse_scope(text)


def test_resume_names_the_versions_it_has_seen_and_no_cutoff() -> None:
    seen = (tripped(), tripped("market_cutoff", "market", "0xm"), tripped("x", "asset", "btc"))
    assert latches_in(seen, "account", "") == (
        LatchName("operator_halt", "account", "", 3),
        LatchName("x", "asset", "btc", 3),
    )
    assert latches_in(seen, "asset", "btc") == (LatchName("x", "asset", "btc", 3),)


@pytest.mark.req("CP-3")
def test_resume_of_the_account_enables_no_strategy_that_was_disabled() -> None:
    seen = (tripped(), tripped("strategy_disabled", "strategy", "caretaker"))
    assert [latch.name for latch in latches_in(seen, "account", "")] == ["operator_halt"]
    found = latches_in(seen, "strategy", "caretaker")
    assert [latch.name for latch in found] == ["strategy_disabled"]
