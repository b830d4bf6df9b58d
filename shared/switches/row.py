"""One row of the switch table."""

from typing import Literal

import msgspec

from shared.control import ScopeKind
from shared.trading_state import TradingState

SwitchKind = Literal["latch", "pause"]

RUN_ONLY = "next start"
"""Resume condition of switches that end the run they tripped in."""

NEVER = "never for that market"
"""Resume condition of what is over for good, and which nobody has to remember."""


class Confirmation(msgspec.Struct, frozen=True):
    """How many of the newest samples must show the condition before a switch trips.

    Attributes:
        needed: 1..of.
        of: Samples looked at; 1 of 1 trips at the first sight.
    """

    needed: int
    of: int


AT_ONCE = Confirmation(1, 1)
"""For what is a fact and no measurement: an exit, an operator, a clock time, a venue's refusal."""

SAMPLED = Confirmation(3, 5)
"""For what is measured: one late sample is not a stale feed. At ten samples a second this adds
0.2 s to the feed's own limit, which the deadline of the response has room for."""


class Switch(msgspec.Struct, frozen=True):
    """One row.

    Attributes:
        name: Stable name, used by latches, status, commands and the runbook.
        requirement: Id of the requirement that the row carries.
        trigger: What trips it, in words for people.
        setting: Settings of `shared/config.py` that fix its limits; empty for none.
        scope: The widest scope that one tripping reaches.
        state: Trading state of the scope while tripped.
        flatten: Whether positions of the scope are closed with reduce-only orders.
        kind: A latch survives every restart and ends by an operator alone; a pause ends
            by itself once its condition has held off for the clean-data time.
        confirmation: Samples needed.
        resumes: What ends it, in words for people.
        runbook: Page in `ops/runbooks`.
        implemented: Whether detection, response and recovery all exist on the real path.
    """

    name: str
    requirement: str
    trigger: str
    setting: tuple[str, ...]
    scope: ScopeKind
    state: TradingState
    flatten: bool
    kind: SwitchKind
    confirmation: Confirmation
    resumes: str
    runbook: str
    implemented: bool

    @property
    def is_durable(self) -> bool:
        """Whether tripping is written down, to be ended by an operator alone (INV-9)."""
        return self.kind == "latch" and self.resumes != NEVER
