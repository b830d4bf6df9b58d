"""The calendar: rolling up/down markets, listed ahead, opened, closed, resolved, forgotten.

Decides which markets exist and what state each is in. Their ids are derived from seed
and slug, so that a restarted simulator lists the same markets again.

Source of slugs, lifecycle and fields: 292 recorded five-minute markets (2026-07-24) and
https://docs.polymarket.com/market-data/fetching-markets (2026-09-28).
"""

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from services.simulator.chance import derive
from services.simulator.matching import Book
from services.simulator.oracles.markets_file import RecordedMarket
from services.simulator.oracles.oracle import NEVER_MS, TWAP_MS
from services.simulator.oracles.recording import Playback
from services.simulator.ranges import NAMES, RANGES, range_slug
from shared.facts import MarketVersion
from shared.identifiers import Asset, ConditionId, TokenId
from shared.units import PRICE_ONE_E4, PriceE4, SizeE6, WallMs
from shared.venue.order_hash import ExchangeDomain, exchange_domain
from shared.venue.slugs import Window, window_slug

MarketState = Literal["LISTED", "OPEN", "CLOSED", "RESOLVED"]
Protocol = Literal["v1", "neg_risk", "v2"]
"""A market's kind: which exchange its orders are signed for."""

OUTCOMES = ("Up", "Down")

TICK_E4 = PriceE4(100)
FINE_TICK_E4 = PriceE4(10)
FINE_BELOW_E4 = 400
"""The tick becomes finer when the price passes 0.96 or 0.04.

Source: https://docs.polymarket.com/api-reference/wss/market (2026-09-28); 210 of 292
recorded five-minute markets ended with the finer tick.
"""

COARSE_FROM_E4 = 600
"""It becomes coarse again this far inside, so that it does not flutter; orders off the coarse
grid stay. That it can go back is documented, where it does is not."""

MIN_SIZE_E6 = SizeE6(5_000_000)
RETAINED_MAX = 64
"""Resolved markets kept for discovery and accounting, of each asset.

Counted, not timed: a market that ended while the simulator was away is resolved and can be
found when it comes back, however late that is.
"""

TWAP_INTERVAL_S_MIN = 300
"""Shorter windows, which the venue does not have, settle on the last price."""

# The official client tells a v1 token id by some bit of 40..103 being set.
_V1_MARK = 1 << 40
_V2_BINARY_MODULE = 1 << 248
_V2_HASH_SHIFT = 120


class Market(msgspec.Struct, eq=False):
    """One window of one asset; mutable, owned by the exchange.

    Attributes:
        number: Discovery's id.
        start_ms: Window open; end_ms: window close, when orders end.
        lookback_ms: Window of the settling average, 0 for the last price.
        strike_e8: Price at the start, None before it.
        final_e8: Price at the end, None before it.
        winner: Index of the winning outcome, None while unresolved.
        last_trade: Price of the last trade in terms of the first outcome, as the books' hashes
            take it; empty before the first.
        changed_ms: When its book last changed.
        neg_risk: Whether a v1 market is settled by the exchange for negative risk.
        range_number: Which range of its event it is about; None for a window of its own.
    """

    number: str
    slug: str
    asset: Asset
    condition_id: ConditionId
    tokens: tuple[TokenId, TokenId]
    version: MarketVersion
    listed_ms: WallMs
    start_ms: WallMs
    end_ms: WallMs
    lookback_ms: int
    book: Book
    tick: PriceE4 = TICK_E4
    state: MarketState = "LISTED"
    strike_e8: int | None = None
    final_e8: int | None = None
    winner: int | None = None
    last_trade: str = ""
    changed_ms: WallMs = WallMs(0)
    neg_risk: bool = False
    range_number: int | None = None

    @property
    def names(self) -> tuple[str, str]:
        """Return the outcomes' names."""
        return OUTCOMES if self.range_number is None else NAMES

    @property
    def event_slug(self) -> str:
        """Return the slug of its event, which is its own where it is the only one."""
        return self.slug if self.range_number is None else self.slug.rsplit("-", 1)[0]

    @property
    def domain(self) -> ExchangeDomain:
        """Return the exchange that its orders are signed for."""
        return exchange_domain(self.version, self.neg_risk)

    @property
    def is_trading(self) -> bool:
        """Tell whether orders are taken."""
        return self.state in ("LISTED", "OPEN")

    def outcome_of(self, token: str) -> Literal[0, 1]:
        """Return the index of a token of this market."""
        if token == self.tokens[0]:
            return 0
        assert token == self.tokens[1]
        return 1


class MarketChange(msgspec.Struct, frozen=True):
    """A market has reached a state; `forgotten` when it leaves the calendar."""

    market: Market
    state: MarketState
    forgotten: bool = False


class Calendar:
    """All markets that exist now, by slug, condition and token."""

    def __init__(
        self,
        assets: tuple[Asset, ...],
        interval_s: int,
        seed: int,
        *,
        ahead: int,
        resolution_ms: int,
        versions: tuple[Protocol, ...],
        listing_lag_ms: int = 0,
        has_ranges: bool = False,
        playbacks: Mapping[Asset, Playback] | None = None,
    ) -> None:
        """Set the series up.

        Args:
            assets: One series each.
            interval_s: Length of every window; windows start at multiples of it.
            seed: Of the ids.
            ahead: Windows listed ahead of the running one.
            resolution_ms: From the end of a window to its resolution.
            versions: Protocols, used in turn by window.
            listing_lag_ms: From a listing until its tokens are known to trading, half of it
                until discovery tells their ids.
            has_ranges: Whether each window of the first asset has an event with several markets
                beside it.
            playbacks: Of assets whose recorded windows are listed, and no others.
        """
        self._assets = assets
        self._interval_ms = interval_s * 1000
        self._seed = seed
        self._ahead = ahead
        self.resolution_ms = resolution_ms
        self._versions = versions
        self._lag_ms = listing_lag_ms
        self._has_ranges = has_ranges
        self._unknown: list[Market] = []
        self._playbacks = playbacks or {}
        self._next_start: dict[Asset, int] = {}
        self.by_slug: dict[str, Market] = {}
        self.by_condition: dict[str, Market] = {}
        self.by_token: dict[str, Market] = {}

    def __iter__(self) -> Iterator[Market]:
        """Iterate over all markets, oldest first within an asset."""
        return iter(self.by_slug.values())

    def trading(self) -> Iterator[Market]:
        """Iterate over the markets that take orders."""
        return (market for market in self.by_slug.values() if market.is_trading)

    def advance(self, wall_ms: int) -> list[MarketChange]:
        """List, open, close, resolve and forget what is due, in the order of their times."""
        self._make_known(wall_ms)
        changes: list[MarketChange] = []
        for market in list(self.by_slug.values()):
            changes.extend(self._advance_market(market, wall_ms))
        resolved = [change.market.asset for change in changes if change.state == "RESOLVED"]
        for asset in dict.fromkeys(resolved):
            changes.extend(self._forget_oldest(asset))
        for asset in self._assets:
            changes.extend(self._list_ahead(asset, wall_ms))
        return changes

    def resume(self, market: Market) -> None:
        """Take in a market of the life before, in the state that it had."""
        self._add(market)

    def tells_ids(self, market: Market, wall_ms: int) -> bool:
        """Tell whether discovery knows a market's tokens; just after its listing it does not."""
        return wall_ms >= market.listed_ms + self._lag_ms // 2

    def next_ms(self) -> int:
        """Return the wall time of the next change of any market; long past before the first."""
        due = [self._due_ms(market) for market in self.by_slug.values()]
        due += [market.listed_ms + self._lag_ms for market in self._unknown]
        return min((at for at in due if at is not None), default=NEVER_MS if due else 0)

    def recorded(self, market: Market) -> RecordedMarket | None:
        """Return what a recording tells of a market."""
        playback = self._playbacks.get(market.asset)
        if playback is None or market.range_number is not None:
            return None
        if playback.interval_ms != market.end_ms - market.start_ms:
            return None
        return playback.market(market.start_ms)

    def _due_ms(self, market: Market) -> int | None:
        if market.state == "LISTED":
            return market.start_ms
        if market.state == "OPEN":
            return market.end_ms
        if market.state == "CLOSED":
            return market.end_ms + self.resolution_ms
        return None

    def _advance_market(self, market: Market, wall_ms: int) -> Iterator[MarketChange]:
        following: dict[MarketState, MarketState] = {
            "LISTED": "OPEN",
            "OPEN": "CLOSED",
            "CLOSED": "RESOLVED",
        }
        while (due := self._due_ms(market)) is not None and due <= wall_ms:
            market.state = following[market.state]
            yield MarketChange(market, market.state)

    def _forget_oldest(self, asset: Asset) -> Iterator[MarketChange]:
        resolved = [
            market
            for market in self.by_slug.values()
            if market.asset == asset and market.state == "RESOLVED"
        ]
        for market in resolved[:-RETAINED_MAX]:
            del self.by_slug[market.slug]
            del self.by_condition[market.condition_id]
            for token in market.tokens:
                self.by_token.pop(token, None)
            yield MarketChange(market, market.state, forgotten=True)

    def _add(self, market: Market) -> None:
        self.by_slug[market.slug] = market
        self.by_condition[market.condition_id] = market
        for token in market.tokens:
            self.by_token[token] = market

    def _announce(self, market: Market) -> None:
        """Take a new market in; trading learns of its tokens after the listing lag."""
        self._add(market)
        if self._lag_ms:
            for token in market.tokens:
                del self.by_token[token]
            self._unknown.append(market)

    def _make_known(self, wall_ms: int) -> None:
        for market in [new for new in self._unknown if new.listed_ms + self._lag_ms <= wall_ms]:
            self._unknown.remove(market)
            if market.slug in self.by_slug:
                self._add(market)

    def _list_ahead(self, asset: Asset, wall_ms: int) -> Iterator[MarketChange]:
        running = wall_ms - wall_ms % self._interval_ms
        start = max(running, self._next_start.get(asset, running))
        while start <= running + self._ahead * self._interval_ms:
            playback = self._playbacks.get(asset)
            is_played = playback is None or playback.plays(start)
            made = [self._make(asset, start, wall_ms)]
            if self._has_ranges and asset == self._assets[0]:
                made += [self._make(asset, start, wall_ms, n) for n in range(len(RANGES))]
            start += self._interval_ms
            for market in made:
                if market.slug in self.by_slug or not is_played:
                    continue
                self._announce(market)
                yield MarketChange(market, market.state)
                yield from self._advance_market(market, wall_ms)
        self._next_start[asset] = start

    def _make(
        self, asset: Asset, start_ms: int, wall_ms: int, range_number: int | None = None
    ) -> Market:
        interval_s = self._interval_ms // 1000
        slug = window_slug(Window(asset, interval_s, start_ms // 1000))
        protocol = self._versions[start_ms // self._interval_ms % len(self._versions)]
        if range_number is not None:
            slug = range_slug(slug.replace("-updown-", "-range-"), range_number)
            protocol = "neg_risk"
        version: MarketVersion = "v2" if protocol == "v2" else "v1"
        condition, tokens = make_ids(self._seed, slug, version)
        return Market(
            number=str(derive(self._seed, "number", slug) % 9_000_000 + 1_000_000),
            slug=slug,
            asset=asset,
            condition_id=condition,
            tokens=tokens,
            version=version,
            listed_ms=WallMs(wall_ms),
            changed_ms=WallMs(wall_ms),
            start_ms=WallMs(start_ms),
            end_ms=WallMs(start_ms + self._interval_ms),
            lookback_ms=self._lookback_ms(asset, start_ms),
            book=Book(),
            neg_risk=protocol == "neg_risk",
            range_number=range_number,
        )

    def _lookback_ms(self, asset: Asset, start_ms: int) -> int:
        """Return over which time the price is averaged that settles a window."""
        playback = self._playbacks.get(asset)
        if playback is None:
            return TWAP_MS if self._interval_ms >= TWAP_INTERVAL_S_MIN * 1000 else 0
        recorded = playback.market(start_ms)
        if recorded is not None:
            return playback.span_ms(recorded.lookback_ms)
        is_long = playback.recording.interval_ms >= TWAP_INTERVAL_S_MIN * 1000
        return playback.span_ms(TWAP_MS) if is_long else 0


def tick_at(tick: PriceE4, middle_e4: int) -> PriceE4:
    """Return the tick that follows from the present one and the middle of the book."""
    end_e4 = min(middle_e4, PRICE_ONE_E4 - middle_e4)
    if end_e4 < FINE_BELOW_E4:
        return FINE_TICK_E4
    return TICK_E4 if end_e4 >= COARSE_FROM_E4 else tick


def make_ids(
    seed: int, slug: str, version: MarketVersion
) -> tuple[ConditionId, tuple[TokenId, TokenId]]:
    """Return condition and token ids of the shape that the official client recognises.

    A v2 id is module 8 bits, hash 128, then zeros and the outcome in the last byte; its
    condition is the id without that byte, padded at the end.
    Source: polymarket-client 0.14.0, position-id recognition; a recorded v2 market.
    """
    if version == "v1":
        condition = derive(seed, "condition", slug)
        up, down = (derive(seed, "token", slug, name) | _V1_MARK for name in OUTCOMES)
        return _condition(condition), (TokenId(str(up)), TokenId(str(down)))
    base = derive(seed, "condition", slug) >> 128
    position = _V2_BINARY_MODULE | base << _V2_HASH_SHIFT
    tokens = (TokenId(str(position)), TokenId(str(position | 1)))
    return _condition(position), tokens


def _condition(number: int) -> ConditionId:
    return ConditionId(f"0x{number:064x}")
