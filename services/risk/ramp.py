"""The capital ramp (ST-8): which step holds, and what it takes to raise it.

A step is an operator's word, kept in risk's database. Lowering is always allowed. Raising goes
one step at a time, after a clean run at the step before; the first live step needs a day of
paper. What a clean run is stands in `shared/clean_run.py`.
"""

from services.risk.messages import StoredState
from shared.clean_run import CleanRun
from shared.config import Config
from shared.config.ramp import STEPS_USD
from shared.operator import CapitalReport, PaperRun, RecoveryCheck
from shared.units import NS_PER_S, WallNs

PAPER_S_MIN = 86_400
"""Before the first live step. Source: requirement ST-8, 24 h of paper."""


class Ramp:
    """The step of the capital.

    Attributes:
        capital_usd: Capital that may be at work; 0 in mode live before the first step.
        is_set: Whether an operator has set a step.
        asked_usd: A step on its way to the disk; None for none.
    """

    def __init__(self, config: Config, stored: StoredState) -> None:
        live = config.run.mode == "live"
        self._settings = config.ramp
        self._live = live
        self.is_set = stored.capital_usd is not None
        self.asked_usd: int | None = None
        start_usd = 0 if live else config.ramp.start_usd
        self.capital_usd: int = start_usd if stored.capital_usd is None else stored.capital_usd

    def blockers(
        self, usd: int, run: CleanRun, paper: PaperRun | None, wall_ns: WallNs
    ) -> tuple[str, ...]:
        """Return why a step cannot be taken; empty when it can.

        Args:
            usd: The step asked for.
            run: What the trail says of the run at the present step.
            paper: What the trail of a paper group says; for the first live step.
            wall_ns: Now.
        """
        if self.asked_usd is not None:
            return ("another step is on its way to the disk",)
        if usd <= self.capital_usd:
            return ()
        if self._live and not self.is_set:
            return self._first_live(usd, paper)
        found = []
        above = [step for step in STEPS_USD if step > self.capital_usd]
        if usd != above[0]:
            found.append(f"the step after {self.capital_usd} USD is {above[0]} USD")
        clean_s = run.so_far_ns(wall_ns) // NS_PER_S
        if clean_s < self._settings.clean_run_s:
            since = f"; spoiled by {run.spoiled_by}" if run.spoiled_by else ""
            found.append(
                f"traded clean at {self.capital_usd} USD for {clean_s} s of "
                f"{self._settings.clean_run_s} s{since}"
            )
        return tuple(found)

    def ask(self, usd: int) -> None:
        """Take a step on its way to the disk; a lower one holds from here on."""
        self.asked_usd = usd
        self.capital_usd = min(self.capital_usd, usd)

    def take(self, usd: int) -> None:
        """Take a step that is on disk."""
        self.asked_usd = None
        self.capital_usd = usd
        self.is_set = True

    def report(self, run: CleanRun, wall_ns: WallNs) -> CapitalReport:
        """Return the step, and what the next one takes."""
        above = [step for step in STEPS_USD if step > self.capital_usd]
        return CapitalReport(
            usd=self.capital_usd,
            is_set=self.is_set,
            clean_s=run.so_far_ns(wall_ns) // NS_PER_S,
            needed_s=self._settings.clean_run_s,
            spoiled_by=run.spoiled_by,
            next_usd=above[0] if above else None,
            blockers=self.blockers(above[0], run, None, wall_ns) if above else (),
        )

    def check(self) -> RecoveryCheck:
        """Return the item of the recovery check list: no capital, no trading."""
        words = f"{self.capital_usd} USD" if self.capital_usd else "`interlock ramp 50` first"
        return RecoveryCheck("capital set", self.capital_usd > 0, words)

    def _first_live(self, usd: int, paper: PaperRun | None) -> tuple[str, ...]:
        found = []
        if usd != STEPS_USD[0]:
            found.append(f"the first step is {STEPS_USD[0]} USD")
        if paper is None:
            found.append("the first live step needs the trail of a paper group (--paper DATA)")
        elif paper.clean_s < PAPER_S_MIN:
            found.append(f"paper has traded clean for {paper.clean_s} s of {PAPER_S_MIN} s")
        return tuple(found)
