"""What no market does of itself: limits of reference prices, and who is asked about them."""

from typing import Annotated, Literal

from msgspec import Meta

from shared.config.section import Section


class AbnormalSettings(Section, frozen=True, kw_only=True):
    """Abnormal markets (CB-3)."""

    move_percent_max: Annotated[
        int, Meta(description="Of a reference price within move_ms.", ge=1, le=1_000)
    ] = 20
    move_ms: Annotated[
        int,
        Meta(description="Window of the move, by the source's own stamps.", ge=1_000, le=60_000),
    ] = 60_000
    pause_ms: Annotated[
        int, Meta(description="The asset rests at least so long.", ge=1_000, le=3_600_000)
    ] = 60_000
    second_source: Annotated[
        Literal["pyth", ""],
        Meta(
            description="Whose prices are compared: another provider of the price socket; empty: "
            "nobody, and what is abnormal stays paused until its price has come back."
        ),
    ] = "pyth"
    second_stale_ms: Annotated[
        int, Meta(description="A second opinion older than this is none.", ge=500, le=60_000)
    ] = 5_000
    agree_percent_max: Annotated[
        int,
        Meta(
            description="Both sources may differ by so much: one is told seconds after the other.",
            ge=1,
            le=50,
        ),
    ] = 2
    sockets_bps_max: Annotated[
        int,
        Meta(
            description="One oracle's price may differ between both price sockets by so many "
            "1e-4: they spell the same number with different accuracy.",
            ge=1,
            le=1_000,
        ),
    ] = 5
    sockets_samples: Annotated[
        int,
        Meta(
            description="So many prices in a row that differ make the asset unverified, and so "
            "many that agree end it.",
            ge=1,
            le=60,
        ),
    ] = 3
    rebuild_every_ms: Annotated[
        int,
        Meta(
            description="While they contradict, feed and state rebuild the prices so often: a new "
            "connection has become stable by then, so that none is waited for longer each time.",
            ge=1_000,
            le=600_000,
        ),
    ] = 60_000
    funding_times_max: Annotated[
        int,
        Meta(
            description="Funding of perpetual futures, of either sign, over so many times the "
            "median of the last hour; the venue's interest alone counts as that at least.",
            ge=2,
            le=10_000,
        ),
    ] = 10
    depth_drop_percent_max: Annotated[
        int,
        Meta(
            description="The thinner side of their book below its median of ten minutes by more.",
            ge=50,
            le=99,
        ),
    ] = 95
