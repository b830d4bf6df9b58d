"""What a strategy that has crashed held, until it is in good hands or gone.

A crash hands the position over at once: the strategy's scope lets orders reduce and nothing else,
so the caretaker's pass and the strategy's own do not. It is let in again only when it answers and
nothing is left that an order could sell: no excess of the venue's minimum or more in a market
that can still be traded. Complete sets pay one dollar and need no care; what is left of a market
past its cutoff is decided by its outcome. Positions that nobody tells of are not gone.

An exit alone begins it, before anybody knows why; supervisord having been asked for the end, or
an end in its ordinary way, withdraws it: whoever restarts a strategy leaves its position with it.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from services.risk.messages import LatchEnded, NoteProgram, ProcessExited, ProgramsTold
from services.risk.samples import Sample
from services.risk.scopes import ScopeKey
from services.risk.source import Notice
from shared.control import Pong
from shared.effects import ControlReceived, Effect, Message, Received
from shared.facts import Calendar, MarketInfo, Positions
from shared.identifiers import Component, ConditionId, Incarnation, StrategyName, TokenId
from shared.program_events import ProgramEvent
from shared.switches import STRATEGY_DISABLED, STRATEGY_HANDOVER
from shared.topics import EXECUTION, STRATEGIES
from shared.units import NS_PER_S, Instant, MonotonicNs

POSITIONS_STALE_NS: Final = 3 * NS_PER_S
"""Positions are repeated every second: three missing ones make them unknown."""

ANSWER_STALE_NS: Final = NS_PER_S
"""A pong this old no longer says that the strategy answers."""


class _Run(msgspec.Struct, frozen=True):
    """The newest run of a strategy that was heard of."""

    incarnation: Incarnation
    pid: int
    ready: bool
    heard_ns: int


class Handover:
    """Which strategies' positions are in the caretaker's hands."""

    def __init__(self) -> None:
        """Begin with every strategy its own master."""
        self._pending: dict[Component, str] = {}
        self._held: set[Component] = set()
        self._runs: dict[Component, _Run] = {}
        self._markets: dict[ConditionId, MarketInfo] = {}
        self._positions: Positions | None = None
        self._positions_ns = MonotonicNs(0)

    def hear(self, message: Message, now: Instant) -> None:
        """Take in ends of strategies, and what they hold."""
        match message:
            case ProcessExited(component=component, incarnation=incarnation):
                self._exited(component, incarnation)
            case ProgramsTold(events=events):
                for event in events:
                    self._told(event)
            case ControlReceived(body=Pong() as pong) if pong.component in STRATEGIES:
                self._heard(pong, now)
            case Received(component=component, body=Positions() as positions, sent_ns=sent_ns):
                if component == EXECUTION:
                    self._positions, self._positions_ns = positions, sent_ns
            case Received(body=Calendar(markets=markets)):
                self._markets = {market.condition_id: market for market in markets}
            case LatchEnded(name=name, scope_id=scope_id):
                if name == STRATEGY_DISABLED.name and scope_id in STRATEGIES:
                    self._pending[Component(scope_id)] = "it was disabled"
            case _:
                pass

    def data(self, now: Instant) -> Iterator[Sample | Notice | Effect]:
        """Yield which strategies may not enter yet, and the end of that."""
        for strategy, why in tuple(self._pending.items()):
            left = self._left(strategy, now)
            if left:
                self._held.add(strategy)
                yield self._sample(strategy, f"{why}; {left}")
                continue
            del self._pending[strategy]
            handed = ProgramEvent(now.boot_ns, now.wall_ns, strategy, "handed_over")
            yield NoteProgram(handed)
        for strategy in STRATEGIES:
            if strategy in self._held and strategy not in self._pending:
                yield self._sample(strategy, "")

    def _sample(self, strategy: Component, why: str) -> Sample:
        key: ScopeKey = ("strategy", strategy)
        return Sample(STRATEGY_HANDOVER, "", key, bool(why), why)

    def _exited(self, component: Component, incarnation: Incarnation) -> None:
        run = self._runs.get(component)
        if component in STRATEGIES and run is not None and run.incarnation == incarnation:
            self._pending[component] = "it has exited"
            del self._runs[component]

    def _told(self, event: ProgramEvent) -> None:
        """Take one event; those of an earlier risk tell what it had not finished."""
        strategy = Component(event.program)
        if strategy not in STRATEGIES:
            return
        if event.kind in ("stopped", "handed_over") or event.expected:
            self._pending.pop(strategy, None)
        elif event.kind in ("exited", "backoff"):
            self._pending[strategy] = "it has crashed"
            run = self._runs.get(strategy)
            if run is not None and run.pid == event.pid:
                del self._runs[strategy]

    def _heard(self, pong: Pong, now: Instant) -> None:
        self._runs[pong.component] = _Run(
            pong.incarnation, pong.pid, pong.state == "ready", now.boot_ns
        )

    def _left(self, strategy: Component, now: Instant) -> str:
        """Return what keeps a strategy out, empty when nothing does."""
        run = self._runs.get(strategy)
        if run is None or not run.ready or now.boot_ns - run.heard_ns > ANSWER_STALE_NS:
            return "it does not answer yet"
        if self._positions is None or now.monotonic_ns - self._positions_ns > POSITIONS_STALE_NS:
            return "its positions are unknown"
        excess = self._excess(StrategyName(strategy), now)
        return f"the caretaker has its position in {excess}" if excess else ""

    def _excess(self, strategy: StrategyName, now: Instant) -> str:
        """Return the first market in which an order could reduce what it holds, or nothing."""
        assert self._positions is not None
        held: dict[ConditionId, dict[TokenId, int]] = {}
        for position in self._positions.positions:
            if position.strategy == strategy:
                held.setdefault(position.market, {})[position.token] = position.matched
        for market, tokens in held.items():
            info = self._markets.get(market)
            if info is None or now.wall_ms >= info.cutoff_ms or info.closed:
                continue
            first, second = (tokens.get(token, 0) for token in info.tokens)
            if abs(first - second) >= info.min_size_e6:
                return info.slug
        return ""
