"""Instants, settings, frames and fake venues for the tests of feeds and state."""

from typing import Any

import msgspec

from shared.config import (
    AccountSettings,
    Config,
    MarketSettings,
    RunSettings,
    VenueSettings,
)
from shared.effects import Effect, Publish, StreamSend
from shared.units import NS_PER_MS, BootNs, Instant, MonotonicNs, WallNs

WALL_START_MS = 1_790_000_040_000
"""A multiple of a minute: a window of the built configuration starts here."""


def at(milliseconds: float = 0) -> Instant:
    """Return the moment so many milliseconds after the start of the test."""
    nanoseconds = 10**12 + round(milliseconds * NS_PER_MS)
    wall = WALL_START_MS * NS_PER_MS + round(milliseconds * NS_PER_MS)
    return Instant(BootNs(nanoseconds), MonotonicNs(nanoseconds), WallNs(wall))


def config(**markets: Any) -> Config:
    """Return settings for markets of a minute; keywords spoil the market settings."""
    return Config(
        run=RunSettings(profile="test"),
        account=AccountSettings(key_file="key", credentials_file="credentials"),
        venue=VenueSettings(
            clob_url="http://127.0.0.1:1",
            discovery_url="http://127.0.0.1:1",
            geoblock_url="http://127.0.0.1:1",
            market_socket_url="ws://127.0.0.1:1/ws/market",
            user_socket_url="ws://127.0.0.1:1/ws/user",
            price_socket_url="ws://127.0.0.1:1/ws",
        ),
        markets=MarketSettings(**{"interval_s": 60, "cutoff_ms": 5_000, **markets}),
    )


def of_type(effects: list[Effect], kind: type[Any]) -> list[Any]:
    """Return the effects of one type, in order."""
    return [effect for effect in effects if isinstance(effect, kind)]


def facts(effects: list[Effect], topic: str) -> list[Any]:
    """Return the bodies published on a topic, in order."""
    return [effect.body for effect in of_type(effects, Publish) if effect.topic == topic]


def sent(effects: list[Effect]) -> list[Any]:
    """Return the frames sent on streams: decoded JSON, or the text when it is none."""
    return [
        effect.text if effect.text == "PING" else msgspec.json.decode(effect.text)
        for effect in of_type(effects, StreamSend)
    ]
