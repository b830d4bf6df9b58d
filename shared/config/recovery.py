"""What data must look like before trading resumes: each with its unit, range, reason, default."""

from typing import Annotated

from msgspec import Meta

from shared.config.section import Section


class RecoverySettings(Section, frozen=True, kw_only=True):
    """Limits of the recovery check list (RV-1) that are not times of something else."""

    depth_shares_min: Annotated[
        int,
        Meta(description="Shares near the touch of a market's books: one order.", ge=0, le=100_000),
    ] = 5
    range_percent_max: Annotated[
        int,
        Meta(
            description="A settlement price so far outside of what the last hour saw is doubted.",
            ge=1,
            le=1_000,
        ),
    ] = 10
    interest_range_percent_max: Annotated[
        int,
        Meta(
            description="An open interest so far outside of what the last hour saw is doubted, "
            "where a strategy uses it.",
            ge=1,
            le=1_000,
        ),
    ] = 50
    moved_percent_max: Annotated[
        int,
        Meta(
            description="A settlement price so far from the last that was traded on alerts, and "
            "must stay for the settling time.",
            ge=1,
            le=100,
        ),
    ] = 5
    settles_ms: Annotated[
        int,
        Meta(description="A price that has moved so far must stay there so long.", ge=0, le=60_000),
    ] = 5_000
    future_ms_max: Annotated[
        int,
        Meta(
            description="Stamps of the venue may be so far ahead of the wall clock (CK-1).",
            ge=100,
            le=60_000,
        ),
    ] = 5_000
