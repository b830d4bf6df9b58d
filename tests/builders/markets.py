"""Valid markets, views and instants; one keyword spoils one of them."""

from typing import Any

import msgspec

from shared.effects import Received
from shared.facts import BookView, MarketInfo, MarketView, PositionFact, Positions, ReferencePrice
from shared.identifiers import Asset, Component, ConditionId, Incarnation, StrategyName, TokenId
from shared.units import (
    NS_PER_MS,
    BootNs,
    Instant,
    MoneyE6,
    MonotonicNs,
    PriceE4,
    ReferenceE18,
    SizeE6,
    WallMs,
    WallNs,
)

MARKET = ConditionId("0x" + "a1" * 32)
UP = TokenId("111")
DOWN = TokenId("222")
START_MS = 1_790_000_000_000
"""Wall time at which the built market's window opens."""


def instant(milliseconds: int = 1_000) -> Instant:
    """Return the moment so many milliseconds after the built market's window opened."""
    nanoseconds = 10**12 + milliseconds * NS_PER_MS
    return Instant(
        BootNs(nanoseconds),
        MonotonicNs(nanoseconds),
        WallNs((START_MS + milliseconds) * NS_PER_MS),
    )


def market_info(**spoil: Any) -> MarketInfo:
    """Return a running one-minute market with a cutoff five seconds before its end."""
    info = MarketInfo(
        condition_id=MARKET,
        slug="btc-updown-60s-1790000000",
        asset=Asset("btc"),
        version="v1",
        tokens=(UP, DOWN),
        outcomes=("Up", "Down"),
        tick_e4=PriceE4(100),
        min_size_e6=SizeE6(5_000_000),
        neg_risk=False,
        start_ms=WallMs(START_MS),
        end_ms=WallMs(START_MS + 60_000),
        cutoff_ms=WallMs(START_MS + 55_000),
        active=True,
        closed=False,
        accepting_orders=True,
        restricted=False,
        fee_rate_e6=70_000,
        taker_delay=False,
    )
    return msgspec.structs.replace(info, **spoil)


def book_view(token: TokenId, bid: int | None = 4900, ask: int | None = 5100) -> BookView:
    """Return a book with one level of a hundred shares a side; None leaves a side empty."""
    size = SizeE6(100_000_000)
    return BookView(
        token,
        () if bid is None else ((PriceE4(bid), size),),
        () if ask is None else ((PriceE4(ask), size),),
    )


def market_view(now: Instant, **spoil: Any) -> MarketView:
    """Return a valid view at fifty-fifty, its reference price at the strike."""
    view = MarketView(
        market=MARKET,
        asset=Asset("btc"),
        valid=True,
        reason="",
        proven_ns=now.monotonic_ns,
        tick_e4=PriceE4(100),
        books=(book_view(UP), book_view(DOWN)),
        reference=ReferencePrice(
            Asset("btc"),
            "chainlink",
            ReferenceE18(100_000 * 10**18),
            now.wall_ms,
            now.monotonic_ns,
        ),
        strike_e18=ReferenceE18(100_000 * 10**18),
        volatility_e9=100_000,
        venue_ms=now.wall_ms,
    )
    return msgspec.structs.replace(view, **spoil)


def position(token: TokenId, shares: int, **spoil: Any) -> PositionFact:
    """Return a confirmed position of market making, bought at fifty cents."""
    size = SizeE6(shares * 1_000_000)
    fact = PositionFact(
        strategy=StrategyName("market_making"),
        market=MARKET,
        token=token,
        matched=size,
        mined=size,
        confirmed=size,
        cost=MoneyE6(size // 2),
    )
    return msgspec.structs.replace(fact, **spoil)


def positions(*facts: PositionFact) -> Positions:
    """Return the fact that lists all positions."""
    return Positions(facts)


def received(
    component: Component, topic: str, body: msgspec.Struct, now: Instant, sequence: int = 1
) -> Received:
    """Return a fact as it comes off the bus, sent and resting on inputs of now."""
    return Received(
        component,
        Incarnation(1),
        topic,
        sequence,
        now.monotonic_ns,
        now.monotonic_ns,
        now.wall_ns,
        body,
    )
