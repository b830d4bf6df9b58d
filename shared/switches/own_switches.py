"""Switches of the system itself: its operator, its database, its processes.

Rows without a KS or CB number: the same machinery, demanded by other requirements.
"""

from shared.switches.row import AT_ONCE, SAMPLED, Switch

PANIC = Switch(
    "panic",
    "OP-1",
    "an operator's panic left its latch file",
    (),
    "account",
    "HALTED",
    False,
    "latch",
    AT_ONCE,
    "operator, after the latch file was cleared",
    "panic",
    True,
)
RISK_DATABASE = Switch(
    "risk_database",
    "INV-9",
    "the risk database is missing, unreadable, or older than the ledger",
    (),
    "account",
    "HALTED",
    False,
    "latch",
    AT_ONCE,
    "operator",
    "risk-database",
    True,
)
OPERATOR_FLATTEN = Switch(
    "operator_flatten",
    "OP-1",
    "an operator has positions closed",
    (),
    "account",
    "REDUCING",
    True,
    "latch",
    AT_ONCE,
    "operator",
    "operator-flatten",
    False,
)
STRATEGY_DISABLED = Switch(
    "strategy_disabled",
    "CP-3",
    "a strategy is disabled, by an operator or because it has crashed too often",
    (),
    "strategy",
    "HALTED",
    False,
    "latch",
    AT_ONCE,
    "operator, who enables it",
    "strategy-disabled",
    True,
)
PLACE_UNKNOWN = Switch(
    "place_unknown",
    "KS-5",
    "a traded market is restricted, and nobody has said lately whether our place is blocked",
    ("access.geoblock_failures_max", "access.geoblock_stale_ms"),
    "account",
    "PAUSED",
    False,
    "pause",
    AT_ONCE,
    "the venue has said that our place is open",
    "place-unknown",
    True,
)
COMPONENT_LOST = Switch(
    "component_lost",
    "CP-1",
    "state, discovery or the price feed has exited or hung",
    ("timing.hang_ms", "timing.clean_data_ms"),
    "account",
    "PAUSED",
    False,
    "pause",
    AT_ONCE,
    "the component answers again and its data was clean for its time",
    "component-lost",
    True,
)
STRATEGY_LOST = Switch(
    "strategy_lost",
    "CP-3",
    "a strategy has exited or hung",
    ("timing.hang_ms", "timing.clean_data_ms"),
    "strategy",
    "PAUSED",
    False,
    "pause",
    AT_ONCE,
    "the strategy answers again",
    "strategy-lost",
    True,
)
CLOCK_UNKNOWN = Switch(
    "clock_unknown",
    "CK-1",
    "nobody vouches for the host's clock",
    ("clock.unknown_ms", "clock.measure_every_ms"),
    "account",
    "PAUSED",
    False,
    "pause",
    SAMPLED,
    "a source of time answers and the clock is right",
    "clock-unknown",
    True,
)
