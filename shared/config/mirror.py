"""The mirror: the simulated venue of modes paper and replay, which matches against real books."""

from typing import Annotated

from msgspec import Meta

from shared.config.section import Section


class MirrorSettings(Section, frozen=True, kw_only=True):
    """How the simulated venue follows, or plays, the books of the real one."""

    recording: Annotated[
        str,
        Meta(description="Mode replay: file of recorded frames, one JSON object a line."),
    ] = ""
    recorded_market: Annotated[
        str, Meta(description="Mode replay: recorded Gamma market, one JSON object; may be empty.")
    ] = ""
    speed: Annotated[
        float, Meta(description="Mode replay: 2.0 plays twice as fast.", gt=0.0, le=1000.0)
    ] = 1.0
    start_after_ms: Annotated[
        int,
        Meta(
            description="Mode replay: from the first reader of books to the second frame.",
            ge=0,
            le=600_000,
        ),
    ] = 15_000
    stale_ms: Annotated[
        int,
        Meta(
            description="A book without frame or second opinion for so long is matched no more.",
            ge=500,
            le=60_000,
        ),
    ] = 2_000
    print_lag_ms: Annotated[
        int,
        Meta(
            description="An order younger than this came after the trade whose print comes now.",
            ge=0,
            le=10_000,
        ),
    ] = 250
    geoblock_every_ms: Annotated[
        int, Meta(description="Mode paper: between two reads of it.", ge=1_000, le=3_600_000)
    ] = 60_000
