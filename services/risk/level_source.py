"""DG-1 to DG-4 as risk carries them out: the level, and the samples that follow from it.

At REDUCED it holds all but the most liquid markets; sizes and thresholds are the strategies'
and the gate's, who hear the level by every ping. EMERGENCY lets positions be closed and nothing
else. SHUTDOWN does so too, under a latch, and halts once its time is over. Nothing is closed
while book, state or execution is missing: it is held, and people are told.
"""

from collections.abc import Iterator

from services.risk.degradation import Cause, Degradation, LevelShift
from services.risk.level_causes import LevelCauses
from services.risk.liquid_markets import LiquidMarkets
from services.risk.samples import ACCOUNT, Sample
from services.risk.source import Notice
from shared.config import Config
from shared.effects import Message
from shared.level import rank
from shared.switches import CLOSED_DOWN, CLOSING_DOWN, DEGRADED_MARKET, EMERGENCY
from shared.units import NS_PER_MS, Instant


class LevelSource:
    """The level of degradation."""

    def __init__(self, config: Config) -> None:
        """Begin at NORMAL."""
        settings = config.degradation
        self._settings = settings
        self._causes = LevelCauses(config)
        self._markets = LiquidMarkets(settings.reduced_markets_max)
        self._degradation = Degradation(
            settings.worse_after_ms * NS_PER_MS, settings.better_after_ms * NS_PER_MS
        )
        self._why = ""

    def hear(self, message: Message, now: Instant) -> None:
        """Take a message in."""
        self._causes.hear(message, now)
        self._markets.hear(message)

    def data(self, now: Instant) -> Iterator[Sample | Notice | LevelShift]:
        """Yield the change of the level when there is one, and what the level asks for."""
        shift = self._degradation.judge(
            (*self._causes.holding(now), *self._lasting(now)), now.boot_ns
        )
        if shift is not None:
            self._why = f"{shift.after}: {shift.cause}"
            yield shift
        level = rank(self._degradation.level)
        for market in self._markets.others(now):
            yield Sample(
                DEGRADED_MARKET, "", ("market", market), level == 1, "not among the most liquid"
            )
        yield Sample(EMERGENCY, "", ACCOUNT, level >= 2, self._why)
        yield Sample(CLOSING_DOWN, "", ACCOUNT, level == 3, self._why)
        yield Sample(CLOSED_DOWN, "", ACCOUNT, level == 3 and self._is_closed(now), self._why)
        missing = self._causes.missing(now) if level >= 2 else ""
        if missing:
            text = f"positions are held, not closed: {missing}"
            yield Notice("critical", "closing held", text, EMERGENCY.runbook)

    def _lasting(self, now: Instant) -> tuple[Cause, ...]:
        """Return that an emergency has lasted for longer than anybody should wait for it."""
        degradation = self._degradation
        if degradation.level != "EMERGENCY" or degradation.since_ns is None:
            return ()
        lasted_ns = now.boot_ns - degradation.since_ns
        if lasted_ns < self._settings.emergency_ms_max * NS_PER_MS:
            return ()
        return (Cause("SHUTDOWN", "emergency without end", f"for {lasted_ns // 10**9} s"),)

    def _is_closed(self, now: Instant) -> bool:
        """Tell whether the time to close positions is over."""
        since_ns = self._degradation.since_ns
        closing_ns = self._settings.closing_ms_max * NS_PER_MS
        return since_ns is not None and now.boot_ns >= since_ns + closing_ns
