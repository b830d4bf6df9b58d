"""What risk answers an operator; when each answer comes stands in the package's docstring."""

from typing import Literal

import msgspec

from shared.facts import RiskStatus, SwitchStatus
from shared.operator.requests import LatchName
from shared.units import BootNs, WallNs


class _Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True, kw_only=True):
    """Something that risk answers."""


class FenceTimes(msgspec.Struct, frozen=True):
    """Durations of one fence from the decision on, in nanoseconds; None: not reached (yet).

    Attributes:
        fence_id: Epoch that the fence made.
        blocked_ns: Until every execution had blocked placements, or was gone.
        cancel_ns: Until the first byte of risk's own cancel-all was written.
        quiet_ns: Until every send queue was empty.
        empty_ns: Until a read sent after the decision was answered and showed no order.
        zero_ns: Until the second read of the proof was answered.
    """

    fence_id: int
    blocked_ns: int | None
    quiet_ns: int | None
    zero_ns: int | None
    cancel_ns: int | None = None
    empty_ns: int | None = None


class Halted(_Reply, frozen=True, kw_only=True):
    """The scope is held: latch on disk, and for the account zero proven.

    Answers a `Disable` and a `Flatten` too; what the latter closes is closed afterwards.

    Attributes:
        latch: What a resume must name.
        fence: Times of the proof; None for a scope below the account, which is cancelled
            and blocked but not proven.
    """

    latch: LatchName
    fence: FenceTimes | None
    wall_ns: WallNs


class Resumed(_Reply, frozen=True, kw_only=True):
    """The latches named are cleared on disk; trading waits for what `waits_for` names.

    Attributes:
        waits_for: Items of the recovery check list that do not hold yet.
    """

    latches: tuple[LatchName, ...]
    waits_for: tuple[str, ...]


class ResumeRefused(_Reply, frozen=True, kw_only=True):
    """Nothing was cleared, and no step was taken.

    Attributes:
        blockers: What blocks, in words: a latch that is not named so, or a condition that holds.
    """

    blockers: tuple[str, ...]


class SwitchDetail(msgspec.Struct, frozen=True):
    """What stands behind a switch that is tripped, or that has seen something bad.

    Attributes:
        subject: Tells conditions of one switch and scope apart.
        bad: Samples among the newest `of` that were bad; `needed` of them trip it. All 0 for a
            latch that no condition stands behind.
        why: What the newest bad sample showed.
        blockers: What a resume would be refused for now; of latches alone.
    """

    name: str
    scope: str
    scope_id: str
    subject: str
    bad: int
    needed: int
    of: int
    why: str
    blockers: tuple[str, ...] = ()


class SwitchList(_Reply, frozen=True, kw_only=True):
    """All tripped switches, latches first.

    Attributes:
        details: For each of them, and for what is not tripped but has bad samples.
    """

    switches: tuple[SwitchStatus, ...]
    details: tuple[SwitchDetail, ...] = ()


class CapitalReport(_Reply, frozen=True, kw_only=True):
    """The step of the capital.

    Attributes:
        is_set: Whether an operator has set it, or the profile does.
        clean_s: Time traded clean at it; needed_s: what the next step takes.
        spoiled_by: What spoiled the run before; empty when nothing has.
        next_usd: None at the highest step.
        blockers: What stands against the next step now.
    """

    usd: int
    is_set: bool
    clean_s: int
    needed_s: int
    spoiled_by: str
    next_usd: int | None
    blockers: tuple[str, ...]


class Ramped(_Reply, frozen=True, kw_only=True):
    """The step of the capital is on disk."""

    usd: int
    before_usd: int


class DrillReport(msgspec.Struct, frozen=True):
    """One drill, as it is kept in the audit trail.

    Attributes:
        wall_ns: When it was decided.
        asked_by: Who asked, or the schedule.
        times: Of its fence.
        misses: What took longer than it may, or did not come; empty when all was in its bounds.
    """

    wall_ns: WallNs
    asked_by: str
    reason: str
    times: FenceTimes
    misses: tuple[str, ...]


class Drilled(_Reply, frozen=True, kw_only=True):
    """A drill is over: zero is proven, and the group recovers by itself."""

    report: DrillReport


class RecoveryCheck(msgspec.Struct, frozen=True):
    """One item of the recovery check list.

    Attributes:
        name: Stable name of the item.
        holds: Whether it lets trading resume.
        detail: The value seen, or why it does not hold.
    """

    name: str
    holds: bool
    detail: str


class StatusReport(_Reply, frozen=True, kw_only=True):
    """Risk's status, and the recovery check list item by item."""

    status: RiskStatus
    recovery: tuple[RecoveryCheck, ...]
    at_ns: BootNs


class RequestRefused(_Reply, frozen=True, kw_only=True):
    """The request could not be understood or carried out; nothing has changed."""

    error: Literal["malformed", "oversized", "busy", "stopping", "forbidden"]
    detail: str


Reply = (
    Halted
    | Resumed
    | ResumeRefused
    | Ramped
    | CapitalReport
    | Drilled
    | SwitchList
    | StatusReport
    | RequestRefused
)
