"""How the host's clock is judged: sources of time, how often they are asked, what is too far."""

from typing import Annotated

from msgspec import Meta

from shared.config.section import Section

WELL_KNOWN = (
    "time.cloudflare.com",
    "time.nist.gov",
    "0.pool.ntp.org",
    "1.pool.ntp.org",
    "2.pool.ntp.org",
)
"""Asked in modes paper and live when the profile names nobody: five whose time comes from several
owners. Servers that smear leap seconds over a day are left out: beside others they look wrong."""

NTP_PORT = 123
"""Source: RFC 5905, section 7.2."""


class ClockSettings(Section, frozen=True, kw_only=True):
    """Offset of the host's clock (KS-9, CK-1)."""

    servers: Annotated[
        tuple[str, ...],
        Meta(
            description="NTP servers, `host` or `host:port`; empty: the simulator's own in modes "
            "simulation and replay, well-known ones in the others.",
            max_length=8,
        ),
    ] = ()
    measure_every_ms: Annotated[
        int, Meta(description="Each source is asked so often.", ge=500, le=60_000)
    ] = 10_000
    answer_ms: Annotated[
        int, Meta(description="Total deadline of one question, names included.", ge=100, le=5_000)
    ] = 2_000
    alert_ms: Annotated[
        int, Meta(description="Off by more: people are told.", ge=10, le=60_000)
    ] = 1_000
    halt_ms: Annotated[
        int, Meta(description="Off by more: latched halt (KS-9).", ge=100, le=60_000)
    ] = 5_000
    unknown_ms: Annotated[
        int,
        Meta(
            description="Nobody has vouched for the clock for so long: pause. Six questions; a "
            "guest whose host was suspended cannot see its own loss of time.",
            ge=1_000,
            le=3_600_000,
        ),
    ] = 60_000
