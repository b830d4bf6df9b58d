"""Which real markets the mirror follows, as the venue's discovery tells, and whether it may.

Asks for the windows that the clock says must exist, and for closed ones until their winner
is known. A market whose rules the simulated matching does not have is not followed.
Source: https://docs.polymarket.com/market-data/fetching-markets and
https://docs.polymarket.com/api-reference/geoblock (2026-09-28).
"""

from services.simulator.clearing import FEE_RATE_E6
from services.simulator.markets import MIN_SIZE_E6, OUTCOMES
from services.simulator.mirror.exchange import (
    RESTRICTED_TEXT,
    MirrorExchange,
)
from services.simulator.mirror.reads import READ_DISCOVERY, READ_GEOBLOCK, Reads
from services.simulator.mirror.venue import MirrorVenue
from services.simulator.verdicts import Refusal
from shared.config import MarketSettings
from shared.effects import Effect, Log
from shared.facts import MarketInfo
from shared.identifiers import Asset
from shared.units import NS_PER_MS, NS_PER_S, Instant
from shared.venue.faults import WireFault
from shared.venue.gamma_wire import GEOBLOCK, GEOBLOCK_PATH, MARKET, MARKET_BY_SLUG_PREFIX
from shared.venue.parse_market import market_info
from shared.venue.slugs import Window, parse_window_slug, window_slug
from shared.venue.wire import decode

ENDED_EVERY_NS = 3 * NS_PER_S
UNRESOLVED_MAX = 32
"""Markets asked about for their winner: half an hour of five series."""

GEOBLOCK_AGAIN_NS = 2 * NS_PER_S
"""After a read of it that failed."""

REFUSED = 403


def unsupported(info: MarketInfo) -> str:
    """Return what of a market's rules the simulated matching does not have, empty for nothing."""
    if info.min_size_e6 != MIN_SIZE_E6:
        return f"minimum size {info.min_size_e6} instead of {MIN_SIZE_E6}"
    if info.fee_rate_e6 != FEE_RATE_E6:
        return f"fee rate {info.fee_rate_e6} instead of {FEE_RATE_E6}"
    if info.outcomes != OUTCOMES:
        return f"outcomes {info.outcomes}"
    return ""


class MirrorDiscovery:
    """Keeps the mirror's calendar."""

    def __init__(
        self,
        venue: MirrorVenue,
        exchange: MirrorExchange,
        reads: Reads,
        markets: MarketSettings,
        geoblock_every_ms: int,
    ) -> None:
        """Set what to follow."""
        self._venue = venue
        self._exchange = exchange
        self._reads = reads
        self._markets = markets
        self._geoblock_every_ns = geoblock_every_ms * NS_PER_MS
        self._asked_ns: dict[str, int] = {}
        self._windows: dict[str, Window] = {}
        self._settled: set[str] = set()
        self._told: set[str] = set()
        self._next_geoblock_ns = 0

    def on_tick(self, now: Instant) -> list[Effect]:
        """Ask for what is due."""
        self._follow_clock(now)
        effects: list[Effect] = []
        if now.monotonic_ns >= self._next_geoblock_ns and not self._reads.is_full:
            self._next_geoblock_ns = now.monotonic_ns + self._geoblock_every_ns
            effects.append(self._reads.ask(READ_GEOBLOCK, GEOBLOCK_PATH, "", now))
        for slug, window in self._windows.items():
            if self._reads.is_full:
                break
            if self._is_due(slug, window, now):
                self._asked_ns[slug] = now.monotonic_ns
                path = MARKET_BY_SLUG_PREFIX + slug
                effects.append(self._reads.ask(READ_DISCOVERY, path, slug, now))
        return effects

    def on_market(self, slug: str, status: int, body: bytes, now: Instant) -> list[Effect]:
        """Follow the market of an answer; 404 means that it is not listed yet."""
        if status != 200 or slug not in self._windows:
            return []
        try:
            described = decode(MARKET, body, "market")
            info = market_info(described, 0)
        except WireFault as fault:
            return self._tell_once(slug, str(fault))
        if info.slug != slug:
            return self._tell_once(slug, f"answered with {info.slug}")
        why = unsupported(info)
        if why:
            return self._tell_once(slug, why)
        self._venue.follow(info, described.id, now)
        if info.winner is None:
            return []
        self._settled.add(slug)
        if info.winner in (0, 1):
            return []
        return self._tell_once(slug, "paid out in halves, which is not simulated")

    def on_geoblock(self, status: int, body: bytes, now: Instant) -> list[Effect]:
        """Bar every order where the venue would; until it has said so, all are barred."""
        before = self._exchange.barred
        try:
            blocked = decode(GEOBLOCK, body, "geoblock").blocked if status == 200 else None
        except WireFault:
            blocked = None
        if blocked is None:
            self._next_geoblock_ns = now.monotonic_ns + GEOBLOCK_AGAIN_NS
            return []
        self._exchange.barred = Refusal(RESTRICTED_TEXT, REFUSED) if blocked else None
        if before == self._exchange.barred:
            return []
        return [Log("mirror.geoblock", {"blocked": blocked}, "warning" if blocked else "info")]

    def _is_due(self, slug: str, window: Window, now: Instant) -> bool:
        if slug in self._settled or self._reads.is_asking(READ_DISCOVERY, slug):
            return False
        ended = (window.start_s + window.interval_s) * NS_PER_S <= now.wall_ns
        every = self._markets.discovery_every_ms * NS_PER_MS
        every = max(every, ENDED_EVERY_NS) if ended else every
        asked = self._asked_ns.get(slug)
        return asked is None or now.monotonic_ns - asked >= every

    def _follow_clock(self, now: Instant) -> None:
        """Keep the windows of the clock, and the markets whose winner is not known."""
        markets = self._markets
        running_s = now.wall_ns // NS_PER_S // markets.interval_s * markets.interval_s
        newest_s = running_s + markets.ahead * markets.interval_s
        windows = [
            Window(Asset(asset), markets.interval_s, start_s)
            for asset in markets.assets
            for start_s in range(running_s, newest_s + 1, markets.interval_s)
        ]
        # Those of the process before are among them.
        unresolved = sorted(self._venue.unresolved(), key=lambda market: -market.start_ms)
        windows += [parse_window_slug(market.slug) for market in unresolved[:UNRESOLVED_MAX]]
        wanted = {window_slug(window): window for window in windows}
        if wanted.keys() == self._windows.keys():
            return
        self._windows = wanted
        self._asked_ns = {slug: at for slug, at in self._asked_ns.items() if slug in wanted}
        self._settled &= wanted.keys()
        self._told &= wanted.keys()

    def _tell_once(self, slug: str, why: str) -> list[Effect]:
        if slug in self._told:
            return []
        self._told.add(slug)
        return [Log("mirror.not_followed", {"slug": slug, "why": why}, "warning")]
