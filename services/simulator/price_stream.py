"""The price socket: authentication, subscriptions, snapshots, dense sequence numbers.

Source: https://docs.polymarket.com/api-reference/wss/polybolt (2026-09-28) and a recorded
head of the venue's staging stream.
"""

from collections.abc import Iterator

import msgspec

from services.simulator.edge import Close, Push
from services.simulator.faults import Faults
from services.simulator.keys import Keys
from services.simulator.prices import HISTORY_MS, Oracle, Tick
from shared.effects import Effect
from shared.identifiers import Asset
from shared.units import Instant
from shared.venue.decimals import format_scaled
from shared.venue.faults import Malformed
from shared.venue.prices_wire import (
    CLOSE_AUTH,
    CRYPTO_CHANNEL,
    CRYPTO_TWAP_CHANNEL,
    PRICE_OPERATION,
    PROTOCOL_VERSION,
    TWAP_WINDOW_S,
    PriceAuth,
    PriceAuthed,
    PriceData,
    PriceError,
    PricePayload,
    PricePing,
    PricePoint,
    PricePong,
    PriceSubscribe,
    PriceSubscribed,
    PriceSubscription,
    PriceUnsubscribe,
    PriceUnsubscribed,
)
from shared.venue.wire import decode, encode

_E8_PLACES = 8
_SNAPSHOT_MS = HISTORY_MS - 10_000
SUBSCRIPTIONS_MAX = 64


class Wish(msgspec.Struct, frozen=True):
    """One subscription: a channel, an asset, and whose prices."""

    channel: str
    asset: Asset
    source: str


class Listener(msgspec.Struct, eq=False):
    """One open price socket.

    Attributes:
        sequence: Last number sent, by channel.
    """

    is_authed: bool = False
    wishes: dict[Wish, None] = msgspec.field(default_factory=dict)
    sequence: dict[str, int] = msgspec.field(default_factory=dict)


class PriceStream:
    """All price sockets."""

    def __init__(self, oracles: dict[Asset, Oracle], keys: Keys, faults: Faults) -> None:
        """Set the oracles, whose ticks know from when on they may be told."""
        self._oracles = oracles
        self._keys = keys
        self._faults = faults
        self._listeners: dict[int, Listener] = {}

    def open(self, number: int) -> None:
        """Take a new socket in."""
        self._listeners[number] = Listener()

    def close(self, number: int) -> None:
        """Forget a socket."""
        self._listeners.pop(number, None)

    def numbers(self) -> list[int]:
        """Return the open sockets."""
        return list(self._listeners)

    def receive(self, number: int, text: str, now: Instant) -> list[Effect]:
        """Take a client's frame in."""
        listener = self._listeners.get(number)
        if listener is None:
            return []
        try:
            operation = decode(PRICE_OPERATION, text, "price operation")
        except Malformed:
            return [_push(number, PriceError(code="bad_op"))]
        match operation:
            case PricePing(rid=rid):
                return [_push(number, PricePong(rid=rid))]
            case PriceAuth():
                return self._authenticate(number, listener, operation)
            case PriceSubscribe() if not listener.is_authed:
                return [_push(number, PriceError(code="auth_required", rid=operation.rid))]
            case PriceSubscribe():
                return list(self._subscribe(number, listener, operation, now))
            case _:
                return self._unsubscribe(number, listener, operation)

    def _authenticate(self, number: int, listener: Listener, auth: PriceAuth) -> list[Effect]:
        given = auth.auth
        if not self._keys.is_stream_auth(given.api_key, given.secret, given.passphrase):
            error = PriceError(code="auth_invalid", rid=auth.rid)
            return [_push(number, error), Close(number, CLOSE_AUTH, "auth_invalid")]
        listener.is_authed = True
        return [_push(number, PriceAuthed(rid=auth.rid))]

    def _subscribe(
        self, number: int, listener: Listener, operation: PriceSubscribe, now: Instant
    ) -> Iterator[Effect]:
        for item in operation.subscriptions:
            wish = self._wish(item)
            if wish is None:
                is_known = item.channel in (CRYPTO_CHANNEL, CRYPTO_TWAP_CHANNEL)
                code = "bad_filter" if is_known else "bad_channel"
                yield _push(number, PriceError(code=code, rid=operation.rid))
                continue
            if len(listener.wishes) >= SUBSCRIPTIONS_MAX:
                yield _push(number, PriceError(code="sub_limit", rid=operation.rid))
                continue
            listener.wishes[wish] = None
            yield _push(number, PriceSubscribed(channel=item.channel, rid=operation.rid))
            if self._passes(wish, now):
                yield self._data(number, listener, wish, self._snapshot(wish, now), now, True)

    def _unsubscribe(
        self, number: int, listener: Listener, operation: PriceUnsubscribe
    ) -> list[Effect]:
        answers: list[Effect] = []
        for item in operation.subscriptions:
            wish = self._wish(item)
            if wish is not None:
                listener.wishes.pop(wish, None)
            answers.append(
                _push(number, PriceUnsubscribed(channel=item.channel, rid=operation.rid))
            )
        return answers

    def _wish(self, item: PriceSubscription) -> Wish | None:
        if item.filter is None or item.channel not in (CRYPTO_CHANNEL, CRYPTO_TWAP_CHANNEL):
            return None
        asset = Asset(item.filter.symbol.removesuffix("usd"))
        if asset not in self._oracles or not item.filter.symbol.endswith("usd"):
            return None
        if item.channel == CRYPTO_TWAP_CHANNEL:
            if item.filter.window_seconds not in (None, TWAP_WINDOW_S):
                return None
            return Wish(item.channel, asset, item.filter.provider or "chainlink")
        return Wish(item.channel, asset, item.filter.provider or "pyth")

    def tell(self, tick: Tick, now: Instant) -> Iterator[Effect]:
        """Send a tick, once its latency is over, to those who wish it."""
        for number, listener in self._listeners.items():
            for wish in listener.wishes:
                if wish.asset == tick.asset and self._passes(wish, now):
                    payload = _payload(wish, tick)
                    yield self._data(number, listener, wish, payload, now, False)

    def _passes(self, wish: Wish, now: Instant) -> bool:
        names = (wish.asset, wish.channel)
        return self._faults.lets_frame_pass("price", names, now.monotonic_ns)

    def _snapshot(self, wish: Wish, now: Instant) -> PricePayload:
        points = tuple(
            _point(wish, tick)
            for tick in self._oracles[wish.asset].history
            if now.wall_ms - _SNAPSHOT_MS <= tick.told_ms <= now.wall_ms
        )
        return PricePayload(symbol=f"{wish.asset}usd", source=wish.source, data=points)

    def _data(
        self,
        number: int,
        listener: Listener,
        wish: Wish,
        payload: PricePayload,
        now: Instant,
        is_snapshot: bool,
    ) -> Push:
        sequence = listener.sequence.get(wish.channel, 0) + 1
        listener.sequence[wish.channel] = sequence
        frame = PriceData(
            channel=wish.channel,
            seq=sequence,
            ts=now.wall_ms,
            payload=payload,
            v=PROTOCOL_VERSION,
            snapshot=is_snapshot,
        )
        return _push(number, frame)


def _push(number: int, frame: object) -> Push:
    return Push(number, encode(frame).decode())


def _value(wish: Wish, tick: Tick) -> int:
    return tick.twap_e8 if wish.channel == CRYPTO_TWAP_CHANNEL else tick.price_e8


def _point(wish: Wish, tick: Tick) -> PricePoint:
    value = _value(wish, tick)
    return PricePoint(
        timestamp=tick.at_ms,
        value=value / 10**_E8_PLACES,
        full_accuracy_value=format_scaled(value, _E8_PLACES),
    )


def _payload(wish: Wish, tick: Tick) -> PricePayload:
    value = _value(wish, tick)
    return PricePayload(
        symbol=f"{wish.asset}usd",
        source=wish.source,
        timestamp=tick.at_ms,
        value=value / 10**_E8_PLACES,
        full_accuracy_value=format_scaled(value, _E8_PLACES),
        window_seconds=TWAP_WINDOW_S if wish.channel == CRYPTO_TWAP_CHANNEL else None,
    )
