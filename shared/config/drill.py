"""Settings of the kill drill that is held by itself."""

from typing import Annotated

from msgspec import Meta

from shared.config.section import Section


class DrillSettings(Section, frozen=True, kw_only=True):
    """When a drill is held without being asked for."""

    at_utc: Annotated[
        str,
        Meta(
            description="Hour and minute of each day, UTC, at which a group that trades is fenced "
            "and measured; empty: only when asked. Held at the first chance in the hour after it.",
            pattern=r"^$|^([01][0-9]|2[0-3]):[0-5][0-9]$",
        ),
    ] = ""
