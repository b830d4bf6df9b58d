"""A whole window of five minutes: strike and final price in the view are the venue's own."""

from typing import Any

import msgspec
import pytest

from services.feed.messages import CredentialsFound
from services.feed.price import PriceFeed
from services.simulator.edge import StreamKind
from services.state.core import StateCore
from shared.config import Config
from shared.effects import (
    Effect,
    Publish,
    StreamClose,
    StreamClosed,
    StreamOpen,
    StreamOpened,
    StreamSend,
    StreamText,
)
from shared.facts import Calendar, MarketView
from shared.topics import FEED_DISCOVERY, FEED_PRICE
from shared.units import NS_PER_S, WallMs
from tests.builders.books import fact
from tests.builders.feeds import config
from tests.builders.markets import market_info
from tests.builders.venue_rig import START_S, VenueRig

WINDOW_S = 300
BEFORE_S = 60
BEGINS_S = START_S + BEFORE_S
"""The window that begins a minute after the rig does."""

STEP_S = 0.25
E18_OF_E8 = 10**10
KINDS: dict[str, StreamKind] = {"/ws": "price", "/rtds": "rtds"}


def settings() -> Config:
    built = config(interval_s=WINDOW_S)
    venue = msgspec.structs.replace(built.venue, legacy_price_socket_url="ws://127.0.0.1:1/rtds")
    return msgspec.structs.replace(built, venue=venue)


class Line:
    """The simulated venue, the price feed on its sockets, and state behind it."""

    def __init__(self) -> None:
        self.rig = VenueRig(interval_s=WINDOW_S)
        self.feed = PriceFeed(settings(), seed=1)
        self.state = StateCore(settings())
        self.streams: dict[str, int] = {}
        self.deaf: set[str] = set()
        self.opened = 0
        self.sockets: set[str] = set()
        market = market_info(
            start_ms=WallMs(BEGINS_S * 1_000), end_ms=WallMs((BEGINS_S + WINDOW_S) * 1_000)
        )
        self.tell(FEED_DISCOVERY, "feed.calendar", Calendar((market,), self.rig.now.monotonic_ns))
        self.carry(
            self.feed.on_message(CredentialsFound(self.rig.client.credentials), self.rig.now)
        )

    def tell(self, component: Any, topic: str, body: Any) -> None:
        self.state.on_message(fact(component, topic, body, self.rig.now), self.rig.now)

    def carry(self, effects: list[Effect]) -> None:
        """Carry out what the feed asks for, at once."""
        for effect in effects:
            match effect:
                case StreamOpen(stream=name, url=url):
                    path = "/" + url.rsplit("/", 1)[1]
                    if KINDS[path] in self.deaf:
                        closed = StreamClosed(name, 1006, "refused", refused=True)
                        self.carry(self.feed.on_message(closed, self.rig.now))
                        continue
                    self.opened += 1
                    self.streams[name] = self.opened
                    self.rig.open(self.opened, KINDS[path])
                    self.carry(self.feed.on_message(StreamOpened(name), self.rig.now))
                case StreamSend(stream=name, text=text):
                    self.rig.say(self.streams[name], text)
                case StreamClose(stream=name):
                    self.rig.leave(self.streams.pop(name))
                case Publish(topic="feed.price", body=tick):
                    self.sockets.add(tick.socket)  # type: ignore[attr-defined]
                    self.tell(FEED_PRICE, "feed.price", tick)
                case _:
                    pass

    def lose(self, kind: StreamKind) -> None:
        """End a socket for good."""
        self.deaf.add(kind)
        prefix = "price_legacy" if kind == "rtds" else "price."
        for name in [name for name in self.streams if name.startswith(prefix)]:
            self.rig.leave(self.streams.pop(name))
            closed = StreamClosed(name, 1006, "gone")
            self.carry(self.feed.on_message(closed, self.rig.now))

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP_S)):
            self.rig.advance(STEP_S)
            for name, number in list(self.streams.items()):
                texts, self.rig.pushed[number] = self.rig.pushed[number], []
                for text in texts:
                    heard = StreamText(name, text, self.rig.now.monotonic_ns)
                    self.carry(self.feed.on_message(heard, self.rig.now))
            self.carry(self.feed.on_tick(self.rig.now))

    def view(self) -> MarketView:
        (published,) = self.state.snapshot(self.rig.now)
        (view,) = published.body.markets  # type: ignore[attr-defined]
        assert isinstance(view, MarketView)
        return view


@pytest.mark.req("KS-3", "VEN-5")
@pytest.mark.parametrize("lost", ["", "price", "rtds"])
def test_strike_and_final_price_of_a_window_are_the_venues_own_to_the_last_digit(
    lost: StreamKind,
) -> None:
    """Also when the price at the end is told over the older socket alone."""
    line = Line()
    line.run(BEFORE_S + 200)
    if lost:
        line.lose(lost)
    market = line.rig.market
    assert line.view().final_e18 is None
    running = line.view().reference
    assert running is not None
    assert running.source == "chainlink_twap_60"
    assert line.rig.now.monotonic_ns - running.received_ns < 2 * NS_PER_S
    line.run(WINDOW_S - 200 + 5)
    view = line.view()
    assert market.strike_e8 is not None
    assert market.final_e8 is not None
    assert view.strike_e18 == market.strike_e8 * E18_OF_E8
    assert view.strike_ms == BEGINS_S * 1_000
    assert view.final_e18 == market.final_e8 * E18_OF_E8
    assert line.sockets == ({"current", "legacy"} if lost == "price" else {"current"})
