"""Wrong data in a real group: what is refused, what stops, what is told, and that it ends."""

from collections.abc import Callable, Iterator

import pytest

from ops.quarantine import read_frames
from ops.waiting import wait_for
from shared.facts import QualityFinding
from shared.topics import FEED_PRICE
from tests.processes.group import GroupUnderTest

WAIT_S = 90.0
"""Guards against waiting for ever; nothing is judged by it."""

SETTINGS = """
[abnormal]
pause_ms = 1000
rebuild_every_ms = 3000
[quality]
unchanged_ms = 2000
emergency_ms = 4000
flag_kept_ms = 2000
[degradation]
better_after_ms = 1000
"""
"""Times shortened; what they are in production is judged under a clock that moves."""

SPOT = "btc chainlink price"


@pytest.fixture(scope="module")
def shared_group() -> Iterator[GroupUnderTest]:
    """A group with short times, for all tests of this module."""
    group = GroupUnderTest(extra=SETTINGS)
    try:
        ran = group.up()
        assert ran.status == 0, repr(ran)
        yield group
    finally:
        group.close()


def waits_for(group: GroupUnderTest, what: Callable[[], bool]) -> None:
    assert wait_for(lambda: what() or None, WAIT_S), group.log_tails()


def findings(group: GroupUnderTest) -> dict[tuple[str, str], QualityFinding]:
    told = group.view().quality()
    return {} if told is None else {(one.stream, one.check): one for one in told.findings}


def is_found(group: GroupUnderTest, stream: str, check: str, verdict: str) -> bool:
    found = findings(group).get((stream, check))
    return found is not None and found.verdict == verdict


def is_paused(group: GroupUnderTest, evidence: str) -> bool:
    risk = group.view().risk()
    switches = () if risk is None else risk.switches
    return any(one.name == "data_quality" and one.evidence == evidence for one in switches)


def level(group: GroupUnderTest) -> str:
    risk = group.view().risk()
    return "" if risk is None else risk.level


def is_empty(group: GroupUnderTest) -> bool:
    return not group.venue.open_orders().open


@pytest.mark.req("DQ-6")
def test_unreal_jump_is_refused_and_the_asset_is_cancelled(trading: GroupUnderTest) -> None:
    trading.venue.fault(kind="move_price", percent=30, event="chainlink")
    waits_for(trading, lambda: is_found(trading, SPOT, "jump", "refused"))
    waits_for(trading, lambda: is_paused(trading, "wrong"))
    waits_for(trading, lambda: is_empty(trading))
    jump = findings(trading)[(SPOT, "jump")]
    assert jump.blocks
    assert "pyth says" in jump.second
    trading.venue.clear_faults()
    trading.wait_until_trading()


@pytest.mark.req("DQ-1")
def test_price_that_hangs_stops_the_asset_while_its_stamps_go_on(trading: GroupUnderTest) -> None:
    for stream, name in (("price", "chainlink"), ("rtds", "crypto_prices_chainlink")):
        trading.venue.fault(kind="freeze_price", stream=stream, event=name)
    trading.venue.fault(kind="move_price", percent=1, event="pyth")
    waits_for(trading, lambda: is_found(trading, SPOT, "unchanged", "stale"))
    waits_for(trading, lambda: is_paused(trading, "stale"))
    trading.venue.clear_faults()
    trading.wait_until_trading()


@pytest.mark.req("DQ-4")
def test_backward_stamps_are_flagged_and_trading_goes_on(trading: GroupUnderTest) -> None:
    trading.venue.fault(
        kind="shift_stamps", stream="price", event="chainlink", delay_ms=-4_000, count=1
    )
    waits_for(trading, lambda: is_found(trading, SPOT, "backwards", "suspect"))
    assert not findings(trading)[(SPOT, "backwards")].blocks
    trading.wait_until_trading()


@pytest.mark.req("DQ-4", "DQ-1")
def test_prices_of_the_future_are_refused_until_nothing_is_left_to_trade_on(
    trading: GroupUnderTest,
) -> None:
    """Refused prices are no prices: the oracle is silent, and then it is an emergency."""
    for stream in ("price", "rtds"):
        trading.venue.fault(kind="shift_stamps", stream=stream, delay_ms=8_000)
    waits_for(trading, lambda: is_found(trading, FEED_PRICE, "future", "suspect"))
    waits_for(trading, lambda: is_found(trading, SPOT, "stale", "stale"))
    waits_for(trading, lambda: level(trading) == "EMERGENCY")
    trading.venue.clear_faults()
    waits_for(trading, lambda: level(trading) == "NORMAL")
    trading.wait_until_trading()


@pytest.mark.req("DQ-5")
def test_garbled_frames_degrade_the_feed_and_are_kept(trading: GroupUnderTest) -> None:
    trading.venue.fault(kind="garble_frames", stream="rtds")
    waits_for(trading, lambda: is_found(trading, FEED_PRICE, "corrupt", "degraded"))
    waits_for(trading, lambda: level(trading) == "REDUCED")
    told = trading.command("quarantine", "--feed", FEED_PRICE, "--count", "3", "--json").json
    assert len(told["frames"]) == 3
    assert all(one["origin"] == "socket" and one["raw"] for one in told["frames"])
    log = (trading.run / "log" / f"{FEED_PRICE}.log").read_text(errors="replace")
    assert told["frames"][0]["reference"] in log
    assert len(read_frames(trading.data).frames) >= 3
    trading.venue.clear_faults()
