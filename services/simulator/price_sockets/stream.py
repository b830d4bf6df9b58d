"""The price socket: authentication, subscriptions, snapshots, dense sequence numbers, limits.

Every item of a subscription is answered by itself, in order, by `subscribed` or `error` with the
operation's rid and the item's channel. A channel's numbers are dense on a connection, its snapshots
included; what is dropped for a slow reader has no number, the next frame says how much it was.

Source: https://docs.polymarket.com/api-reference/wss/polybolt (2026-09-28), a recorded head of
the venue's staging stream, and polymarket-client 0.14.0.
"""

from collections import deque
from collections.abc import Iterator

import msgspec

from services.simulator.edge import Close, Push
from services.simulator.faults.switches import Faults
from services.simulator.keys import Keys
from services.simulator.oracles.oracle import HISTORY_MS, Oracle, Tick
from services.simulator.price_sockets.frames import (
    Wish,
    is_known,
    moved,
    snapshot,
    update,
    wish_of,
)
from shared.effects import Effect
from shared.identifiers import Asset
from shared.units import NS_PER_S, Instant
from shared.venue.faults import Malformed
from shared.venue.prices_wire import (
    CLOSE_AUTH,
    PRICE_OPERATION,
    PROTOCOL_VERSION,
    PriceAuth,
    PriceAuthed,
    PriceData,
    PriceError,
    PricePayload,
    PricePing,
    PricePong,
    PriceSubscribe,
    PriceSubscribed,
    PriceSubscription,
    PriceUnsubscribe,
    PriceUnsubscribed,
)
from shared.venue.streams_wire import StreamAuth
from shared.venue.wire import decode, encode

_SNAPSHOT_MS = HISTORY_MS - 10_000

SUBSCRIPTIONS_MAX = 64
"""Pairs of channel and filter on one connection."""

OPERATIONS_PER_S = 20
"""Frames that subscribe or unsubscribe, on one connection."""

AUTH_ATTEMPTS_MAX = 8


class Listener(msgspec.Struct, eq=False):
    """One open price socket.

    Attributes:
        auth: Credentials that were taken, None before.
        attempts: Credentials that were refused.
        operations: Monotonic times of the last operations that count.
        sequence: Last number sent, by channel.
        dropped: Frames not sent since the last one, by channel.
    """

    auth: StreamAuth | None = None
    attempts: int = 0
    operations: deque[int] = msgspec.field(default_factory=deque)
    wishes: dict[Wish, None] = msgspec.field(default_factory=dict)
    sequence: dict[str, int] = msgspec.field(default_factory=dict)
    dropped: dict[str, int] = msgspec.field(default_factory=dict)


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

    def has(self, number: int) -> bool:
        """Tell whether a socket is one of these."""
        return number in self._listeners

    def numbers(self) -> list[int]:
        """Return the open sockets."""
        return list(self._listeners)

    # --- operations -----------------------------------------------------------------

    def receive(self, number: int, text: str, now: Instant) -> list[Effect]:
        """Take a client's frame in."""
        listener = self._listeners.get(number)
        if listener is None:
            return []
        try:
            operation = decode(PRICE_OPERATION, text, "price operation")
        except Malformed:
            return [_push(number, PriceError(code="bad_op"))]
        if isinstance(operation, PricePing):
            return [_push(number, PricePong(rid=operation.rid))]
        if isinstance(operation, PriceAuth):
            fault = self._faults.struck_by("refuse_auth", now.monotonic_ns)
            if fault is not None:
                return [_push(number, PriceError(code=fault.text, rid=operation.rid))]
            return self._authenticate(number, listener, operation)
        refused = self._refuse(number, listener, operation.rid, now)
        if refused:
            return refused
        if isinstance(operation, PriceSubscribe):
            return list(self._subscribe(number, listener, operation, now))
        return self._unsubscribe(number, listener, operation)

    def _authenticate(self, number: int, listener: Listener, auth: PriceAuth) -> list[Effect]:
        """Check credentials; the socket survives a few wrong ones."""
        if self._is_valid(auth.auth):
            listener.auth = auth.auth
            return [_push(number, PriceAuthed(rid=auth.rid))]
        listener.attempts += 1
        if listener.attempts < AUTH_ATTEMPTS_MAX:
            return [_push(number, PriceError(code="auth_invalid", rid=auth.rid))]
        return [
            _push(number, PriceError(code="auth_attempts", rid=auth.rid)),
            Close(number, CLOSE_AUTH, "auth_attempts"),
        ]

    def _is_valid(self, auth: StreamAuth) -> bool:
        return self._keys.is_stream_auth(auth.api_key, auth.secret, auth.passphrase)

    def _refuse(self, number: int, listener: Listener, rid: str, now: Instant) -> list[Effect]:
        """Return why an operation may not be done now, nothing when it may."""
        if listener.auth is None:
            return [_push(number, PriceError(code="auth_required", rid=rid))]
        if not self._is_valid(listener.auth):
            return [
                _push(number, PriceError(code="auth_expired", rid=rid)),
                Close(number, CLOSE_AUTH, "auth_expired"),
            ]
        done = listener.operations
        while done and done[0] <= now.monotonic_ns - NS_PER_S:
            done.popleft()
        if len(done) >= OPERATIONS_PER_S:
            return [_push(number, PriceError(code="rate_limited", rid=rid))]
        done.append(now.monotonic_ns)
        return []

    def _subscribe(
        self, number: int, listener: Listener, operation: PriceSubscribe, now: Instant
    ) -> Iterator[Effect]:
        for item in operation.subscriptions:
            wish = wish_of(item, self._oracles)
            code = _refusal(item, wish, listener)
            if wish is None or code:
                error = PriceError(code=code, rid=operation.rid, channel=item.channel)
                yield _push(number, error)
                continue
            listener.wishes[wish] = None
            yield _push(number, PriceSubscribed(channel=item.channel, rid=operation.rid))
            if self._passes(wish, now):
                payload = snapshot(wish, self._recent(wish.asset, now))
                yield self._data(number, listener, wish, payload, now, is_snapshot=True)

    def _unsubscribe(
        self, number: int, listener: Listener, operation: PriceUnsubscribe
    ) -> list[Effect]:
        answers: list[Effect] = []
        for item in operation.subscriptions:
            wish = wish_of(item, self._oracles)
            if wish is not None:
                listener.wishes.pop(wish, None)
            answers.append(
                _push(number, PriceUnsubscribed(channel=item.channel, rid=operation.rid))
            )
        return answers

    # --- data -----------------------------------------------------------------------

    def tell(self, tick: Tick, now: Instant) -> Iterator[Effect]:
        """Send a tick, once its latency is over, to those who wish it."""
        for number, listener in self._listeners.items():
            for wish in listener.wishes:
                if wish.asset != tick.asset or not self._passes(wish, now):
                    continue
                if self._faults.struck_by("drop_prices", now.monotonic_ns) is not None:
                    lost = listener.dropped
                    lost[wish.channel] = lost.get(wish.channel, 0) + 1
                else:
                    payload = update(wish, self._as_told(tick, wish, now))
                    yield self._data(number, listener, wish, payload, now, is_snapshot=False)

    def _passes(self, wish: Wish, now: Instant) -> bool:
        names = (wish.asset, wish.channel)
        return self._faults.lets_frame_pass("price", names, now.monotonic_ns)

    def _as_told(self, tick: Tick, wish: Wish, now: Instant) -> Tick:
        """Return a tick as a source tells it now, which a fault may have moved."""
        percent = self._faults.price_percent(wish.asset, wish.source, now.monotonic_ns, "price")
        return moved(tick, percent)

    def _recent(self, asset: Asset, now: Instant) -> Iterator[Tick]:
        return (
            tick
            for tick in self._oracles[asset].history
            if now.wall_ms - _SNAPSHOT_MS <= tick.told_ms <= now.wall_ms
        )

    def _data(
        self,
        number: int,
        listener: Listener,
        wish: Wish,
        payload: PricePayload,
        now: Instant,
        *,
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
            dropped=listener.dropped.pop(wish.channel, 0),
        )
        return _push(number, frame)


def _refusal(item: PriceSubscription, wish: Wish | None, listener: Listener) -> str:
    if not is_known(item.channel):
        return "bad_channel"
    if wish is None:
        return "bad_filter"
    is_full = len(listener.wishes) >= SUBSCRIPTIONS_MAX and wish not in listener.wishes
    return "sub_limit" if is_full else ""


def _push(number: int, frame: object) -> Push:
    return Push(number, encode(frame).decode())
