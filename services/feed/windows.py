"""Which windows of the rolling markets matter by the clock: ended, running, next.

Decides which slugs are worth asking for. Asks for nothing and holds no clock.

Source: 292 recorded five-minute markets (2026-07-24): a window starts at a multiple of its
length.
"""

import msgspec

from shared.identifiers import Asset
from shared.units import Instant, WallMs
from shared.venue import slugs
from shared.venue.slugs import window_slug

ENDED_TRACKED = 12
"""Windows behind the running one that are followed until their winner is known, and shown a while
longer: the slowest recorded resolution took 316 s, a process may be away for some windows."""


class Window(msgspec.Struct, frozen=True, order=True):
    """One window of one asset, in order of time."""

    start_ms: WallMs
    asset: Asset
    slug: str
    end_ms: WallMs


def running_start_s(interval_s: int, now: Instant) -> int:
    """Return the start of the window that runs now, in unix seconds."""
    second = now.wall_ms // 1_000
    return second - second % interval_s


def windows_around(
    assets: tuple[str, ...], interval_s: int, ahead: int, now: Instant
) -> tuple[Window, ...]:
    """Return the windows that matter now: ended, running, next, oldest first.

    Args:
        assets: Underlyings.
        interval_s: Length of every window.
        ahead: Windows after the running one.
        now: Its wall clock decides; the venue's calendar is a wall clock too.
    """
    running = running_start_s(interval_s, now)
    starts = [running + step * interval_s for step in range(-ENDED_TRACKED, ahead + 1)]
    windows = [
        Window(
            start_ms=WallMs(start * 1_000),
            asset=Asset(asset),
            slug=window_slug(slugs.Window(Asset(asset), interval_s, start)),
            end_ms=WallMs((start + interval_s) * 1_000),
        )
        for start in starts
        for asset in assets
    ]
    return tuple(sorted(windows))
