"""Limits and times of the strategies: each with its unit, range, reason and default."""

from typing import Annotated

from msgspec import Meta

from shared.config.section import Section


class MarketMakingSettings(Section, frozen=True, kw_only=True):
    """Avellaneda-Stoikov quoting; a page in docs/strategies.md explains each."""

    enabled: bool = True
    size_shares: Annotated[
        int, Meta(description="Size of one quote; halved while holding.", ge=1, le=10_000)
    ] = 10
    levels: Annotated[int, Meta(description="Ladder depth.", ge=1, le=8)] = 1
    level_step_e4: Annotated[int, Meta(description="Between levels, 1e-4 USD.", ge=1, le=2000)] = (
        100
    )
    risk_aversion: Annotated[
        float, Meta(description="Gamma of the model, per 100 shares held.", gt=0.0, le=100.0)
    ] = 0.1
    order_arrival_decay: Annotated[
        float, Meta(description="k of the model, per USD of distance.", gt=0.0, le=10_000.0)
    ] = 60.0
    spread_e4_min: Annotated[
        int, Meta(description="Never quote tighter than this, 1e-4 USD.", ge=1, le=5000)
    ] = 200
    skew_e4_per_share: Annotated[
        int,
        Meta(
            description="Reservation price moved per share held; 5: 5 cents per 100.", ge=0, le=1000
        ),
    ] = 5
    price_e4_min: Annotated[
        int,
        Meta(description="Quote only while fair value is inside min and 1 - min.", ge=1, le=4999),
    ] = 600
    requote_e4: Annotated[
        int,
        Meta(description="Smaller moves of the fair quote keep the resting one.", ge=0, le=2000),
    ] = 100
    reference_stale_ms: Annotated[
        int, Meta(description="Reference price older than this: no wish.", ge=500, le=60_000)
    ] = 3_000

    disagreement_e4_max: Annotated[
        int,
        Meta(
            description="Model and book mid farther apart than this: one is wrong, no wish.",
            ge=10,
            le=10_000,
        ),
    ] = 1_500


class CaretakerSettings(Section, frozen=True, kw_only=True):
    """Reduce-only care for the positions of a strategy that is gone."""

    takeover_ms: Annotated[
        int,
        Meta(
            description="Silence of a strategy before its positions are taken over.",
            ge=500,
            le=60_000,
        ),
    ] = 3_000
    stop_loss_e4: Annotated[
        int,
        Meta(description="Best bid this far below cost a share: sell at market.", ge=10, le=10_000),
    ] = 1_500
    slippage_e4_max: Annotated[
        int,
        Meta(
            description="A stop, or a close that risk orders, sells at most this far below the "
            "best bid, 1e-4 USD.",
            ge=1,
            le=5_000,
        ),
    ] = 300
    flatten_sets: Annotated[
        bool,
        Meta(
            description="Whether complete sets are sold too where positions are closed; they pay "
            "one dollar whatever happens, and selling them pays the spread twice."
        ),
    ] = True


class StrategySettings(Section, frozen=True, kw_only=True):
    """One table a strategy."""

    market_making: MarketMakingSettings = MarketMakingSettings()
    caretaker: CaretakerSettings = CaretakerSettings()
