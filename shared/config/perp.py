"""Perpetual futures of the same underlyings at another venue: whether and where they are read."""

from typing import Annotated, Literal

from msgspec import Meta

from shared.config.section import Section


class PerpSettings(Section, frozen=True, kw_only=True):
    """The feed of perpetual futures. Nothing else waits for it."""

    enabled: Annotated[
        bool, Meta(description="Whether they are read; the component idles without.")
    ] = False
    socket_url: Annotated[
        str, Meta(description="Hyperliquid's public socket; needed where enabled.")
    ] = ""
    info_url: Annotated[
        str,
        Meta(description="Host of /info: the second opinion; empty: none."),
    ] = ""
    sample_ms: Annotated[
        int,
        Meta(
            description="Between two reads of the second opinion: 20 of the 1200 weights a minute "
            "that an address has.",
            ge=1_000,
            le=600_000,
        ),
    ] = 5_000
    book: Annotated[
        Literal["deep", "fast"],
        Meta(
            description="Twenty levels a side every five seconds, or five every half second. The "
            "depth of five levels jumps by itself."
        ),
    ] = "deep"
    context_stale_ms: Annotated[
        int,
        Meta(
            description="An asset's mark price, open interest and funding silent for so long are "
            "not current; told every few seconds at the quietest.",
            ge=1_000,
            le=600_000,
        ),
    ] = 15_000
    book_stale_ms: Annotated[
        int,
        Meta(
            description="An asset's book silent for so long is not current: three tellings of a "
            "deep one.",
            ge=1_000,
            le=600_000,
        ),
    ] = 15_000
