"""A user feed with a fake venue behind its socket and its reads, and the venue's frames."""

from typing import Any

import msgspec

from services.feed.messages import CredentialsFound
from services.feed.user import UserFeed
from shared.effects import (
    Effect,
    HttpReply,
    HttpRequest,
    StreamClosed,
    StreamOpen,
    StreamOpened,
    StreamText,
)
from shared.facts import FeedStatus
from shared.units import NS_PER_MS, BootNs, Instant
from shared.venue.account_wire import CURSOR_END
from shared.venue.auth import Credentials
from tests.builders.feeds import WALL_START_MS, at, config, facts, of_type
from tests.builders.markets import MARKET, UP

SECRET = "c2VjcmV0LW9mLXRoZS1rZXk="
CREDENTIALS = Credentials("0x" + "ab" * 20, "the-key", SECRET, "the-passphrase")
FIRST = "0x" + "01" * 32
SECOND = "0x" + "02" * 32


def order_frame(order_id: str = FIRST, **spoil: Any) -> dict[str, Any]:
    fields = {
        "event_type": "order",
        "id": order_id,
        "market": MARKET,
        "asset_id": UP,
        "side": "BUY",
        "price": "0.49",
        "original_size": "10",
        "size_matched": "0",
        "type": "PLACEMENT",
        "status": "LIVE",
        "timestamp": str(WALL_START_MS),
    }
    return {**fields, **spoil}


def order_row(order_id: str = FIRST, **spoil: Any) -> dict[str, Any]:
    fields = {
        "id": order_id,
        "status": "LIVE",
        "market": MARKET,
        "asset_id": UP,
        "side": "BUY",
        "original_size": "10",
        "size_matched": "0",
        "price": "0.49",
        "created_at": WALL_START_MS // 1_000,
    }
    return {**fields, **spoil}


def trade_row(trade_id: str = "t1", **spoil: Any) -> dict[str, Any]:
    fields = {
        "id": trade_id,
        "taker_order_id": SECOND,
        "market": MARKET,
        "asset_id": UP,
        "side": "SELL",
        "size": "3",
        "price": "0.49",
        "status": "TRADE_STATUS_MINED",
        "match_time": str(WALL_START_MS // 1_000),
        "maker_orders": [
            {
                "order_id": FIRST,
                "matched_amount": "3",
                "price": "0.49",
                "asset_id": UP,
                "side": "BUY",
            }
        ],
    }
    return {**fields, **spoil}


def trade_frame(trade_id: str = "t1", **spoil: Any) -> dict[str, Any]:
    fields = {
        **trade_row(trade_id),
        "event_type": "trade",
        "type": "TRADE",
        "status": "MATCHED",
        "timestamp": str(WALL_START_MS),
        "trader_side": "MAKER",
    }
    return {**fields, **spoil}


def page(*rows: dict[str, Any], cursor: str = CURSOR_END) -> bytes:
    return msgspec.json.encode({"data": rows, "next_cursor": cursor})


class Rig:
    """A user feed with a fake venue behind its socket and its reads."""

    def __init__(self) -> None:
        self.feed = UserFeed(config(), seed=1)
        self.stream = ""

    def open(self, now: Instant) -> list[Effect]:
        effects = self.feed.on_message(CredentialsFound(CREDENTIALS), now)
        (opening,) = of_type(effects or self.feed.on_tick(now), StreamOpen)
        self.stream = opening.stream
        return self.feed.on_message(StreamOpened(self.stream), now)

    def close(self, now: Instant, code: int = 1006) -> list[Effect]:
        return self.feed.on_message(StreamClosed(self.stream, code, "gone"), now)

    def hear(self, body: object, now: Instant) -> list[Effect]:
        text = body if isinstance(body, str) else msgspec.json.encode(body).decode()
        return self.feed.on_message(StreamText(self.stream, text, now.monotonic_ns), now)

    def reads(self, now: Instant) -> dict[str, HttpRequest]:
        """Tick, and return the reads by path."""
        requests = of_type(self.feed.on_tick(now), HttpRequest)
        return {request.path.partition("?")[0]: request for request in requests}

    def answer(
        self, request: HttpRequest, body: bytes, now: Instant, status: int = 200
    ) -> list[Effect]:
        reply = HttpReply(request.request_id, status, {}, body, BootNs(0))
        return self.feed.on_message(reply, now)

    def status(self, now: Instant) -> FeedStatus:
        (found,) = facts(list(self.feed.snapshot(now)), "feed.status")
        assert isinstance(found, FeedStatus)
        return found

    def evident_ms(self, now: Instant) -> float | None:
        (entry,) = self.status(now).evidence
        if entry.evident_ns is None:
            return None
        return (entry.evident_ns - at(0).monotonic_ns) / NS_PER_MS


def ready(*rows: dict[str, Any]) -> Rig:
    rig = Rig()
    rig.open(at(0))
    rig.hear("PONG", at(0))
    reads = rig.reads(at(0))
    rig.answer(reads["/data/orders"], page(*rows), at(10))
    rig.answer(reads["/data/trades"], page(), at(10))
    assert rig.status(at(10)).connected
    return rig


def witness(rig: Rig, milliseconds: float, *rows: dict[str, Any]) -> list[Effect]:
    """Let the venue answer which orders are open; return what the feed does about it."""
    return rig.answer(rig.reads(at(milliseconds))["/data/orders"], page(*rows), at(milliseconds))
