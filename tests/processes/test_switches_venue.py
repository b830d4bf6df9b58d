"""What the venue says of itself and of us, releases and levels: each really produced, in one group.

The tests follow one another: each finds the group trading, or says what the one before left.
"""

import signal
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from bus import clock
from ops.group import PROFILE_FILE
from ops.waiting import wait_for
from shared.facts import RiskStatus
from shared.topics import FEED_PRICE, RECORDER
from tests.processes.group import GroupUnderTest

SEEN_WITHIN_S = 20.0
TRADES_WITHIN_S = 60.0
STAYS_S = 1.0

GEOBLOCK = "/api/geoblock"
BLOCKED = '{"blocked":true,"ip":"203.0.113.42","country":"US","region":"NY"}'

HALF_SHARES = 5

CLOSES_AFTER_MS = 4_000

QUICK = f"""
[timing]
clean_data_ms = 500

[access]
geoblock_every_ms = 500
geoblock_failures_max = 1
standing_every_ms = 1000

[degradation]
worse_after_ms = 200
better_after_ms = 2000
component_down_ms = 1000
critical_down_ms = 2000
emergency_ms_max = {CLOSES_AFTER_MS}
closing_ms_max = 1000
"""
"""Times shortened; what they are in production is judged under a clock that moves."""


@pytest.fixture(scope="module")
def group() -> Iterator[GroupUnderTest]:
    """A group that trades, whose times are short enough to be waited for."""
    made = GroupUnderTest(extra=QUICK)
    try:
        ran = made.up()
        assert ran.status == 0, repr(ran)
        made.wait_until_trading()
        yield made
    finally:
        made.close()


def until(
    group: GroupUnderTest, holds: Callable[[RiskStatus], bool], what: str, within_s: float = 0
) -> RiskStatus:
    """Return risk's status once it is so."""

    def look() -> RiskStatus | None:
        found = group.view().risk()
        return found if found is not None and holds(found) else None

    found = wait_for(look, within_s or SEEN_WITHIN_S)
    if found is None:
        ran = group.command("status", "--json")
        raise AssertionError(f"never seen: {what}\n{ran.out}\n{group.log_tails()}")
    return found


def tripped(name: str, word: str = "") -> Callable[[RiskStatus], bool]:
    """Return whether a switch is tripped, for a reason that holds a word."""
    return lambda status: any(one.name == name and word in one.reason for one in status.switches)


def nothing_rests_or_comes(group: GroupUnderTest) -> None:
    """Wait until the venue holds no order of ours, and see that none comes."""
    gone = wait_for(lambda: None if group.venue.open_orders().open else True, SEEN_WITHIN_S)
    assert gone, "orders rest"
    assert not group.placed_within(clock.read().monotonic_ns, STAYS_S)


@pytest.mark.req("KS-11", "VEN-1")
def test_venue_that_takes_nothing_is_waited_out(group: GroupUnderTest) -> None:
    """Cancel-only, restarting, disabled, one after the other; then it trades again by itself."""
    for kind, word in (
        ("cancel_only", "cancel_only"),
        ("restarting", "restarting"),
        ("disabled", "disabled"),
    ):
        group.venue.clear_faults()
        group.venue.fault(kind=kind)
        seen = until(group, tripped("venue_mode", word), f"venue_mode {word}")
        assert seen.trading_state == "PAUSED"
        assert not [one for one in seen.switches if one.kind == "latch"]
        if kind == "cancel_only":
            nothing_rests_or_comes(group)
    group.venue.clear_faults()
    group.wait_until_trading(TRADES_WITHIN_S)
    until(group, lambda status: not tripped("venue_mode")(status), "no mode any more")


@pytest.mark.req("KS-5")
def test_place_that_nobody_tells_pauses_and_latches_nothing(group: GroupUnderTest) -> None:
    group.venue.fault(kind="refuse", method="GET", path=GEOBLOCK, status=502, text="upstream")
    seen = until(group, tripped("place_unknown"), "place_unknown")
    assert not [one for one in seen.switches if one.kind == "latch"]
    nothing_rests_or_comes(group)
    group.venue.clear_faults()
    group.wait_until_trading(TRADES_WITHIN_S)


@pytest.mark.req("KS-5", "KS-10", "RV-2")
def test_restricted_and_mixed_latch_and_a_resume_waits_for_both(group: GroupUnderTest) -> None:
    """Closed-only account, blocked place, a component of another configuration; then resumed.

    1. the account may only close: the first order says so, everything is cancelled and latched
    2. the place is blocked: a resume is refused and says why, risk killed meanwhile forgets nothing
    3. the profile changes on disk and one component restarts: latched too
    4. all three mended: one resume, and it trades
    """
    standing = {"address": group.address, "standing": "closed_only"}
    group.venue.ask("POST", "/admin/standing", standing)
    # An order was refused, or risk was told when it asked: whichever came first.
    until(group, tripped("restricted", "clos"), "restricted")
    nothing_rests_or_comes(group)
    group.venue.ask("POST", "/admin/standing", {**standing, "standing": "normal"})
    group.venue.fault(kind="refuse", method="GET", path=GEOBLOCK, status=200, text=BLOCKED)
    profile = group.run / PROFILE_FILE
    text = profile.read_text(encoding="utf-8")
    profile.write_text(text.replace("clean_data_ms = 500", "clean_data_ms = 501"))
    assert group.command("restart", RECORDER).status == 0
    until(group, tripped("mixed_release", "recorder has another configuration"), "mixed_release")
    refused = group.command("resume", "--reason", "too early", "--json")
    assert refused.status != 0
    assert "mixed_release still holds" in refused.out + refused.err
    assert "restricted still holds" in refused.out + refused.err
    listed = group.command("status", "--json").json["recovery"]
    waits = {item["name"]: item["detail"] for item in listed if not item["holds"]}
    assert "mixed_release" in waits["nothing latched"]
    profile.write_text(text)
    assert group.command("restart", RECORDER).status == 0
    group.venue.clear_faults()
    resumed = wait_for(
        lambda: True if group.command("resume", "--reason", "mended").status == 0 else None,
        SEEN_WITHIN_S,
    )
    assert resumed, group.log_tails()
    group.wait_until_trading(TRADES_WITHIN_S)


@pytest.mark.req("DG-1", "DG-4")
def test_recorder_that_hangs_reduces_and_sizes_are_halved(group: GroupUnderTest) -> None:
    group.signal(RECORDER, signal.SIGSTOP)
    until(group, lambda status: status.level == "REDUCED", "level REDUCED")
    reduced_ns = clock.read().monotonic_ns

    def halved() -> bool | None:
        rest = group.venue.open_orders().open.values()
        sizes = {Decimal(one["size"]) for one in rest if one["side"] == "BUY"}
        return True if sizes and max(sizes) <= HALF_SHARES else None

    assert wait_for(halved, SEEN_WITHIN_S), "orders of the usual size rest"
    until(group, lambda status: status.level == "NORMAL", "level NORMAL")
    normal_ns = clock.read().monotonic_ns
    placed = group.venue.open_orders().placed_after(reduced_ns + 500_000_000)
    large = [one for one in placed if Decimal(one["size"]) > HALF_SHARES]
    assert not [one for one in large if one["side"] == "BUY" and one["at_ns"] < normal_ns - 10**9]


@pytest.mark.req("DG-2", "DG-3", "DG-4")
def test_price_feed_down_is_an_emergency_that_closes_and_in_the_end_halts(
    group: GroupUnderTest,
) -> None:
    """With its supervisor held nobody starts it again: closed, then latched for a person."""
    group.wait_until_trading(TRADES_WITHIN_S)
    group.signal("supervisord", signal.SIGSTOP)
    try:
        group.signal(FEED_PRICE, signal.SIGKILL)
        seen = until(group, lambda status: status.level == "EMERGENCY", "level EMERGENCY")
        assert seen.trading_state == "REDUCING"
        emergency_ns = clock.read().monotonic_ns
        until(group, lambda status: status.level == "SHUTDOWN", "level SHUTDOWN")
        until(group, tripped("closing_down", "without end"), "closing_down")
        until(group, tripped("closed_down"), "closed_down")
    finally:
        group.signal("supervisord", signal.SIGCONT)
    opened = group.venue.open_orders().placed_after(emergency_ns)
    assert not [one for one in opened if one["side"] == "BUY"], "nothing is opened"
    nothing_rests_or_comes(group)
    ran = group.command("resume", "--reason", "drill", "--json")
    assert "closing_down still holds" in ran.out + ran.err
    assert wait_for(lambda: group.pid(FEED_PRICE) or None, SEEN_WITHIN_S), "it runs again"
    group.kill_everything()
    assert group.up().status == 0
    halted = until(group, tripped("closed_down"), "closed_down after a start")
    assert halted.trading_state == "HALTED"
    assert "closed_down" in group.command("status").out, "whoever starts it again is told why"
