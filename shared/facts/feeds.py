"""Reference prices, and the evidence of every feed's health."""

from typing import Literal

from shared.facts.fact import Fact
from shared.identifiers import Asset
from shared.reach import HostReach
from shared.units import MonotonicNs, ReferenceE18, WallMs

PriceSocket = Literal["current", "legacy"]
"""Over which of the venue's two price sockets a tick has come."""


class ReferencePrice(Fact, frozen=True):
    """One tick of an underlying.

    Attributes:
        source: `chainlink`, `chainlink_twap_60`, `pyth` or `binance`; settlement follows one.
        venue_ms: The source's own stamp of the tick.
        is_history: Whether it was told as something that was before, as at the beginning of a
            subscription; its stamp may then be older than that of the last one.
        socket: Over which it came; who measured is `source`, whatever the socket.
    """

    asset: Asset
    source: str
    value_e18: ReferenceE18
    venue_ms: WallMs
    received_ns: MonotonicNs
    is_history: bool = False
    socket: PriceSocket = "current"


class PriceCarrier(Fact, frozen=True):
    """Over which socket an asset's prices come, and whether the two sockets agree.

    Attributes:
        socket: None before the first settlement price.
        since_ns: Since when it is so.
        why: Why it is not the current socket; empty when it is.
        refused: Whether the current socket refuses our credentials, which waiting does not cure.
        doubt: In what the sockets disagree; empty while they agree or cannot be compared.
        compared_ns: When they last could be compared; None for never.
    """

    asset: Asset
    socket: PriceSocket | None
    since_ns: MonotonicNs
    why: str
    refused: bool
    doubt: str
    compared_ns: MonotonicNs | None


class PricesDoubted(Fact, frozen=True):
    """Risk has found an asset's prices to be an error: feed and state rebuild them, once a number.

    Attributes:
        number: Of the doubt in this run of risk; repeated until the next.
        since_ms: Ticks stamped from here on are not believed.
        reason: For people.
    """

    asset: Asset
    number: int
    since_ms: WallMs
    reason: str


class Evidence(Fact, frozen=True):
    """When something last proved one stream right: data advanced, or a witness agreed.

    Attributes:
        key: Token id, asset, or `orders`.
        evident_ns: None when nothing ever has, or while the connection that carries it is lost.
        shard: Number of the connection that carries it; 0 where a feed has one.
    """

    key: str
    evident_ns: MonotonicNs | None
    shard: int = 0


class FeedShard(Fact, frozen=True):
    """One of several connections over which a feed listens.

    Attributes:
        number: From 0; the same for every connection that takes its place.
        connected: Whether it is open and subscribed.
        session: Counts its connections: a new number means that its keys alone may have missed
            something.
        since_ns: Since when it is so.
        cause: Why it is not connected; empty when it is.
        keys: Streams that it carries.
    """

    number: int
    connected: bool
    session: int
    since_ns: MonotonicNs
    cause: str
    keys: int


class FeedStatus(Fact, frozen=True):
    """What a feed knows of its own health, repeated every 100 ms.

    Attributes:
        feed: Component name.
        connected: Whether the stream is open and subscribed.
        since_ns: Since when it is so.
        cause: Why it is not connected; empty when it is.
        evidence: One entry for each stream inside the feed.
        session: Counts connections: a new number means that events may have been missed before it.
        wanted: False where the profile leaves the feed out: it idles, and its silence says nothing.
        rejected_frames: That could not be used, since the start; reconnects: losses since then.
        state: Of the connection's table (`services/feed/connection.py`); `barred` is one that the
            venue has refused for good and that is not tried in a loop.
        failures: Attempts in a row that did not become stable.
        suspect: Whether a pong is late.
        fault: How the newest attempt or connection ended (`shared/reach.py`).
        url: Endpoint in use, which may be an alternative of the profile.
        next_try_ns: When it is tried again, while it is waiting or barred.
        outgoing_dropped: Messages to the venue that fell out of the full buffer (NET-6).
        hosts: What is known of the names that the feed needs.
        window_frames: Frames of the last while; window_rejected: how many of them were refused.
        future_stamps: Frames refused for a stamp of the future, since the start.
        shards: Each connection of a feed that may have several: `connected` says that one is,
            `session` grows with the loss of any, and what is said of one is of the worst.
        strained: Why its reads are held back, or slow, or refused; empty when they are not. What
            it tells is then as old as its evidence says.
        strained_ms: For how long that has been so.
        carriers: Of the price feed alone: one entry for each asset.
    """

    feed: str
    connected: bool
    since_ns: MonotonicNs
    cause: str
    session: int
    evidence: tuple[Evidence, ...]
    rejected_frames: int = 0
    reconnects: int = 0
    wanted: bool = True
    state: str = ""
    failures: int = 0
    suspect: bool = False
    fault: str = ""
    url: str = ""
    next_try_ns: MonotonicNs | None = None
    outgoing_dropped: int = 0
    hosts: tuple[HostReach, ...] = ()
    window_frames: int = 0
    window_rejected: int = 0
    future_stamps: int = 0
    shards: tuple[FeedShard, ...] = ()
    carriers: tuple[PriceCarrier, ...] = ()
    strained: str = ""
    strained_ms: int = 0
