"""What the host must leave for trading: processor, memory, disk, and what one process may take."""

from typing import Annotated

from msgspec import Meta

from shared.config.section import Section

Percent = Annotated[int, Meta(ge=1, le=100)]


class ResourceSettings(Section, frozen=True, kw_only=True):
    """Limits of the host and of each process (CB-5, CP-5)."""

    measure_every_ms: Annotated[
        int, Meta(description="Host and disks are read so often.", ge=100, le=10_000)
    ] = 1_000
    cpu_percent_max: Annotated[
        Percent, Meta(description="Mean use of all processors, or of this container's share.")
    ] = 95
    cpu_ms: Annotated[
        int, Meta(description="Over so long the mean is taken.", ge=500, le=600_000)
    ] = 30_000
    memory_percent_max: Annotated[
        Percent, Meta(description="Of the host or of this container, whichever is fuller.")
    ] = 90
    latency_factor: Annotated[
        int, Meta(description="p99 of a loop's turns over its own baseline.", ge=2, le=1_000)
    ] = 10
    latency_ms_min: Annotated[
        int,
        Meta(description="A p99 below this is never too slow: half a ping.", ge=1, le=1_000),
    ] = 50
    disk_warn_percent: Annotated[
        Percent, Meta(description="Used space that people are told of.")
    ] = 90
    disk_critical_percent: Annotated[
        Percent, Meta(description="Used space from which the recorder keeps nothing more.")
    ] = 95
    disk_full_percent: Annotated[
        Percent, Meta(description="Used space from which only what is critical is written.")
    ] = 98
    ledger_reserve_mib: Annotated[
        int,
        Meta(
            description="Free space that is left to the ledger for fills and cancels of what is "
            "out: below it nothing is placed. 64 MiB hold some 50,000 events.",
            ge=0,
            le=1_000_000,
        ),
    ] = 64
    unread_ms: Annotated[
        int,
        Meta(description="Free space not known for so long counts as none.", ge=1_000, le=600_000),
    ] = 15_000
    process_memory_mib_max: Annotated[
        int,
        Meta(
            description="Data of one process (RLIMIT_DATA): a leak ends that process, which is "
            "started again, and not the host.",
            ge=256,
            le=1_000_000,
        ),
    ] = 2_048
