"""The price feed: reference prices of the settlement oracle over the venue's price socket.

Subscribes spot and 60 s average of each asset, checks that the channel's numbers are dense,
and publishes every point, those of the opening snapshot included. Evidence for an asset is
a newer tick of the source that settles its markets; a value carried forward is no tick, since
the oracle said nothing.

Source: https://docs.polymarket.com/api-reference/wss/polybolt (2026-09-28) and a recorded
head of the venue's staging stream.
"""

from collections import deque
from typing import Literal

import msgspec

from services.feed.connection import Connection
from services.feed.connection_rules import PING_EVERY_NS, ConnectionRules
from services.feed.evidence import EvidenceBoard
from services.feed.messages import CredentialsFound
from services.feed.report import FeedReport
from shared.config import Config
from shared.effects import (
    Effect,
    Exit,
    Log,
    Message,
    Publish,
    ReachTold,
    Received,
    Stop,
    StreamClosed,
    StreamOpened,
    StreamSend,
    StreamText,
)
from shared.facts import PricesDoubted, ReferencePrice
from shared.identifiers import Asset, Incarnation
from shared.settlement import SPOT_SOURCE, settlement_source
from shared.topics import FEED_PRICE
from shared.units import NS_PER_S, Instant, MonotonicNs, WallMs
from shared.venue.auth import Credentials
from shared.venue.faults import WireFault
from shared.venue.parse_prices import reference_prices, symbol_of_asset
from shared.venue.prices_wire import (
    CRYPTO_CHANNEL,
    CRYPTO_TWAP_CHANNEL,
    TWAP_WINDOW_S,
    PriceAuth,
    PriceAuthed,
    PriceData,
    PriceError,
    PriceFilter,
    PricePing,
    PricePong,
    PriceSubscribe,
    PriceSubscribed,
    PriceSubscription,
    decode_price_frame,
)
from shared.venue.streams_wire import StreamAuth
from shared.venue.wire import encode

REFUSED_FOR_GOOD = ("auth_invalid", "auth_expired", "auth_attempts", "auth_required")
"""Errors that no repetition mends: other credentials do. `auth_unavailable` passes by itself."""

HISTORY_NS = 120 * NS_PER_S
"""As much as the venue's own snapshot tells: a reader that joins late needs it for the strike and
for volatility."""

HISTORY_MAX = 2_000
"""Ticks kept of each asset and source: 120 s at the simulator's fastest step, 60 ms."""

FUTURE_MS_MAX = 5_000
"""A stamp farther ahead than this is refused."""

SECOND = "second"
"""Names the operation for the second opinion, so that its refusal costs nothing else."""

SILENT_NS_MAX = 15 * NS_PER_S
"""No newer settlement tick of any asset for so long: the socket is not trusted any more. 92 of
78,515 recorded steps were longer than 5 s, 40 longer than 30 s."""


class PriceFeed:
    """The whole process, pure."""

    def __init__(self, config: Config, seed: int) -> None:
        """Wait for credentials; then connect.

        Args:
            config: Assets, window length, socket.
            seed: Of the jitter.
        """
        self._assets = tuple(Asset(asset) for asset in config.markets.assets)
        self._settlement = settlement_source(config.markets.interval_s)
        ping = encode(PricePing(rid="ping")).decode()
        url, others = config.venue.price_socket_url, config.venue.price_socket_alternatives
        rules = ConnectionRules("price", url, ping, PING_EVERY_NS, alternatives=others)
        self._connection = Connection(rules, seed)
        self._evidence = EvidenceBoard()
        self._report = FeedReport(FEED_PRICE)
        self._credentials: Credentials | None = None
        self._unconfirmed = 0
        self._second = config.abnormal.second_source
        self._is_second_asked = False
        self._rebuilt: dict[Asset, tuple[Incarnation, int]] = {}
        self._sequences: dict[str, int] = {}
        self._newest: dict[tuple[Asset, str], WallMs] = {}
        self._history: dict[tuple[Asset, str], deque[ReferencePrice]] = {}

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        """Take what the edges say."""
        match message:
            case CredentialsFound(credentials=credentials):
                self._credentials = credentials
                return [*self._connection.start(now), *self._connection.renew(now)]
            case ReachTold():
                self._report.hear(message)
                return []
            case StreamOpened(stream=stream) if self._connection.owns(stream):
                return self._on_opened(now)
            case StreamText(stream=stream) if self._connection.owns(stream):
                return self._on_text(message, now)
            case StreamClosed(stream=stream) if self._connection.owns(stream):
                return self._connection.on_closed(message, now)
            case Received(body=PricesDoubted() as doubted):
                return self._rebuild(doubted, message.incarnation, now)
            case Stop(cause=cause):
                return [Exit(0, cause)]
            case _:
                return []

    def on_tick(self, now: Instant) -> list[Effect]:
        """Keep the connection, notice silence, repeat the status."""
        self._evidence.watch(self._assets, now.monotonic_ns)
        effects = self._connection.on_tick(now)
        if self._connection.is_ready and self._is_silent(now):
            effects.extend(self._connection.drop("no settlement price for too long", now))
        effects.extend(self._report.on_tick(self._connection, self._evidence, now))
        return effects

    def snapshot(self, now: Instant) -> list[Publish]:
        """Return the recent ticks, oldest first, and the status."""
        ticks = sorted(
            (tick for history in self._history.values() for tick in history),
            key=lambda tick: tick.venue_ms,
        )
        return [
            *(Publish("feed.price", _as_history(tick), tick.received_ns) for tick in ticks),
            self._report.status(self._connection, self._evidence, now),
        ]

    def health(self) -> tuple[Literal["starting", "ready"], str]:
        """Return whether the feed has what it needs to connect."""
        if self._credentials is None:
            return "starting", "no credentials yet"
        return "ready", ""

    def _is_silent(self, now: Instant) -> bool:
        newest = max(self._evidence.silent_since(asset) for asset in self._assets)
        return now.monotonic_ns - max(newest, self._connection.since_ns) >= SILENT_NS_MAX

    def _on_opened(self, now: Instant) -> list[Effect]:
        assert self._credentials is not None
        self._connection.on_opened(now)
        self._sequences.clear()
        self._is_second_asked = False
        found = self._credentials
        auth = StreamAuth(found.api_key, found.secret, found.passphrase)
        return [self._send(PriceAuth(auth, rid="auth")), self._status(now)]

    def _on_text(self, message: StreamText, now: Instant) -> list[Effect]:
        try:
            frame = decode_price_frame(message.text)
            match frame:
                case PriceData():
                    return self._on_data(frame, message.received_ns, now)
                case PriceAuthed():
                    return [self._subscribe()]
                case PriceSubscribed(rid=rid):
                    return self._on_subscribed(rid, now)
                case PricePong():
                    self._connection.on_pong(now)
                case PriceError(code=code, rid=rid):
                    return self._on_error(code, rid, now)
                case _:
                    pass
        except WireFault as fault:
            return self._report.reject(message.text, str(fault), now)
        return []

    def _subscribe(self) -> Effect:
        items = [
            PriceSubscription(channel, _filter_of(channel, asset))
            for asset in self._assets
            for channel in (CRYPTO_CHANNEL, CRYPTO_TWAP_CHANNEL)
        ]
        self._unconfirmed = len(items)
        return self._send(PriceSubscribe(tuple(items), rid="subscribe"))

    def _on_subscribed(self, rid: str, now: Instant) -> list[Effect]:
        """Count the answers, one for every item: they name no symbol."""
        if rid == "subscribe":
            self._unconfirmed -= 1
        if self._unconfirmed or rid != "subscribe":
            return []
        self._connection.confirm(now)
        return self._ask_second()

    def _ask_second(self) -> list[Effect]:
        """Subscribe the prices with which risk compares; they settle nothing and prove nothing."""
        if not self._second or self._is_second_asked:
            return []
        self._is_second_asked = True
        items = tuple(
            PriceSubscription(
                CRYPTO_CHANNEL, PriceFilter(symbol_of_asset(asset), provider=self._second)
            )
            for asset in self._assets
        )
        return [self._send(PriceSubscribe(items, rid=SECOND))]

    def _rebuild(self, doubted: PricesDoubted, risk: Incarnation, now: Instant) -> list[Effect]:
        """Forget what risk has found to be an error, and read it anew over a new connection."""
        if doubted.asset not in self._assets or self._rebuilt.get(doubted.asset) == (
            risk,
            doubted.number,
        ):
            return []
        self._rebuilt[doubted.asset] = (risk, doubted.number)
        for key in [key for key in self._history if key[0] == doubted.asset]:
            del self._history[key]
            self._newest.pop(key, None)
        return self._connection.drop(f"risk doubts {doubted.asset}: {doubted.reason}", now)

    def _on_error(self, code: str, rid: str, now: Instant) -> list[Effect]:
        """Give the connection up: what it refuses now it refuses again, so back off or stay out."""
        level = "error" if code.startswith("auth_") else "warning"
        if rid == SECOND:
            # Without a second opinion nothing stops: what it is needed for then stays paused.
            return [Log("price.no_second_source", {"code": code}, level)]
        give_up = self._connection.bar if code in REFUSED_FOR_GOOD else self._connection.drop
        return [
            Log("price.refused", {"code": code, "rid": rid}, level),
            *give_up(f"refused: {code}", now),
        ]

    def _on_data(self, frame: PriceData, received_ns: MonotonicNs, now: Instant) -> list[Effect]:
        expected = self._sequences.get(frame.channel, 0) + 1
        self._sequences[frame.channel] = frame.seq
        ticks = reference_prices(frame, received_ns, self._only_filter(frame.channel))
        fresh = [tick for tick in ticks if tick.venue_ms - now.wall_ms <= FUTURE_MS_MAX]
        effects: list[Effect] = []
        if len(fresh) < len(ticks):
            effects.extend(self._report.reject(frame.channel, "stamped in the future", now))
        effects.extend(self._publish(tick, now) for tick in fresh if tick.asset in self._assets)
        if frame.seq != expected or frame.dropped:
            # A new connection brings the missing ticks in its snapshot.
            effects.extend(self._connection.drop(f"{frame.channel}: ticks were lost", now))
        return effects

    def _only_filter(self, channel: str) -> PriceFilter | None:
        """Return what is subscribed on a channel, None when that is several things.

        A recorded snapshot names no symbol.
        """
        is_ambiguous = channel == CRYPTO_CHANNEL and self._is_second_asked
        if len(self._assets) != 1 or is_ambiguous:
            return None
        return _filter_of(channel, self._assets[0])

    def _publish(self, tick: ReferencePrice, now: Instant) -> Publish:
        key = (tick.asset, tick.source)
        history = self._history.setdefault(key, deque(maxlen=HISTORY_MAX))
        history.append(tick)
        while history and now.monotonic_ns - history[0].received_ns > HISTORY_NS:
            history.popleft()
        is_newer = tick.venue_ms > self._newest.get(key, WallMs(0))
        if is_newer:
            self._newest[key] = tick.venue_ms
        if is_newer and tick.source == self._settlement:
            self._evidence.prove(tick.asset, tick.received_ns)
        return Publish("feed.price", tick, tick.received_ns)

    def _status(self, now: Instant) -> Publish:
        return self._report.status(self._connection, self._evidence, now)

    def _send(self, operation: PriceAuth | PriceSubscribe) -> StreamSend:
        return StreamSend(self._connection.stream, encode(operation).decode())


def _filter_of(channel: str, asset: Asset) -> PriceFilter:
    symbol = symbol_of_asset(asset)
    if channel == CRYPTO_TWAP_CHANNEL:
        return PriceFilter(symbol, window_seconds=TWAP_WINDOW_S)
    return PriceFilter(symbol, provider=SPOT_SOURCE)


def _as_history(tick: ReferencePrice) -> ReferencePrice:
    """Return a tick as it is told again, to somebody who comes later."""
    return msgspec.structs.replace(tick, is_history=True)
