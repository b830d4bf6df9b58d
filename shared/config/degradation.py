"""Times and limits of the levels of degradation: each with its unit, range, reason and default."""

from typing import Annotated

from msgspec import Meta

from shared.config.section import Section


class DegradationSettings(Section, frozen=True, kw_only=True):
    """When the system does less, when it closes, and when it stops (DG-1 to DG-4)."""

    worse_after_ms: Annotated[
        int,
        Meta(description="A condition holds so long before the level follows it.", ge=0, le=60_000),
    ] = 1_000
    better_after_ms: Annotated[
        int,
        Meta(
            description="No condition of a level for so long before it is left: a flapping one "
            "keeps it.",
            ge=1_000,
            le=600_000,
        ),
    ] = 10_000
    component_down_ms: Annotated[
        int,
        Meta(
            description="REDUCED: a component that is not critical is silent; a restart takes 1 s.",
            ge=1_000,
            le=600_000,
        ),
    ] = 3_000
    critical_down_ms: Annotated[
        int,
        Meta(
            description="EMERGENCY: a critical component is silent for so long.",
            ge=1_000,
            le=600_000,
        ),
    ] = 30_000
    connection_down_ms: Annotated[
        int,
        Meta(
            description="EMERGENCY: a feed is without its connection for so long.",
            ge=1_000,
            le=600_000,
        ),
    ] = 30_000
    data_down_ms: Annotated[
        int,
        Meta(
            description="EMERGENCY: state vouches for no market at all for so long.",
            ge=1_000,
            le=600_000,
        ),
    ] = 30_000
    ledger_down_ms: Annotated[
        int,
        Meta(
            description="SHUTDOWN: the ledger takes no commit for so long. Nothing is placed "
            "from its first refusal on; a disk that is full for a moment needs no person.",
            ge=0,
            le=600_000,
        ),
    ] = 30_000
    reconnects_max: Annotated[
        int,
        Meta(
            description="REDUCED: a feed has connected anew more often than this in a minute; "
            "EMERGENCY from twice as many on.",
            ge=1,
            le=100,
        ),
    ] = 5
    spot_stale_ms: Annotated[
        int,
        Meta(
            description="REDUCED: a spot price that was there is silent; the settlement oracle "
            "has its own switch.",
            ge=500,
            le=120_000,
        ),
    ] = 10_000
    reads_strained_ms: Annotated[
        int,
        Meta(
            description="REDUCED: a feed's reads are held back, slow or refused for so long.",
            ge=1_000,
            le=600_000,
        ),
    ] = 20_000
    latency_times: Annotated[
        int,
        Meta(description="REDUCED: the venue answers so many times slower.", ge=2, le=100),
    ] = 2
    latency_floor_ms: Annotated[
        int,
        Meta(description="Answers faster than this are never slow.", ge=1, le=10_000),
    ] = 150
    reduced_markets_max: Annotated[
        int,
        Meta(description="REDUCED: so many of the most liquid markets go on.", ge=1, le=64),
    ] = 1
    reduced_spread_e4: Annotated[
        int,
        Meta(
            description="REDUCED: quotes are wider by this, 1e-4 USD: a higher threshold to enter.",
            ge=0,
            le=5_000,
        ),
    ] = 200
    emergency_ms_max: Annotated[
        int,
        Meta(
            description="SHUTDOWN: an emergency that lasts so long ends by nobody's hand.",
            ge=1_000,
            le=86_400_000,
        ),
    ] = 600_000
    closing_ms_max: Annotated[
        int,
        Meta(
            description="SHUTDOWN: so long positions may be closed before everything stops.",
            ge=1_000,
            le=600_000,
        ),
    ] = 60_000
