"""The network swallows orders around a fence, execution dies, and what was swallowed comes late.

A few times in every run; more by `make endurance`.
"""

import os
import random
import signal
import threading
from collections.abc import Iterator

import psutil
import pytest

from shared.topics import EXECUTION, RISK
from tests.processes.doorway import Doorway
from tests.processes.fences import log_lines
from tests.processes.group import GroupUnderTest, Ran
from tests.processes.guarded_venue import guarded_group
from tests.processes.leases import orders_by_salt
from tests.processes.wire_log import WireRecord

ROUNDS = int(os.environ.get("INTERLOCK_BLACKHOLES", "3"))
SECONDS_A_ROUND = 60

ORDER_WITHIN_S = 30.0
HALT_AFTER_S_MAX = 0.6
KILL_AFTER_S_MAX = 0.9
"""The command takes a third of a second to start: the kill falls on both sides of the fence."""

LATE_ORDER_MARGIN_MS = 6_000
"""So late does the venue take an order of ours here: well after the two reads of a proof that
forgets to wait for it. With the usual two seconds the gap between the reads would hide that."""

RELEASE_AFTER_S = (0.3, 11.0)
"""From an order that the venue still takes, long before the proof, to one that is long refused."""

AFTERMATH_S = 2.0
"""What was released is taken or refused at once."""

SEED = 20_261_121


@pytest.fixture
def guarded() -> Iterator[tuple[GroupUnderTest, Doorway]]:
    """A group of this test alone with its doorway, not started yet."""
    group, doorway = guarded_group(LATE_ORDER_MARGIN_MS)
    try:
        yield group, doorway
    finally:
        group.close()
        doorway.close()


class Round:
    """One fence around which everything that execution says is swallowed.

    Attributes:
        late_bytes: How much came late.
        halted: What the command told.
    """

    def __init__(self, group: GroupUnderTest, doorway: Doorway) -> None:
        self._group = group
        self._doorway = doorway
        self.late_bytes = 0
        self.halted: Ran | None = None

    def run(self, halt_s: float, kill_s: float, release_s: float) -> None:
        """Swallow at an order; after so many seconds halt, kill, and let it all out again."""
        self._doorway.hold_orders()
        assert self._doorway.wait_for_order(ORDER_WITHIN_S), "no order to swallow"
        pid = self._group.pid(EXECUTION)
        ports = {one.laddr.port for one in psutil.Process(pid).net_connections("tcp4")}
        assert self._doorway.hold(ports.__contains__)
        steps = [
            threading.Timer(halt_s, self._halt),
            threading.Timer(kill_s, self._kill, (pid,)),
            threading.Timer(release_s, self._release),
        ]
        for step in steps:
            step.start()
        for step in steps:
            step.join()

    def _halt(self) -> None:
        self.halted = self._group.command("halt", "--reason", "blackhole", "--json")

    def _kill(self, pid: int) -> None:
        # Risk may have been faster: a dead execution's number is free for nobody else so soon.
        if self._group.pid(EXECUTION) == pid:
            self._group.signal(EXECUTION, signal.SIGKILL)

    def _release(self) -> None:
        self.late_bytes = self._doorway.release()


def releases_s(chance: random.Random) -> list[float]:
    """Return when each round lets out, one drawn from each of as many equal parts of the range."""
    least, most = RELEASE_AFTER_S
    width = (most - least) / ROUNDS
    return [least + (part + chance.random()) * width for part in range(ROUNDS)]


def proofs(group: GroupUnderTest) -> list[tuple[int, int]]:
    """Return (wall time, epoch) of every fence whose zero risk has proven, oldest first."""
    found: list[tuple[int, int]] = []
    epoch = 0
    for line in log_lines(group.run, RISK, "risk.fence", "risk.fence_stage"):
        after = str(line.fields["after"])
        if line.event == "risk.fence":
            epoch = int(after.removeprefix("epoch "))
        elif after == "zero":
            found.append((line.wall_ns, epoch))
    return found


def taken_after_proof(group: GroupUnderTest) -> list[WireRecord]:
    """Return what the venue took after a proof although it was decided before that fence."""
    group.venue.read()
    refused = {row["request_id"] for row in group.venue.of_kind("refusal")}
    epochs = {row.order_id: row.epoch for row in orders_by_salt(group.data).values()}
    proven = proofs(group)
    return [
        row
        for row in group.venue.of_kind("post", "order")
        if row["owner"]
        and row.get("change", "PLACEMENT") == "PLACEMENT"
        and row.get("request_id") not in refused
        and any(row["wall_ns"] > at and epochs[row["order_id"]] < fence for at, fence in proven)
    ]


@pytest.mark.req("KS-8", "EX-28", "TST-3")
@pytest.mark.timeout(240 + ROUNDS * SECONDS_A_ROUND)
def test_no_order_arrives_after_the_proof_whatever_the_network_held_back(
    guarded: tuple[GroupUnderTest, Doorway],
) -> None:
    """Nothing is taken after the proof, no order is open then, and the proof never breaks."""
    group, doorway = guarded
    assert group.up().status == 0
    chance = random.Random(SEED)
    swallowed = 0
    for number, release_s in enumerate(releases_s(chance)):
        group.wait_until_trading()
        around = Round(group, doorway)
        halt_s, kill_s = chance.uniform(0, HALT_AFTER_S_MAX), chance.uniform(0, KILL_AFTER_S_MAX)
        around.run(halt_s, kill_s, release_s)
        times = f"halt {halt_s:.2f} s, kill {kill_s:.2f} s, release {release_s:.2f} s"
        where = f"round {number}: {times}\n{group.log_tails()}"
        assert around.halted is not None
        assert around.halted.status == 0, f"{around.halted!r}\n{where}"
        threading.Event().wait(AFTERMATH_S)
        assert proofs(group), where
        assert not taken_after_proof(group), where
        assert not group.venue.open_orders().open, where
        assert not log_lines(group.run, RISK, "risk.alert.zero broken"), where
        swallowed += around.late_bytes
        assert group.command("resume", "--reason", "the network is back").status == 0
    assert swallowed, "nothing came late"
