"""What data may look like before it is doubted: times and limits, each with its reason."""

from typing import Annotated

from msgspec import Meta

from shared.config.section import Section


class QualitySettings(Section, frozen=True, kw_only=True):
    """When a price, an open interest or a volume is stale, wrong or odd (DQ-1, DQ-4 to DQ-9)."""

    price_stale_ms: Annotated[
        int,
        Meta(
            description="A reference price without an update for so long is stale. Ticks come once "
            "a second and 1.35 s late, every hundredth step is longer than 2 s: 1000 would "
            "pause for nothing.",
            ge=500,
            le=60_000,
        ),
    ] = 3_000
    perp_stale_ms: Annotated[
        int,
        Meta(
            description="Likewise a perpetual market's figures, which come every few seconds at "
            "the quietest; a read of them that is older is no second opinion.",
            ge=500,
            le=60_000,
        ),
    ] = 15_000
    emergency_ms: Annotated[
        int,
        Meta(
            description="EMERGENCY: the price that settles is stale for so long.",
            ge=1_000,
            le=600_000,
        ),
    ] = 10_000
    unchanged_ms: Annotated[
        int,
        Meta(
            description="A price that stays the same for so long needs a second source: a source "
            "that hangs repeats what it said last.",
            ge=1_000,
            le=600_000,
        ),
    ] = 10_000
    unchanged_agree_bp: Annotated[
        int,
        Meta(
            description="A second source so near, in 0.01 %, shows that the price is right all "
            "the same: two providers differ by a few of them.",
            ge=1,
            le=1_000,
        ),
    ] = 50
    fresh_updates: Annotated[
        int,
        Meta(description="Good updates in a row that end a stop.", ge=1, le=100),
    ] = 3
    future_ms_max: Annotated[
        int, Meta(description="A stamp farther ahead of our clock is refused.", ge=100, le=60_000)
    ] = 5_000
    jump_percent_max: Annotated[
        int,
        Meta(
            description="A price farther from the last one needs a second source.", ge=1, le=1_000
        ),
    ] = 20
    minimum_percent: Annotated[
        int,
        Meta(
            description="A price below this share of the last hour's lowest is refused, whoever "
            "confirms it.",
            ge=1,
            le=99,
        ),
    ] = 50
    interest_percent_max: Annotated[
        int,
        Meta(
            description="An open interest farther from the last one needs a second source.",
            ge=1,
            le=1_000,
        ),
    ] = 50
    volume_times_max: Annotated[
        int,
        Meta(
            description="A volume of more times the highest one seen is flagged and checked.",
            ge=2,
            le=1_000,
        ),
    ] = 10
    outlier_deviations: Annotated[
        int,
        Meta(
            description="A step of more standard deviations of the steps before it is flagged.",
            ge=2,
            le=100,
        ),
    ] = 5
    outlier_floor_bp: Annotated[
        int,
        Meta(
            description="No smaller step, in 0.01 %, is flagged: after a calm minute every "
            "step is many deviations.",
            ge=1,
            le=1_000,
        ),
    ] = 10
    flag_kept_ms: Annotated[
        int,
        Meta(description="What was flagged is shown for so long.", ge=1_000, le=3_600_000),
    ] = 60_000
    suspects_max: Annotated[
        int,
        Meta(
            description="REDUCED: a stream was flagged more often than this while it is shown.",
            ge=1,
            le=1_000,
        ),
    ] = 3
    corrupt_percent_max: Annotated[
        int,
        Meta(
            description="REDUCED: a feed refuses a larger share of the frames of its window.",
            ge=1,
            le=100,
        ),
    ] = 5
    corrupt_frames_min: Annotated[
        int,
        Meta(
            description="A share of fewer frames than this says nothing.",
            ge=1,
            le=10_000,
        ),
    ] = 10
