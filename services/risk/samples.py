"""Samples of every condition that risk watches: does it hold now, where, and why.

One function a switch; each looks at the evidence and at who is there, and decides nothing more.
Confirmation, pauses and fences are made of them elsewhere (`breakers.py`, `core.py`).
Missing, stale and never heard of all count as bad.
"""

from collections.abc import Iterator

import msgspec

from services.risk.evidence import Evidence
from services.risk.liveness import Liveness
from services.risk.scopes import ScopeKey
from shared.config import Config
from shared.facts import MarketInfo
from shared.identifiers import Component, ConditionId
from shared.switches import (
    AT_ONCE,
    COMPONENT_LOST,
    HEARTBEAT_LOST,
    MARKET_CUTOFF,
    MARKET_FEED_STALE,
    ORACLE_STALE,
    OWN_ORDER_FEED_STALE,
    RECONCILIATION_MISMATCH,
    STRATEGY_LOST,
    Confirmation,
    Switch,
)
from shared.topics import (
    EXECUTION,
    FEED_MARKET,
    FEED_PRICE,
    FEED_USER,
    STATE,
    STRATEGIES,
)
from shared.units import NS_PER_MS, Instant

ACCOUNT: ScopeKey = ("account", "")

OWN_ORDERS_KEY = "orders"
"""Name of the evidence in the own-order feed's status."""


class Sample(msgspec.Struct, frozen=True):
    """One look at one condition.

    Attributes:
        subject: Tells conditions of one switch and scope apart; empty when there is one.
        key: Scope that it concerns.
        why: What was seen when it is bad.
        cancel: Whether tripping also cancels in the scope.
        is_fact: Whether it is no measurement, and needs no second sample whatever its switch says.
    """

    switch: Switch
    subject: str
    key: ScopeKey
    bad: bool
    why: str
    cancel: bool = True
    is_fact: bool = False

    @property
    def confirmation(self) -> Confirmation:
        """How many samples trip the condition."""
        return AT_ONCE if self.is_fact else self.switch.confirmation


class Sampler:
    """Makes samples from the evidence and from who is there."""

    def __init__(self, config: Config, evidence: Evidence, liveness: Liveness) -> None:
        self._config = config
        self._evidence = evidence
        self._liveness = liveness
        self._once_good: set[ConditionId] = set()

    def presence(self) -> Iterator[Sample]:
        """Yield who is lost; looked at in every turn, since an exit is a fact."""
        yield self._lost(EXECUTION, HEARTBEAT_LOST, ACCOUNT)
        if not self._config.run.dry_run:
            yield self._lost(FEED_USER, OWN_ORDER_FEED_STALE, ACCOUNT)
        yield self._lost(STATE, COMPONENT_LOST, ACCOUNT)
        for asset in self._config.markets.assets:
            yield self._lost(FEED_MARKET, MARKET_FEED_STALE, ("asset", asset))
        for strategy in STRATEGIES:
            yield self._lost(strategy, STRATEGY_LOST, ("strategy", strategy))

    def data(self, now: Instant) -> Iterator[Sample]:
        """Yield what the data shows; looked at once a ping, so that n of m is a time."""
        yield self._own_orders(now)
        yield from self._agreement()
        yield self._state(now)
        yield self._calendar(now)
        for asset in self._config.markets.assets:
            yield from self._oracle(asset, now)
        markets = self._evidence.markets()
        self._once_good.intersection_update(market.condition_id for market in markets)
        for market in markets:
            yield from self._market(market, now)

    def _lost(self, component: Component, switch: Switch, key: ScopeKey) -> Sample:
        """Look whether a component has exited, hangs, or was never heard of."""
        condition = self._liveness.condition(component)
        bad = condition != "alive"
        why = f"{component} is {condition}"
        return Sample(switch, component, key, bad, why, is_fact=True)

    def _own_orders(self, now: Instant) -> Sample:
        """KS-2: the own-order feed, by its connection and its evidence; not in a dry run."""
        if self._config.run.dry_run:
            return Sample(OWN_ORDER_FEED_STALE, "", ACCOUNT, False, "not needed in a dry run")
        limit_ns = self._config.timing.user_stale_ms * NS_PER_MS
        if not self._evidence.is_connected(FEED_USER, now):
            why = f"own-order feed is not connected: {self._evidence.cause(FEED_USER)}"
            return Sample(OWN_ORDER_FEED_STALE, "", ACCOUNT, True, why)
        age_ns = self._evidence.age_ns(FEED_USER, OWN_ORDERS_KEY, now)
        bad, why = _too_old("own-order evidence", age_ns, limit_ns)
        return Sample(OWN_ORDER_FEED_STALE, "", ACCOUNT, bad, why)

    def _agreement(self) -> Iterator[Sample]:
        """KS-14: what execution found to disagree with the venue, as its newest pong says.

        An execution that does not answer says nothing of it; that it is lost stops everything
        by itself (KS-7).
        """
        run = self._liveness.newest(EXECUTION)
        told = None if run is None else run.pong.execution
        if told is None:
            return
        mismatch = told.mismatch
        disagrees = mismatch is not None and mismatch.in_a_row > 0
        why = "" if mismatch is None else mismatch.text
        yield Sample(RECONCILIATION_MISMATCH, "", ACCOUNT, disagrees, why)

    def _state(self, now: Instant) -> Sample:
        """KS-4, the whole of it: state has not renewed its view."""
        limit_ns = self._config.timing.state_stale_ms * NS_PER_MS
        bad, why = _too_old("hot view", self._evidence.view_age_ns(now), limit_ns)
        return Sample(MARKET_FEED_STALE, "view", ACCOUNT, bad, why)

    def _calendar(self, now: Instant) -> Sample:
        """MR-1: nobody has vouched for the calendar."""
        limit_ns = self._config.markets.calendar_stale_ms * NS_PER_MS
        bad, why = _too_old("market calendar", self._evidence.calendar_age_ns(now), limit_ns)
        return Sample(COMPONENT_LOST, "calendar", ACCOUNT, bad, why)

    def _oracle(self, asset: str, now: Instant) -> Iterator[Sample]:
        """KS-3: first nothing new is placed, later what rests is cancelled too."""
        timing = self._config.timing
        age_ns = self._evidence.age_ns(FEED_PRICE, asset, now)
        for subject, limit_ms, cancel in (
            ("pause", timing.oracle_pause_ms, False),
            ("cancel", timing.oracle_cancel_ms, True),
        ):
            bad, why = _too_old(f"settlement oracle of {asset}", age_ns, limit_ms * NS_PER_MS)
            yield Sample(ORACLE_STALE, subject, ("asset", asset), bad, why, cancel)

    def _market(self, market: MarketInfo, now: Instant) -> Iterator[Sample]:
        """KS-1 by the wall clock; KS-4 by the evidence of both tokens and by state's view."""
        key: ScopeKey = ("market", market.condition_id)
        over = now.wall_ms >= market.cutoff_ms
        yield Sample(MARKET_CUTOFF, "", key, over, "past its cutoff")
        if over:
            self._once_good.discard(market.condition_id)
            return
        why = self._market_trouble(market, now)
        if not why:
            self._once_good.add(market.condition_id)
        # A market that was never good has no order of ours: the gate has refused each so far.
        if market.condition_id in self._once_good:
            yield Sample(MARKET_FEED_STALE, "", key, bool(why), why)

    def _market_trouble(self, market: MarketInfo, now: Instant) -> str:
        """Return why a market's data cannot be trusted, empty when it can."""
        limit_ns = self._config.timing.market_stale_ms * NS_PER_MS
        for token in market.tokens:
            age_ns = self._evidence.age_ns(FEED_MARKET, token, now)
            bad, why = _too_old("market feed", age_ns, limit_ns)
            if bad:
                return why
        view = self._evidence.view(market.condition_id)
        if view is None:
            return "state has no view of it"
        return "" if view.valid else f"state: {view.reason}"


def _too_old(what: str, age_ns: int | None, limit_ns: int) -> tuple[bool, str]:
    """Tell whether an age is at or over its limit, unknown ones included, and say so."""
    if age_ns is None:
        return True, f"{what} was never evident"
    bad = age_ns >= limit_ns
    return bad, f"{what} is {age_ns // NS_PER_MS} ms old, limit {limit_ns // NS_PER_MS} ms"
