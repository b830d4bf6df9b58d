"""The feeds' processes, one a source.

`python -m services.feed market|user|price|discovery|perp`.
"""

import sys
from collections.abc import Callable, Mapping

from bus.actor import run
from bus.edge import Edge
from bus.http import HttpEdge, Lane
from bus.name_book import NameRules
from bus.process import Started, start
from bus.websocket import StreamEdge
from services.feed.awaited_credentials import AwaitedCredentials
from services.feed.discovery_core import DiscoveryCore
from services.feed.market import MarketFeed
from services.feed.perp import PerpFeed
from services.feed.perp_idle import IdlePerpFeed
from services.feed.place import PLACE_LANE
from services.feed.price import PriceFeed
from services.feed.quarantine_file import QuarantineFile
from services.feed.requests import IN_FLIGHT_MAX, READ_LANE
from services.feed.user import UserFeed
from shared.effects import Core, HttpRequest
from shared.identifiers import Component
from shared.topics import FEED_DISCOVERY, FEED_MARKET, FEED_PERP, FEED_PRICE, FEED_USER
from shared.units import NS_PER_S, Instant
from shared.venue.auth import request_headers

Built = tuple[Core, tuple[Edge, ...]]

CONNECTIONS = 4
"""Warm connections of reads: a slow answer does not hold the others back."""


def main(arguments: list[str]) -> int:
    """Run one feed until told to stop; return the exit status."""
    if len(arguments) != 1 or arguments[0] not in FEEDS:
        sys.exit(f"one of {', '.join(FEEDS)} is needed")
    component, build = FEEDS[arguments[0]]
    started = start(component)
    core, edges = build(started)
    kept = QuarantineFile(started.settings.data_directory, component)
    return run(started, core, (*edges, kept))


def build_market(started: Started) -> Built:
    """Public books: the market socket, and reads as witness."""
    settings = started.settings.config
    # In mode paper orders go to the simulator, while books are the real venue's.
    names = NameRules.of(settings.names)
    lane = _lane(settings.venue.books_url or settings.venue.clob_url)
    reads = HttpEdge([lane], names=names)
    return MarketFeed(settings, started.incarnation), (StreamEdge(names=names), reads)


def build_user(started: Started) -> Built:
    """Own orders: the user socket, and authenticated reads."""
    settings = started.settings.config
    awaited = AwaitedCredentials(started.settings.credentials_file)

    def headers(request: HttpRequest, now: Instant) -> Mapping[str, str]:
        assert awaited.credentials is not None, "the core reads nothing before it has credentials"
        seconds = now.wall_ns // NS_PER_S
        return request_headers(
            awaited.credentials, seconds, request.method, request.path, request.body
        )

    names = NameRules.of(settings.names)
    reads = HttpEdge([_lane(settings.venue.clob_url)], headers=headers, names=names)
    return UserFeed(settings, started.incarnation), (StreamEdge(names=names), reads, awaited)


def build_price(started: Started) -> Built:
    """Reference prices: the price socket."""
    awaited = AwaitedCredentials(started.settings.price_credentials_file)
    settings = started.settings.config
    streams = StreamEdge(names=NameRules.of(settings.names))
    return PriceFeed(settings, started.incarnation), (streams, awaited)


def build_discovery(started: Started) -> Built:
    """The calendar and our address: reads alone."""
    settings = started.settings.config
    place = Lane(PLACE_LANE, settings.venue.geoblock_url)
    lanes = [_lane(settings.venue.discovery_url), place]
    reads = HttpEdge(lanes, names=NameRules.of(settings.names))
    return DiscoveryCore(settings, started.incarnation), (reads,)


def build_perp(started: Started) -> Built:
    """Perpetual futures of another venue, where they are wanted."""
    settings = started.settings.config.perp
    if not settings.enabled:
        return IdlePerpFeed(), ()
    edges: tuple[Edge, ...] = (StreamEdge(),)
    if settings.info_url:
        edges += (HttpEdge([_lane(settings.info_url)]),)
    return PerpFeed(started.settings.config, started.incarnation), edges


def _lane(url: str) -> Lane:
    return Lane(READ_LANE, url, connections=CONNECTIONS, queue_max=IN_FLIGHT_MAX)


FEEDS: dict[str, tuple[Component, Callable[[Started], Built]]] = {
    "market": (FEED_MARKET, build_market),
    "user": (FEED_USER, build_user),
    "price": (FEED_PRICE, build_price),
    "discovery": (FEED_DISCOVERY, build_discovery),
    "perp": (FEED_PERP, build_perp),
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
