"""Whatever happens to the frames on their way, no wrong book is ever called right.

The real venue simulator, discovery, market feed and state builder in one thread, under
virtual time; between venue and feed frames are lost, repeated, swapped and spoiled. TCP does
only some of that; a venue has been seen to do the rest.
"""

import json
from typing import Literal

import pytest

from services.feed.chance import Chance
from services.feed.discovery import DiscoveryFeed
from services.feed.market import MarketFeed
from services.simulator import edge
from services.simulator.core import SimulatorCore
from services.state.core import StateCore
from shared.config import SimulatorSettings
from shared.effects import (
    Effect,
    HttpReply,
    HttpRequest,
    Publish,
    StreamClose,
    StreamClosed,
    StreamOpen,
    StreamOpened,
    StreamSend,
    StreamText,
)
from shared.facts import MarketView
from shared.identifiers import Component
from shared.topics import BY_NAME, FEED_DISCOVERY, FEED_MARKET, STATE
from shared.units import Instant
from shared.venue.decimals import parse_price, parse_size
from tests.builders.books import fact
from tests.builders.feeds import WALL_START_MS, at, config

Protocol = Literal["v1", "v2"]
Sides = tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]

STEP_MS = 10
OLD_MS_MAX = 2_000 + 300 + 2 * 100 + STEP_MS
"""Evidence may be this old, a book may settle this long, statuses come every 100 ms."""

SHOWN = 10


class World:
    """Venue, feeds and state, joined by lists."""

    def __init__(self, seed: int, protocol: Protocol, spoilt_ppm: int) -> None:
        settings = SimulatorSettings(
            seed=seed,
            frames_per_second=30,
            takers_per_second=3.0,
            protocol=protocol,
            oracle_latency_ms=0,
        )
        self.venue = SimulatorCore(settings, ("btc",), 60)
        self.cores: dict[Component, DiscoveryFeed | MarketFeed | StateCore] = {
            FEED_DISCOVERY: DiscoveryFeed(config()),
            FEED_MARKET: MarketFeed(config(), seed),
            STATE: StateCore(config()),
        }
        self.chance = Chance(seed)
        self.spoilt_ppm = spoilt_ppm
        self.connections: dict[int, str] = {}
        self.held: StreamText | None = None
        self.requests: dict[int, tuple[Component, int]] = {}
        self.folded: dict[str, tuple[dict[str, str], dict[str, str]]] = {}
        self.truth: dict[str, list[tuple[int, Sides]]] = {}
        self.valid = 0
        self.invalid = 0

    def turn(self, milliseconds: int) -> None:
        now = at(milliseconds)
        self.take_from_venue(self.venue.on_tick(now), now)
        for component, core in self.cores.items():
            self.carry_out(component, core.on_tick(now), now)
        self.check(milliseconds)

    def carry_out(self, component: Component, effects: list[Effect], now: Instant) -> None:
        for effect in effects:
            match effect:
                case Publish(topic=topic, body=body):
                    for reader in BY_NAME[topic].readers:
                        if reader in self.cores:
                            received = fact(component, topic, body, now)
                            self.carry_out(
                                reader, self.cores[reader].on_message(received, now), now
                            )
                case HttpRequest():
                    self.ask(component, effect, now)
                case StreamOpen(stream=stream):
                    number = len(self.connections) + 1
                    self.connections[number] = stream
                    self.take_from_venue(
                        self.venue.on_message(edge.StreamOpened(number, "market"), now), now
                    )
                    self.tell_feed(StreamOpened(stream), now)
                case StreamSend(stream=stream, text=text):
                    message = edge.StreamText(self.number(stream), text)
                    self.take_from_venue(self.venue.on_message(message, now), now)
                case StreamClose(stream=stream):
                    closed = edge.StreamClosed(self.number(stream))
                    self.take_from_venue(self.venue.on_message(closed, now), now)
                    self.tell_feed(StreamClosed(stream, 1000, ""), now)
                case _:
                    pass

    def number(self, stream: str) -> int:
        return next(number for number, name in self.connections.items() if name == stream)

    def ask(self, component: Component, request: HttpRequest, now: Instant) -> None:
        path, _, query = request.path.partition("?")
        pairs = dict(part.split("=", 1) for part in query.split("&") if part)
        number = len(self.requests) + 1
        self.requests[number] = (component, request.request_id)
        asked = edge.Request(number, request.method, path, pairs, {}, request.body)
        self.take_from_venue(self.venue.on_message(asked, now), now)

    def take_from_venue(self, effects: list[Effect], now: Instant) -> None:
        for effect in effects:
            match effect:
                case edge.Respond():
                    component, request_id = self.requests[effect.request_id]
                    reply = HttpReply(request_id, effect.status, {}, effect.body, now.boot_ns)
                    self.carry_out(component, self.cores[component].on_message(reply, now), now)
                case edge.Push(connection=connection, text=text):
                    self.deliver(self.connections[connection], text, now)
                case _:
                    pass

    def deliver(self, stream: str, text: str, now: Instant) -> None:
        self.note_truth(text, now)
        frame = StreamText(stream, text, now.monotonic_ns)
        fate = self.chance.below(1_000_000)
        kind = fate % 4 if fate < self.spoilt_ppm else None
        if kind == 0:
            return
        if kind == 1:
            self.held = frame
            return
        if kind == 2:
            place = self.chance.below(len(text))
            other = chr(ord("0") + self.chance.below(10))
            frame = StreamText(stream, text[:place] + other + text[place + 1 :], now.monotonic_ns)
        self.tell_feed(frame, now)
        if kind == 3:
            self.tell_feed(frame, now)
        held, self.held = self.held, None
        if held is not None:
            self.tell_feed(held, now)

    def tell_feed(self, message: StreamText | StreamOpened | StreamClosed, now: Instant) -> None:
        self.carry_out(FEED_MARKET, self.cores[FEED_MARKET].on_message(message, now), now)

    def note_truth(self, text: str, now: Instant) -> None:
        """Fold what the venue says before it is spoilt, and note each token's top levels."""
        if text == "PONG":
            return
        decoded = json.loads(text)
        for frame in decoded if isinstance(decoded, list) else [decoded]:
            if frame["event_type"] == "book":
                sides = [
                    {row["price"]: row["size"] for row in frame[side]} for side in ("bids", "asks")
                ]
                self.folded[frame["asset_id"]] = (sides[0], sides[1])
                self.note_token(frame["asset_id"], now)
            for change in frame.get("price_changes", ()):
                levels = self.folded[change["asset_id"]][change["side"] == "SELL"]
                levels[change["price"]] = change["size"]
                if change["size"] == "0":
                    del levels[change["price"]]
                self.note_token(change["asset_id"], now)

    def note_token(self, token: str, now: Instant) -> None:
        bids, asks = (
            [
                (parse_price(price, "price"), parse_size(size, "size"))
                for price, size in levels.items()
            ]
            for levels in self.folded[token]
        )
        content = (tuple(sorted(bids)[::-1][:SHOWN]), tuple(sorted(asks)[:SHOWN]))
        self.truth.setdefault(token, []).append((now.wall_ms - WALL_START_MS, content))

    def check(self, milliseconds: int) -> None:
        for published in self.cores[STATE].snapshot(at(milliseconds)):
            for view in getattr(published.body, "markets", ()):
                assert isinstance(view, MarketView)
                self.valid += view.valid
                self.invalid += not view.valid
                if view.valid:
                    self.check_view(view, milliseconds)

    def check_view(self, view: MarketView, milliseconds: int) -> None:
        assert view.books is not None
        for book in view.books:
            history = self.truth[book.token]
            recent = [
                content
                for place, (_, content) in enumerate(history)
                if place + 1 == len(history) or history[place + 1][0] > milliseconds - OLD_MS_MAX
            ]
            assert (book.bids, book.asks) in recent, f"wrong at {milliseconds} ms"


@pytest.mark.req("KS-4")
@pytest.mark.req("DQ-3")
@pytest.mark.parametrize("protocol", ["v1", "v2"])
@pytest.mark.parametrize("seed", range(3))
def test_spoilt_stream_never_yields_a_wrong_book_that_is_called_right(
    seed: int, protocol: Protocol
) -> None:
    world = World(seed, protocol, spoilt_ppm=20_000)
    for step in range(2_000):
        world.turn(step * STEP_MS)
    assert world.valid > 200, "it recovers again and again"
    assert world.invalid > 0, "the faults were noticed"


def test_healthy_stream_is_valid_from_its_first_books_on() -> None:
    world = World(1, "v1", spoilt_ppm=0)
    for step in range(1_000):
        world.turn(step * STEP_MS)
        if step == 50:
            world.invalid = 0
    assert world.invalid == 0
    assert world.valid > 1_500
