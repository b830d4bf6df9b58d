"""What strategies and risk tell of themselves."""

from typing import Literal

from shared.facts.fact import Fact
from shared.identifiers import ConditionId, StrategyName


class StrategyStatus(Fact, frozen=True):
    """Repeated every second: what a strategy does and why it does not."""

    strategy: StrategyName
    state: str
    reason: str
    markets: tuple[ConditionId, ...]


class SwitchStatus(Fact, frozen=True):
    """One switch that is not clear."""

    name: str
    scope: str
    scope_id: str
    kind: Literal["latch", "pause"]
    version: int
    since_wall_ns: int
    reason: str
    evidence: str


class ComponentStatus(Fact, frozen=True):
    """One component as risk sees it."""

    component: str
    pid: int
    incarnation: int
    alive: bool
    pong_age_ns: int | None
    loop_lag_ns: int
    state: str
    reason: str


class LossStatus(Fact, frozen=True):
    """Both counts of the present UTC day, and the limits, 1e-6 USD.

    Attributes:
        realised_e6: By risk, from the venue's own-order stream; unrealised_e6: at the best
            bids, None while a share has no fresh one.
        told_realised_e6: By execution, from its ledger; None while it does not say.
        lost_e6: Realised loss by the worse of the two, below zero for a gain.
        daily_limit_e6: For the present capital; daily_percent: how much of it is lost.
        quote_limit_e6: Of lost_e6: strategies quote nothing new from there on.
        session_lost_e6: Lost with open positions, by the worse of the two.
        in_row: Losses in a row.
        agrees: Whether the two counts do, but for what was told.
    """

    capital_usd: int
    realised_e6: int
    unrealised_e6: int | None
    told_realised_e6: int | None
    told_unrealised_e6: int | None
    lost_e6: int
    daily_limit_e6: int
    daily_percent: int
    quote_limit_e6: int
    session_lost_e6: int
    session_limit_e6: int
    in_row: int
    agrees: bool


class ReconnectionStep(Fact, frozen=True):
    """One step of a recovery after a reconnection.

    Attributes:
        after_ms: Since the loss, when it was done; None while it is not.
        waits: What it waits for; empty when it is done.
    """

    name: str
    after_ms: int | None
    waits: str = ""


class Reconnection(Fact, frozen=True):
    """The newest loss of a feed, and how far the recovery from it has come (NET-3).

    Attributes:
        number: Counts losses in this run of risk.
        cause: Which feed was lost, and why.
        began_wall_ns: When the loss was heard of.
        steps: In their order; the last is trading.
        whole_ms: From the connection on until trading; None while it goes on.
        limit_ms: What that may take.
        moved: Prices and open interest that are far from what they were before, in words.
    """

    number: int
    cause: str
    began_wall_ns: int
    steps: tuple[ReconnectionStep, ...]
    whole_ms: int | None
    limit_ms: int
    moved: tuple[str, ...] = ()


class RiskStatus(Fact, frozen=True):
    """Repeated every 100 ms.

    Attributes:
        trading_state: Account-wide state that risk grants.
        fence: `none`, `fencing`, `blocked`, `quiet` or `zero`: progress of the newest fence.
        beat_age_ns: Since the send time of the last acknowledged beat of the venue's dead-man;
            None before the first.
        losses: Of the day; None from a risk that does not count.
        level: Of degradation: `NORMAL`, `REDUCED`, `EMERGENCY` or `SHUTDOWN`.
        reconnection: The newest loss of a feed; None while none was lost in this run of risk.
    """

    trading_state: str
    reasons: tuple[str, ...]
    epoch: int
    fence: str
    fence_reason: str
    beat_age_ns: int | None
    switches: tuple[SwitchStatus, ...]
    components: tuple[ComponentStatus, ...]
    switch_version: int
    losses: LossStatus | None = None
    level: str = "NORMAL"
    reconnection: Reconnection | None = None


class Transition(Fact, frozen=True):
    """A state transition or an operator's action, as the audit trail keeps it."""

    what: str
    scope: str
    before: str
    after: str
    cause: str
    actor: str


class Alert(Fact, frozen=True):
    """Something that the operator should know, with the runbook's name."""

    severity: Literal["info", "warning", "critical"]
    name: str
    text: str
    runbook: str
