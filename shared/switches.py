"""The switch table: every way in which trading is stopped, and what it takes to go on.

One table drives the gate, risk, the dashboard, the runbooks and the tests. A row that is
not implemented yet says so, and refuses live trading. Deliberately holds no state: whether a
switch is tripped now is risk's knowledge (`services/risk`), and the gate's (`services/execution`).

Priority when several are tripped: HALTED without flatten stands above REDUCING, that
above PAUSED, that above ACTIVE (`shared/trading_state.py`). Numbers are settings of
`shared/config.py`; the table names the setting, so that none stands in two places.
"""

from typing import Literal

import msgspec

from shared.control import ScopeKind
from shared.trading_state import TradingState

SwitchKind = Literal["latch", "pause"]

RUN_ONLY = "next start"
"""Resume condition of switches that end the run they tripped in."""


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


MARKET_CUTOFF = Switch(
    "market_cutoff",
    "KS-1",
    "a market is past its cutoff, before its interval ends",
    ("markets.cutoff_ms",),
    "market",
    "PAUSED",
    False,
    "latch",
    AT_ONCE,
    "never for that market",
    "market-cutoff",
    True,
)
OWN_ORDER_FEED_STALE = Switch(
    "own_order_feed_stale",
    "KS-2",
    "the own-order feed is disconnected, or has shown no evidence for its limit",
    ("timing.user_stale_ms",),
    "account",
    "PAUSED",
    False,
    "pause",
    SAMPLED,
    "feed healthy again and orders reconciled",
    "own-order-feed-stale",
    True,
)
ORACLE_STALE = Switch(
    "oracle_stale",
    "KS-3",
    "the settlement oracle of an asset is silent",
    ("timing.oracle_pause_ms", "timing.oracle_cancel_ms"),
    "asset",
    "PAUSED",
    False,
    "pause",
    SAMPLED,
    "oracle fresh again",
    "oracle-stale",
    True,
)
MARKET_FEED_STALE = Switch(
    "market_feed_stale",
    "KS-4",
    "a market's feed is stale, or its folded book is not proven",
    ("timing.market_stale_ms", "timing.state_stale_ms"),
    "market",
    "PAUSED",
    False,
    "pause",
    SAMPLED,
    "resynced from a snapshot",
    "market-feed-stale",
    True,
)
RESTRICTED = Switch(
    "restricted",
    "KS-5",
    "the venue restricts this place, this market or this account",
    (),
    "account",
    "HALTED",
    False,
    "latch",
    AT_ONCE,
    "operator",
    "restricted",
    False,
)
INVENTORY_CAP = Switch(
    "inventory_cap",
    "KS-6",
    "unpaired shares over all markets exceed their cap",
    ("limits.unpaired_shares_global_max",),
    "account",
    "HALTED",
    False,
    "latch",
    AT_ONCE,
    "operator",
    "inventory-cap",
    False,
)
HEARTBEAT_LOST = Switch(
    "heartbeat_lost",
    "KS-7",
    "risk or execution is dead, hung, or cut off from the other",
    ("timing.ping_ms", "timing.lease_ms", "timing.hang_ms", "timing.blocked_ms"),
    "account",
    "PAUSED",
    False,
    "pause",
    AT_ONCE,
    "execution reports its self-fence; risk validates recovery and grants a newer epoch",
    "heartbeat-lost",
    True,
)
OPERATOR_HALT = Switch(
    "operator_halt",
    "KS-8",
    "an operator halts",
    (),
    "account",
    "HALTED",
    False,
    "latch",
    AT_ONCE,
    "operator",
    "operator-halt",
    True,
)
CLOCK_OFF = Switch(
    "clock_off",
    "KS-9",
    "the host's clock is off by more than 5 s",
    (),
    "account",
    "HALTED",
    False,
    "latch",
    SAMPLED,
    "operator, after correction and rebuild of state",
    "clock-off",
    False,
)
MIXED_RELEASE = Switch(
    "mixed_release",
    "KS-10",
    "build, dependency or configuration hash differs between running components",
    (),
    "account",
    "HALTED",
    False,
    "latch",
    AT_ONCE,
    "operator",
    "mixed-release",
    False,
)
VENUE_MODE = Switch(
    "venue_mode",
    "KS-11",
    "the venue restarts, or is cancel-only or disabled",
    (),
    "account",
    "PAUSED",
    False,
    "pause",
    AT_ONCE,
    "venue trades again and orders reconciled",
    "venue-mode",
    False,
)
SHUTDOWN = Switch(
    "shutdown",
    "KS-12",
    "a process is asked to end, or its supervisor has gone",
    (),
    "account",
    "PAUSED",
    False,
    "pause",
    AT_ONCE,
    RUN_ONLY,
    "shutdown",
    True,
)
REPEATED_EXECUTION = Switch(
    "repeated_execution",
    "KS-13",
    "a strategy has more orders or fills in a window than it may have",
    (),
    "strategy",
    "HALTED",
    False,
    "latch",
    AT_ONCE,
    "operator",
    "repeated-execution",
    False,
)
RECONCILIATION_MISMATCH = Switch(
    "reconciliation_mismatch",
    "KS-14",
    "local orders or positions disagree with the venue or the chain",
    ("timing.reconcile_light_ms",),
    "account",
    "PAUSED",
    False,
    "pause",
    AT_ONCE,
    "reconciled; an operator when they disagree twice",
    "reconciliation-mismatch",
    False,
)
LOSS_LIMIT = Switch(
    "loss_limit",
    "CB-1",
    "capital lost in one trade, in a session, or in losses in a row",
    (),
    "account",
    "REDUCING",
    True,
    "latch",
    AT_ONCE,
    "operator",
    "loss-limit",
    False,
)
DAILY_LOSS = Switch(
    "daily_loss",
    "CB-2",
    "the realised loss of a UTC day is past its limit",
    ("limits.daily_loss_usd_max",),
    "account",
    "HALTED",
    False,
    "latch",
    AT_ONCE,
    "operator",
    "daily-loss",
    False,
)
ABNORMAL_MARKET = Switch(
    "abnormal_market",
    "CB-3",
    "price, depth or funding moves beyond what a market does",
    (),
    "asset",
    "PAUSED",
    False,
    "pause",
    SAMPLED,
    "60 s, and a second source agrees",
    "abnormal-market",
    False,
)
STRATEGY_PERFORMANCE = Switch(
    "strategy_performance",
    "CB-4",
    "a strategy does worse than its baseline",
    (),
    "strategy",
    "HALTED",
    False,
    "latch",
    AT_ONCE,
    "operator, after a paper run",
    "strategy-performance",
    False,
)
RESOURCES = Switch(
    "resources",
    "CB-5",
    "processor, memory or latency are short",
    (),
    "account",
    "ACTIVE",
    False,
    "pause",
    SAMPLED,
    "resources there again; only background work pauses meanwhile",
    "resources",
    False,
)
BREAKER_COUNT = Switch(
    "breaker_count",
    "CB-6",
    "breakers have tripped twice or more in a day",
    (),
    "account",
    "ACTIVE",
    False,
    "pause",
    AT_ONCE,
    "the day ends; it alerts and stops nothing",
    "breaker-count",
    False,
)

# Rows without a KS or CB number: the same machinery, demanded by other requirements.
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
    COMPONENT_LOST,
    STRATEGY_LOST,
)

BY_NAME: dict[str, Switch] = {switch.name: switch for switch in SWITCHES}
BY_REQUIREMENT: dict[str, Switch] = {switch.requirement: switch for switch in SWITCHES}


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
