"""How long each component may be silent, and how often it may end, before something is done.

An operator of a machine that stalls for seconds lengthens the silences; nobody should need more
restarts. How long execution may be silent is `timing.hang_ms`, whose rules are stricter.
"""

from typing import Annotated

from msgspec import Meta

from shared.config.section import Section


class RestartSettings(Section, frozen=True, kw_only=True):
    """How often a component may end by itself."""

    restarts_max: Annotated[
        int,
        Meta(
            description="Crashes in the window that are only answered by a restart; one more and "
            "the component is stopped. Ends that risk caused by killing a hung one count half.",
            ge=1,
            le=1_000,
        ),
    ] = 3
    restarts_window_s: Annotated[
        int,
        Meta(
            description="Length of the window: a fault that comes back sooner is not transient.",
            ge=10,
            le=86_400,
        ),
    ] = 600


class ComponentSettings(RestartSettings, frozen=True, kw_only=True):
    """One component other than execution and risk."""

    hang_ms: Annotated[
        int,
        Meta(
            description="Silent for so long, it counts as hung: thirty pings.",
            ge=200,
            le=30_000,
        ),
    ] = 3_000
    kill_ms: Annotated[
        int,
        Meta(
            description="Silent for so long, it is killed and so restarted; not below hang_ms.",
            ge=500,
            le=120_000,
        ),
    ] = 3_000


class NeededComponentSettings(ComponentSettings, frozen=True, kw_only=True):
    """One component that trading rests on; a table that names one setting keeps the others."""

    hang_ms: Annotated[
        int,
        Meta(
            description="Silent for so long, it counts as hung: orders rest on it, and from a hang "
            "to the fence no more than 600 ms may pass.",
            ge=200,
            le=30_000,
        ),
    ] = 450


class ComponentsSettings(Section, frozen=True, kw_only=True):
    """One table a component; trading rests on those with the shorter silence."""

    feed_market: NeededComponentSettings = NeededComponentSettings()
    feed_user: NeededComponentSettings = NeededComponentSettings()
    feed_price: NeededComponentSettings = NeededComponentSettings()
    feed_discovery: NeededComponentSettings = NeededComponentSettings()
    feed_perp: ComponentSettings = ComponentSettings()
    state: NeededComponentSettings = NeededComponentSettings()
    market_making: NeededComponentSettings = NeededComponentSettings()
    caretaker: NeededComponentSettings = NeededComponentSettings()
    execution: RestartSettings = RestartSettings()
    risk: RestartSettings = RestartSettings()
    recorder: ComponentSettings = ComponentSettings()
    dashboard: ComponentSettings = ComponentSettings()


SILENT: tuple[str, ...] = tuple(
    name
    for name in ComponentsSettings.__struct_fields__
    if isinstance(getattr(ComponentsSettings(), name), ComponentSettings)
)
"""Components whose silence is a setting of this table."""
