"""Settings of the loss limits: what may be lost before what is stopped (CB-1, CB-2, CB-4, KS-13).

How capital and the daily limit go together: the capital is the step of the ramp (ST-8), and no
daily limit is worth more than its share of it. At the first step of 50 USD a day may lose
5 USD, at 100 USD 10, and only at 500 USD the whole of `limits.daily_loss_usd_max`'s default of
50. Lowering the step lowers the limit at once; raising it never raises what is configured.
"""

from typing import Annotated

from msgspec import Meta

from shared.config.section import Section

PERCENT_FREE = 1_000_000
"""More than anybody can lose: for a simulation that shall go on whatever it loses."""

_Percent = Annotated[int, Meta(ge=1, le=PERCENT_FREE)]


class LossSettings(Section, frozen=True, kw_only=True):
    """Shares of the capital, and how the two counts are compared."""

    daily_percent_max: Annotated[
        _Percent,
        Meta(
            description="The daily limit is never more than this share of the capital; not over "
            "10 in mode live."
        ),
    ] = 10
    daily_warn_percent: Annotated[
        int, Meta(description="Share of the daily limit at which people are told.", ge=1, le=100)
    ] = 80
    daily_quote_percent: Annotated[
        int,
        Meta(
            description="Share of the daily limit at which strategies quote no more by "
            "themselves: what is out by then may still be filled.",
            ge=1,
            le=100,
        ),
    ] = 90
    trade_percent_max: Annotated[
        _Percent, Meta(description="Lost in one closed market, of the capital.")
    ] = 5
    session_percent_max: Annotated[
        _Percent,
        Meta(description="Lost in a UTC day, what open positions lack included, of the capital."),
    ] = 10
    loss_percent: Annotated[
        _Percent,
        Meta(description="A closed market that lost more than this of the capital is a loss."),
    ] = 1
    in_row_max: Annotated[
        int,
        Meta(
            description="Losses in a row. A fair coin gives 5 every few hours, which is why a "
            "loss has a least size.",
            ge=1,
            le=1_000,
        ),
    ] = 5
    difference_e6_max: Annotated[
        int,
        Meta(
            description="Execution's and risk's counts of the day may differ by this, 1e-6 USD.",
            ge=0,
            le=1_000_000_000,
        ),
    ] = 10_000
    difference_grace_ms: Annotated[
        int,
        Meta(
            description="They hear of a trade or a payout at different moments: a difference "
            "counts when it lasts this long.",
            ge=1_000,
            le=600_000,
        ),
    ] = 30_000


FREE_LOSSES = LossSettings(
    daily_percent_max=PERCENT_FREE,
    trade_percent_max=PERCENT_FREE,
    session_percent_max=PERCENT_FREE,
    loss_percent=PERCENT_FREE,
)
"""For runs that judge something else and shall not end by a loss."""


class PerformanceSettings(Section, frozen=True, kw_only=True):
    """What a strategy's closed markets must look like (CB-4)."""

    trades: Annotated[
        int,
        Meta(description="Newest closed markets looked at; fewer judge nothing.", ge=5, le=1_000),
    ] = 20
    win_rate_baseline_percent: Annotated[
        int,
        Meta(description="Closed markets without a loss, as backtests have them.", ge=0, le=100),
    ] = 50
    win_rate_drop_percent: Annotated[
        int, Meta(description="Points below the baseline that disable.", ge=1, le=100)
    ] = 30
    loss_to_win_percent_max: Annotated[
        _Percent, Meta(description="Average loss as a share of the average win.")
    ] = 200
    sharpe_min_e3: Annotated[
        int,
        Meta(
            description="Mean over standard deviation of the results, 1e-3; below it disables.",
            ge=-1_000_000,
            le=1_000,
        ),
    ] = 0
    paper_run_s: Annotated[
        int,
        Meta(
            description="Time traded clean by a paper group before a strategy that was disabled "
            "for this trades real money again: a whole day has every hour of the market.",
            ge=60,
            le=30 * 86_400,
        ),
    ] = 86_400


class ThrottleSettings(Section, frozen=True, kw_only=True):
    """What a strategy may do in a window (KS-13): a loop gone wild does more."""

    window_s: Annotated[int, Meta(description="Length of the window.", ge=1, le=3_600)] = 60
    orders_max: Annotated[
        int,
        Meta(
            description="Orders of one strategy; the rate limit alone allows 1800 a minute.",
            ge=1,
            le=100_000,
        ),
    ] = 1_200
    fills_max: Annotated[
        int, Meta(description="Fills of one strategy's orders.", ge=1, le=100_000)
    ] = 120
