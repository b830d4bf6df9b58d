"""Settings of the recording: how long in memory, how large a file."""

from typing import Annotated

from msgspec import Meta

from shared.config.section import Section


class RecorderSettings(Section, frozen=True, kw_only=True):
    """The recording."""

    flush_ms: Annotated[int, Meta(description="Longest time in memory.", ge=10, le=60_000)] = 500
    memory_mib_max: Annotated[int, Meta(description="Bound of the buffer.", ge=1, le=4096)] = 64
    backups_kept: Annotated[
        int,
        Meta(description="Hourly copies of ledger and risk's database: two days.", ge=3, le=1000),
    ] = 48
    segment_mib_max: Annotated[
        int,
        Meta(
            description="A file of this size is closed before its hour is over: a check reads "
            "one file at a time, and a power cut costs a reading of no more.",
            ge=1,
            le=1024,
        ),
    ] = 64
