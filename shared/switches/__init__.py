"""The switch table: every way in which trading is stopped, and what it takes to go on.

One table drives the gate, risk, the dashboard, the runbooks and the tests. A row that is
not implemented yet says so, and refuses live trading. Deliberately holds no state: whether a
switch is tripped now is risk's knowledge (`services/risk`), and the gate's (`services/execution`).

Priority when several are tripped: HALTED without flatten stands above REDUCING, that
above PAUSED, that above ACTIVE (`shared/trading_state.py`). Numbers are settings of
`shared/config.py`; the table names the setting, so that none stands in two places.
"""

import msgspec

from shared.switches.circuit_breakers import (
    ABNORMAL_MARKET,
    BREAKER_COUNT,
    DAILY_LOSS,
    LOSS_LIMIT,
    RESOURCES,
    STRATEGY_PERFORMANCE,
)
from shared.switches.host_switches import CLOCK_UNKNOWN, DISK_LOW, LEDGER_SPACE
from shared.switches.kill_switches import (
    CLOCK_OFF,
    HEARTBEAT_LOST,
    INVENTORY_CAP,
    MARKET_CUTOFF,
    MARKET_FEED_STALE,
    MIXED_RELEASE,
    OPERATOR_HALT,
    ORACLE_STALE,
    OWN_ORDER_FEED_STALE,
    RECONCILIATION_MISMATCH,
    REPEATED_EXECUTION,
    RESTRICTED,
    SHUTDOWN,
    VENUE_MODE,
)
from shared.switches.own_switches import (
    CLOSED_DOWN,
    CLOSING_DOWN,
    COMPONENT_LOST,
    DATA_QUALITY,
    DEGRADED_MARKET,
    EMERGENCY,
    FLAPPING,
    OPERATOR_FLATTEN,
    PANIC,
    PLACE_UNKNOWN,
    RISK_DATABASE,
    STRATEGY_DISABLED,
    STRATEGY_HANDOVER,
    STRATEGY_LOST,
)
from shared.switches.row import AT_ONCE, NEVER, RUN_ONLY, SAMPLED, Confirmation, Switch, SwitchKind

__all__ = [
    "ABNORMAL_MARKET",
    "AT_ONCE",
    "BREAKER_COUNT",
    "BY_NAME",
    "BY_REQUIREMENT",
    "CARED_FOR",
    "CLOCK_OFF",
    "CLOCK_UNKNOWN",
    "CLOSED_DOWN",
    "CLOSING_DOWN",
    "COMPONENT_LOST",
    "DAILY_LOSS",
    "DATA_QUALITY",
    "DEGRADED_MARKET",
    "DISK_LOW",
    "EMERGENCY",
    "FLAPPING",
    "HEARTBEAT_LOST",
    "INVENTORY_CAP",
    "LEDGER_SPACE",
    "LOSS_LIMIT",
    "MARKET_CUTOFF",
    "MARKET_FEED_STALE",
    "MIXED_RELEASE",
    "NEVER",
    "OPERATOR_FLATTEN",
    "OPERATOR_HALT",
    "ORACLE_STALE",
    "OWN_ORDER_FEED_STALE",
    "PANIC",
    "PLACE_UNKNOWN",
    "RECONCILIATION_MISMATCH",
    "REPEATED_EXECUTION",
    "RESOURCES",
    "RESTRICTED",
    "RISK_DATABASE",
    "RUN_ONLY",
    "SAMPLED",
    "SHUTDOWN",
    "STRATEGY_DISABLED",
    "STRATEGY_HANDOVER",
    "STRATEGY_LOST",
    "STRATEGY_PERFORMANCE",
    "SWITCHES",
    "VENUE_MODE",
    "Confirmation",
    "Refusal",
    "Switch",
    "SwitchKind",
    "refusals_for_live",
]

SWITCHES: tuple[Switch, ...] = (
    MARKET_CUTOFF,
    OWN_ORDER_FEED_STALE,
    ORACLE_STALE,
    MARKET_FEED_STALE,
    RESTRICTED,
    INVENTORY_CAP,
    HEARTBEAT_LOST,
    OPERATOR_HALT,
    CLOCK_OFF,
    MIXED_RELEASE,
    VENUE_MODE,
    SHUTDOWN,
    REPEATED_EXECUTION,
    RECONCILIATION_MISMATCH,
    LOSS_LIMIT,
    DAILY_LOSS,
    ABNORMAL_MARKET,
    STRATEGY_PERFORMANCE,
    RESOURCES,
    BREAKER_COUNT,
    PANIC,
    RISK_DATABASE,
    OPERATOR_FLATTEN,
    PLACE_UNKNOWN,
    DEGRADED_MARKET,
    EMERGENCY,
    CLOSING_DOWN,
    CLOSED_DOWN,
    COMPONENT_LOST,
    STRATEGY_LOST,
    STRATEGY_DISABLED,
    CLOCK_UNKNOWN,
    STRATEGY_HANDOVER,
    FLAPPING,
    DISK_LOW,
    LEDGER_SPACE,
    DATA_QUALITY,
)

CARED_FOR: frozenset[str] = frozenset({STRATEGY_DISABLED.name, STRATEGY_HANDOVER.name})
"""Rows that reduce by handing a position over to be managed by stops, and do not sell it at once:
what is wrong is the strategy, not the position."""

BY_NAME: dict[str, Switch] = {switch.name: switch for switch in SWITCHES}
BY_REQUIREMENT: dict[str, Switch] = {switch.requirement: switch for switch in reversed(SWITCHES)}
"""The first row of each; a requirement may have further ones below it."""


class Refusal(msgspec.Struct, frozen=True):
    """One reason why live trading is refused."""

    switch: str
    requirement: str
    why: str


def refusals_for_live() -> tuple[Refusal, ...]:
    """Return one refusal for each row that is not implemented; live mode starts only on none."""
    return tuple(
        Refusal(
            switch.name,
            switch.requirement,
            f"switch {switch.name} ({switch.requirement}) is not implemented: {switch.trigger}",
        )
        for switch in SWITCHES
        if not switch.implemented
    )
