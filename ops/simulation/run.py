"""One run from one seed, and what came of it; the entry point of command and tests.

`run(seed, seconds)` draws settings and faults from the seed, runs, judges, and returns an
`Outcome`. The same seed gives the same hash, on any machine and under any hash seed.
"""

import gc
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

from ops.simulation import faults
from ops.simulation.assembly import Builder
from ops.simulation.checkers import Violation
from ops.simulation.components import BUILDERS
from ops.simulation.convergence import judge_end, judge_recovery
from ops.simulation.data_faults import with_data_faults
from ops.simulation.faults import Plan
from ops.simulation.perps import with_perp_faults, with_perps
from ops.simulation.read_faults import with_read_faults
from ops.simulation.risk_faults import with_risk_faults
from ops.simulation.venue_faults import with_venue_faults
from ops.simulation.whole import Whole
from services.simulator.chance import Chance, stream
from shared.config import (
    AccountSettings,
    ClockSettings,
    Config,
    LimitSettings,
    MarketMakingSettings,
    MarketSettings,
    PerformanceSettings,
    RunSettings,
    SimulatorSettings,
    StrategySettings,
    TimingSettings,
    VenueSettings,
)
from shared.config.losses import FREE_LOSSES, LossSettings
from shared.facts import RiskStatus
from shared.identifiers import Component
from shared.units import NS_PER_S

SECONDS = 60
STILL_S = 8
"""The last seconds without other traders: what is then not settled never will be."""

COLLECT_AFTER = 50_000
"""Objects made before the collector looks at the young ones: some MB."""

STRICT_PPM = 150_000
STRICT_LOSSES = LossSettings(
    daily_percent_max=3, trade_percent_max=2, session_percent_max=3, loss_percent=1
)
"""A share of the capital that a market or two may cost."""

NAMED = ("entry", "venue_fault", "host", "visitor")
"""Kinds whose faults are counted by their names."""

TAIL_LINES = 60
MEMORY_DIRECTORY = Path("/dev/shm")  # noqa: S108  (where there is no disk to wait for)
_HOST = "127.0.0.1:18080"


class Outcome(msgspec.Struct, frozen=True):
    """What one run was and found.

    Attributes:
        hash: Over every event; equal for equal seeds.
        frames_per_market_s: Market frames a second of each market's window.
        orders_per_market_s: Own orders written, likewise.
        faults: How often each kind of fault was planned, those of the venue by their names.
        ended: How often each component ended.
        cleared: Latches that the operator cleared, by name.
        tail: Newest trace lines, when something was found.
        struck: How often each entry of the catalogue has struck.
        held: Latches that still held at the end, by name.
        told: Moment, component, name and text of what people would have been told.
    """

    seed: int
    seconds: int
    hash: str
    events: int
    frames_per_market_s: float
    orders_per_market_s: float
    posts: int
    fills: int
    faults: dict[str, int]
    ended: dict[str, int]
    cleared: dict[str, int]
    violations: tuple[Violation, ...]
    tail: tuple[str, ...] = ()
    told: tuple[tuple[int, str, str, str], ...] = ()
    struck: dict[str, int] = {}
    held: tuple[str, ...] = ()


def draw_config(chance: Chance) -> Config:
    """Return the settings of a run: fast markets, a lively price, close quotes.

    In some runs little may be lost, so that trading itself trips the limits of losses.
    """
    venue_seed = chance.bits() >> 1
    losses = STRICT_LOSSES if chance.happens(STRICT_PPM) else FREE_LOSSES
    return Config(
        run=RunSettings(profile="simulation"),
        account=AccountSettings(key_file="key.hex", credentials_file="credentials.json"),
        venue=VenueSettings(
            clob_url=f"http://{_HOST}",
            discovery_url=f"http://{_HOST}",
            geoblock_url=f"http://{_HOST}",
            market_socket_url=f"ws://{_HOST}/ws/market",
            user_socket_url=f"ws://{_HOST}/ws/user",
            price_socket_url=f"ws://{_HOST}/ws",
            legacy_price_socket_url=f"ws://{_HOST}/rtds",
        ),
        markets=MarketSettings(interval_s=40, cutoff_ms=5_000),
        timing=TimingSettings(clean_data_ms=1_000),
        clock=ClockSettings(measure_every_ms=1_000, unknown_ms=3_000),
        limits=LimitSettings(shares_per_outcome_max=60, unpaired_shares_global_max=200),
        losses=losses,
        performance=PerformanceSettings(trades=1_000),
        strategy=StrategySettings(market_making=MarketMakingSettings(requote_e4=0)),
        simulator=SimulatorSettings(
            seed=venue_seed,
            takers_per_second=2.0,
            protocol="mixed",
            volatility_annual=0.8,
        ),
    )


def run(
    seed: int,
    seconds: int = SECONDS,
    *,
    plan: Plan | None = None,
    builders: Mapping[Component, Builder] = BUILDERS,
    perps: bool = False,
) -> Outcome:
    """Run the whole system once.

    Args:
        seed: Of everything.
        seconds: Simulated time, more than `STILL_S`.
        plan: Faults; None draws them from the seed.
        builders: What each component is made of; tests plant bugs here.
        perps: Whether perpetual futures are read, and go wrong too where the plan is drawn.
    """
    assert seconds > STILL_S
    if plan is None:
        plan = faults.draw(stream(seed, "faults"), seconds * NS_PER_S)
        plan = with_venue_faults(plan, stream(seed, "venue faults"))
        plan = with_risk_faults(plan, stream(seed, "risk faults"))
        plan = with_read_faults(plan, stream(seed, "read faults"))
        plan = with_perp_faults(plan, stream(seed, "perp faults")) if perps else plan
        plan = with_data_faults(plan, stream(seed, "data faults"))
    config = draw_config(stream(seed, "config"))
    config = with_perps(config) if perps else config
    parent = MEMORY_DIRECTORY if MEMORY_DIRECTORY.is_dir() else None
    directory = Path(tempfile.mkdtemp(prefix="interlock-sim-", dir=parent))
    collected = gc.get_threshold()
    # A real process collects by itself, once a second; at the default nearly a tenth goes there.
    gc.set_threshold(COLLECT_AFTER, *collected[1:])
    try:
        whole = Whole(seed, config, plan, directory, builders)
        try:
            whole.start()
            whole.run_for(seconds - STILL_S)
            whole.world.venue.still()
            whole.run_for(STILL_S)
            if not whole.findings.violations:
                judge_end(
                    directory,
                    whole.world.venue,
                    whole.world.scheduler.instant(),
                    whole.findings,
                )
                judge_recovery(whole.world.watch.risk_status, whole.findings)
            return _outcome(seed, seconds, plan, whole)
        finally:
            whole.close()
    finally:
        gc.set_threshold(*collected)
        shutil.rmtree(directory)


def _outcome(seed: int, seconds: int, plan: Plan, whole: Whole) -> Outcome:
    world = whole.world
    violations = tuple(whole.findings.violations)
    planned: dict[str, int] = {}
    for fault in plan.schedule:
        name = fault.mode if fault.kind in NAMED else fault.kind
        planned[name] = planned.get(name, 0) + 1
    # One window of each asset runs at any time, so the run's length is that of its markets.
    market_s = seconds * len(world.config.markets.assets)
    return Outcome(
        seed=seed,
        seconds=seconds,
        hash=world.trace.hash(),
        events=world.trace.count,
        frames_per_market_s=world.venue.frames / market_s,
        orders_per_market_s=world.watch.posts / market_s,
        posts=world.watch.posts,
        fills=world.watch.fills,
        faults=planned,
        ended={str(component): count for component, count in whole.kills.items()},
        cleared=dict(whole.operator.cleared),
        violations=violations,
        tail=tuple(world.trace.tail(TAIL_LINES)) if violations else (),
        told=tuple(world.trace.told),
        struck=dict(world.venue.core.faults.struck),
        held=_held(world.watch.risk_status),
    )


def _held(status: RiskStatus | None) -> tuple[str, ...]:
    switches = () if status is None else status.switches
    return tuple(switch.name for switch in switches if switch.kind == "latch")


def report(outcome: Outcome) -> list[str]:
    """Return what a person wants to see of an outcome, line by line."""
    lines = [
        f"seed {outcome.seed}: {outcome.seconds} s simulated, trace {outcome.hash}",
        f"  {outcome.events} events, {outcome.frames_per_market_s:.1f} market frames/s and "
        f"{outcome.orders_per_market_s:.2f} own orders/s a market, {outcome.fills} fills",
        f"  faults {_counts(outcome.faults)}; processes ended {_counts(outcome.ended)}; "
        f"latches cleared {_counts(outcome.cleared)}, held {', '.join(outcome.held) or 'none'}",
    ]
    lines += list(outcome.tail)
    lines += [
        f"VIOLATION at {found.moment_ns / NS_PER_S:.6f} s, seed {outcome.seed}: "
        f"{found.rule}: {found.text}"
        for found in outcome.violations
    ]
    return lines


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"
