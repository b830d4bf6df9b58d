"""Limits of who may trade from where: each with its unit, range, reason and default (KS-5)."""

from typing import Annotated

from msgspec import Meta

from shared.config.section import Section


class AccessSettings(Section, frozen=True, kw_only=True):
    """What the venue says of our address, our markets and our account."""

    geoblock_every_ms: Annotated[
        int,
        Meta(
            description="The address is asked for so often; an address moves with its network.",
            ge=500,
            le=600_000,
        ),
    ] = 10_000
    geoblock_failures_max: Annotated[
        int,
        Meta(description="Questions in a row without an answer that pause trading.", ge=1, le=100),
    ] = 5
    geoblock_stale_ms: Annotated[
        int,
        Meta(
            description="An answer older than this is none, and trading pauses.",
            ge=2_000,
            le=3_600_000,
        ),
    ] = 120_000
    standing_every_ms: Annotated[
        int,
        Meta(
            description="The venue is asked so often whether the account may only close.",
            ge=1_000,
            le=3_600_000,
        ),
    ] = 30_000
    restricted_flag_alone: Annotated[
        bool,
        Meta(
            description="The flag `restricted` of a traded market is enough to halt. All crypto "
            "markets carry it today, which is why it is not by itself."
        ),
    ] = False
    countries_agreed: Annotated[
        tuple[str, ...],
        Meta(
            description="Country codes whose place in the venue's lists an agreement with the "
            "venue overrules (co-location); its answer `blocked` still counts.",
            max_length=16,
        ),
    ] = ()
