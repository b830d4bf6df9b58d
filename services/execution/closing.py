"""What closes a position goes first, and what cannot be closed is told.

A closing order that our own order would match is denied like any other (EX-26); the orders in its
way are cancelled, and none comes back into it while it waits. Decides no closing itself:
that is the caretaker's, by risk's order.
"""

from collections.abc import Callable
from typing import Final

from services.execution import troubles
from services.execution.cancels.canceling import Canceller
from services.execution.gate import Predicate
from services.execution.inputs import Inputs
from services.execution.lease import Standing
from services.execution.order_checks import (
    CLOSING,
    Candidate,
    Denial,
    OwnQuote,
    crosses,
    is_closing,
)
from services.execution.order_register import OrderRegister
from services.execution.position import Key
from services.execution.positions import Positions
from services.execution.troubles import Trouble
from shared.identifiers import ConditionId, StrategyName, TokenId
from shared.units import NS_PER_S, BootNs, Instant

WAITS_NS: Final = 2 * NS_PER_S
"""So long after its newest try a closing order still keeps its way free: the caretaker renews
its wish several times a second, and what is not taken is offered anew after half of one."""

MARKETS_MAX: Final = 64
"""Markets in which something is being closed at once; the oldest is forgotten beyond that."""

HELD_GRACE_NS: Final = 10 * NS_PER_S
"""A fence and its recovery take six seconds, in which nothing can be closed."""

TOLD_EVERY_NS: Final = 60 * NS_PER_S
"""A position that is held although it is to be closed is told again so often."""


Failing = Callable[[ConditionId, TokenId, StrategyName, Instant], Predicate | None]


class Way:
    """Keeps the way of closing orders free of our own."""

    def __init__(self, register: OrderRegister, canceller: Canceller) -> None:
        """Look at these orders, and cancel with this."""
        self._register = register
        self._canceller = canceller
        self._waiting: dict[ConditionId, tuple[Candidate, BootNs]] = {}

    def judge(self, candidate: Candidate, denial: Denial | None, now: Instant) -> Denial | None:
        """Return the denial of an order, with the way of closing orders regarded.

        Args:
            candidate: The order.
            denial: What the checks of the single order say.
            now: Present moment.
        """
        market = candidate.market.condition_id
        if is_closing(candidate.target):
            if len(self._waiting) >= MARKETS_MAX:
                self._waiting.pop(next(iter(self._waiting)))
            self._waiting[market] = (candidate, BootNs(now.boot_ns + WAITS_NS))
            if denial is not None and denial.reason == "own_crossing":
                self._clear(candidate)
            return denial
        waiting = self._waiting.get(market)
        if denial is not None or waiting is None:
            return denial
        if now.boot_ns >= waiting[1]:
            del self._waiting[market]
            return None
        closes = waiting[0]
        quote = OwnQuote(candidate.target.token, candidate.target.side, candidate.price)
        in_way = crosses(closes.target, closes.price, quote)
        return Denial("closing_first", f"for {closes.strategy}") if in_way else None

    def _clear(self, candidate: Candidate) -> None:
        """Cancel the orders that a closing order would match, unless they close something too."""
        for order in self._register.exposed():
            record = order.record
            if record.market != candidate.market.condition_id or record.purpose in CLOSING:
                continue
            quote = OwnQuote(record.token, record.side, record.price_e4)
            if crosses(candidate.target, candidate.price, quote):
                self._canceller.doom(order, "closing_first")


class Held:
    """Tells of positions that are to be closed and cannot be."""

    def __init__(
        self, standing: Standing, positions: Positions, inputs: Inputs, failing: Failing
    ) -> None:
        """Look at these; `failing` is the gate's word on a reduce-only order."""
        self._standing = standing
        self._positions = positions
        self._inputs = inputs
        self._failing = failing
        self._since: dict[Key, BootNs] = {}

    def watch(self, now: Instant) -> tuple[Trouble, ...]:
        """Return what people have to be told now: a position that has been held for too long."""
        found: list[Trouble] = []
        kept: dict[Key, BootNs] = {}
        for fact in self._positions.facts():
            key = (fact.market, fact.token, fact.strategy)
            why = self._why(key, now) if fact.matched else ""
            if not why:
                continue
            due_ns = self._since.get(key, BootNs(now.boot_ns + HELD_GRACE_NS))
            if now.boot_ns >= due_ns:
                found.append(troubles.closing_held(fact, why))
                due_ns = BootNs(now.boot_ns + TOLD_EVERY_NS)
            kept[key] = due_ns
        self._since = kept
        return tuple(found)

    def _why(self, key: Key, now: Instant) -> str:
        """Return why a position that is to be closed is not; empty when it need not, or can be."""
        market, token, strategy = key
        info = self._inputs.market(market)
        if info is None:
            is_wanted = self._standing.trading_state == "REDUCING"
            return "discovery does not vouch for its market" if is_wanted else ""
        if not self._standing.reduces(strategy, info):
            return ""
        failing = self._failing(market, token, strategy, now)
        if failing is not None:
            return f"{failing.name} {failing.value}".rstrip()
        book = self._inputs.book(market, token)
        if book is None:
            return "book_unknown"
        return "it is not sold yet" if book.bids else "nobody bids for it"
