"""The real cores of a feed and of what reads it, driven by whatever bytes there are.

One line is one frame; a line that begins with `!` is the answer to the oldest request under way,
one with `~` lets time pass. What must hold after each line: nothing ended, every fact travels
over the bus as it is, what is no JSON was counted, and no book is called right but the judge's.
"""

import json
from collections import deque

import msgspec

from bus.envelope import SCHEMA, Header, decode_body, encode
from services.execution.order_register import OrderRegister
from services.execution.positions import Positions
from services.execution.reconciliation.reconcile import Reconciler
from services.feed.discovery import DiscoveryFeed
from services.feed.market import MarketFeed
from services.feed.messages import CredentialsFound
from services.feed.perp import PerpFeed
from services.feed.price import PriceFeed
from services.feed.user import UserFeed
from services.risk.own_trades import OwnTrades
from services.state.core import StateCore
from shared.config import PerpSettings
from shared.effects import (
    Effect,
    HttpReply,
    HttpRequest,
    Message,
    Publish,
    Received,
    StreamClose,
    StreamClosed,
    StreamOpen,
    StreamOpened,
    StreamText,
)
from shared.facts import Calendar, FeedStatus, OwnOrder, OwnTrade
from shared.identifiers import Component, Incarnation
from shared.topics import FEED_DISCOVERY, FEED_MARKET, FEED_PERP, FEED_PRICE, FEED_USER
from shared.units import BootNs, Instant, MonotonicNs
from shared.venue.auth import Credentials
from shared.venue.streams_wire import is_pong
from tests.builders.books import fact
from tests.builders.feeds import at, config
from tests.builders.market_feed import listed
from tests.fuzz.frames import Source
from tests.fuzz.judge import BookJudge

Feed = MarketFeed | UserFeed | PriceFeed | DiscoveryFeed | PerpFeed

COMPONENTS: dict[Source, Component] = {
    "market": FEED_MARKET,
    "user": FEED_USER,
    "price": FEED_PRICE,
    "discovery": FEED_DISCOVERY,
    "perp": FEED_PERP,
}
ANSWER, PASS = "!", "~"

STEP_MS = 5
PASS_MS = 400
REQUESTS_MAX = 16


class Driven:
    """One feed, connected, with its readers.

    Attributes:
        judge: Of the books that state calls right.
        rejected: Frames and answers that the feed says it has refused.
        told: Facts so far.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.component = COMPONENTS[source]
        self.judge = BookJudge()
        self.state = StateCore(config())
        self.rejected = 0
        self.told = 0
        self._ms = 0
        self._stream = ""
        self._asked: deque[tuple[int, str]] = deque(maxlen=REQUESTS_MAX)
        self._account = Account()
        self.feed: Feed = self._made()
        self.tick()

    def line(self, line: str) -> None:
        """Take one line, and look at what became of it."""
        if line.startswith(ANSWER):
            self.answer(line[1:].encode())
        elif line.startswith(PASS):
            self._ms += PASS_MS
        elif self._stream:
            self.hear(line)
        else:
            self._ms += PASS_MS  # between two connections
        self._ms += STEP_MS
        self.tick()

    def hear(self, text: str) -> None:
        """Let the socket tell something; what is no JSON must be counted as refused."""
        before = self.rejected
        now = self.now
        stream = self._stream
        self._take(self.feed.on_message(StreamText(stream, text, now.monotonic_ns), now))
        self._look()
        if not is_json(text) and not is_pong(text) and self._stream == stream:
            assert self.rejected == before + 1, "a frame that is no JSON was not counted"

    def answer(self, body: bytes) -> None:
        """Answer the request that the body fits best: the oldest, if nothing is known of it."""
        if self._asked:
            numbers = [number for number, path in self._asked if wanted_by(path, body)]
            number = numbers[0] if numbers else self._asked[0][0]
            self._asked = deque((one for one in self._asked if one[0] != number), REQUESTS_MAX)
            reply = HttpReply(number, 200, {}, body, BootNs(0))
            self._take(self.feed.on_message(reply, self.now))

    def tick(self) -> None:
        """Let both cores see the time."""
        now = self.now
        self._take(self.feed.on_tick(now))
        self.state.on_tick(now)
        self._look()

    @property
    def now(self) -> Instant:
        return at(self._ms)

    def _made(self) -> Feed:
        now = self.now
        calendar = Calendar((listed(),), now.monotonic_ns)
        told = fact(FEED_DISCOVERY, "feed.calendar", calendar, now)
        first: Message = CredentialsFound(Credentials("0x" + "ab" * 20, "key", "c2Vj", "pass"))
        feed: Feed
        match self.source:
            case "market":
                feed, first = MarketFeed(config(), 1), told
            case "user":
                feed = UserFeed(config(), 1)
            case "price":
                feed = PriceFeed(config(), 1)
            case "perp":
                wanted = PerpSettings(
                    enabled=True, socket_url="ws://127.0.0.1:1/ws", info_url="http://127.0.0.1:1"
                )
                feed = PerpFeed(msgspec.structs.replace(config(), perp=wanted), 1)
            case _:
                feed = DiscoveryFeed(config())
        if self.source != "discovery":
            self.state.on_message(told, now)
        self.feed = feed
        self._take(feed.on_message(first, now))
        return feed

    def _look(self) -> None:
        for published in self.feed.snapshot(self.now):
            if isinstance(published.body, FeedStatus):
                assert published.body.rejected_frames >= self.rejected
                self.rejected = published.body.rejected_frames
        self.judge.look(self.state)

    def _take(self, effects: list[Effect]) -> None:
        """Carry effects out as the shell would."""
        for effect in effects:
            match effect:
                case Publish():
                    self._publish(effect)
                case StreamOpen(stream=stream):
                    self._stream = stream
                    self._take(self.feed.on_message(StreamOpened(stream), self.now))
                case StreamClose(stream=stream):
                    self._stream = ""
                    self._take(self.feed.on_message(StreamClosed(stream, 1000, ""), self.now))
                case HttpRequest(request_id=number, path=path):
                    assert path.isascii()
                    assert path.isprintable()
                    self._asked.append((number, path))
                case _:
                    pass

    def _publish(self, published: Publish) -> None:
        self.told += 1
        travel(published)
        body = published.body
        if self.source == "market":
            self.judge.accept(body)
        if isinstance(body, OwnOrder | OwnTrade):
            self._account.take(body, self.now)
        self.state.on_message(fact(self.component, published.topic, body, self.now), self.now)
        self.judge.look(self.state)


class Account:
    """Who reads what the user feed tells: execution's reconciliation, and risk's own count."""

    def __init__(self) -> None:
        self._register = OrderRegister((), at(0))
        self._reconciler = Reconciler(self._register, Positions((), ()), 1)
        self._own = OwnTrades()

    def take(self, event: OwnOrder | OwnTrade, now: Instant) -> None:
        if isinstance(event, OwnOrder):
            self._reconciler.take_order(event, now)
            self._own.take_order(event)
        else:
            self._reconciler.take_trade(event, now)
            self._own.take_trade(event, None)


def wanted_by(path: str, body: bytes) -> bool:
    """Tell whether a body looks like the answer to a path: it has what the path names last."""
    name = path.partition("?")[0].rpartition("/")[2]
    if name == "orders":
        return b"original_size" in body
    return name.encode() in body or (name == "trades" and b"taker_order_id" in body)


def is_json(text: str) -> bool:
    """Tell whether another reader than ours takes a text for an object or an array."""
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False


def travel(published: Publish) -> None:
    """Send a fact through the bus's own format: the reader gets what was said."""
    header = Header(
        Component("test"),
        Incarnation(1),
        published.topic,
        1,
        MonotonicNs(1),
        published.input_ns,
        1,
        SCHEMA,
        (),
        at(0),
    )
    read = decode_body(header, encode(header, published.body))
    assert isinstance(read, Received), read
    assert read.body == published.body
