"""What an operator's requests do beyond halting: each through the whole core."""

from collections.abc import Callable

import msgspec
import pytest

from services.risk.messages import Persist, StoredState
from services.risk.operation import CHANGES_BURST, READS_BURST
from shared.clean_run import CleanRun
from shared.config import Config
from shared.operator import (
    Capital,
    CapitalReport,
    Disable,
    Drill,
    Drilled,
    DrillReport,
    Enable,
    Flatten,
    Halt,
    Halted,
    LatchName,
    OperatorForbidden,
    PaperRun,
    Ramp,
    Ramped,
    Reply,
    Request,
    RequestRefused,
    Reset,
    Resumed,
    ResumeRefused,
    Switches,
    SwitchList,
)
from shared.risk_schema import AuditEntry, AuditRow, LatchRow
from shared.switches import STRATEGY_PERFORMANCE
from shared.topics import FEED_USER
from shared.units import NS_PER_S, WallNs
from tests.builders.risk import API_KEY, World
from tests.builders.risk_parts import config

MAKER = "market_making"


def trading(settings: Config | None = None, stored: StoredState | None = None) -> World:
    world = World(stored, settings)
    world.trade()
    return world


def entries(world: World) -> list[AuditEntry]:
    """Return the trail's rows, in the order in which they were written."""
    return [
        record.entry
        for write in world.of(Persist)
        for record in write.records
        if isinstance(record, AuditRow)
    ]


def ask(world: World, request: Request) -> Reply:
    """Ask, and return the answer once it has come."""
    count = len(world.replies)
    world.ask(request)
    for _ in range(100):
        if len(world.replies) > count:
            return world.replies[-1][1]
        world.run(100)
    raise AssertionError("no answer")


def in_mode(mode: str) -> Config:
    settings = config()
    return msgspec.structs.replace(settings, run=msgspec.structs.replace(settings.run, mode=mode))


# --- strategies -------------------------------------------------------------------------


@pytest.mark.req("CP-3", "OP-1")
def test_disabled_strategy_is_held_alone_until_it_is_enabled() -> None:
    world = trading()
    disabled = ask(world, Disable(strategy=MAKER, reason="too dear"))
    assert isinstance(disabled, Halted)
    assert disabled.latch.name == "strategy_disabled"
    assert world.status.trading_state == "ACTIVE"
    assert [(one.scope_id, one.state) for one in world.leases()[-1].scopes] == [(MAKER, "REDUCING")]
    enable = Enable(strategy=MAKER, version=disabled.latch.version, reason="cheap again")
    assert isinstance(ask(world, enable), Resumed)
    world.run(300)
    assert world.leases()[-1].scopes == ()


def test_enabling_another_version_is_refused() -> None:
    world = trading()
    disabled = ask(world, Disable(strategy=MAKER, reason="x"))
    assert isinstance(disabled, Halted)
    enable = Enable(strategy=MAKER, version=disabled.latch.version + 1, reason="x")
    assert isinstance(ask(world, enable), ResumeRefused)
    world.run(300)
    assert world.leases()[-1].scopes[0].state == "REDUCING"


def test_reset_clears_the_latches_of_one_strategy_and_no_other() -> None:
    world = trading()
    assert isinstance(ask(world, Disable(strategy=MAKER, reason="x")), Halted)
    assert isinstance(ask(world, Halt(scope="asset", scope_id="btc", reason="x")), Halted)
    world.run(200)
    names = {
        one.scope: LatchName(one.name, one.scope, one.scope_id, one.version)  # type: ignore[arg-type]
        for one in world.status.switches
    }
    others = Reset(strategy=MAKER, latches=(names["asset"],), reason="x")
    refused = ask(world, others)
    assert isinstance(refused, RequestRefused)
    assert refused.error == "malformed"
    mine = Reset(strategy=MAKER, latches=(names["strategy"],), reason="x")
    assert isinstance(ask(world, mine), Resumed)
    world.run(200)
    assert [one.scope for one in world.status.switches] == ["asset"]


@pytest.mark.req("CB-4")
@pytest.mark.parametrize(("clean_s", "answer"), [(None, ResumeRefused), (86_400, Resumed)])
def test_strategy_that_did_too_badly_trades_real_money_only_after_a_paper_run(
    clean_s: int | None, answer: type[Reply]
) -> None:
    row = LatchRow(STRATEGY_PERFORMANCE.name, "strategy", MAKER, 1, WallNs(5), "too bad", "")
    stored = StoredState(
        used_max=1_000, reserved=2_000, capital_usd=50, latches=(row,), api_key=API_KEY
    )
    world = trading(in_mode("live"), stored)
    paper = None if clean_s is None else PaperRun(clean_s, 7, "ab" * 32, 5)
    name = LatchName(row.name, row.scope, row.scope_id, row.version)
    reset = Reset(strategy=MAKER, latches=(name,), reason="mended", paper=paper)
    assert isinstance(ask(world, reset), answer)


@pytest.mark.parametrize(
    "request_",
    [
        Halt(scope="asset", scope_id="bct", reason="x"),
        Halt(scope="account", scope_id="btc", reason="x"),
        Flatten(scope="strategy", scope_id="nobody", reason="x"),
        Disable(strategy="nobody", reason="x"),
        Enable(strategy="nobody", version=1, reason="x"),
    ],
)
def test_scope_that_there_is_not_is_refused_and_holds_nothing(request_: Request) -> None:
    world = trading()
    refused = ask(world, request_)
    assert isinstance(refused, RequestRefused)
    world.run(300)
    assert world.status.switches == ()
    assert world.status.trading_state == "ACTIVE"


# --- flatten ----------------------------------------------------------------------------


@pytest.mark.req("OP-1", "EX-17")
def test_flatten_proves_zero_and_then_grants_what_reduces() -> None:
    world = trading()
    answer = ask(world, Flatten(reason="going home"))
    assert isinstance(answer, Halted)
    assert answer.latch.name == "operator_flatten"
    assert answer.fence is not None
    assert answer.fence.zero_ns is not None
    before = len(world.leases())
    world.run(10_000)
    assert world.status.trading_state == "REDUCING"
    assert {ping.lease.state for ping in world.leases()[before + 1 :] if ping.lease} == {"REDUCING"}


def test_flatten_of_a_scope_reduces_there_alone() -> None:
    world = trading()
    assert isinstance(ask(world, Flatten(scope="asset", scope_id="btc", reason="x")), Halted)
    assert world.status.trading_state == "ACTIVE"
    assert [one.state for one in world.leases()[-1].scopes] == ["REDUCING"]


def test_halt_stands_above_flatten() -> None:
    world = trading()
    ask(world, Flatten(reason="x"))
    ask(world, Halt(reason="x"))
    world.run(10_000)
    assert world.status.trading_state == "HALTED"


# --- what would block -------------------------------------------------------------------


@pytest.mark.req("OP-2")
def test_list_of_switches_says_what_would_block_each_resume() -> None:
    world = trading()
    world.venue.silent.add("/data/orders")
    world.halt()
    world.run(300)
    seen = ask(world, Switches())
    assert isinstance(seen, SwitchList)
    (detail,) = [one for one in seen.details if one.name == "operator_halt"]
    assert any("zero is not proven" in blocker for blocker in detail.blockers)


def test_list_of_switches_counts_bad_samples_before_they_trip() -> None:
    world = trading()
    world.stale[FEED_USER] = 60_000
    world.run(200)
    seen = ask(world, Switches())
    assert isinstance(seen, SwitchList)
    (detail,) = [one for one in seen.details if one.name == "own_order_feed_stale"]
    assert 0 < detail.bad <= detail.needed
    assert (detail.needed, detail.of) == (3, 5)


# --- the trail --------------------------------------------------------------------------


@pytest.mark.req("OP-15", "OP-2")
def test_every_request_is_in_the_trail_refused_and_malformed_ones_too() -> None:
    world = trading()
    world.tell_line(b"{")
    world.ask(Switches())
    world.ask(Disable(strategy="nobody", reason="x"))
    world.ask(Enable(strategy=MAKER, version=1, reason="x"))
    world.tell(OperatorForbidden(1234, 99))
    world.run(100)
    found = [(one.what, one.after) for one in entries(world) if one.kind == "operator"]
    assert found == [
        ("request", "refused"),
        ("switches", "asked"),
        ("disable", "refused"),
        ("enable", "refused"),
        ("request", "refused"),
    ]
    assert [one.actor for one in entries(world) if one.kind == "operator"][-1] == "uid 1234 pid 99"
    assert "forbidden request" in [one.name for one in world.alerts()]


@pytest.mark.req("OP-2")
def test_flood_of_requests_is_counted_and_not_written_one_by_one() -> None:
    world = trading()
    for _ in range(READS_BURST + 500):
        world.tell_line(b"{")
    assert len(world.replies) == READS_BURST + 500
    world.run(70_000)
    found = [one for one in entries(world) if one.kind == "operator"]
    assert READS_BURST <= len(found) <= READS_BURST + 2
    assert found[-1].cause.startswith("500 more")


@pytest.mark.req("KS-8")
def test_flood_of_halts_holds_and_its_versions_are_bounded() -> None:
    world = trading()
    for _ in range(CHANGES_BURST + 400):
        world.halt("flood")
        world.replies.clear()
    versions = [one.version for one in world.status.switches]
    world.run(5_000)
    assert world.status.trading_state == "HALTED"
    assert max(versions, default=0) <= CHANGES_BURST + 1
    refused = ask(world, Enable(strategy=MAKER, version=1, reason="x"))
    assert isinstance(refused, RequestRefused | ResumeRefused)


def test_halt_over_the_budget_voids_a_resume_on_its_way_to_the_disk() -> None:
    world = trading()
    for _ in range(CHANGES_BURST + 5):
        world.halt("flood")
    world.run(8_000)
    world.disk_answers = False
    world.resume()
    for _ in range(CHANGES_BURST + 5):
        world.halt("flood")
    world.finish_writes()
    world.run(8_000)
    assert world.status.trading_state == "HALTED"


# --- drill ------------------------------------------------------------------------------


@pytest.mark.req("TST-10")
def test_drill_fences_measures_and_leaves_the_group_trading() -> None:
    world = trading()
    epoch = world.status.epoch
    answer = ask(world, Drill(reason="weekly"))
    assert isinstance(answer, Drilled)
    times = answer.report.times
    assert times.zero_ns is not None
    assert None not in (times.blocked_ns, times.cancel_ns, times.empty_ns)
    world.trade()
    assert world.status.epoch > epoch
    (kept,) = [one for one in entries(world) if one.what == "drill" and one.after != "asked"]
    assert msgspec.json.decode(kept.cause, type=DrillReport) == answer.report


@pytest.mark.req("TST-10")
def test_drill_whose_cancel_is_slow_says_what_it_missed() -> None:
    world = trading()
    world.venue.silent.add("/cancel-all")
    answer = ask(world, Drill(reason="x"))
    assert isinstance(answer, Drilled)
    assert answer.report.misses == ("cancel-all on the wire: not seen, allowed 25 ms",)
    assert "drill missed" in [one.name for one in world.alerts()]


def _paused(world: World) -> None:
    world.halt()
    world.run(5_000)


def _drilling(world: World) -> None:
    world.ask(Drill(reason="x"))


@pytest.mark.parametrize("spoil", [_paused, _drilling])
def test_drill_of_what_does_not_trade_is_refused(spoil: Callable[[World], None]) -> None:
    world = trading()
    spoil(world)
    world.ask(Drill(reason="x"))
    assert isinstance(world.replies[-1][1], ResumeRefused)


def test_drill_in_mode_live_needs_to_be_meant() -> None:
    world = trading(
        in_mode("live"),
        StoredState(used_max=1_000, reserved=2_000, capital_usd=50, api_key=API_KEY),
    )
    assert isinstance(ask(world, Drill(reason="x")), ResumeRefused)
    assert isinstance(ask(world, Drill(reason="x", really=True)), Drilled)


def test_drill_that_another_fence_overtakes_ends_without_its_proof() -> None:
    world = trading()
    world.ask(Drill(reason="x"))
    world.execution.ledger_epoch = world.status.epoch + 5_000
    world.run(200)
    drilled = [one for _, one in world.replies if isinstance(one, Drilled)]
    assert drilled[0].report.misses[0].startswith("another fence came")


@pytest.mark.req("TST-10")
def test_drill_of_the_schedule_is_held_once_a_day() -> None:
    world = World()
    minute = world.now.wall_ns // NS_PER_S // 60 + 2
    at = f"{minute // 60 % 24:02d}:{minute % 60:02d}"
    world = trading(msgspec.structs.replace(config(), drill=config().drill.__class__(at_utc=at)))
    world.run(240_000)
    held = [one for one in entries(world) if one.what == "drill"]
    assert [one.actor for one in held] == ["the schedule"]


# --- capital ----------------------------------------------------------------------------


@pytest.mark.req("ST-8")
def test_step_is_refused_before_its_clean_run_and_taken_once_it_is_on_disk() -> None:
    world = trading()
    refused = ask(world, Ramp(usd=100, reason="bold"))
    assert isinstance(refused, ResumeRefused)
    assert refused.blockers[0].startswith("traded clean at 50 USD for")
    clean = StoredState(
        used_max=1_000,
        reserved=2_000,
        clean_run=CleanRun(traded_ns=86_400 * NS_PER_S, mode="simulation"),
    )
    world = trading(stored=clean)
    world.disk_answers = False
    world.ask(Ramp(usd=100, reason="earned"))
    assert world.replies == []
    assert world.core._guard.capital_usd == 50
    world.finish_writes()
    assert world.replies[-1][1] == Ramped(usd=100, before_usd=50)
    report = ask(world, Capital())
    assert isinstance(report, CapitalReport)
    assert (report.usd, report.is_set, report.next_usd, report.clean_s) == (100, True, 500, 0)


def test_lower_step_holds_before_it_is_on_disk() -> None:
    world = trading(stored=StoredState(used_max=1_000, reserved=2_000, capital_usd=500))
    world.disk_answers = False
    world.ask(Ramp(usd=100, reason="careful"))
    assert world.core._guard.capital_usd == 100


@pytest.mark.req("ST-8")
def test_live_trades_nothing_before_its_first_step() -> None:
    world = World(StoredState(api_key=API_KEY, fresh=True), in_mode("live"))
    world.run(20_000)
    assert world.check_list() == ["capital set"]
    assert world.status.trading_state == "PAUSED"
    assert isinstance(ask(world, Ramp(usd=50, reason="x")), ResumeRefused)
    paper = PaperRun(86_400, 7, "ab" * 32, 0)
    assert isinstance(ask(world, Ramp(usd=50, reason="x", paper=paper)), Ramped)
    world.trade()
