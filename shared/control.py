"""The one control line: risk pings every component, and repeats the whole present order each time.

The line is level-triggered: a lost ping is repaired by the next, 100 ms later. A lease
is asked for by execution, with its own clock, and echoed by risk; it is never counted from
receipt, because a process that was stopped would take stale pings for fresh leases.
"""

from typing import Literal

import msgspec

from shared.identifiers import Component, Incarnation
from shared.level import Level
from shared.trading_state import TradingState
from shared.units import BootNs

ScopeKind = Literal["account", "asset", "market", "token", "strategy"]


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message of the control line."""


class ScopeOrder(_Line, frozen=True):
    """Present order for one scope below the account. A pause is a new generation.

    Attributes:
        generation: Grows with each new pause of the scope; execution cancels the scope's orders
            whenever it sees a generation newer than the one it has carried out.
        state: What may be placed there now.
        care: Whether what is held there is managed by stops and not sold at once; only while the
            state is REDUCING.
    """

    kind: ScopeKind
    scope_id: str
    generation: int
    state: TradingState
    reason: str
    care: bool = False


class Lease(_Line, frozen=True):
    """Echo of the newest ask that risk has evaluated; runs to `asked_ns + lease_ms` of the asker.

    Attributes:
        incarnation: Asker; an echo for another grants nothing.
        asked_ns: The asker's CLOCK_BOOTTIME, as it sent it.
        epoch: Epoch of the grant; one older than the newest received grants nothing.
        state: ACTIVE or REDUCING; other states are never granted.
    """

    incarnation: Incarnation
    asked_ns: BootNs
    lease_ms: int
    epoch: int
    state: TradingState


class Ping(_Line, frozen=True):
    """Risk's whole present order, every 100 ms, to every component.

    Attributes:
        risk_incarnation: Which risk speaks; answers to a dead one are ignored.
        ping_id: Number of the ping in this incarnation of risk.
        sent_ns: Risk's CLOCK_BOOTTIME, echoed by the pong for the round trip.
        epoch: Newest epoch. Orders of an older one may neither be sent nor stay.
        fence_id: Epoch that the newest fence made; equals `epoch` when that fence is not over,
            0 when none was in this incarnation of risk.
        fence_reason: Of it.
        trading_state: Account-wide.
        scopes: Every scope that is not ACTIVE, and those whose generation execution has not
            carried out.
        switch_version: Grows whenever the switches change.
        lease: Only in pings to execution, and only when granted.
        capital_usd: Step of the ramp (ST-8), of which every limit on losses is a share; None
            from a risk that does not say.
        level: Of degradation (DG-1 to DG-4).
        only_critical_logs: Whether a disk is full (CP-5): lines below `critical` are left out.
    """

    risk_incarnation: Incarnation
    ping_id: int
    sent_ns: BootNs
    epoch: int
    fence_id: int
    fence_reason: str
    trading_state: TradingState
    reasons: tuple[str, ...]
    scopes: tuple[ScopeOrder, ...]
    switch_version: int
    lease: Lease | None = None
    capital_usd: int | None = None
    level: Level = "NORMAL"
    only_critical_logs: bool = False


class FenceAnswer(_Line, frozen=True):
    """Execution's answers to the newest fence it has received, repeated in every pong.

    Attributes:
        risk_incarnation: Whose fence.
        fence_id: Epoch of it.
        blocked_ns: When placements were blocked, 0 while they are not.
        quiet_ns: When the send queue was empty, each entry journaled NOT_SENT and post sockets
            reset; 0 before.
        zero_ns: When execution itself had proof of zero; 0 before.
    """

    risk_incarnation: Incarnation
    fence_id: int
    blocked_ns: BootNs
    quiet_ns: BootNs
    zero_ns: BootNs


class SelfFenced(_Line, frozen=True):
    """Execution fenced itself; repeated in every pong until a newer epoch arrives."""

    epoch: int
    cause: str
    since_ns: BootNs


class Mismatch(_Line, frozen=True):
    """What execution found to disagree with the venue, repeated in every pong while it does.

    Attributes:
        round: Number of the full reconciliation in this run of execution.
        in_a_row: How many of the newest ones have disagreed; 0 when the newest agreed.
        halt_round: Which of them disagreed so often that an operator has to look, 0 for none;
            repeated until an epoch newer than the finding's and a reconciliation that agrees.
        text: What, with both numbers.
    """

    round: int
    in_a_row: int
    halt_round: int
    text: str


class Restricted(_Line, frozen=True):
    """What the venue has answered to execution that restricts us, repeated in every pong (KS-5).

    Attributes:
        number: Of the finding in this run of execution; the same one is told until risk grants
            under a newer epoch.
        text: The reason, and the venue's words.
    """

    number: int
    text: str


class ExecutionPong(_Line, frozen=True):
    """What only execution says.

    Attributes:
        asked_ns: The lease ask: execution's CLOCK_BOOTTIME at the sending of this pong.
        ledger_epoch: Newest epoch that its ledger holds; risk takes max(own, this) + 1.
        proven_start: Whether start-up has proven zero and reconciled.
        carried: Newest generation carried out, for each (kind, scope_id).
        unresolved: Journaled intents that are neither NOT_SENT, refused, terminal nor past their
            deadline.
        unresolved_until_ns: Latest deadline among them (CLOCK_BOOTTIME), 0 for none.
        mismatch: What disagrees with the venue; None while nothing does.
        restricted: What restricts us; None while nothing does.
        venue_mode: Why the venue takes no orders of anybody: `restarting`, `cancel_only`,
            `disabled` or `restart_planned`; empty while it takes some.
        ledger_fault: Why the ledger is not trusted or cannot be written; empty when it can.
    """

    asked_ns: BootNs
    ledger_epoch: int
    proven_start: bool
    start_state: str
    self_fenced: SelfFenced | None
    fence_answer: FenceAnswer | None
    carried: tuple[tuple[ScopeKind, str, int], ...]
    open_orders: int
    in_flight: int
    unresolved: int
    unresolved_until_ns: BootNs
    mismatch: Mismatch | None = None
    restricted: Restricted | None = None
    venue_mode: str = ""
    ledger_fault: str = ""


class InputAge(_Line, frozen=True):
    """Age of the newest input from one component, None when there has been none."""

    component: Component
    age_ns: int | None


class Pong(_Line, frozen=True):
    """A component's answer to each ping, and its hello every 200 ms while it hears none.

    Attributes:
        ping_id: Answered ping, 0 in a hello.
        ping_sent_ns: `sent_ns` of it, echoed.
        pid: For risk's pidfd.
        state: `starting`, `ready`, `sick` or `stopping`; reason says why it is not ready.
        switch_version: Newest that was received.
    """

    component: Component
    incarnation: Incarnation
    pid: int
    risk_incarnation: Incarnation
    ping_id: int
    ping_sent_ns: BootNs
    build_hash: str
    config_hash: str
    dependency_hash: str
    state: Literal["starting", "ready", "sick", "stopping"]
    reason: str
    epoch: int
    switch_version: int
    queue_depth: int
    loop_lag_ns: int
    inputs: tuple[InputAge, ...] = ()
    execution: ExecutionPong | None = None
