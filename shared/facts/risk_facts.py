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


class RiskStatus(Fact, frozen=True):
    """Repeated every 100 ms.

    Attributes:
        trading_state: Account-wide state that risk grants.
        fence: `none`, `fencing`, `blocked`, `quiet` or `zero`: progress of the newest fence.
        beat_age_ns: Since the send time of the last acknowledged beat of the venue's dead-man;
            None before the first.
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
