"""Losses in the whole system under virtual time: what they close, hold, and survive."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ops.simulation import faults
from ops.simulation.components import BUILDERS
from ops.simulation.run import draw_config
from ops.simulation.whole import Whole
from services.simulator.chance import stream
from shared.config import LossSettings, MarketMakingSettings, StrategySettings
from shared.config.ramp import RampSettings, Step
from shared.facts import LossStatus, RiskStatus
from shared.topics import EXECUTION, RISK
from shared.units import SHARE_E6, Instant

SEED = 1
CAPITAL_USD: Step = 50
LOSES_USD = 2
"""Twice what either limit lets through: what rests may still be filled meanwhile."""

RECORDS_MAX = 1_000_000
FILLS_WITHIN_S = 60
CLOSES_WITHIN_S = 60
MIN_SIZE_E6 = 5 * SHARE_E6
"""What is less cannot be sold."""


def _losing(directory: Path, **losses: Any) -> Whole:
    """Return a calm system with two assets, whose markets last long and whose capital is small."""
    config = draw_config(stream(SEED, "config"))
    config = msgspec.structs.replace(
        config,
        markets=msgspec.structs.replace(config.markets, interval_s=900, assets=("btc", "eth")),
        simulator=msgspec.structs.replace(
            config.simulator, takers_per_second=10.0, volatility_annual=3.0
        ),
        strategy=StrategySettings(market_making=MarketMakingSettings(requote_e4=0, size_shares=20)),
        ramp=RampSettings(start_usd=CAPITAL_USD),
        losses=msgspec.structs.replace(LossSettings(), **losses),
    )
    whole = Whole(SEED, config, faults.no_faults(), directory, BUILDERS)
    whole.operator._wants_halt = True  # looks for no latches by himself
    whole.start()
    whole.run_for(15)
    assert _status(whole).trading_state == "ACTIVE"
    return whole


@pytest.fixture
def closing(tmp_path: Path) -> Iterator[Whole]:
    """One that closes everything for a market that loses a dollar, and for nothing else."""
    made = _losing(
        tmp_path, trade_percent_max=2, session_percent_max=1_000, daily_percent_max=1_000
    )
    yield made
    assert made.findings.violations == []
    made.close()


@pytest.fixture
def halting(tmp_path: Path) -> Iterator[Whole]:
    """One whose day is over after a realised loss of one dollar."""
    made = _losing(
        tmp_path, trade_percent_max=1_000, session_percent_max=1_000, daily_percent_max=2
    )
    yield made
    assert made.findings.violations == []
    made.close()


def _status(whole: Whole) -> RiskStatus:
    found = whole.world.watch.risk_status
    assert found is not None
    return found


def _losses(whole: Whole) -> LossStatus:
    losses = _status(whole).losses
    assert losses is not None
    return losses


def _latched(whole: Whole) -> set[str]:
    return {one.name for one in _status(whole).switches if one.kind == "latch"}


def _worst(whole: Whole) -> tuple[Any, int, Decimal]:
    """Return the running market and the winner that cost us most, and what is then earned."""
    lines, _ = whole.world.venue.core.stamps.since(0, RECORDS_MAX)
    earned: Counter[str] = Counter()
    held: Counter[str] = Counter()  # matched: balances follow when a trade is mined
    for record in msgspec.json.decode(lines):
        if record["kind"] == "fill":
            sign = 1 if record["side"] == "SELL" else -1
            money = sign * Decimal(record["money"]) - Decimal(record["fee"])
            earned[record["market"]] += int(money * SHARE_E6)
            held[record["token"]] -= int(sign * Decimal(record["size"]) * SHARE_E6)
    results = [
        (market, winner, Decimal(earned[market.condition_id] + held[token]) / SHARE_E6)
        for market in whole.world.venue.core.exchange.calendar.trading()
        for winner, token in enumerate(market.tokens)
    ]
    return min(results, key=lambda result: result[2])


def _lose(whole: Whole) -> None:
    """Wait until a market would cost enough, and let the venue decide it so."""
    for _ in range(FILLS_WITHIN_S):
        market, winner, earned = _worst(whole)
        if earned <= -LOSES_USD:
            break
        whole.run_for(1)
    else:
        raise AssertionError("nothing was bought that can lose enough")
    now: Instant = whole.world.scheduler.instant()
    whole.world.venue.core.exchange.decide_early(market, winner, now)
    whole.run_for(6)


@pytest.mark.req("CB-1", "EX-17")
def test_market_that_loses_too_much_closes_everything_at_the_venue(closing: Whole) -> None:
    _lose(closing)
    assert "loss_limit" in _latched(closing)
    for _ in range(CLOSES_WITHIN_S):
        if all(size < MIN_SIZE_E6 for size in closing.world.venue.holdings().values()):
            break
        closing.run_for(1)
    held = closing.world.venue.holdings()
    assert all(size < MIN_SIZE_E6 for size in held.values()), held
    assert _status(closing).trading_state == "REDUCING"
    closing.processes[RISK].kill("test")
    closing.processes[EXECUTION].kill("test")
    closing.run_for(20)
    assert "loss_limit" in _latched(closing)
    assert _status(closing).trading_state in ("PAUSED", "REDUCING")
    closing.operator.resume()
    closing.run_for(30)
    assert not _latched(closing)
    assert _status(closing).trading_state == "ACTIVE"


@pytest.mark.req("CB-2")
def test_both_counts_agree_and_the_day_stays_over_through_the_death_of_risk(
    halting: Whole,
) -> None:
    _lose(halting)
    losses = _losses(halting)
    assert "daily_loss" in _latched(halting)
    assert losses.lost_e6 >= losses.daily_limit_e6 == 1_000_000
    assert losses.realised_e6 == losses.told_realised_e6
    assert halting.world.venue.open_ids() == []
    halting.operator.resume()
    halting.run_for(3)
    assert "daily_loss" in _latched(halting), "the day is not over"
    halting.processes[RISK].kill("test")
    halting.run_for(10)
    assert "daily_loss" in _latched(halting)
    assert _losses(halting).realised_e6 == losses.realised_e6, "counted by risk itself"
