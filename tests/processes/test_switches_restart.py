"""What ends too often is stopped, what hangs is killed, and a crashed strategy stands alone.

One group for all; ends are counted through the whole file, so its tests come in one order.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from bus import clock
from bus.process import EXIT_LOCKED
from bus.tap import Tap
from ops.waiting import wait_for
from shared.effects import Received
from shared.facts import Positions, SwitchStatus
from shared.identifiers import StrategyName
from shared.switches import FLAPPING, STRATEGY_DISABLED, STRATEGY_HANDOVER, Switch
from shared.topics import (
    CARETAKER,
    COMPONENTS,
    EXECUTION,
    FEED_USER,
    MARKET_MAKING,
    RECORDER,
    RISK,
    STATE,
)
from shared.units import NS_PER_S, MonotonicNs
from tests.architecture.tree import ROOT
from tests.processes.group import GroupUnderTest
from tests.processes.wire_log import WireRecord

RESTARTS_MAX = 3
MIN_SIZE_E6 = 5_000_000
FILLS_WITHIN_S = 60.0
SOON_S = 20.0


@pytest.fixture(scope="module")
def shared_group() -> Iterator[GroupUnderTest]:
    """A group whose components may crash three times, no more."""
    group = GroupUnderTest(restarts_max=RESTARTS_MAX)
    try:
        ran = group.up()
        assert ran.status == 0, repr(ran)
        yield group
    finally:
        group.close()


def excess_e6(group: GroupUnderTest) -> int:
    """Return the unpaired shares of market making's largest position, as execution tells it."""
    with Tap(group.run, COMPONENTS, ("execution.positions",)) as tap:
        until_ns = MonotonicNs(clock.read().monotonic_ns + 3 * NS_PER_S)
        while (heard := tap.receive(until_ns)) is not None:
            fact = heard.fact
            if isinstance(fact, Received) and isinstance(fact.body, Positions):
                markets: dict[str, list[int]] = {}
                for position in fact.body.positions:
                    if position.strategy == StrategyName(MARKET_MAKING):
                        markets.setdefault(position.market, []).append(position.matched)
                return max((abs(held[0] - sum(held[1:])) for held in markets.values()), default=0)
    raise AssertionError("execution tells its positions")


def shown(group: GroupUnderTest, switch: Switch) -> SwitchStatus | None:
    """Return a switch as risk shows it, None while it is clear."""
    risk = group.view().risk()
    assert risk is not None, "risk is heard"
    return next((one for one in risk.switches if one.name == switch.name), None)


def wait_shown(group: GroupUnderTest, switch: Switch) -> SwitchStatus:
    """Return a switch as soon as it is tripped."""
    found = wait_for(lambda: shown(group, switch), SOON_S)
    assert found is not None, f"{switch.name} never tripped\n{group.log_tails(8)}"
    return found


def trading_state(group: GroupUnderTest) -> str:
    """Return the account's state."""
    risk = group.view().risk()
    return "unheard" if risk is None else risk.trading_state


def other_pid(group: GroupUnderTest, component: str, than: int) -> int:
    """Return the process of a component once it runs as another one."""
    pid = wait_for(lambda: now if (now := group.pid(component)) not in (0, than) else None, SOON_S)
    assert pid, f"{component} is started again\n{group.log_tails(8)}"
    return pid


def crash(group: GroupUnderTest, component: str, times: int) -> None:
    """Kill a component as often, each time once it runs."""
    pid = 0
    for _ in range(times):
        pid = other_pid(group, component, pid)
        os.kill(pid, signal.SIGKILL)


def is_said(group: GroupUnderTest, strategy: str, state: str) -> bool | None:
    """Tell whether a strategy says that it is in a state; it speaks once a second."""
    said = group.view().strategies().get(strategy)
    return True if said is not None and said.state == state else None


def placed_since(group: GroupUnderTest, at_ns: int, side: str) -> list[WireRecord]:
    """Return our placements of one side since a moment."""
    placed = group.venue.open_orders().placed
    return [row for row in placed if row["at_ns"] > at_ns and row["side"] == side]


def told_alert(group: GroupUnderTest, name: str) -> str | None:
    """Return the newest alert of a name in risk's log."""
    lines = (group.run / "log" / "risk.log").read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines if f'"risk.alert.{name}"' in line]
    return found[-1]["fields"]["text"] if found else None


def start_by_hand(group: GroupUnderTest, component: str) -> subprocess.Popen[bytes]:
    """Start a component of the group as a person would who goes around supervisord."""
    environment = os.environ | {
        "INTERLOCK_CONFIG": str(group.run / "profile.toml"),
        "INTERLOCK_RUN": str(group.run),
        "INTERLOCK_DATA": str(group.data),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", f"services.{component}"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)


def resume_all(group: GroupUnderTest) -> None:
    """Resume once zero is proven, enable the strategy, and wait until the group trades."""

    def is_proven() -> bool | None:
        risk = group.view().risk()
        return True if risk is not None and risk.fence == "zero" else None

    assert wait_for(is_proven, SOON_S), group.log_tails(8)
    ran = group.command("resume", "--reason", "looked at it")
    assert ran.status == 0, repr(ran)
    if shown(group, STRATEGY_DISABLED) is not None:
        ran = group.command("strategy", "enable", MARKET_MAKING, "--reason", "mended")
        assert ran.status == 0, repr(ran)
    group.wait_until_trading()


@pytest.mark.req("CP-3")
def test_crashed_strategy_stops_alone_and_the_caretaker_has_its_position(
    trading: GroupUnderTest,
) -> None:
    """It is let in again only once nothing is left that an order could sell."""
    holds = wait_for(lambda: True if excess_e6(trading) >= MIN_SIZE_E6 else None, FILLS_WITHIN_S)
    assert holds, "takers fill market making"
    with trading.venue.stillness():
        at_ns = trading.signal(MARKET_MAKING, signal.SIGKILL)
        wait_shown(trading, STRATEGY_HANDOVER)
        held_ns = clock.read().monotonic_ns
        assert trading_state(trading) == "ACTIVE"
        cared = wait_for(lambda: placed_since(trading, at_ns, "SELL") or None, SOON_S)
        assert cared, f"the caretaker offers it\n{trading.log_tails(8)}"
        assert wait_for(lambda: is_said(trading, CARETAKER, "active"), SOON_S)
        assert wait_for(lambda: is_said(trading, MARKET_MAKING, "held"), SOON_S)
        assert not placed_since(trading, held_ns, "BUY")
        (record,) = (trading.data / "crashes").glob("*.json")
        kept = json.loads(record.read_text(encoding="utf-8"))
        assert kept["strategy"] == MARKET_MAKING
        assert kept["status"]["markets"]
        assert kept["inputs"]
        assert kept["log"]
    over = wait_for(lambda: True if shown(trading, STRATEGY_HANDOVER) is None else None, 60.0)
    assert over, f"the position is sold\n{trading.log_tails(8)}"
    entered = wait_for(lambda: placed_since(trading, held_ns, "BUY") or None, SOON_S)
    assert entered, "it scans again"


@pytest.mark.req("CP-7", "KS-2")
def test_hung_feed_is_fenced_killed_and_trading_resumes(trading: GroupUnderTest) -> None:
    pid = trading.pid(FEED_USER)
    with trading.venue.stillness():
        at_ns = trading.signal(FEED_USER, signal.SIGSTOP)
        emptied = wait_for(lambda: trading.venue.emptied_ns(at_ns), SOON_S)
        assert emptied, "everything is cancelled"
    assert other_pid(trading, FEED_USER, pid), "it is killed and started again"
    trading.wait_until_trading()


@pytest.mark.req("CP-8")
def test_second_execution_and_second_risk_refuse_whoever_starts_them(
    trading: GroupUnderTest,
) -> None:
    first = {name: trading.pid(name) for name in (EXECUTION, RISK)}
    by_hand = {name: start_by_hand(trading, name) for name in first}
    assert {name: process.wait(SOON_S) for name, process in by_hand.items()} == {
        EXECUTION: EXIT_LOCKED,
        RISK: EXIT_LOCKED,
    }
    assert {name: trading.pid(name) for name in first} == first
    assert trading_state(trading) == "ACTIVE"


@pytest.mark.req("CP-1")
def test_heartbeat_that_contradicts_supervisord_is_told_and_trading_goes_on(
    trading: GroupUnderTest,
) -> None:
    """A recorder that supervisord has stopped answers: somebody has started it by hand."""
    supervisorctl = [sys.executable, "-m", "supervisor.supervisorctl"]
    address = ["--serverurl", f"unix://{trading.run}/supervisor.sock"]
    subprocess.run([*supervisorctl, *address, "stop", RECORDER], check=True, capture_output=True)
    by_hand = start_by_hand(trading, RECORDER)
    try:
        told = wait_for(lambda: told_alert(trading, f"contradiction {RECORDER}"), SOON_S)
        assert told is not None, trading.log_tails(8)
        assert "STOPPED" in told
        assert str(by_hand.pid) in told
        assert trading_state(trading) == "ACTIVE"
    finally:
        by_hand.kill()
        by_hand.wait()
    assert trading.command("restart", RECORDER).status == 0


@pytest.mark.req("CP-3", "INV-9")
def test_strategy_that_crashes_too_often_is_disabled_until_an_operator_enables_it(
    trading: GroupUnderTest,
) -> None:
    """One crash is counted already; three more are one too many."""
    crash(trading, MARKET_MAKING, RESTARTS_MAX)
    latch = wait_shown(trading, STRATEGY_DISABLED)
    assert (latch.kind, latch.scope_id) == ("latch", MARKET_MAKING)
    assert trading_state(trading) == "ACTIVE"
    stopped = wait_for(lambda: True if not trading.pid(MARKET_MAKING) else None, SOON_S)
    assert stopped, "supervisord has been told to stop it"


@pytest.mark.req("CP-1", "INV-9")
def test_needed_component_that_crashes_too_often_is_fenced_stopped_and_latched(
    shared_group: GroupUnderTest,
) -> None:
    """Through a new risk too; the end of either latch starts what it had stopped again."""
    group = shared_group
    crash(group, STATE, RESTARTS_MAX + 1)
    latch = wait_shown(group, FLAPPING)
    assert STATE in latch.reason
    assert trading_state(group) == "HALTED"
    assert wait_for(lambda: None if group.venue.open_orders().open else True, SOON_S)
    assert wait_for(lambda: None if group.pid(STATE) else True, SOON_S)
    crash(group, RISK, 1)
    assert wait_for(lambda: True if trading_state(group) == "HALTED" else None, SOON_S)
    wait_shown(group, FLAPPING)
    assert not group.pid(STATE)
    resume_all(group)
    assert group.pid(STATE)
    assert group.pid(MARKET_MAKING)
    assert group.pid(EXECUTION)
