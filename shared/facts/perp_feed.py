"""What the perpetual-futures feed tells of another venue, on one tagged topic.

Nothing here is of an outcome token, and no order rests on it: prices are those of an underlying,
sizes are coins of it. What the feed could see to be wrong (negative open interest, a price that is
none, a stamp of the future) was refused there and counted in its status, so a reader finds only
what may be true; whether it is likely is the reader's to judge.
"""

from typing import Literal

from shared.facts.fact import Side, TaggedFact
from shared.identifiers import Asset
from shared.units import CoinsE8, MoneyE6, MonotonicNs, RateE12, ReferenceE18, WallMs

PerpSource = Literal["socket", "rest"]

PerpLevel = tuple[ReferenceE18, CoinsE8]
"""A price and the total size resting at it."""


class PerpContext(TaggedFact, frozen=True):
    """An asset's mark, oracle and mid price, open interest and funding.

    The wire stamps no context: there is no `venue_ms`, and an age counts from `received_ns`. A
    context that repeats every number of the one before is told all the same.

    Attributes:
        mark_e18: What positions are valued at.
        oracle_e18: The venue's index of spot prices, made without its own book.
        mid_e18: None while one side of the book is empty.
        open_interest_e8: Never negative.
        funding_e12: What longs pay shorts in an hour, of either sign, as a share of the position.
        premium_e12: Of the book over the oracle; None while there is no book.
        day_volume_e6: Traded in the last 24 hours, in USD, rounded down.
        source: Who tells it: the socket, or a read that serves as second source.
        received_ns: When it reached the edge; of a read, when it was asked for.
    """

    asset: Asset
    mark_e18: ReferenceE18
    oracle_e18: ReferenceE18
    mid_e18: ReferenceE18 | None
    open_interest_e8: CoinsE8
    funding_e12: RateE12
    premium_e12: RateE12 | None
    day_volume_e6: MoneyE6
    source: PerpSource
    received_ns: MonotonicNs


class PerpBook(TaggedFact, frozen=True):
    """The best levels of the book, whole at each telling. Best last on both sides.

    Attributes:
        bids: Ascending, at most 20; empty when nobody bids.
        asks: Descending, at most 20.
    """

    asset: Asset
    bids: tuple[PerpLevel, ...]
    asks: tuple[PerpLevel, ...]
    venue_ms: WallMs
    source: PerpSource
    received_ns: MonotonicNs


class PerpTrade(TaggedFact, frozen=True):
    """A public trade, told once.

    Attributes:
        side: Of the taker.
        trade_id: The venue's; unique with the asset.
        replayed: It was among those with which a subscription begins, and may be old.
    """

    asset: Asset
    price_e18: ReferenceE18
    size_e8: CoinsE8
    side: Side
    trade_id: int
    venue_ms: WallMs
    replayed: bool
    received_ns: MonotonicNs


PerpEvent = PerpContext | PerpBook | PerpTrade


class PerpDoubted(TaggedFact, frozen=True):
    """Risk has found an asset's perpetual data to be an error: they are read anew, once a number.

    Attributes:
        number: Of the doubt in this run of risk; repeated until the next.
        reason: For people.
    """

    asset: Asset
    number: int
    reason: str
