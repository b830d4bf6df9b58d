"""The socket of perpetual futures: subscriptions a coin and channel, whole books, no numbers.

A subscription is answered by itself and then by the present state, of trades by the newest ones;
what is refused is told in prose on the channel `error`. A client that says nothing for a minute is
closed. Frames are sent at the beat of half a second while anybody listens.

Source: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket (2026-09), and
for the two paces of books https://github.com/pmxt-dev/pmxt/issues/1879 (2026-07-26).
"""

from collections.abc import Iterator

import msgspec

from services.simulator.agenda import Agenda
from services.simulator.edge import Close, Push
from services.simulator.faults.switches import Faults
from services.simulator.perps.numbers import DEEP_LEVELS, FAST_LEVELS, SOCKET, PerpNumbers
from shared.effects import Effect
from shared.identifiers import Asset
from shared.perps.wire import (
    BOOK_CHANNEL,
    CHANNELS,
    CONTEXT_CHANNEL,
    PERP_REQUEST,
    BookFrame,
    ContextFrame,
    ErrorFrame,
    PerpCoinCtx,
    PerpRequest,
    PerpSubscribed,
    PerpSubscription,
    PongFrame,
    SubscribedFrame,
    TradesFrame,
)
from shared.units import NS_PER_MS, NS_PER_S, Instant
from shared.venue.faults import Malformed
from shared.venue.wire import decode, encode

SUBSCRIPTIONS_MAX = 1_000
"""Of one address at the venue; here of one connection."""

SILENT_NS_MAX = 60 * NS_PER_S

BEAT_MS = 500
_CONTEXT_BEATS = 2
_DEEP_BOOK_BEATS = 10
_TRADES_BEATS = 2
_REPLAYED_S = 10
_MS_PER_S = 1_000


class PerpListener(msgspec.Struct, eq=False):
    """One open socket.

    Attributes:
        heard_ns: When its client last said anything.
    """

    heard_ns: int
    wishes: dict[PerpSubscription, Asset] = msgspec.field(default_factory=dict)


class PerpSockets:
    """All sockets of perpetual futures."""

    def __init__(self, numbers: PerpNumbers, faults: Faults, agenda: Agenda) -> None:
        """Set what is told, what goes wrong, and how the next beat is planned."""
        self._numbers = numbers
        self._faults = faults
        self._agenda = agenda
        self._listeners: dict[int, PerpListener] = {}
        self._beating = False

    def open(self, number: int) -> None:
        """Take a new socket in."""
        self._listeners[number] = PerpListener(0)

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
        """Take a client's frame in."""
        listener = self._listeners[number]
        listener.heard_ns = now.monotonic_ns
        try:
            request = decode(PERP_REQUEST, text, "perp request")
        except Malformed:
            return [_error(number, f"Error parsing JSON into valid websocket request: {text}")]
        if request.method == "ping":
            return [_push(number, PongFrame())]
        if request.method not in ("subscribe", "unsubscribe") or request.subscription is None:
            return [_error(number, f"Error parsing JSON into valid websocket request: {text}")]
        effects = list(self._take(number, listener, request, request.subscription, now))
        if not self._beating and listener.wishes:
            self._beating = True
            self._plan(now)
        return effects

    def _take(
        self,
        number: int,
        listener: PerpListener,
        request: PerpRequest,
        wish: PerpSubscription,
        now: Instant,
    ) -> Iterator[Effect]:
        asset = self._numbers.asset(wish.coin)
        said = encode(wish).decode()
        if asset is None or wish.type not in CHANNELS:
            yield _error(number, f"Invalid subscription {said}")
            return
        if request.method == "unsubscribe":
            if listener.wishes.pop(wish, None) is None:
                yield _error(number, f"Already unsubscribed: {said}")
                return
        elif wish in listener.wishes or len(listener.wishes) >= SUBSCRIPTIONS_MAX:
            yield _error(number, f"Already subscribed: {said}")
            return
        yield _push(number, SubscribedFrame(PerpSubscribed(request.method, wish)))
        if request.method == "subscribe":
            listener.wishes[wish] = asset
            yield from self._tell(number, wish, asset, now, seconds=_REPLAYED_S)

    # --- beat -----------------------------------------------------------------------

    def _plan(self, now: Instant) -> None:
        """Plan the next beat, at a whole half second of wall time."""
        wait_ms = BEAT_MS - now.wall_ms % BEAT_MS
        self._agenda.at(now.monotonic_ns + wait_ms * NS_PER_MS, self._beat)

    def _beat(self, now: Instant) -> list[Effect]:
        beat = (now.wall_ms + BEAT_MS // 2) // BEAT_MS
        effects: list[Effect] = []
        for number, listener in list(self._listeners.items()):
            if listener.heard_ns and now.monotonic_ns - listener.heard_ns >= SILENT_NS_MAX:
                self.close(number)
                effects.append(Close(number, 1000, "Inactive"))
                continue
            for wish, asset in listener.wishes.items():
                if beat % _beats_of(wish) == 0:
                    effects += self._tell(number, wish, asset, now)
        self._beating = any(listener.wishes for listener in self._listeners.values())
        if self._beating:
            self._plan(now)
        return effects

    def _tell(
        self, number: int, wish: PerpSubscription, asset: Asset, now: Instant, seconds: int = 1
    ) -> Iterator[Effect]:
        if not self._faults.lets_frame_pass(SOCKET, (asset, wish.type), now.monotonic_ns):
            return
        if wish.type == CONTEXT_CHANNEL:
            ctx = self._numbers.context(asset, SOCKET, now)
            yield _push(number, ContextFrame(PerpCoinCtx(wish.coin, ctx)))
        elif wish.type == BOOK_CHANNEL:
            levels = FAST_LEVELS if wish.fast else DEEP_LEVELS
            yield _push(number, BookFrame(self._numbers.book(asset, SOCKET, levels, now)))
        else:
            present = now.wall_ms // _MS_PER_S
            rows = tuple(
                row
                for second in range(present - seconds, present)
                for row in self._numbers.trades(asset, second, now)
            )
            if rows:
                yield _push(number, TradesFrame(rows))


def _beats_of(wish: PerpSubscription) -> int:
    """Return how many beats lie between two tellings."""
    if wish.type == BOOK_CHANNEL:
        return 1 if wish.fast else _DEEP_BOOK_BEATS
    return _CONTEXT_BEATS if wish.type == CONTEXT_CHANNEL else _TRADES_BEATS


def _error(number: int, text: str) -> Push:
    return _push(number, ErrorFrame(text))


def _push(number: int, frame: object) -> Push:
    return Push(number, encode(frame).decode())
