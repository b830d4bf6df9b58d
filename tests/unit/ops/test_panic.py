import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from bus.locks import FileLock
from ops.panic import (
    HISTORY_FILE,
    Attempt,
    Latch,
    clear_latch,
    kill_execution,
    write_latch,
)
from ops.venue import OpenOrders, Unanswered
from shared.config import TimingSettings
from shared.units import NS_PER_S, BootNs
from shared.venue.account_wire import OpenOrder
from shared.venue.orders_wire import CancelReply


@pytest.mark.req("OP-12")
def test_latch_is_written_whole_and_remembered(tmp_path: Path) -> None:
    write_latch(tmp_path / "data", "smoke")
    latch = msgspec.json.decode((tmp_path / "data" / "PANIC").read_bytes(), type=Latch)
    assert latch.reason == "smoke"
    assert latch.by


def test_second_panic_keeps_the_first_latch(tmp_path: Path) -> None:
    write_latch(tmp_path, "first")
    write_latch(tmp_path, "second")
    assert msgspec.json.decode((tmp_path / "PANIC").read_bytes(), type=Latch).reason == "first"
    assert len((tmp_path / HISTORY_FILE).read_text().splitlines()) == 2


@pytest.mark.req("OP-15")
def test_clearing_leaves_who_and_why_in_the_history(tmp_path: Path) -> None:
    write_latch(tmp_path, "smoke")
    assert clear_latch(tmp_path, "no fire")
    assert not (tmp_path / "PANIC").exists()
    lines = (tmp_path / HISTORY_FILE).read_bytes().splitlines()
    rows = [msgspec.json.decode(line) for line in lines]
    assert [(row["what"], row["reason"]) for row in rows] == [
        ("panic", "smoke"),
        ("clear", "no fire"),
    ]


def test_clearing_what_does_not_stand_is_said(tmp_path: Path) -> None:
    assert not clear_latch(tmp_path, "nothing")


def test_no_execution_counts_as_dead(tmp_path: Path) -> None:
    assert kill_execution(tmp_path) == (0, True)


def test_lock_that_nobody_holds_is_no_execution(tmp_path: Path) -> None:
    FileLock(tmp_path / "execution.lock", "execution").close()
    assert kill_execution(tmp_path) == (0, True)


@pytest.mark.req("OP-1")
def test_execution_that_holds_its_lock_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from bus.locks import FileLock;"
        "held = FileLock(Path(sys.argv[1]), 'execution'); print('held', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "execution.lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        try:
            assert kill_execution(tmp_path) == (holder.pid, True)
            assert holder.wait(10) == -signal.SIGKILL
        finally:
            holder.kill()


class FakeAccount:
    """An account at the venue whose open orders the test sets; None: it does not answer.

    Attributes:
        now_ns: The test's clock, of which answers carry the stamp.
        asked: `cancel` and `read`, in order.
    """

    def __init__(self) -> None:
        self.now_ns = BootNs(NS_PER_S)
        self.open: int | None = 0
        self.asked: list[str] = []

    def cancel_all(self) -> CancelReply | Unanswered:
        self.asked.append("cancel")
        if self.open is None:
            return Unanswered("silent")
        canceled = tuple(f"0x{number}" for number in range(self.open))
        return CancelReply(canceled=canceled, not_canceled={})

    def open_orders(self) -> OpenOrders | Unanswered:
        self.asked.append("read")
        if self.open is None:
            return Unanswered("silent")
        row = OpenOrder("0x1", "LIVE", "0xm", "1", "BUY", "5", "0", "0.4")
        return OpenOrders((row,) * self.open, self.now_ns, self.now_ns)


def steps(attempt: Attempt, account: FakeAccount, seconds: float) -> BootNs | None:
    """Let an attempt look ten times a second for a while; return when it had its proof."""
    for _ in range(round(seconds * 10)):
        account.now_ns = BootNs(account.now_ns + NS_PER_S // 10)
        proven = attempt.look(account.now_ns)
        if proven is not None:
            return proven
    return None


LAST_ARRIVAL_S = 3.0
"""Lateness margin of 2 s and the venue's second: until then an order may still arrive."""

READ_GAP_S = 2.0


@pytest.mark.req("OP-1")
def test_panic_cancels_at_once_and_reads_only_when_nothing_can_arrive_any_more() -> None:
    """Proof (b): "nothing open" seen while an order may still arrive resolves nothing."""
    account = FakeAccount()
    attempt = Attempt(TimingSettings(), account, account.now_ns)
    assert steps(attempt, account, LAST_ARRIVAL_S) is None
    assert account.asked == ["cancel"]
    proven = steps(attempt, account, READ_GAP_S + 0.5)
    assert proven is not None
    assert proven - NS_PER_S >= (LAST_ARRIVAL_S + READ_GAP_S) * NS_PER_S
    assert account.asked == ["cancel", "read", "read"]


def test_order_that_shows_after_the_first_read_starts_the_count_again() -> None:
    account = FakeAccount()
    attempt = Attempt(TimingSettings(), account, account.now_ns)
    assert steps(attempt, account, LAST_ARRIVAL_S + 0.2) is None
    assert account.asked[-1] == "read"
    account.open = 1
    assert steps(attempt, account, READ_GAP_S + 0.5) is None
    assert "1 open" in attempt.words(account.now_ns)
    assert steps(attempt, account, 3.0) is None
    assert account.asked.count("cancel") >= 2
    account.open = 0
    assert steps(attempt, account, READ_GAP_S + 3.0) is not None


@pytest.mark.req("EX-22")
def test_silence_is_no_proof_and_is_asked_again() -> None:
    account = FakeAccount()
    account.open = None
    attempt = Attempt(TimingSettings(), account, account.now_ns)
    assert steps(attempt, account, 20.0) is None
    assert attempt.words(account.now_ns) == "silent"
    account.open = 0
    assert steps(attempt, account, 8.0) is not None


def test_cancelled_orders_are_counted() -> None:
    account = FakeAccount()
    account.open = 3
    attempt = Attempt(TimingSettings(), account, account.now_ns)
    steps(attempt, account, 0.1)
    assert attempt.canceled == 3
