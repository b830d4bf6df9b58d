"""Recordings of a fake venue whose hashes are right, as files of either kind."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec

from bus.envelope import Header, encode
from shared.facts import Calendar, MarketInfo
from shared.identifiers import Component, Incarnation
from shared.recording import MAGIC, FactRecord, Head, frame
from shared.units import BootNs, Instant, MonotonicNs, WallNs
from tests.builders.books import VenueBook
from tests.builders.market_feed import frame_of
from tests.builders.markets import DOWN, UP, market_info

START_S = 1_790_000_040


def line(after_ms: int, frame: Any) -> bytes:
    """Return one JSON line of a frame received so long after the start."""
    moment = datetime.fromtimestamp(START_S + after_ms / 1000, UTC)
    text = frame if isinstance(frame, str) else json.dumps(frame)
    return json.dumps({"receivedAt": moment.isoformat(), "payloadUtf8": text}).encode()


class RecordedSession:
    """A first dump, then changes and trades of one market, each line with right hashes."""

    def __init__(self) -> None:
        self.up = VenueBook(UP)
        self.down = VenueBook(DOWN)
        self.lines = [line(0, [frame_of(self.up), frame_of(self.down)])]

    def change(self, after_ms: int, side: Any, price: int, shares: int) -> None:
        """Record a new total of one level of the first token."""
        entry = self.up.step(side, price, shares)
        row = {
            "asset_id": entry.token,
            "price": f"{entry.price / 10_000:g}",
            "size": f"{entry.size / 1_000_000:g}",
            "side": entry.side,
            "hash": entry.hash,
        }
        self._add(after_ms, {"event_type": "price_change", "price_changes": [row]})

    def trade(self, after_ms: int, price: str, size: str, side: str) -> None:
        """Record a print of the first token, and no book after it."""
        fields = {"asset_id": UP, "price": price, "size": size, "side": side}
        self._add(after_ms, {"event_type": "last_trade_price", **fields})

    def resolved(self, after_ms: int, winner: str) -> None:
        """Record who won."""
        self._add(after_ms, {"event_type": "market_resolved", "winning_asset_id": winner})

    def _add(self, after_ms: int, fields: dict[str, Any]) -> None:
        known = {"market": self.up.market.condition_id, "timestamp": str(self.up.venue_ms)}
        self.lines.append(line(after_ms, known | fields))

    @property
    def content(self) -> bytes:
        """The file."""
        return b"\n".join(self.lines) + b"\n"


def own_recording(*facts: tuple[int, str, str, msgspec.Struct]) -> bytes:
    """Return a recorder's file of facts: received after (ms), component, topic, body."""
    parts = [MAGIC, frame(Head(1, 1, START_S * 10**9, MonotonicNs(0)))]
    for number, (after_ms, component, topic, body) in enumerate(facts, 1):
        at = MonotonicNs(after_ms * 1_000_000)
        header = Header(
            Component(component),
            Incarnation(1),
            topic,
            number,
            at,
            at,
            START_S * 10**9,
            1,
            (),
            Instant(BootNs(at), at, WallNs(START_S * 10**9)),
        )
        _, head, content = encode(header, body)
        parts.append(frame(FactRecord(at, topic, head, content)))
    return b"".join(parts)


def calendar(*markets: MarketInfo) -> Calendar:
    """Return a calendar of markets, the built one by default."""
    return Calendar(markets or (market_info(),), MonotonicNs(0))
