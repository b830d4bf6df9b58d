"""Every real core over recorded prices: made-up ones, and the recorded day where it is at hand."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ops.simulation import faults
from ops.simulation.recorded import RecordedOutcome, report_recorded, run_recorded
from ops.simulation.recordings import agree, open_recording
from ops.simulation.watch import Watch
from services.simulator.chance import stream
from services.simulator.core import SimulatorCore
from services.simulator.oracles.recording import Recording
from shared.config import SimulatorSettings
from shared.units import NS_PER_S, BootNs, Instant, MonotonicNs, WallNs
from tests.builders.recordings import market_row, prices, recording, waving

CAPTURES = Path(os.environ.get("INTERLOCK_CAPTURES", "../shared/captures"))
SAMPLES = CAPTURES / "Ligengxin96_polymarket-data-samples"
DAY_PRICES = SAMPLES / "BTCUSD-prices-2026-07-24.csv.gz"
DAY_MARKETS = SAMPLES / "BTC-5m-markets-2026-07-24.jsonl.gz"
DAY_WINDOWS = 288

needs_day = pytest.mark.skipif(not SAMPLES.is_dir(), reason="no recorded day of prices")
needs_patience = pytest.mark.skipif(
    not os.environ.get("INTERLOCK_DAY"), reason="an hour: set INTERLOCK_DAY"
)

HOLE_S = (70, 100)
PAUSED_FROM_S = HOLE_S[0] + 15
"""The last tick is told 1.35 s late, and is fresh for ten seconds more at most."""

EMERGENCY_LEFT_S = 40
"""A price that settles and is silent for so long is an emergency (DQ-1), which is left ten seconds
after its end; meanwhile the window is past its cutoff, and the next one begins."""


def judge(outcome: RecordedOutcome) -> None:
    """Assert that nothing happened that must not."""
    assert outcome.violations == (), "\n".join(report_recorded(outcome, 1.0))
    assert outcome.mistaken == ()
    assert outcome.ended == {}


@pytest.mark.req("KS-3")
def test_windows_roll_to_their_recorded_ends_and_a_silent_oracle_pauses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    posts_ns: list[int] = []
    posted = Watch.posted

    def note(self: Watch, *arguments: Any) -> None:
        row = self._intents._ledger.intent(arguments[1])
        # Ten seconds of silence are an emergency, in which what is held is sold (DQ-1).
        if row is None or not row.reduce_only:
            posts_ns.append(arguments[-1].wall_ns)
        posted(self, *arguments)

    monkeypatch.setattr(Watch, "posted", note)
    rows = [market_row(number, interval_s=60, up=number == 1) for number in range(3)]
    played = recording(waving(200, holes=(HOLE_S,)), *rows, interval_s=60)
    outcome = run_recorded(1, played)
    judge(outcome)
    assert [result.resolved for result in outcome.windows] == ["Down", "Up", "Down"]
    assert outcome.fills > 0
    silent_s = [result.oracle_silent_s for result in outcome.windows]
    assert silent_s[1] > 10
    moments_s = [(at_ns - played.from_ms * 1_000_000) / NS_PER_S for at_ns in posts_ns]
    assert [at_s for at_s in moments_s if PAUSED_FROM_S < at_s < HOLE_S[1]] == []
    back_s = [at_s for at_s in moments_s if HOLE_S[1] < at_s < HOLE_S[1] + EMERGENCY_LEFT_S]
    assert back_s, "trading goes on with the oracle"


def test_same_recording_and_seed_give_the_same_trace() -> None:
    played = recording(waving(70), interval_s=20, windows=1)
    first, second = (run_recorded(3, played, frames_per_second=5) for _ in range(2))
    assert first.hash == second.hash
    assert first.windows == second.windows


def test_faults_are_drawn_for_a_recording_too() -> None:
    plan = faults.draw(stream(9, "faults"), 62 * NS_PER_S)
    assert plan.schedule, "the seed has some"
    played = recording(waving(90), interval_s=42, windows=1)
    outcome = run_recorded(9, played, frames_per_second=5, has_faults=True)
    assert outcome.violations == (), "\n".join(report_recorded(outcome, 1.0))
    assert sum(outcome.faults.values()) == len(plan.schedule)


def test_agreement_counts_what_each_rule_gives() -> None:
    """Falls to the middle of the first window, rises ever after; the average sees it later."""
    points = [(at_s, 500 + abs(at_s - 160)) for at_s in range(601)]
    rows = [market_row(0, up=False), market_row(1, up=True)]
    found = agree(recording(prices(*points), *rows))
    assert (found.told, found.by_rule, found.by_spot, found.by_average) == (2, 2, 2, 2)
    wrong = agree(recording(prices(*points), market_row(0), market_row(1)))
    assert (wrong.told, wrong.by_rule) == (2, 1)
    assert wrong.against == (json.loads(rows[0])["slug"],)
    assert agree(recording(prices(*points))).told == 0


# --- the recorded day ---------------------------------------------------------------------


@needs_day
def test_every_recorded_outcome_follows_from_the_first_price_at_each_end() -> None:
    found = agree(open_recording(DAY_PRICES, DAY_MARKETS))
    assert (found.told, found.by_rule, found.by_spot) == (DAY_WINDOWS,) * 3
    assert found.by_average < DAY_WINDOWS, "that day settled on the spot"


@needs_day
def test_venue_resolves_every_window_of_the_day_as_recorded() -> None:
    """The venue alone, nobody trading, a minute a step."""
    played = open_recording(DAY_PRICES, DAY_MARKETS)
    core = SimulatorCore(SimulatorSettings(seed=1), ("btc",), 300, recording=played)
    core._freeze(True)
    winners: dict[int, int | None] = {}
    for at_ms in range(played.from_ms, played.until_ms + 120_000, 60_000):
        core.on_tick(instant(at_ms))
        for market in core.exchange.calendar:
            winners[market.start_ms] = market.winner
    assert winners == {start_ms: played.markets[start_ms].winner for start_ms in played.starts()}
    assert len(winners) == DAY_WINDOWS


def instant(at_ms: int) -> Instant:
    return Instant(BootNs(at_ms), MonotonicNs(at_ms * 1_000_000), WallNs(at_ms * 1_000_000))


@needs_day
def test_recorded_window_with_silences_is_traded_without_a_violation() -> None:
    """From 10:55 the prices were silent for 41, 46 and 78 s within one window."""
    outcome = run_recorded(2, day(begin="10:55", windows=1), frames_per_second=2)
    judge(outcome)
    (result,) = outcome.windows
    assert (result.recorded, result.resolved) == ("Up", "Up")
    assert result.oracle_silent_s > 60
    assert result.orders > 0


@needs_day
@needs_patience
@pytest.mark.slow
@pytest.mark.timeout(4 * 3_600)
def test_whole_recorded_day_is_traded_without_a_violation() -> None:
    outcome = run_recorded(1, day(), frames_per_second=5)
    judge(outcome)
    assert len(outcome.windows) == DAY_WINDOWS
    assert sum(result.fills > 0 for result in outcome.windows) > DAY_WINDOWS // 2


def day(begin: str = "", windows: int | None = None) -> Recording:
    return open_recording(DAY_PRICES, DAY_MARKETS, begin=begin, windows=windows)
