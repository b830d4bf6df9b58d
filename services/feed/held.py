"""Markets that we hold positions in and that the clock no longer names.

After a long absence a position's window lies behind every window that is followed by the
clock. It is looked up by its condition id until its winner is known and the position is
gone: a market is never forgotten while money is in it. Decides what to ask and what the
answers mean; asks nothing itself.

Source: https://docs.polymarket.com/market-data/fetching-markets (2026-09-28); a listing
shows either open or closed markets, so both are asked in turn.
"""

from shared.facts import MarketInfo, Positions
from shared.identifiers import ConditionId
from shared.units import NS_PER_S, Instant, MonotonicNs
from shared.venue.gamma_wire import MARKETS_KEYSET_PATH, MARKETS_PAGE
from shared.venue.parse_market import market_info
from shared.venue.wire import decode

HELD_EVERY_NS = 2 * NS_PER_S
"""One look-up each two seconds for each market: its resolution has waited longer already."""

HELD_MAX = 256
"""Markets followed at once; more held ones wait until some are settled."""


class HeldMarket:
    """One market with our money in it."""

    def __init__(self, market: ConditionId) -> None:
        self.market = market
        self.info: MarketInfo | None = None
        self.asked_ns: MonotonicNs | None = None
        self.is_asking = False
        self._asks_closed = True

    @property
    def is_settled(self) -> bool:
        """Tell whether nothing about it can change any more."""
        return self.info is not None and self.info.winner is not None

    def path(self, now: Instant) -> str:
        """Return what to ask next; closed markets and open ones take turns."""
        self.asked_ns = now.monotonic_ns
        self.is_asking = True
        closed = "true" if self._asks_closed else "false"
        self._asks_closed = not self._asks_closed
        return f"{MARKETS_KEYSET_PATH}?condition_ids={self.market}&closed={closed}"


class HeldMarkets:
    """Every held market that the clock does not name."""

    def __init__(self, cutoff_ms: int) -> None:
        """Start with none.

        Args:
            cutoff_ms: Our cutoff before a market's end.
        """
        self._cutoff_ms = cutoff_ms
        self._held: dict[ConditionId, HeldMarket] = {}

    def follow(self, positions: Positions) -> None:
        """Follow the markets of these positions, and let go of all others."""
        wanted = dict.fromkeys(each.market for each in positions.positions)
        kept = {market: held for market, held in self._held.items() if market in wanted}
        for market in wanted:
            if market not in kept and len(kept) < HELD_MAX:
                kept[market] = HeldMarket(market)
        self._held = kept

    def due(self, known: set[ConditionId], now: Instant) -> HeldMarket | None:
        """Return the market to look up now, the one asked longest ago; None for none.

        Args:
            known: Markets that are followed by the clock already.
            now: Time of the question.
        """
        waiting = [
            held
            for market, held in self._held.items()
            if market not in known
            and not held.is_asking
            and not held.is_settled
            and (held.asked_ns is None or now.monotonic_ns - held.asked_ns >= HELD_EVERY_NS)
        ]
        return min(waiting, key=lambda held: held.asked_ns or 0, default=None)

    def answered(self, market: ConditionId, body: bytes) -> bool:
        """Take a listing in; return whether it told anything new of the market.

        Raises:
            WireFault: It is no listing, or describes the market wrongly.
        """
        held = self._held.get(market)
        page = decode(MARKETS_PAGE, body, "markets")
        if held is None:
            return False
        held.is_asking = False
        for described in page.markets:
            info = market_info(described, self._cutoff_ms)
            if info.condition_id == market and info != held.info:
                held.info = info
                return True
        return False

    def failed(self, market: ConditionId) -> None:
        """Note that nobody answered: it is asked again later."""
        held = self._held.get(market)
        if held is not None:
            held.is_asking = False

    def infos(self, known: set[ConditionId]) -> tuple[MarketInfo, ...]:
        """Return what is known of those that the clock does not name."""
        return tuple(
            held.info
            for market, held in self._held.items()
            if held.info is not None and market not in known
        )
