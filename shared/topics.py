"""The routing table: which topic carries what, who publishes it and who reads it.

One table, in flow order, drives subscriptions, decoding, the tap and the tests.
"""

from typing import Any

import msgspec

from shared.facts import (
    Alert,
    BookDoubted,
    Calendar,
    ExecutionStatus,
    Explanations,
    FeedStatus,
    FillFact,
    MarketEvent,
    MarketView,
    OrderFact,
    PerpDoubted,
    PerpEvent,
    PlaceFact,
    Positions,
    PricesDoubted,
    RecorderStatus,
    ReferencePrice,
    RiskStatus,
    Sequences,
    StateQuality,
    StateView,
    StrategyStatus,
    Transition,
    Turns,
    UserEvent,
)
from shared.identifiers import Component
from shared.targets import TargetSet

FEED_MARKET = Component("feed_market")
FEED_USER = Component("feed_user")
FEED_PRICE = Component("feed_price")
FEED_DISCOVERY = Component("feed_discovery")
FEED_PERP = Component("feed_perp")
STATE = Component("state")
MARKET_MAKING = Component("market_making")
CARETAKER = Component("caretaker")
EXECUTION = Component("execution")
RISK = Component("risk")
WATCH = Component("watch")
RECORDER = Component("recorder")
DASHBOARD = Component("dashboard")
SIMULATOR = Component("simulator")

FEEDS = (FEED_MARKET, FEED_USER, FEED_PRICE, FEED_DISCOVERY)
"""Feeds without which nothing trades."""

SIDE_FEEDS = (FEED_PERP,)
"""Feeds that a profile may leave out: no order rests on them."""

STRATEGIES = (MARKET_MAKING, CARETAKER)
COMPONENTS = (*FEEDS, *SIDE_FEEDS, STATE, *STRATEGIES, EXECUTION, RISK, RECORDER, DASHBOARD)
"""Everybody on the bus, in flow order. Watch and simulator are not on it."""

EVERYBODY = COMPONENTS

REPLAYED = (STATE, *STRATEGIES)
"""Components whose every input is told or recorded, so that a recording replays to their decisions.
The others are also given what their edges hear (answers, frames, a ledger), which is not."""


class Topic(msgspec.Struct, frozen=True):
    """One row of the routing table.

    Attributes:
        body: Type of the payload; a union is tagged.
        publishers: Components that may publish it.
        readers: Components that subscribe to it; the recorder reads everything besides.
    """

    name: str
    body: Any
    publishers: tuple[Component, ...]
    readers: tuple[Component, ...]


TOPICS: tuple[Topic, ...] = (
    Topic("feed.market", MarketEvent, (FEED_MARKET,), (STATE, EXECUTION)),
    Topic("feed.user", UserEvent, (FEED_USER,), (EXECUTION, RISK)),
    Topic("feed.price", ReferencePrice, (FEED_PRICE,), (STATE, RISK)),
    Topic(
        "feed.calendar",
        Calendar,
        (FEED_DISCOVERY,),
        (FEED_MARKET, FEED_USER, FEED_PRICE, STATE, *STRATEGIES, EXECUTION, RISK, DASHBOARD),
    ),
    Topic("feed.perp", PerpEvent, (FEED_PERP,), (STATE, RISK)),
    Topic("feed.place", PlaceFact, (FEED_DISCOVERY,), (EXECUTION, RISK, DASHBOARD)),
    Topic("feed.status", FeedStatus, (*FEEDS, *SIDE_FEEDS), (STATE, EXECUTION, RISK, DASHBOARD)),
    Topic("state.market", MarketView, (STATE,), (*STRATEGIES, EXECUTION)),
    Topic("state.view", StateView, (STATE,), (*STRATEGIES, EXECUTION, RISK, DASHBOARD)),
    Topic("state.quality", StateQuality, (STATE,), (RISK, DASHBOARD)),
    Topic("state.doubted", BookDoubted, (STATE,), (FEED_MARKET,)),
    Topic("strategy.targets", TargetSet, STRATEGIES, (EXECUTION,)),
    Topic("strategy.status", StrategyStatus, STRATEGIES, (RISK, CARETAKER, DASHBOARD)),
    Topic("execution.order", OrderFact, (EXECUTION,), (STATE, *STRATEGIES, FEED_USER, DASHBOARD)),
    Topic("execution.fill", FillFact, (EXECUTION,), (STATE, *STRATEGIES, RISK)),
    Topic(
        "execution.positions",
        Positions,
        (EXECUTION,),
        (FEED_DISCOVERY, STATE, *STRATEGIES, RISK, DASHBOARD),
    ),
    Topic("execution.status", ExecutionStatus, (EXECUTION,), (*STRATEGIES, RISK, DASHBOARD)),
    Topic("execution.explain", Explanations, (EXECUTION,), ()),
    Topic("risk.status", RiskStatus, (RISK,), (*STRATEGIES, DASHBOARD)),
    Topic("risk.transition", Transition, (RISK,), (DASHBOARD,)),
    Topic("risk.alert", Alert, (RISK, EXECUTION, DASHBOARD), (DASHBOARD,)),
    Topic("risk.doubted", PricesDoubted, (RISK,), (FEED_PRICE, STATE)),
    Topic("risk.perp_doubted", PerpDoubted, (RISK,), (FEED_PERP, STATE)),
    Topic("recorder.status", RecorderStatus, (RECORDER,), (RISK, DASHBOARD)),
    Topic("bus.turns", Turns, REPLAYED, ()),
    Topic("bus.sequences", Sequences, EVERYBODY, EVERYBODY),
)

BY_NAME: dict[str, Topic] = {topic.name: topic for topic in TOPICS}


def subscriptions(component: Component) -> dict[Component, tuple[str, ...]]:
    """Return, for each publisher, the topics that a component reads from it."""
    wanted: dict[Component, tuple[str, ...]] = {}
    for publisher in EVERYBODY:
        if publisher == component:
            continue
        names = tuple(
            topic.name
            for topic in TOPICS
            if topic.name != "bus.sequences"
            and publisher in topic.publishers
            and (component == RECORDER or component in topic.readers)
        )
        if names:
            wanted[publisher] = (*names, "bus.sequences")
    return wanted
