"""More than a thousand tokens over real sockets: every book comes, and a loss stays local.

The server is a small one of the test's own and keeps the venue's bound: of a subscription for
more than 500 tokens the rest get no first book
(https://github.com/nautechsystems/nautilus_trader/issues/2915).
"""

import threading
from collections.abc import Callable, Iterator

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from bus import clock
from bus.websocket import StreamEdge
from ops.waiting import wait_for
from services.feed.market import MarketFeed
from shared.effects import Effect, Publish, Received, StreamClose, StreamOpen, StreamSend
from shared.facts import Calendar, FeedStatus, MarketInfo
from shared.identifiers import TokenId
from shared.topics import FEED_DISCOVERY
from shared.units import Instant, WallMs
from shared.venue.streams_wire import (
    ASSETS_MAX,
    MARKET_SUBSCRIPTION,
    PING,
    PONG,
    MarketSubscription,
)
from tests.builders.books import VenueBook, fact
from tests.builders.feeds import config
from tests.builders.market_feed import frame_of
from tests.builders.markets import market_info

MARKETS = 550
WAIT_S = 60.0


class Venue:
    """A market socket that answers subscriptions with books of nothing special."""

    def __init__(self) -> None:
        self.subscribed: list[tuple[ServerConnection, tuple[str, ...]]] = []
        self._server: Server = serve(self._serve, "127.0.0.1", 0)
        self.port = self._server.socket.getsockname()[1]
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def _serve(self, connection: ServerConnection) -> None:
        try:
            for text in connection:
                if text == PING:
                    connection.send(PONG)
                else:
                    self._answer(connection, MARKET_SUBSCRIPTION.decode(text))
        except ConnectionClosed:
            return

    def _answer(self, connection: ServerConnection, first: MarketSubscription) -> None:
        self.subscribed.append((connection, first.assets_ids))
        books = [frame_of(VenueBook(TokenId(token))) for token in first.assets_ids[:ASSETS_MAX]]
        connection.send(msgspec.json.encode(books).decode())

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()


@pytest.fixture
def venue() -> Iterator[Venue]:
    made = Venue()
    yield made
    made.close()


class Feed:
    """The market feed's core over the real edge, turned by hand."""

    def __init__(self, port: int, tokens_max: int) -> None:
        settings = config()
        sockets = msgspec.structs.replace(
            settings.venue,
            market_socket_url=f"ws://127.0.0.1:{port}/ws/market",
            market_socket_tokens=tokens_max,
        )
        self.core = MarketFeed(msgspec.structs.replace(settings, venue=sockets), seed=1)
        self.edge = StreamEdge()
        self.status: FeedStatus | None = None

    def hear(self, message: Received) -> None:
        self.carry_out(self.core.on_message(message, clock.read()))

    def carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, StreamOpen | StreamSend | StreamClose):
                for said in self.edge.apply(effect, clock.read()):
                    self.carry_out(self.core.on_message(said, clock.read()))
            elif isinstance(effect, Publish) and isinstance(effect.body, FeedStatus):
                self.status = effect.body

    def turn(self) -> None:
        now = clock.read()
        told = list(self.edge.on_tick(now))
        for descriptor, events in tuple(self.edge.sockets()):
            told.extend(self.edge.on_ready(descriptor, events, now))
        for message in told:
            self.carry_out(self.core.on_message(message, clock.read()))
        self.carry_out(self.core.on_tick(clock.read()))

    def until(self, holds: Callable[[FeedStatus], bool], what: str) -> FeedStatus:
        def look() -> FeedStatus | None:
            self.turn()
            return self.status if self.status is not None and holds(self.status) else None

        found = wait_for(look, WAIT_S)
        assert found is not None, what
        return found


def listed(now: Instant) -> tuple[MarketInfo, ...]:
    return tuple(
        market_info(
            condition_id=f"0x{number:064x}",
            tokens=(TokenId(str(2 * number + 1)), TokenId(str(2 * number + 2))),
            end_ms=WallMs(now.wall_ms + 3_600_000),
        )
        for number in range(MARKETS)
    )


def evident(status: FeedStatus) -> int:
    return sum(entry.evident_ns is not None for entry in status.evidence)


@pytest.mark.req("NET-1")
@pytest.mark.req("VEN-4")
@pytest.mark.parametrize(("tokens_max", "connections"), [(200, 6)])
def test_eleven_hundred_tokens_have_their_books_and_a_loss_concerns_its_own_alone(
    venue: Venue, tokens_max: int, connections: int
) -> None:
    feed = Feed(venue.port, tokens_max)
    try:
        now = clock.read()
        calendar = Calendar(listed(now), now.monotonic_ns)
        feed.hear(fact(FEED_DISCOVERY, "feed.calendar", calendar, now))
        whole = feed.until(lambda told: evident(told) == 2 * MARKETS, "every book comes")
        assert [shard.keys for shard in whole.shards][:-1] == [tokens_max] * (connections - 1)
        assert len(venue.subscribed) == connections
        carried = {entry.key: entry.shard for entry in whole.evidence}

        lost, tokens = venue.subscribed[1]
        number = carried[tokens[0]]
        lost.socket.close()
        told = feed.until(lambda told: evident(told) < 2 * MARKETS, "the loss is seen")
        assert told.connected
        gone = {entry.key for entry in told.evidence if entry.evident_ns is None}
        assert gone == {key for key, shard in carried.items() if shard == number}

        back = feed.until(lambda told: evident(told) == 2 * MARKETS, "it comes back")
        sessions = {shard.number: shard.session for shard in back.shards}
        assert sessions == {shard.number: 1 + (shard.number == number) for shard in back.shards}
        assert {entry.key: entry.shard for entry in back.evidence} == carried
    finally:
        feed.edge.close()
