"""Topics and frames of the older price socket (RTDS), quirks included.

Source: frames recorded in production on 5 September 2026: averages and Chainlink's prices carry
18 decimals as an integer, Binance's a decimal; what is sent on a subscription names the topic
`crypto_prices` for Chainlink's prices too, and no connection.
"""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from services.simulator.chance import derive
from services.simulator.oracles.oracle import Tick
from shared.identifiers import Asset
from shared.venue.faults import Malformed
from shared.venue.wire import decode, encode

BINANCE_TOPIC = "crypto_prices"
CHAINLINK_TOPIC = "crypto_prices_chainlink"
WINDOWS_S = {"crypto_prices_twap_thirty": 30, "crypto_prices_twap_sixty": 60}
"""Seconds that a topic averages over."""

QUIET_TOPICS = {
    "equity_prices": ("*", "update"),
    "comments": (
        "*",
        "comment_created",
        "comment_removed",
        "reaction_created",
        "reaction_removed",
    ),
}
"""Topics that are known, and have nothing to tell here, by their types."""

PRICE_TYPES = ("*", "update")

BACKFILL_MS = {BINANCE_TOPIC: 120_000, CHAINLINK_TOPIC: 59_000}
_BACKFILL_MS_OF_AVERAGES = 59_000

_E8_PLACES = 8
_E18_OF_E8 = 10**10
_MS_PER_S = 1000
_SYMBOL = re.compile(r'\{"symbol":"([a-z0-9/]+)"\}')


class RtdsSubscription(msgspec.Struct, frozen=True):
    """One item of a subscription.

    Attributes:
        filters: JSON text, compared as text; empty for all symbols.
    """

    topic: str
    type: str = "*"
    filters: str = ""


class RtdsOperation(msgspec.Struct, frozen=True):
    """A client's frame."""

    action: str
    subscriptions: tuple[RtdsSubscription, ...] = ()


_OPERATION = msgspec.json.Decoder(RtdsOperation)


def read_operation(text: str) -> RtdsOperation | None:
    """Return a client's operation, None for anything else, `PING` among it."""
    try:
        return decode(_OPERATION, text, "rtds operation")
    except Malformed:
        return None


def is_known(item: RtdsSubscription) -> bool:
    """Tell whether there is such a topic with such a type."""
    if item.topic in QUIET_TOPICS:
        return item.type in QUIET_TOPICS[item.topic]
    return is_price_topic(item.topic) and item.type in PRICE_TYPES


def is_price_topic(topic: str) -> bool:
    """Tell whether a topic has prices."""
    return topic in (BINANCE_TOPIC, CHAINLINK_TOPIC) or topic in WINDOWS_S


def unknown_topic(item: RtdsSubscription) -> dict[str, Any]:
    """Return what answers a whole subscription in which one topic is unknown."""
    what = f"topic: {item.topic} and type: {item.type} not found"
    code = f"rpc error: code = NotFound desc = {what}"
    message = f"leger GetTopics error: {code}, status: {code}, message: {what}"
    return {"body": {"message": message}, "statusCode": 401}


def symbol_of(topic: str, asset: Asset) -> str:
    """Return how a topic spells an asset."""
    return f"{asset}usdt" if topic == BINANCE_TOPIC else f"{asset}/usd"


def wanted_symbol(filters: str) -> str | None:
    """Return the symbol that a filter names, None when it is no filter that ever matches."""
    found = _SYMBOL.fullmatch(filters)
    return found[1] if found else None


def update(topic: str, tick: Tick, history: Iterable[Tick], sent_ms: int, number: int) -> bytes:
    """Return one tick of a topic, stamped with its second."""
    payload = _point(topic, tick, history, whole=True)
    payload["symbol"] = symbol_of(topic, tick.asset)
    if topic in WINDOWS_S:
        payload["window_s"] = WINDOWS_S[topic]
    return encode(
        {
            "connection_id": connection_id(number),
            "payload": payload,
            "timestamp": sent_ms,
            "topic": topic,
            "type": "update",
        }
    )


def backfill(topic: str, asset: Asset, history: Iterable[Tick], sent_ms: int) -> bytes:
    """Return what a subscription to a symbol begins with, about one point a second."""
    ticks = list(history)
    since = sent_ms - BACKFILL_MS.get(topic, _BACKFILL_MS_OF_AVERAGES)
    points: dict[int, dict[str, Any]] = {}
    for tick in ticks:
        if since <= tick.at_ms and tick.told_ms <= sent_ms:
            second = tick.at_ms // _MS_PER_S
            if second not in points:
                points[second] = _point(topic, tick, ticks, whole=topic in WINDOWS_S)
    payload: dict[str, Any] = {
        "data": list(points.values()),
        "symbol": symbol_of(topic, asset),
    }
    if topic in WINDOWS_S:
        payload["window_s"] = WINDOWS_S[topic]
    label = BINANCE_TOPIC if topic == CHAINLINK_TOPIC else topic
    return encode({"payload": payload, "timestamp": sent_ms, "topic": label, "type": "subscribe"})


def connection_id(number: int) -> str:
    """Return a text of the length and the letters of real ones."""
    return f"gZ{derive(0, 'connection', str(number)):064x}"[:17] + "A=="


def _point(topic: str, tick: Tick, history: Iterable[Tick], *, whole: bool) -> dict[str, Any]:
    value_e8 = _value_e8(topic, tick, history)
    point: dict[str, Any] = {
        "timestamp": tick.at_ms // _MS_PER_S * _MS_PER_S,
        "value": value_e8 / 10**_E8_PLACES,
    }
    if whole and topic == BINANCE_TOPIC:
        units, rest = divmod(value_e8, 10**_E8_PLACES)
        point["full_accuracy_value"] = f"{units}.{rest:08}"
    elif whole:
        point["full_accuracy_value"] = str(value_e8 * _E18_OF_E8)
    return point


def _value_e8(topic: str, tick: Tick, history: Iterable[Tick]) -> int:
    window_s = WINDOWS_S.get(topic)
    if window_s is None:
        return tick.price_e8
    if window_s == WINDOWS_S["crypto_prices_twap_sixty"]:
        return tick.twap_e8
    since = tick.at_ms - window_s * _MS_PER_S
    prices = [known.price_e8 for known in history if since < known.at_ms <= tick.at_ms]
    return sum(prices) // len(prices) if prices else tick.price_e8
