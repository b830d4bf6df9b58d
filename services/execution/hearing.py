"""What the bus tells execution: wishes, calendar, feeds, hot view, own orders and trades.

Takes facts in, newest wins; what was lost is unknown, so a gap withdraws wishes and forgets
views and evidence until they are told again.
"""

from services.execution.parts import Parts
from services.execution.wishes import Key
from shared.effects import Effect, Gap, Log, Paused, Received
from shared.facts import (
    Calendar,
    FeedStatus,
    MarketInfo,
    MarketResolved,
    MarketView,
    OwnOrder,
    OwnTrade,
    PlaceFact,
    StateView,
    TickChanged,
)
from shared.identifiers import TokenId
from shared.targets import TargetSet
from shared.topics import FEED_MARKET, FEED_USER, STATE, STRATEGIES
from shared.units import PRICE_ONE_E4, Instant, PriceE4


class Hearing:
    """Takes facts in."""

    def __init__(self, parts: Parts) -> None:
        """Tell these."""
        self._parts = parts

    def take_targets(self, received: Received, now: Instant) -> Key:
        """Take a wish; return which one it is. One that may not stand is withdrawn."""
        targets: TargetSet = received.body
        refusal = self._parts.wishes.take(received, now, only_care=self._is_closing(targets))
        if refusal:
            self._parts.desk.count_denial(refusal)
        return targets.strategy, targets.market

    def _is_closing(self, targets: TargetSet) -> bool:
        """Whether risk orders the position to be closed that a set is about."""
        info = self._parts.inputs.market(targets.market)
        return info is not None and self._parts.standing.reduces(targets.strategy, info)

    def take_view(self, received: Received, now: Instant) -> None:
        """Take what may be known of markets, from state and from the feeds themselves."""
        body = received.body
        if isinstance(body, MarketView):
            self._parts.inputs.take_view(body, received)
        elif isinstance(body, StateView):
            self._parts.inputs.take_state(body, received)
        elif isinstance(body, FeedStatus):
            if self._parts.inputs.take_feed(body, now):
                self._parts.sync.demand(now, is_deep=False)
        elif isinstance(body, TickChanged):
            self._parts.inputs.take_tick(body.market, body.new_e4)
        elif isinstance(body, Calendar):
            self._take_calendar(body, now)
        elif isinstance(body, PlaceFact):
            self._parts.inputs.place = body
        elif isinstance(body, MarketResolved):
            self._take_resolution(body, now)

    def take_own(self, report: OwnOrder | OwnTrade, now: Instant) -> list[Effect]:
        """Take a report of the own-order stream."""
        if isinstance(report, OwnTrade):
            self._parts.reconciler.take_trade(report, now)
            return []
        self._parts.reconciler.take_order(report, now)
        return self._parts.sync.cancel_strangers(self._parts.canceller, now)

    def lose(self, gap: Gap) -> None:
        """Forget what a gap may have changed, until it is told again."""
        if gap.component in STRATEGIES:
            self._parts.wishes.withdraw(gap.component)
        elif gap.component == STATE:
            self._parts.inputs.forget_views()
        elif gap.component in (FEED_MARKET, FEED_USER):
            self._parts.inputs.forget(gap.component)
            self._parts.inputs.forget_ticks()

    def wake(self, paused: Paused) -> list[Effect]:
        """Forget all that was heard before this process was away."""
        self._parts.wishes.withdraw_all()
        self._parts.inputs.forget_views()
        return [Log("execution.paused", {"lasted_ns": paused.lasted_ns}, "warning")]

    def _take_calendar(self, calendar: Calendar, now: Instant) -> None:
        """Replace the calendar, and pay out the markets that it says are decided."""
        self._parts.inputs.take_calendar(calendar)
        for info in calendar.markets:
            self._parts.reconciler.know_fee_rate(info.condition_id, info.fee_rate_e6)
            if info.winner is not None:
                self._parts.positions.settle(info.condition_id, _payouts(info), now)

    def _take_resolution(self, fact: MarketResolved, now: Instant) -> None:
        """Pay out a market that the stream says is decided.

        Only for a market that discovery vouches for, and one of its tokens: the stream names a
        winner alone, and a market that was split, or that we cannot check, waits for discovery.
        """
        info = self._parts.inputs.market(fact.market)
        if info is None or fact.winning_token not in info.tokens:
            return
        payouts = {
            token: PriceE4(PRICE_ONE_E4 if token == fact.winning_token else 0)
            for token in info.tokens
        }
        self._parts.positions.settle(fact.market, payouts, now, asked=False)


def _payouts(info: MarketInfo) -> dict[TokenId, PriceE4]:
    """Return what each token of a resolved market pays per share."""
    if info.winner == -1:
        return dict.fromkeys(info.tokens, PriceE4(5_000))
    return {
        token: PriceE4(10_000 if index == info.winner else 0)
        for index, token in enumerate(info.tokens)
    }
