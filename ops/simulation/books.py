"""The market feed's core and state's, joined by the bus's own envelopes in one thread.

What an edge or a socket would do is left out; everything else is the code that runs: a frame
is parsed, noted as evidence, published (encoded), read (decoded), folded, proven by the
venue's hash, and the view is published (encoded). Time is given, so that a run is
the same whenever it is made.
"""

import msgspec

from bus.envelope import SCHEMA, Header, decode, encode
from bus.sequence import Numbering
from services.feed.market import MarketFeed
from services.state.core import StateCore
from shared.config import (
    AccountSettings,
    Config,
    MarketSettings,
    RunSettings,
    VenueSettings,
)
from shared.effects import Effect, Log, Publish, Received, StreamOpen, StreamOpened, StreamText
from shared.facts import Calendar, MarketInfo, MarketView
from shared.identifiers import Component, Incarnation
from shared.topics import BY_NAME, FEED_DISCOVERY, FEED_MARKET, STATE
from shared.units import NS_PER_MS, BootNs, Instant, MonotonicNs, WallMs, WallNs

INCARNATION = Incarnation(1)
_URL = "ws://127.0.0.1:1/ws"
_HTTP = "http://127.0.0.1:1"


class Counts(msgspec.Struct):
    """What a run has done.

    Attributes:
        views: Views of single markets that state published; each rests on a proof.
        doubts: Doubts that state has told; a right stream has none.
        refused: Frames that the feed could not use.
    """

    views: int = 0
    doubts: int = 0
    refused: int = 0


class Books:
    """Both cores with the bus between them."""

    def __init__(self, markets: tuple[MarketInfo, ...], tokens_max: int = 500) -> None:
        """Start without a connection.

        Args:
            markets: Those of the calendar.
            tokens_max: Tokens on one connection.
        """
        config = _config(tokens_max)
        self.counts = Counts()
        self._feed = MarketFeed(config, seed=1)
        self._state = StateCore(config)
        self._numbering = {component: Numbering() for component in (FEED_MARKET, STATE)}
        self._markets = markets
        self._streams: list[str] = []

    def open(self, now: Instant) -> None:
        """Tell the calendar, and open what the feed wants to open."""
        calendar = Calendar(self._markets, now.monotonic_ns)
        received = _received(FEED_DISCOVERY, "feed.calendar", calendar, now)
        self._say(self._state.on_message(received, now), now)
        self._carry(self._feed.on_message(received, now), now)
        self.tick(now)

    def hear(self, text: str, now: Instant, *, more: bool = False) -> None:
        """Take one frame of the socket the whole way; `more` of the same read follow."""
        for frames in self.publish(text, now, more=more):
            self.fold(frames, now)

    def publish(self, text: str, now: Instant, *, more: bool = False) -> list[list[bytes]]:
        """Let the feed take one frame of the socket; return what it says on the bus."""
        told = StreamText(self._streams[0], text, now.monotonic_ns, more)
        encoded: list[list[bytes]] = []
        for effect in self._feed.on_message(told, now):
            if isinstance(effect, Publish):
                encoded.append(self._encode(FEED_MARKET, effect, now))
            elif isinstance(effect, Log):
                self.counts.refused += effect.event == "feed.frame_rejected"
        return encoded

    def fold(self, frames: list[bytes], now: Instant) -> None:
        """Let state take one message of the bus, up to what it says itself."""
        received = decode(frames)
        assert isinstance(received, Received), received
        self._say(self._state.on_message(received, now), now)

    def tick(self, now: Instant) -> None:
        """Let both cores look at the time."""
        self._carry(self._feed.on_tick(now), now)
        self._say(self._state.on_tick(now), now)

    def views(self, now: Instant) -> tuple[MarketView, ...]:
        """Return what state may show now."""
        for published in self._state.snapshot(now):
            views: tuple[MarketView, ...] = getattr(published.body, "markets", ())
            return views
        return ()

    def _carry(self, effects: list[Effect], now: Instant) -> None:
        """Do what the feed wants done."""
        for effect in effects:
            if isinstance(effect, StreamOpen):
                self._streams.append(effect.stream)
                self._carry(self._feed.on_message(StreamOpened(effect.stream), now), now)
            elif isinstance(effect, Publish) and STATE in BY_NAME[effect.topic].readers:
                self.fold(self._encode(FEED_MARKET, effect, now), now)

    def _say(self, effects: list[Effect], now: Instant) -> None:
        """Encode what state says, and count it."""
        for effect in effects:
            if isinstance(effect, Publish):
                self._encode(STATE, effect, now)
                self.counts.views += effect.topic == "state.market"
                self.counts.doubts += effect.topic == "state.doubted"

    def _encode(self, component: Component, effect: Publish, now: Instant) -> list[bytes]:
        number = self._numbering[component].next(effect.topic)
        header = Header(
            component,
            INCARNATION,
            effect.topic,
            number,
            now.monotonic_ns,
            MonotonicNs(effect.input_ns),
            now.wall_ns,
            SCHEMA,
            (),
            now,
        )
        return encode(header, effect.body)


def at(wall_ms: WallMs, passed_ns: int) -> Instant:
    """Return the moment of a run at which so much time has passed, at a stamp of the venue's."""
    return Instant(
        BootNs(10**15 + passed_ns), MonotonicNs(10**15 + passed_ns), WallNs(wall_ms * NS_PER_MS)
    )


def _received(component: Component, topic: str, body: msgspec.Struct, now: Instant) -> Received:
    return Received(
        component, INCARNATION, topic, 1, now.monotonic_ns, now.monotonic_ns, now.wall_ns, body
    )


def _config(tokens_max: int) -> Config:
    return Config(
        run=RunSettings(profile="bench"),
        account=AccountSettings(key_file="key", credentials_file="credentials"),
        venue=VenueSettings(
            clob_url=_HTTP,
            discovery_url=_HTTP,
            geoblock_url=_HTTP,
            market_socket_url=_URL,
            user_socket_url=_URL,
            price_socket_url=_URL,
            market_socket_tokens=tokens_max,
        ),
        markets=MarketSettings(assets=("btc",), interval_s=900),
    )
