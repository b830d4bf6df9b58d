"""One run over a recording: market after market, at the recorded prices, to the recorded ends.

The whole system's real cores trade under virtual time; every invariant is judged at every
step as in a run from a seed. Without faults unless they are asked for.
"""

import shutil
import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import msgspec

from ops.simulation import faults
from ops.simulation.checkers import Violation
from ops.simulation.components import BUILDERS
from ops.simulation.convergence import judge_end
from ops.simulation.earnings import Earnings, Window
from ops.simulation.recordings import Agreement, Recording, agree
from ops.simulation.run import MEMORY_DIRECTORY, STILL_S, TAIL_LINES, draw_config
from ops.simulation.whole import Whole
from services.simulator.chance import stream
from shared.config import Config, LimitSettings, MarketSettings, StrategySettings, TimingSettings
from shared.units import NS_PER_S

SETTLE_S = 12
"""After the last window: its resolution, the settlement of its trades, and their payouts."""

FRAMES_PER_S = 20
"""Market frames a second of the other makers, as in a calm market."""

_UP_DOWN = ("Up", "Down")


class WindowResult(msgspec.Struct, frozen=True):
    """One window, as it was and as it went.

    Attributes:
        slug: Of the recorded window, which is the simulated one's too.
        recorded: Outcome that the recording tells, None when it tells none.
        resolved: Outcome that the venue gave, None when it has not.
        by_rule: What the venue's own rule gives.
        oracle_silent_s: How long trading was paused for the oracle's silence.
        profit_usd: Decimal text.
    """

    slug: str
    recorded: str | None
    resolved: str | None
    by_rule: str | None
    orders: int
    fills: int
    oracle_silent_s: float
    profit_usd: str


class RecordedOutcome(msgspec.Struct, frozen=True):
    """What one run over a recording was and found.

    Attributes:
        seed: Of everything but prices and outcomes.
        frames_per_second: Of the other makers.
        hash: Over every event; equal for equal seeds.
        seconds: Simulated time.
        agreement: Of the recorded outcomes with the recorded prices.
        mistaken: Windows that resolved otherwise than recorded.
        cleared: Latches that the operator cleared, by name.
    """

    seed: int
    frames_per_second: int
    seconds: int
    hash: str
    events: int
    posts: int
    fills: int
    profit_usd: str
    windows: tuple[WindowResult, ...]
    agreement: Agreement
    mistaken: tuple[str, ...]
    faults: dict[str, int]
    ended: dict[str, int]
    cleared: dict[str, int]
    violations: tuple[Violation, ...]
    tail: tuple[str, ...] = ()


Say = Callable[[WindowResult], None]


def recorded_config(seed: int, recording: Recording, frames_per_second: int) -> Config:
    """Return the settings of a run: those of a real day, but for losses, which end no run."""
    drawn = draw_config(stream(seed, "config"))
    defaults = (TimingSettings(), StrategySettings())
    return msgspec.structs.replace(
        drawn,
        markets=MarketSettings(assets=(recording.asset,), interval_s=recording.interval_ms // 1000),
        timing=defaults[0],
        strategy=defaults[1],
        limits=LimitSettings(daily_loss_usd_max=1_000_000),
        simulator=msgspec.structs.replace(
            drawn.simulator, frames_per_second=frames_per_second, collateral_usd=100_000
        ),
    )


def run_recorded(
    seed: int,
    recording: Recording,
    *,
    frames_per_second: int = FRAMES_PER_S,
    has_faults: bool = False,
    say: Say = lambda result: None,
) -> RecordedOutcome:
    """Trade every window of a recording once.

    Args:
        seed: Of everything but prices and outcomes.
        recording: What is played, at its own speed.
        frames_per_second: Market frames of the other makers.
        has_faults: Whether faults are drawn from the seed.
        say: Told of each window when the next one has ended, and of the last at the end.
    """
    config = recorded_config(seed, recording, frames_per_second)
    interval_s = config.markets.interval_s
    seconds = recording.window_count * interval_s + SETTLE_S + STILL_S
    plan = faults.draw(stream(seed, "faults"), seconds * NS_PER_S) if has_faults else None
    parent = MEMORY_DIRECTORY if MEMORY_DIRECTORY.is_dir() else None
    directory = Path(tempfile.mkdtemp(prefix="interlock-sim-", dir=parent))
    try:
        plan = plan or faults.no_faults()
        whole = Whole(seed, config, plan, directory, BUILDERS, recording)
        try:
            return _Run(recording, whole, say).run(seed, config, plan)
        finally:
            whole.close()
    finally:
        shutil.rmtree(directory)


class _Run:
    """One run under way: collects what each window brings."""

    def __init__(self, recording: Recording, whole: Whole, say: Say) -> None:
        self._recording = recording
        self._whole = whole
        self._say = say
        self._earnings = Earnings(whole.world.venue.wallet)
        self._results: list[WindowResult] = []
        self._silent_s: list[float] = []
        whole.world.venue.logged = self._earnings.take

    def run(self, seed: int, config: Config, plan: faults.Plan) -> RecordedOutcome:
        whole = self._whole
        whole.start()
        silent_ns = 0
        for _ in range(self._recording.window_count):
            whole.run_for(config.markets.interval_s)
            now_ns = whole.world.watch.oracle_silent_ns
            self._silent_s.append((now_ns - silent_ns) / NS_PER_S)
            silent_ns = now_ns
            # The window that has just ended is not resolved yet: the one before it is.
            self._tell(len(self._silent_s) - 1)
        whole.run_for(SETTLE_S)
        whole.world.venue.still()
        whole.run_for(STILL_S)
        self._tell(len(self._silent_s))
        if not whole.findings.violations:
            world = whole.world
            judge_end(world.directory, world.venue, world.scheduler.instant(), whole.findings)
        return self._outcome(seed, config, plan)

    def _tell(self, count: int) -> None:
        windows = {window.start_ms: window for window in self._earnings.windows.values()}
        starts = self._recording.starts()
        for place in range(len(self._results), count):
            start_ms = starts[place]
            result = self._result(windows.get(start_ms), start_ms, self._silent_s[place])
            self._results.append(result)
            self._say(result)

    def _result(self, window: Window | None, start_ms: int, silent_s: float) -> WindowResult:
        recorded = self._recording.markets.get(start_ms)
        assert window is not None, "each window that is played is listed"
        rule = None
        if window.strike is not None and window.final is not None:
            rule = 0 if Decimal(window.final) >= Decimal(window.strike) else 1
        return WindowResult(
            slug=window.slug,
            recorded=_name(recorded.winner if recorded else None),
            resolved=_name(window.winner),
            by_rule=_name(rule),
            orders=window.orders,
            fills=window.fills,
            oracle_silent_s=round(silent_s, 1),
            profit_usd=f"{window.profit:f}",
        )

    def _outcome(self, seed: int, config: Config, plan: faults.Plan) -> RecordedOutcome:
        whole, world = self._whole, self._whole.world
        results = tuple(self._results)
        violations = tuple(whole.findings.violations)
        planned: dict[str, int] = {}
        for fault in plan.schedule:
            planned[fault.kind] = planned.get(fault.kind, 0) + 1
        return RecordedOutcome(
            seed=seed,
            frames_per_second=config.simulator.frames_per_second,
            seconds=world.scheduler.now_ns // NS_PER_S,
            hash=world.trace.hash(),
            events=world.trace.count,
            posts=world.watch.posts,
            fills=sum(result.fills for result in results),
            profit_usd=f"{sum((Decimal(result.profit_usd) for result in results), Decimal(0)):f}",
            windows=results,
            agreement=agree(self._recording),
            mistaken=tuple(
                result.slug
                for result in results
                if result.recorded is not None and result.resolved != result.recorded
            ),
            faults=planned,
            ended={str(component): count for component, count in whole.kills.items()},
            cleared=dict(whole.operator.cleared),
            violations=violations,
            tail=tuple(world.trace.tail(TAIL_LINES)) if violations else (),
        )


def _name(winner: int | None) -> str | None:
    return None if winner is None else _UP_DOWN[winner]


def report_window(result: WindowResult) -> str:
    """Return one line about one window."""
    told = f"recorded {result.recorded or 'untold'}, resolved {result.resolved or 'not'}"
    rule = "" if result.by_rule == result.resolved else f" (own rule {result.by_rule})"
    silent = f", oracle silent {result.oracle_silent_s:.0f} s" if result.oracle_silent_s else ""
    return (
        f"{result.slug}: {told}{rule}, {result.orders} orders, {result.fills} fills, "
        f"profit {Decimal(result.profit_usd):+.2f} USD{silent}"
    )


def report_recorded(outcome: RecordedOutcome, real_s: float) -> list[str]:
    """Return what a person wants to see after the windows' own lines.

    Args:
        outcome: Of the run.
        real_s: How long it took.
    """
    agreement = outcome.agreement
    lines = [
        f"seed {outcome.seed}: {len(outcome.windows)} windows, {outcome.seconds} s simulated in "
        f"{real_s:.0f} s, {outcome.seconds / max(real_s, 0.001):.1f} times real time; other makers "
        f"make {outcome.frames_per_second} frames/s",
        f"  {outcome.posts} orders, {outcome.fills} fills, profit "
        f"{Decimal(outcome.profit_usd):+.2f} USD, {outcome.events} events, trace {outcome.hash}",
    ]
    if agreement.told:
        lines.append(
            f"  recorded outcomes: {agreement.told}; the venue's rule on the recorded prices gives "
            f"{agreement.by_rule} of them (spot {agreement.by_spot}, minute's average "
            f"{agreement.by_average})"
        )
    lines.append(
        f"  faults {_counts(outcome.faults)}; processes ended {_counts(outcome.ended)}; "
        f"latches cleared {_counts(outcome.cleared)}"
    )
    lines += [f"MISTAKEN {slug}: resolved otherwise than recorded" for slug in outcome.mistaken]
    lines += list(outcome.tail)
    lines += [
        f"VIOLATION at {found.moment_ns / NS_PER_S:.6f} s, seed {outcome.seed}: "
        f"{found.rule}: {found.text}"
        for found in outcome.violations
    ]
    return lines


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"
