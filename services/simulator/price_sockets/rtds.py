"""The older price socket (RTDS), as its users know it.

It begins with an empty frame, answers no PING, and takes anybody. One unknown topic spoils all of a
subscription. A filter is compared as text: with a space in it only the opening backfill comes, and
then nothing; a list of symbols matches none. Prices come once a second. That it falls silent while
the socket stays open is a fault (`silence` of stream `rtds`).

Source: frames recorded in production on 5 September 2026;
https://github.com/Polymarket/real-time-data-client/issues/26, /34 and /35.
"""

from collections.abc import Iterator

import msgspec

from services.simulator.edge import Push
from services.simulator.faults.switches import Faults
from services.simulator.oracles.oracle import Oracle, Tick
from services.simulator.price_sockets.frames import moved
from services.simulator.price_sockets.rtds_frames import (
    RtdsSubscription,
    backfill,
    is_known,
    is_price_topic,
    read_operation,
    symbol_of,
    unknown_topic,
    update,
    wanted_symbol,
)
from shared.effects import Effect
from shared.identifiers import Asset
from shared.units import Instant
from shared.venue.wire import encode

SUBSCRIPTIONS_MAX = 500
_MS_PER_S = 1000

ORACLE = "chainlink"
"""Whose prices it tells, for faults that move a source: both sockets tell the same oracle."""


class RtdsListener(msgspec.Struct, eq=False):
    """One open socket."""

    items: dict[RtdsSubscription, None] = msgspec.field(default_factory=dict)


class Rtds:
    """All sockets of the older kind."""

    def __init__(self, oracles: dict[Asset, Oracle], faults: Faults) -> None:
        """Set the oracles, whose ticks know from when on they may be told."""
        self._oracles = oracles
        self._faults = faults
        self._listeners: dict[int, RtdsListener] = {}
        self._seconds: dict[Asset, int] = {}

    def open(self, number: int) -> list[Effect]:
        """Take a new socket in; its first frame is empty."""
        self._listeners[number] = RtdsListener()
        return [Push(number, "")]

    def close(self, number: int) -> None:
        """Forget a socket."""
        self._listeners.pop(number, None)

    def has(self, number: int) -> bool:
        """Tell whether a socket is one of these."""
        return number in self._listeners

    def numbers(self) -> list[int]:
        """Return the open sockets."""
        return list(self._listeners)

    def receive(self, number: int, text: str, now: Instant) -> list[Effect]:
        """Take a client's frame in; what is no operation is passed over, PING among it."""
        listener = self._listeners.get(number)
        operation = read_operation(text)
        if listener is None or operation is None:
            return []
        unknown = [item for item in operation.subscriptions if not is_known(item)]
        if unknown:
            return [Push(number, encode(unknown_topic(unknown[0])).decode())]
        if operation.action == "unsubscribe":
            for item in operation.subscriptions:
                listener.items.pop(item, None)
            return []
        effects: list[Effect] = []
        for item in operation.subscriptions:
            if len(listener.items) < SUBSCRIPTIONS_MAX:
                listener.items[item] = None
                effects += self._backfill(number, item, now)
        return effects

    def _backfill(self, number: int, item: RtdsSubscription, now: Instant) -> Iterator[Effect]:
        """Send the past of the symbol that a filter names, spaces in it or not."""
        symbol = wanted_symbol(item.filters.replace(" ", ""))
        if not is_price_topic(item.topic):
            return
        for asset, oracle in self._oracles.items():
            if symbol == symbol_of(item.topic, asset) and self._passes(asset, item.topic, now):
                text = backfill(item.topic, asset, oracle.history, now.wall_ms)
                yield Push(number, text.decode())

    def tell(self, tick: Tick, now: Instant) -> Iterator[Effect]:
        """Send a tick, once its latency is over, to those who wish it: the first of a second."""
        second = tick.at_ms // _MS_PER_S
        known = self._seconds.get(tick.asset, second if tick.at_ms % _MS_PER_S else None)
        self._seconds[tick.asset] = second
        if known == second:
            return
        history = self._oracles[tick.asset].history
        percent = self._faults.price_percent(tick.asset, ORACLE, now.monotonic_ns, "rtds")
        told = moved(tick, percent)
        for number, listener in self._listeners.items():
            topics = {item.topic for item in listener.items if _is_wanted(item, tick.asset)}
            for topic in sorted(topics):
                if self._passes(tick.asset, topic, now):
                    text = update(topic, told, history, now.wall_ms, number)
                    yield Push(number, text.decode())

    def _passes(self, asset: Asset, topic: str, now: Instant) -> bool:
        return self._faults.lets_frame_pass("rtds", (asset, topic), now.monotonic_ns)


def _is_wanted(item: RtdsSubscription, asset: Asset) -> bool:
    if not is_price_topic(item.topic):
        return False
    return not item.filters or wanted_symbol(item.filters) == symbol_of(item.topic, asset)
