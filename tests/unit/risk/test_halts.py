"""Halts, resumes, disks, panic and the end, each through the whole core."""

import pytest

from services.risk.messages import (
    PanicSeen,
    Persist,
    Persisted,
    StoredState,
    SupervisorGone,
)
from shared.control import SelfFenced
from shared.effects import Control, Stop
from shared.operator import Halted, LatchName, RequestRefused, Resume, Resumed, ResumeRefused
from shared.risk_schema import LatchRow
from shared.units import BootNs, WallNs
from tests.builders.risk import World


def trading() -> World:
    world = World()
    world.trade()
    return world


# --- halt and resume --------------------------------------------------------------------


@pytest.mark.req("KS-8")
def test_halt_is_answered_when_zero_is_proven_and_the_latch_is_on_disk() -> None:
    world = trading()
    world.halt("smoke")
    world.run(1_900)
    assert world.replies == []
    world.run(1_000)
    ((connection, reply),) = world.replies
    assert connection == 1
    assert isinstance(reply, Halted)
    assert reply.fence is not None
    assert reply.fence.zero_ns is not None
    assert world.status.trading_state == "HALTED"


@pytest.mark.req("KS-8")
def test_halt_blocks_without_the_disk_and_is_not_answered_without_it() -> None:
    world = trading()
    world.disk_answers = False
    since = world.ms
    world.halt()
    world.run(6_000)
    assert world.status.fence == "zero"
    assert not world.leases(since + 10)
    assert world.replies == []
    world.finish_writes()
    assert isinstance(world.replies[0][1], Halted)


@pytest.mark.req("INV-9")
def test_latch_of_an_earlier_run_halts_from_the_first_turn() -> None:
    row = LatchRow("operator_halt", "account", "", 3, WallNs(1), "before", "")
    world = World(StoredState(used_max=1_000, reserved=2_000, latch_version=3, latches=(row,)))
    world.run(20_000)
    assert world.status.trading_state == "HALTED"
    assert not world.leases()
    world.resume()
    world.trade()


def test_latch_that_no_table_knows_halts() -> None:
    row = LatchRow("of_another_release", "account", "", 3, WallNs(1), "before", "")
    world = World(StoredState(used_max=1_000, reserved=2_000, latch_version=3, latches=(row,)))
    world.run(1_000)
    assert world.status.trading_state == "HALTED"


def test_database_in_trouble_starts_latched() -> None:
    world = World(StoredState(trouble="the risk database is missing"))
    world.run(20_000)
    assert world.status.trading_state == "HALTED"
    assert not world.leases()


def test_resume_is_refused_while_zero_is_not_proven() -> None:
    world = trading()
    world.halt()
    world.run(200)
    world.resume()
    reply = world.replies[-1][1]
    assert isinstance(reply, ResumeRefused)
    assert any("zero is not proven" in blocker for blocker in reply.blockers)


@pytest.mark.req("KS-8")
def test_resume_ends_the_halt_once_it_is_on_disk_and_trading_follows() -> None:
    world = trading()
    world.halt()
    world.run(4_000)
    world.disk_answers = False
    world.resume()
    world.run(1_000)
    assert world.status.trading_state == "HALTED"
    world.finish_writes()
    assert isinstance(world.replies[-1][1], Resumed)
    world.trade()


@pytest.mark.req("KS-8")
def test_later_halt_voids_a_resume_on_its_way_to_the_disk() -> None:
    world = trading()
    world.halt()
    world.run(4_000)
    world.disk_answers = False
    world.resume()
    world.halt("again")
    world.finish_writes()
    refused = [one for _, one in world.replies if isinstance(one, ResumeRefused)]
    assert len(refused) == 1
    world.run(10_000)
    assert world.status.trading_state == "HALTED"


def test_resume_of_another_version_is_refused_and_clears_nothing() -> None:
    world = trading()
    world.halt()
    world.run(4_000)
    other = LatchName(name="operator_halt", scope="account", scope_id="", version=99)
    world.ask(Resume(latches=(other,), reason="x"))
    assert isinstance(world.replies[-1][1], ResumeRefused)
    world.run(5_000)
    assert world.status.trading_state == "HALTED"


@pytest.mark.req("OP-15")
def test_operators_requests_are_in_the_trail_with_who_asked() -> None:
    world = trading()
    world.halt("because")
    entries = [
        record.entry
        for write in world.of(Persist)
        for record in write.records
        if hasattr(record, "entry")
    ]
    asked = [entry for entry in entries if entry.kind == "operator"]
    assert [(entry.what, entry.cause) for entry in asked] == [("halt", "because")]
    assert asked[0].actor == "uid 1000 pid 4242"


def test_halt_of_a_scope_is_answered_once_execution_has_cancelled_there() -> None:
    world = trading()
    world.execution.carries = False
    world.halt(scope="asset", scope_id="btc")
    world.run(300)
    assert world.replies == []
    world.execution.carries = True
    world.run(300)
    reply = world.replies[0][1]
    assert isinstance(reply, Halted)
    assert reply.fence is None
    assert world.status.trading_state == "ACTIVE"
    assert world.leases()[-1].scopes[0].state == "HALTED"


def test_pause_that_execution_does_not_carry_out_stops_the_account() -> None:
    world = trading()
    world.execution.carries = False
    world.halt(scope="asset", scope_id="btc")
    world.run(900)
    assert world.status.trading_state == "ACTIVE"
    world.run(300)
    assert world.status.trading_state == "PAUSED"


def test_malformed_request_is_answered_and_changes_nothing() -> None:
    world = trading()
    epoch = world.status.epoch
    world.tell_line(b'{"type":"halt","reason":""}')
    world.tell_line(b'{"type":"halt","reason":"x","scope":"asset"}')
    world.run(300)
    assert all(isinstance(reply, RequestRefused) for _, reply in world.replies)
    assert len(world.replies) == 2
    assert (world.status.trading_state, world.status.epoch) == ("ACTIVE", epoch)


# --- disk -------------------------------------------------------------------------------


def test_disk_that_fails_while_trading_latches_the_account() -> None:
    world = trading()
    world.disk_works = False
    world.halt(scope="strategy", scope_id="caretaker")
    world.run(200)
    assert world.status.trading_state == "HALTED"
    assert any("disk full" in one.reason for one in world.status.switches)


# --- panic, stop ------------------------------------------------------------------------


@pytest.mark.req("OP-1")
def test_panic_file_latches_and_cannot_be_resumed_while_it_stands() -> None:
    world = trading()
    world.tell(PanicSeen(True))
    world.run(5_000)
    assert world.status.trading_state == "HALTED"
    world.resume()
    assert isinstance(world.replies[-1][1], ResumeRefused)
    world.tell(PanicSeen(False))
    world.run(1_000)
    assert world.status.trading_state == "HALTED"
    world.resume()
    world.trade()


@pytest.mark.req("KS-12")
@pytest.mark.parametrize("message", [Stop("SIGTERM"), SupervisorGone()])
def test_stop_fences_and_ends_once_zero_is_proven(message: Stop | SupervisorGone) -> None:
    world = trading()
    epoch = world.status.epoch
    world.tell(message)
    assert [one.body.epoch for one in world.of(Control)][-1] == epoch + 1
    world.run(1_500)
    assert world.exits() == []
    world.run(1_500)
    assert [one.status for one in world.exits()] == [0]


@pytest.mark.req("KS-12")
def test_stop_that_cannot_prove_zero_ends_all_the_same_and_says_so() -> None:
    world = trading()
    world.venue.silent.add("/data/orders")
    world.tell(Stop("SIGTERM"))
    world.run(11_500)
    assert world.exits() == []
    world.run(1_000)
    (end,) = world.exits()
    assert end.status == 1
    assert "not proven" in end.reason


def test_stop_waits_for_what_is_on_its_way_to_the_disk() -> None:
    world = trading()
    world.disk_answers = False
    world.tell(Stop("SIGTERM"))
    world.run(6_000)
    assert world.exits() == []
    world.tell(Persisted(world.writes[-1].write_id))
    world.disk_answers = True
    world.run(200)
    assert [one.status for one in world.exits()] == [0]


def test_operator_who_waits_is_told_that_risk_stops() -> None:
    world = trading()
    world.venue.silent.add("/data/orders")
    world.halt()
    world.tell(Stop("SIGTERM"))
    world.run(13_000)
    assert isinstance(world.replies[-1][1], RequestRefused)


@pytest.mark.req("EX-3")
def test_cancels_refused_stop_the_beats_and_trading_until_one_works() -> None:
    world = trading()
    world.venue.statuses["/cancel-all"] = 401
    world.halt()
    world.run(4_000)
    world.resume()
    since = world.venue.beats
    world.run(8_000)
    assert world.venue.beats == since
    assert "own cancel path works" in world.check_list()
    world.venue.statuses = {}
    world.trade()


@pytest.mark.req("EX-3", "EX-18")
def test_execution_whose_cancels_fail_is_fenced_cancelled_for_and_left_to_the_dead_man() -> None:
    """Risk's own cancels fail too: it sends no beat until zero is proven, and repeats."""
    world = trading()
    world.venue.open = ["0xa"]
    world.venue.statuses = {"/cancel-all": 500, "/orders": 500}
    epoch = world.status.epoch
    since = world.now.boot_ns
    world.execution.self_fenced = SelfFenced(epoch, "cancels fail: 2 orders resist", BootNs(1))
    world.run(300)
    assert world.status.epoch > epoch
    beats = world.venue.beats
    world.run(15_000)
    assert world.venue.beats == beats, "the venue sweeps after ten to fifteen seconds of silence"
    tries = [at for at, _ in world.venue.paths("/cancel-all") if at.boot_ns > since]
    assert len(tries) >= 40, "four times a second"
    world.venue.statuses = {}
    world.run(8_000)
    assert world.venue.open == []
    assert world.status.trading_state == "ACTIVE"
    assert world.venue.beats > beats
