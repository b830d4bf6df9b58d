"""What an operator may ask of risk; the rules of asking stand in the package's docstring."""

from typing import Annotated

import msgspec
from msgspec import Meta

from shared.config.ramp import Step
from shared.control import ScopeKind

TEXT_MAX = 500
"""Longest reason: a person's sentence, kept in the audit trail for good."""

LATCHES_MAX = 100
"""Latches one resume may name; risk never holds more of them that an operator may clear."""

Text = Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)]
ScopeId = Annotated[str, Meta(max_length=120)]


class _Request(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=str.lower, kw_only=True
):
    """Something that an operator asks."""


class Halt(_Request, frozen=True, kw_only=True):
    """Cancel everything in the scope, place nothing there, until a resume.

    Attributes:
        scope: `account` or narrower.
        scope_id: Asset, market, token or strategy; empty for the account.
        reason: For the audit trail.
    """

    scope: ScopeKind = "account"
    scope_id: ScopeId = ""
    reason: Text


class LatchName(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One latch as it was seen: another version of it is another latch.

    Attributes:
        version: From `SwitchStatus`; at least 1.
    """

    name: Annotated[str, Meta(max_length=60)]
    scope: ScopeKind
    scope_id: ScopeId
    version: Annotated[int, Meta(ge=1)]


class Resume(_Request, frozen=True, kw_only=True):
    """Clear the latches named, all of them or none.

    Attributes:
        latches: As `Switches` has shown them.
        reason: For the audit trail.
    """

    latches: Annotated[tuple[LatchName, ...], Meta(min_length=1, max_length=LATCHES_MAX)]
    reason: Text


class Flatten(_Request, frozen=True, kw_only=True):
    """Cancel everything in the scope and close its positions; nothing new until a resume.

    Attributes:
        scope: `account` or narrower; scope_id as of a `Halt`.
        reason: For the audit trail.
    """

    scope: ScopeKind = "account"
    scope_id: ScopeId = ""
    reason: Text


class Disable(_Request, frozen=True, kw_only=True):
    """Disable one strategy until it is enabled, through every restart."""

    strategy: ScopeId
    reason: Text


class Enable(_Request, frozen=True, kw_only=True):
    """Let a disabled strategy trade again.

    Attributes:
        version: Of the latch `strategy_disabled` as it was seen.
    """

    strategy: ScopeId
    version: Annotated[int, Meta(ge=1)]
    reason: Text


class PaperRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the verified audit trail of a paper group says (ST-8, CB-4).

    Attributes:
        clean_s: Time traded clean, as `shared/clean_run.py` counts it.
        sequence: Newest row of that trail; hash_hex: its hash, so that it can be found again.
        began_wall_ns: Wall time from which it counts.
    """

    clean_s: Annotated[int, Meta(ge=0, le=10**9)]
    sequence: Annotated[int, Meta(ge=1)]
    hash_hex: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    began_wall_ns: Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Reset(_Request, frozen=True, kw_only=True):
    """Clear the latches of one strategy and forget what was counted for them.

    Attributes:
        latches: As seen; each of them of this strategy.
        paper: The run that a latch of its performance waits for in mode live; None for none.
    """

    strategy: ScopeId
    latches: Annotated[tuple[LatchName, ...], Meta(min_length=1, max_length=LATCHES_MAX)]
    reason: Text
    paper: PaperRun | None = None


class Drill(_Request, frozen=True, kw_only=True):
    """Fence a group that trades, measure it, and let it recover by itself.

    Attributes:
        really: Needed in mode live, where it costs the places in the queues.
    """

    reason: Text
    really: bool = False


class Ramp(_Request, frozen=True, kw_only=True):
    """Set the step of the capital (ST-8).

    Attributes:
        paper: For the first live step.
    """

    usd: Step
    reason: Text
    paper: PaperRun | None = None


class Capital(_Request, frozen=True, kw_only=True):
    """Show the step of the capital and what the next one takes."""


class Switches(_Request, frozen=True, kw_only=True):
    """Show every switch that is tripped, and what would block resuming each."""


class Status(_Request, frozen=True, kw_only=True):
    """Show risk's whole status with the recovery check list."""


Request = (
    Halt | Resume | Flatten | Disable | Enable | Reset | Drill | Ramp | Capital | Switches | Status
)
