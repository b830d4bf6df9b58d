"""A state core behind a fake market feed that can be proven."""

from typing import Any

from services.state.core import StateCore
from shared.effects import Effect
from shared.facts import Calendar, Evidence, FeedStatus, MarketView
from shared.identifiers import TokenId
from shared.topics import FEED_DISCOVERY, FEED_MARKET, FEED_PRICE
from shared.units import Instant, MonotonicNs, WallMs
from tests.builders.books import VenueBook, fact
from tests.builders.feeds import WALL_START_MS, at, config, facts
from tests.builders.markets import DOWN, UP, market_info


class Rig:
    """A state core with a fake market feed before it."""

    def __init__(self) -> None:
        self.core = StateCore(config())
        self.market = market_info(
            start_ms=WallMs(WALL_START_MS), end_ms=WallMs(WALL_START_MS + 60_000)
        )
        self.up = VenueBook(UP, self.market)
        self.down = VenueBook(DOWN, self.market)
        self.session = 1
        self.connected = True
        self.evident_ms: float | None = None

    def hear(self, topic: str, body: Any, now: Instant, incarnation: int = 1) -> list[Effect]:
        component = {"feed.calendar": FEED_DISCOVERY, "feed.price": FEED_PRICE}.get(
            topic, FEED_MARKET
        )
        return self.core.on_message(fact(component, topic, body, now, incarnation), now)

    def list_market(self, now: Instant) -> None:
        self.hear("feed.calendar", Calendar((self.market,), now.monotonic_ns), now)

    def status(self, now: Instant, *, incarnation: int = 1) -> None:
        evident = now.monotonic_ns if self.evident_ms is None else at(self.evident_ms).monotonic_ns
        entries = tuple(Evidence(token, MonotonicNs(evident)) for token in (UP, DOWN))
        status = FeedStatus(
            feed=FEED_MARKET,
            connected=self.connected,
            since_ns=at(0).monotonic_ns,
            cause="" if self.connected else "test",
            session=self.session,
            evidence=entries,
        )
        self.hear("feed.status", status, now, incarnation)

    def dump(self, now: Instant) -> list[Effect]:
        return [
            *self.hear("feed.market", self.up.snapshot(), now),
            *self.hear("feed.market", self.down.snapshot(), now),
        ]

    def view(self, now: Instant) -> MarketView:
        (published,) = self.core.snapshot(now)
        (view,) = facts([published], "state.view")[0].markets
        assert isinstance(view, MarketView)
        return view


def ready(milliseconds: float = 0) -> Rig:
    rig = Rig()
    now = at(milliseconds)
    rig.list_market(now)
    rig.status(now)
    rig.dump(now)
    assert rig.view(now).valid
    return rig


def doubted(effects: list[Effect]) -> list[TokenId]:
    return [body.token for body in facts(effects, "state.doubted")]
