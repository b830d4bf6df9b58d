"""When risk counts as hung, and what people are told."""

import pytest

from services.watch.core import (
    ABSENT_NS,
    HANG_NS,
    KILL_AGAIN_NS,
    Action,
    Kill,
    Note,
    RiskSign,
    Tell,
    WatchCore,
)
from shared.units import NS_PER_MS, NS_PER_S, MonotonicNs

STEP_NS = 250 * NS_PER_MS
SIGN = RiskSign(42, 1)


def look(core: WatchCore, sign: RiskSign | None, until_ns: int, since_ns: int = 0) -> list[Action]:
    """Look every quarter second up to a moment and return what came of it."""
    actions: list[Action] = []
    for at in range(since_ns + STEP_NS, until_ns, STEP_NS):
        actions += core.looked(sign, MonotonicNs(at))
    return actions + core.looked(sign, MonotonicNs(until_ns))


@pytest.mark.req("CP-9")
@pytest.mark.parametrize(("over_ns", "killed"), [(-1, False), (0, True), (1, True)])
def test_risk_whose_loop_stands_still_is_killed_at_the_limit(over_ns: int, killed: bool) -> None:
    core = WatchCore(MonotonicNs(0))
    core.looked(SIGN, MonotonicNs(0))
    actions = look(core, SIGN, HANG_NS + over_ns)
    assert (Kill(42) in actions) is killed
    assert any(isinstance(one, Tell) for one in actions) is killed


def test_risk_whose_loop_turns_is_left_alone() -> None:
    core = WatchCore(MonotonicNs(0))
    actions = [
        action
        for number in range(100)
        for action in core.looked(RiskSign(42, number), MonotonicNs(number * STEP_NS))
    ]
    assert actions == []


def test_kill_is_repeated_only_after_a_while() -> None:
    core = WatchCore(MonotonicNs(0))
    core.looked(SIGN, MonotonicNs(0))
    kills = [one for one in look(core, SIGN, HANG_NS + KILL_AGAIN_NS) if isinstance(one, Kill)]
    assert len(kills) == 2


def test_new_risk_has_its_own_time() -> None:
    core = WatchCore(MonotonicNs(0))
    core.looked(SIGN, MonotonicNs(0))
    look(core, SIGN, HANG_NS - 1)
    assert look(core, RiskSign(43, 1), 2 * HANG_NS - STEP_NS, HANG_NS) == []


def test_watch_that_was_away_itself_has_seen_no_silence() -> None:
    core = WatchCore(MonotonicNs(0))
    core.looked(SIGN, MonotonicNs(0))
    assert core.looked(SIGN, MonotonicNs(60 * NS_PER_S)) == []


def test_absence_of_risk_is_told_once() -> None:
    core = WatchCore(MonotonicNs(0))
    core.looked(SIGN, MonotonicNs(0))
    told = look(core, None, 2 * ABSENT_NS)
    assert [one.name for one in told if isinstance(one, Tell)] == ["risk absent"]


@pytest.mark.parametrize(
    ("event", "process", "told"),
    [
        ("PROCESS_STATE_EXITED", "risk", True),
        ("PROCESS_STATE_EXITED", "state", False),
        ("PROCESS_STATE_FATAL", "state", True),
        ("PROCESS_STATE_UNKNOWN", "execution", True),
        ("PROCESS_STATE_RUNNING", "risk", False),
        ("TICK_5", "", False),
    ],
)
def test_events_worth_an_alert(event: str, process: str, told: bool) -> None:
    actions = WatchCore(MonotonicNs(0)).happened(event, {"processname": process})
    assert any(isinstance(one, Tell) for one in actions) is told


@pytest.mark.req("CP-1")
@pytest.mark.parametrize(
    ("event", "fields", "note"),
    [
        ("EXITED", {"expected": "0", "pid": "7"}, Note("state", "exited", 7, False)),
        ("EXITED", {"expected": "1", "pid": "7"}, Note("state", "exited", 7, True)),
        ("STOPPED", {"pid": "7"}, Note("state", "stopped", 7, False)),
        ("BACKOFF", {"tries": "3"}, Note("state", "backoff", 0, False)),
    ],
)
def test_every_end_of_a_program_is_noted_for_risk(
    event: str, fields: dict[str, str], note: Note
) -> None:
    core = WatchCore(MonotonicNs(0))
    assert core.happened(f"PROCESS_STATE_{event}", {"processname": "state", **fields}) == [note]


@pytest.mark.parametrize("event", ["STARTING", "RUNNING", "STOPPING"])
def test_what_is_no_end_is_not_noted(event: str) -> None:
    core = WatchCore(MonotonicNs(0))
    assert core.happened(f"PROCESS_STATE_{event}", {"processname": "state"}) == []
