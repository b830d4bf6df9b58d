"""Circuit breakers: what losses, markets and resources stop."""

from shared.switches.row import AT_ONCE, SAMPLED, Switch

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
