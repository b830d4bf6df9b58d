"""KS-14: whether ours and the venue's agree, after each full reconciliation.

Counts what disagrees and how often in a row; keeps both numbers for people. The first
disagreement pauses until a reconciliation agrees; the second in a row halts, which risk
latches, and which ends here with a newer epoch and a reconciliation that agrees.
"""

from typing import Final

import msgspec

from shared.control import Mismatch
from shared.units import BootNs, Instant

HALT_AFTER: Final = 2
"""Disagreements in a row after which an operator has to look."""

TOLD_MAX: Final = 4
"""Differences named in one text; how many there are is told too."""


class Difference(msgspec.Struct, frozen=True, order=True):
    """One thing that ours and the venue's say otherwise.

    Attributes:
        what: Which order or token, and which of its numbers.
        ours: As the ledger has it.
        theirs: As the venue, or the chain, shows it.
    """

    what: str
    ours: str
    theirs: str

    def __str__(self) -> str:
        """Name it with both numbers."""
        return f"{self.what}: ours {self.ours}, theirs {self.theirs}"


class Agreement:
    """The verdicts so far.

    Attributes:
        in_a_row: Full reconciliations in a row that disagreed.
        rounds: Full reconciliations so far.
        agreed_ns: When the newest one that agreed was ended; None before the first.
        differences: Of the newest that disagreed; empty once one agrees.
    """

    def __init__(self) -> None:
        """Begin with nothing compared."""
        self.in_a_row = 0
        self.rounds = 0
        self.agreed_ns: BootNs | None = None
        self.differences: tuple[Difference, ...] = ()
        self._halt_round = 0
        self._halt_epoch = 0
        self._text = ""

    def agree(self, now: Instant) -> None:
        """Take a reconciliation without a difference."""
        self.rounds += 1
        self.in_a_row = 0
        self.differences = ()
        self.agreed_ns = now.boot_ns

    def disagree(self, differences: tuple[Difference, ...], epoch: int) -> None:
        """Take a reconciliation that found differences."""
        assert differences, "a disagreement has a difference"
        self.rounds += 1
        self.in_a_row += 1
        self.differences = differences
        told = "; ".join(str(difference) for difference in differences[:TOLD_MAX])
        more = len(differences) - TOLD_MAX
        self._text = told if more <= 0 else f"{told}; and {more} more"
        if self.in_a_row >= HALT_AFTER:
            self._halt_round, self._halt_epoch = self.rounds, epoch

    def know_epoch(self, epoch: int) -> None:
        """Take the newest epoch: a halt ends with a newer one, once the newest round agreed."""
        if self._halt_round and not self.differences and epoch > self._halt_epoch:
            self._halt_round = 0

    @property
    def is_halted(self) -> bool:
        """Whether it disagreed so often that an operator has to look."""
        return self._halt_round > 0

    @property
    def text(self) -> str:
        """What disagrees, with both numbers; empty while nothing does and nothing is halted."""
        if self.differences:
            return self._text
        return f"halted, reconciled since: {self._text}" if self.is_halted else ""

    def mismatch(self) -> Mismatch | None:
        """Return what risk is told; None while nothing disagrees."""
        if not self.text:
            return None
        return Mismatch(self.rounds, self.in_a_row, self._halt_round, self.text)
