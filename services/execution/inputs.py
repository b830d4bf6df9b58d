"""What execution has been told, with the age of each piece: calendar, feeds, hot view.

Holds facts and answers how old they are; judges nothing (`gate.py` does). What was never
told is unknown, which no predicate takes for good.
"""

import msgspec

from shared.effects import Received
from shared.facts import (
    BookView,
    Calendar,
    FeedStatus,
    MarketInfo,
    MarketView,
    PlaceFact,
    StateView,
)
from shared.identifiers import Asset, ConditionId, TokenId
from shared.topics import FEED_MARKET, FEED_PRICE, FEED_USER
from shared.units import BootNs, Instant, MonotonicNs, PriceE4

OWN_ORDERS_KEY = "orders"
"""Name of the own-order stream inside the user feed's evidence."""


class SeenView(msgspec.Struct, frozen=True):
    """A market's newest view and when state sent it."""

    view: MarketView
    sent_ns: MonotonicNs


class Inputs:
    """Newest facts of each source.

    Attributes:
        calendar: None until discovery has spoken.
        place: What the venue says of our address; None until discovery has told.
        user_sound_ns: CLOCK_BOOTTIME since when the own-order feed has been without a break;
            None while it is not sound. Orders must be reconciled after it.
    """

    def __init__(self, user_stale_ns: int) -> None:
        """Begin knowing nothing."""
        self._user_stale_ns = user_stale_ns
        self.calendar: Calendar | None = None
        self.place: PlaceFact | None = None
        self._markets: dict[ConditionId, MarketInfo] = {}
        self._market_of_token: dict[TokenId, ConditionId] = {}
        self._feeds: dict[str, FeedStatus] = {}
        self._evident: dict[str, dict[str, MonotonicNs]] = {}
        self._views: dict[ConditionId, SeenView] = {}
        self._ticks: dict[TokenId, PriceE4] = {}
        self._user_session = 0
        self.user_sound_ns: BootNs | None = None
        self.user_breaks = 0

    def take_calendar(self, calendar: Calendar) -> None:
        """Replace the calendar; markets that left it are no longer known."""
        self.calendar = calendar
        self._markets = {market.condition_id: market for market in calendar.markets}
        self._market_of_token = {
            token: market.condition_id for market in calendar.markets for token in market.tokens
        }
        for known in tuple(self._views):
            if known not in self._markets:
                del self._views[known]
        for token in tuple(self._ticks):
            if token not in self._market_of_token:
                del self._ticks[token]

    def take_feed(self, status: FeedStatus, now: Instant) -> bool:
        """Keep a feed's word on itself.

        Returns:
            Whether the books come over another connection than before: orders are read anew then.
        """
        known = self._feeds.get(status.feed)
        is_market = status.feed == FEED_MARKET
        is_other = known is not None and is_market and known.session != status.session
        if is_other or (is_market and known is None):
            # The step may have changed while nobody listened: state's snapshot says which it is.
            self.forget_ticks()
        self._feeds[status.feed] = status
        self._evident[status.feed] = {
            entry.key: entry.evident_ns for entry in status.evidence if entry.evident_ns is not None
        }
        if status.feed == FEED_USER:
            if status.session != self._user_session:
                self._user_session = status.session
                self._break_user()
            self.watch_user(now)
        return is_other

    def watch_user(self, now: Instant) -> None:
        """Note when the own-order feed stops being sound, and since when it is again."""
        age_ns = self.user_age_ns(now)
        if age_ns is None or age_ns >= self._user_stale_ns:
            self._break_user()
        elif self.user_sound_ns is None:
            self.user_sound_ns = now.boot_ns

    def take_view(self, view: MarketView, received: Received) -> None:
        """Keep a market's newest view."""
        if view.market in self._markets:
            self._views[view.market] = SeenView(view, received.sent_ns)

    def take_state(self, state: StateView, received: Received) -> None:
        """Keep every market's newest view."""
        for view in state.markets:
            self.take_view(view, received)

    def take_tick(self, market: ConditionId, tick: PriceE4) -> None:
        """Keep a price step that the venue has just changed; it overrules the calendar's.

        The venue tells it of each token; both tokens of a market show one book and have one step.
        """
        info = self._markets.get(market)
        if info is not None:
            self._ticks.update(dict.fromkeys(info.tokens, tick))

    def market(self, market: ConditionId) -> MarketInfo | None:
        """Return a market of the calendar; None when discovery does not vouch for it."""
        return self._markets.get(market)

    def market_of(self, token: TokenId) -> ConditionId | None:
        """Return the market of a token of the calendar."""
        return self._market_of_token.get(token)

    def markets(self) -> tuple[MarketInfo, ...]:
        """Return the calendar's markets."""
        return tuple(self._markets.values())

    def calendar_age_ns(self, now: Instant) -> int | None:
        """Return since when discovery has vouched for nothing; None before the first."""
        if self.calendar is None:
            return None
        return now.monotonic_ns - self.calendar.verified_ns

    def user_age_ns(self, now: Instant) -> int | None:
        """Return the age of the own-order feed's evidence; None while it is not connected."""
        return self._age_ns(FEED_USER, OWN_ORDERS_KEY, now)

    def token_age_ns(self, token: TokenId, now: Instant) -> int | None:
        """Return the age of a book's evidence at the market feed; None when there is none."""
        return self._age_ns(FEED_MARKET, token, now)

    def oracle_age_ns(self, asset: Asset, now: Instant) -> int | None:
        """Return the age of the settlement oracle of an asset; None when there is none.

        A feed that lost its connection still has had its last tick: its age goes on.
        """
        evident_ns = self._evident.get(FEED_PRICE, {}).get(asset)
        return None if evident_ns is None else now.monotonic_ns - evident_ns

    def view(self, market: ConditionId) -> MarketView | None:
        """Return a market's newest view, valid or not."""
        seen = self._views.get(market)
        return None if seen is None else seen.view

    def view_age_ns(self, market: ConditionId, now: Instant) -> int | None:
        """Return how long ago state renewed a market's view."""
        seen = self._views.get(market)
        return None if seen is None else now.monotonic_ns - seen.sent_ns

    def book(self, market: ConditionId, token: TokenId) -> BookView | None:
        """Return the proven top of a token's book; None when state does not vouch for it."""
        view = self.view(market)
        if view is None or not view.valid or view.books is None:
            return None
        return next((book for book in view.books if book.token == token), None)

    def tick_e4(self, market: MarketInfo, token: TokenId) -> PriceE4:
        """Return the price step in force: the feed's event, state's word, then the calendar's."""
        told = self._ticks.get(token)
        if told is not None:
            return told
        view = self.view(market.condition_id)
        return view.tick_e4 if view is not None and view.valid else market.tick_e4

    def forget(self, component: str) -> None:
        """Treat all that a component told as unknown until it speaks again."""
        self._feeds.pop(component, None)
        self._evident.pop(component, None)
        if component == FEED_USER:
            self._break_user()

    def forget_ticks(self) -> None:
        """Trust no price step that was told by event: a later one may have been missed."""
        self._ticks.clear()

    def forget_views(self) -> None:
        """Treat the hot view as unknown."""
        self._views.clear()

    def _break_user(self) -> None:
        """Note that own-order events may have been missed."""
        if self.user_sound_ns is not None:
            self.user_breaks += 1
        self.user_sound_ns = None

    def _age_ns(self, feed: str, key: str, now: Instant) -> int | None:
        """Return the age of one stream's evidence while its feed is connected."""
        status = self._feeds.get(feed)
        if status is None or not status.connected:
            return None
        evident_ns = self._evident[feed].get(key)
        return None if evident_ns is None else now.monotonic_ns - evident_ns
