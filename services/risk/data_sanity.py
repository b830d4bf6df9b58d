"""RV-1 of the data: is what the strategies use deep, in its range, without gap, and like before.

Keeps the range of the last hour of each settlement price, the last price that was traded on,
and the newest gap. Every check returns what is wrong in words, empty when nothing is. What
perpetual markets tell is looked at where a strategy uses it (`strategy_inputs.py`).
"""

import msgspec

from services.risk.hour_range import HourRange
from services.risk.liquid_markets import depth_e6
from services.risk.perp_sanity import PerpSanity
from services.risk.strategy_inputs import StrategyInput
from shared.config import RecoverySettings
from shared.effects import Gap, Message, Received
from shared.facts import Calendar, MarketInfo, MarketView, PerpContext, StateView
from shared.identifiers import ConditionId
from shared.topics import EXECUTION, FEEDS, STATE
from shared.units import NS_PER_MS, NS_PER_S, SHARE_E6, BootNs, Instant

GAP_NS = NS_PER_S
"""All that risk reads is repeated ten times a second: after so long a gap is mended."""

ASSETS_MAX = 64


class _Price(msgspec.Struct):
    """One settlement price.

    Attributes:
        traded: The newest while trading; None before that.
        moved_ns: Since when it is far from that one; None while it is not.
    """

    hour: HourRange
    traded: int | None = None
    moved_ns: BootNs | None = None

    @property
    def newest(self) -> int:
        """As it was told last."""
        return self.hour.newest


NOT_PERPS: frozenset[StrategyInput] = frozenset({"settlement price"})


class DataSanity:
    """What the data was and is.

    Attributes:
        perps: What perpetual markets tell.
    """

    def __init__(self) -> None:
        """Begin with no past: nothing is out of a range that nobody knows."""
        self._views: tuple[MarketView, ...] = ()
        self._markets: tuple[MarketInfo, ...] = ()
        self._prices: dict[str, _Price] = {}
        self._gap: tuple[str, BootNs] | None = None
        self.perps = PerpSanity()

    def hear(self, message: Message, now: Instant) -> None:
        """Take in views, calendar and gaps."""
        match message:
            case Received(body=StateView() as view):
                self._views = view.markets
                for market in view.markets:
                    if market.valid and market.reference is not None:
                        self._take_price(market.asset, int(market.reference.value_e18), now)
            case Received(body=PerpContext() as context):
                self.perps.take(context, now)
            case Received(body=Calendar() as calendar):
                self._markets = calendar.markets
            case Gap(component=component) if component in (*FEEDS, STATE, EXECUTION):
                self._gap = (component, now.boot_ns)
            case _:
                pass

    def traded(self, held: frozenset[str] = frozenset()) -> None:
        """Take the present prices as the last known good: trading rests on them.

        Args:
            held: Assets of which nothing is traded now: theirs stay what they were.
        """
        for asset, price in self._prices.items():
            if asset not in held:
                price.traded, price.moved_ns = price.newest, None

    def thin(self, settings: RecoverySettings, market: ConditionId | None = None) -> str:
        """Return why no market is deep enough, or why one is not."""
        wanted = [view for view in self._views if market is None or view.market == market]
        depths = [depth_e6(view) for view in wanted if view.valid]
        deepest = max(depths, default=0)
        if deepest >= settings.depth_shares_min * SHARE_E6:
            return ""
        return f"{deepest / SHARE_E6:g} shares near the touch, at least {settings.depth_shares_min}"

    def out_of_range(
        self,
        settings: RecoverySettings,
        only: str = "",
        used: frozenset[StrategyInput] = NOT_PERPS,
    ) -> str:
        """Return which price is far outside of what the hour before has seen.

        Args:
            settings: Limits.
            only: Asset; empty for all.
            used: By the strategies that are to trade again.
        """
        found = []
        for asset, price in self._prices.items():
            is_meant = not only or asset == only
            if is_meant and price.hour.is_outside(settings.range_percent_max):
                found.append(f"{asset} at {price.newest / 1e18:g}")
        if not only and "mark price" in used:
            found.append(self.perps.out_of_range(settings, "mark price"))
        return ", ".join(one for one in found if one)

    def gap(self, now: Instant) -> str:
        """Return which publisher's messages were lost just now."""
        if self._gap is None or now.boot_ns >= self._gap[1] + GAP_NS:
            return ""
        return f"messages of {self._gap[0]} were lost"

    def from_the_future(self, settings: RecoverySettings, now: Instant) -> str:
        """Return whose stamps are ahead of our clocks."""
        latest_ms = now.wall_ms + settings.future_ms_max
        for view in self._views:
            reference = view.reference
            if view.valid and view.venue_ms > latest_ms:
                return f"{view.asset} market is {view.venue_ms - now.wall_ms} ms ahead"
            if reference is not None and reference.venue_ms > latest_ms:
                return f"{view.asset} price is {reference.venue_ms - now.wall_ms} ms ahead"
            if view.proven_ns is not None and view.proven_ns > now.monotonic_ns:
                return f"{view.asset} market was proven later than now"
        return ""

    def wrong_market(self, now: Instant) -> str:
        """Return which market of the calendar cannot be as it is told."""
        if not any(now.wall_ms < market.end_ms for market in self._markets):
            return "no market that is not over"
        for market in self._markets:
            is_sound = (
                market.start_ms < market.end_ms
                and market.cutoff_ms <= market.end_ms
                and market.tokens[0] != market.tokens[1]
                and market.tick_e4 > 0
                and market.min_size_e6 > 0
            )
            if not is_sound:
                return f"{market.slug or market.condition_id} is told with what cannot be"
        return ""

    def moved(self, settings: RecoverySettings, now: Instant, only: str = "") -> str:
        """Return which price is far from the last known good, and has not been there for long.

        The clock of settling starts with the first look after it moved.
        """
        found = []
        for asset, price in self._prices.items():
            if price.traded is None or (only and asset != only):
                continue
            far = abs(price.newest - price.traded) * 100 > settings.moved_percent_max * price.traded
            if not far:
                price.moved_ns = None
                continue
            if price.moved_ns is None:
                price.moved_ns = now.boot_ns
            if now.boot_ns < price.moved_ns + settings.settles_ms * NS_PER_MS:
                found.append(f"{asset} from {price.traded / 1e18:g} to {price.newest / 1e18:g}")
        return ", ".join(found)

    def _take_price(self, asset: str, value: int, now: Instant) -> None:
        """Take a settlement price into its hour."""
        price = self._prices.get(asset)
        if price is None:
            if len(self._prices) >= ASSETS_MAX:
                return
            price = self._prices[asset] = _Price(HourRange(value))
        price.hour.take(value, now)
