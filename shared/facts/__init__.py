"""What processes tell everybody: past tense, broadcast, may be lost.

Each struct is frozen, holds tuples, and travels as a msgpack map, so that any
language can read it. A union on a topic is tagged by the key `type`. Who publishes
what and who reads it is the routing table (`shared/topics.py`).
"""

from shared.facts.execution_facts import (
    ExecutionStatus,
    Explanations,
    FillFact,
    GateExplanation,
    GatePredicate,
    LossFigures,
    OrderFact,
    PositionFact,
    Positions,
    RefusalCount,
    StartStage,
)
from shared.facts.fact import Fact, Level, MarketVersion, Side, TaggedFact
from shared.facts.feeds import (
    Evidence,
    FeedShard,
    FeedStatus,
    PriceCarrier,
    PricesDoubted,
    PriceSocket,
    ReferencePrice,
)
from shared.facts.market_calendar import (
    Calendar,
    EventInfo,
    EventMarket,
    MarketInfo,
    UnknownMarket,
)
from shared.facts.market_feed import (
    BookChanged,
    BookSnapshot,
    MarketEvent,
    MarketResolved,
    PriceChange,
    TickChanged,
    TradePrinted,
)
from shared.facts.perp_feed import (
    PerpBook,
    PerpContext,
    PerpDoubted,
    PerpEvent,
    PerpLevel,
    PerpSource,
    PerpTrade,
)
from shared.facts.place import PlaceFact
from shared.facts.publisher import RecorderStatus, Sequences, Turns, TurnSource
from shared.facts.quality import QualityCheck, QualityFinding, QualityVerdict, StateQuality
from shared.facts.risk_facts import (
    Alert,
    ComponentStatus,
    LossStatus,
    Reconnection,
    ReconnectionStep,
    RiskStatus,
    StrategyStatus,
    SwitchStatus,
    Transition,
)
from shared.facts.user_feed import OwnOrder, OwnTrade, TradeLeg, UserEvent
from shared.facts.views import BookDoubted, BookView, MarketView, StateView

__all__ = [
    "Alert",
    "BookChanged",
    "BookDoubted",
    "BookSnapshot",
    "BookView",
    "Calendar",
    "ComponentStatus",
    "EventInfo",
    "EventMarket",
    "Evidence",
    "ExecutionStatus",
    "Explanations",
    "Fact",
    "FeedShard",
    "FeedStatus",
    "FillFact",
    "GateExplanation",
    "GatePredicate",
    "Level",
    "LossFigures",
    "LossStatus",
    "MarketEvent",
    "MarketInfo",
    "MarketResolved",
    "MarketVersion",
    "MarketView",
    "OrderFact",
    "OwnOrder",
    "OwnTrade",
    "PerpBook",
    "PerpContext",
    "PerpDoubted",
    "PerpEvent",
    "PerpLevel",
    "PerpSource",
    "PerpTrade",
    "PlaceFact",
    "PositionFact",
    "Positions",
    "PriceCarrier",
    "PriceChange",
    "PriceSocket",
    "PricesDoubted",
    "QualityCheck",
    "QualityFinding",
    "QualityVerdict",
    "Reconnection",
    "ReconnectionStep",
    "RecorderStatus",
    "ReferencePrice",
    "RefusalCount",
    "RiskStatus",
    "Sequences",
    "Side",
    "StartStage",
    "StateQuality",
    "StateView",
    "StrategyStatus",
    "SwitchStatus",
    "TaggedFact",
    "TickChanged",
    "TradeLeg",
    "TradePrinted",
    "Transition",
    "TurnSource",
    "Turns",
    "UnknownMarket",
    "UserEvent",
]
