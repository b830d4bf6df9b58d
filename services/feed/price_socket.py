"""The current price socket: credentials, subscription, dense numbers, snapshot.

Decides nothing about which prices count: it returns the ticks of the frames that it can vouch
for. A hole in a channel's numbers ends the connection, since a new one brings what is missing in
its snapshot. Credentials that the venue refuses are not tried again and again: the connection is
barred, and says so.

Source: https://docs.polymarket.com/api-reference/wss/polybolt (2026-09-28) and a recorded
head of the venue's staging stream.
"""

from typing import NamedTuple

from services.feed.connection import Connection
from services.feed.connection_rules import PING_EVERY_NS, ConnectionRules
from services.feed.report import FeedReport
from shared.effects import Effect, Log, StreamSend, StreamText
from shared.facts import ReferencePrice
from shared.identifiers import Asset
from shared.settlement import SPOT_SOURCE
from shared.units import Instant, MonotonicNs
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

SECOND = "second"
"""Names the operation for the second opinion, so that its refusal costs nothing else."""

REFUSED_FOR_GOOD = ("auth_invalid", "auth_expired", "auth_attempts", "auth_required")
"""Errors that no repetition mends: other credentials do. `auth_unavailable` passes by itself."""


class Heard(NamedTuple):
    """What came of a message: what to do, and the ticks in it."""

    effects: list[Effect]
    ticks: tuple[ReferencePrice, ...] = ()


class CurrentPriceSocket:
    """One connection at a time."""

    def __init__(
        self,
        urls: tuple[str, ...],
        assets: tuple[Asset, ...],
        second: str,
        seed: int,
        report: FeedReport,
    ) -> None:
        """Wait for credentials.

        Args:
            urls: Of the socket, the one that is tried first before its alternatives.
            assets: Underlyings to subscribe.
            second: Provider of a second opinion; empty for none.
            seed: Of the jitter.
            report: Where refused frames are counted.
        """
        ping = encode(PricePing(rid="ping")).decode()
        url, *others = urls
        rules = ConnectionRules("price", url, ping, PING_EVERY_NS, alternatives=tuple(others))
        self.connection = Connection(rules, seed)
        self._assets = assets
        self._second = second
        self._report = report
        self._credentials: Credentials | None = None
        self._unconfirmed = 0
        self._is_second_asked = False
        self._sequences: dict[str, int] = {}

    @property
    def has_credentials(self) -> bool:
        """Tell whether it has what it needs to connect."""
        return self._credentials is not None

    @property
    def is_refused(self) -> bool:
        """Tell whether the venue refuses us for good: our credentials, or what we do."""
        return self.connection.state == "barred"

    def start(self, credentials: Credentials, now: Instant) -> list[Effect]:
        """Connect with these credentials, also where others were refused."""
        self._credentials = credentials
        return [*self.connection.start(now), *self.connection.renew(now)]

    def on_opened(self, now: Instant) -> list[Effect]:
        """Authenticate on a connection that is open."""
        assert self._credentials is not None
        self.connection.on_opened(now)
        self._sequences.clear()
        self._is_second_asked = False
        found = self._credentials
        return [self._send(PriceAuth(StreamAuth(*_parts(found)), rid="auth"))]

    def on_text(self, message: StreamText, now: Instant) -> Heard:
        """Take a frame in."""
        try:
            frame = decode_price_frame(message.text)
            match frame:
                case PriceData():
                    return self._on_data(frame, message.received_ns, now)
                case PriceAuthed():
                    return Heard([self._subscribe()])
                case PriceSubscribed(rid=rid):
                    return Heard(self._on_subscribed(rid, now))
                case PricePong():
                    self.connection.on_pong(now)
                case PriceError(code=code, rid=rid):
                    return Heard(self._on_error(code, rid, now))
                case _:
                    pass
        except WireFault as fault:
            return Heard(self._report.reject(message.text, str(fault), now))
        return Heard([])

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
        self.connection.confirm(now)
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

    def _on_error(self, code: str, rid: str, now: Instant) -> list[Effect]:
        """Give the connection up: what it refuses now it refuses again, so back off or stay out."""
        if rid == SECOND:
            # Without a second opinion nothing stops: what it is needed for then stays paused.
            return [Log("price.no_second_source", {"code": code}, "warning")]
        is_final = code in REFUSED_FOR_GOOD
        give_up = self.connection.bar if is_final else self.connection.drop
        return [
            Log("price.refused", {"code": code, "rid": rid}, "error" if is_final else "warning"),
            *give_up(f"refused: {code}", now),
        ]

    def _on_data(self, frame: PriceData, received_ns: MonotonicNs, now: Instant) -> Heard:
        expected = self._sequences.get(frame.channel, 0) + 1
        self._sequences[frame.channel] = frame.seq
        ticks = reference_prices(frame, received_ns, self._only_filter(frame.channel))
        if frame.seq == expected and not frame.dropped:
            return Heard([], ticks)
        # A new connection brings the missing ticks in its snapshot.
        return Heard(self.connection.drop(f"{frame.channel}: ticks were lost", now), ticks)

    def _only_filter(self, channel: str) -> PriceFilter | None:
        """Return what is subscribed on a channel, None when that is several things.

        A recorded snapshot names no symbol.
        """
        is_ambiguous = channel == CRYPTO_CHANNEL and self._is_second_asked
        if len(self._assets) != 1 or is_ambiguous:
            return None
        return _filter_of(channel, self._assets[0])

    def _send(self, operation: PriceAuth | PriceSubscribe) -> StreamSend:
        return StreamSend(self.connection.stream, encode(operation).decode())


def _parts(found: Credentials) -> tuple[str, str, str]:
    return found.api_key, found.secret, found.passphrase


def _filter_of(channel: str, asset: Asset) -> PriceFilter:
    symbol = symbol_of_asset(asset)
    if channel == CRYPTO_TWAP_CHANNEL:
        return PriceFilter(symbol, window_seconds=TWAP_WINDOW_S)
    return PriceFilter(symbol, provider=SPOT_SOURCE)
