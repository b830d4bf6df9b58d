"""Turns facts into wishes, and wishes into target sets that expire when not renewed.

Decides when a strategy may wish at all: the market runs, its view is valid and young, its
positions are known, and risk has pinged lately. Anything missing withdraws the wish at
once. What the wish is, is the strategy's own (`interface.py`).
"""

from typing import Literal

import msgspec

from services.strategy.desk import Desk
from services.strategy.interface import MarketContext, Strategy, Wish
from services.strategy.standing import Standing
from shared.config import TimingSettings
from shared.control import Ping
from shared.effects import (
    ControlReceived,
    Effect,
    Exit,
    Gap,
    Log,
    Message,
    Paused,
    Publish,
    Received,
    Stop,
)
from shared.facts import StrategyStatus
from shared.identifiers import ConditionId, StrategyName
from shared.targets import TargetSet
from shared.topics import CARETAKER
from shared.units import NS_PER_MS, NS_PER_S, BootNs, Instant, MonotonicNs

RENEWALS_PER_TTL = 4
"""Three renewals may be lost before a wish runs out."""

STATUS_EVERY_NS = NS_PER_S
"""Strategy status is for people and for the caretaker's patience of some seconds."""


class _Said(msgspec.Struct, frozen=True):
    """The newest target set of a market, and when it was published."""

    owner: StrategyName
    wish: Wish
    at_ns: BootNs


class StrategyCore:
    """The frame around one strategy."""

    def __init__(self, strategy: Strategy, timing: TimingSettings, takeover_ms: int) -> None:
        self._strategy = strategy
        self._timing = timing
        self._desk = Desk(strategy.name, timing, takeover_ms)
        self._said: dict[ConditionId, _Said] = {}
        self._standing = Standing()
        self._status_ns = BootNs(0)
        self._held = ""
        self._reason = "starting"

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        """Take one message in; a new view is answered in the same turn."""
        match message:
            case Received():
                touched = self._desk.receive(message, now)
                return [] if touched is None else self._renew(touched, now, forced=False)
            case ControlReceived(body=Ping() as ping):
                self._standing.hear(ping, now)
                return self._obey(now)
            case Gap(component=component):
                self._desk.forget(component)
                return []
            case Paused():
                self._desk.forget_all()
                return []
            case Stop(cause=cause):
                return [*self._withdraw_all(now, "stopping"), Exit(0, cause)]
            case _:
                return []

    def on_tick(self, now: Instant) -> list[Effect]:
        """Renew what still holds, withdraw what does not, and say how it goes."""
        effects: list[Effect] = []
        for market in [*self._said, *self._desk.running(now)]:
            effects += self._renew(market, now, forced=True)
        if now.boot_ns - self._status_ns >= STATUS_EVERY_NS:
            self._status_ns = now.boot_ns
            effects.append(self._status(now))
        return effects

    def health(self) -> tuple[Literal["starting", "ready"], str]:
        """Return what the pong says: ready once the calendar is known."""
        if self._desk.knows_calendar():
            return "ready", ""
        return "starting", "the market calendar is unknown"

    def _obey(self, now: Instant) -> list[Effect]:
        """Stand back while risk holds this strategy's scope, and begin anew afterwards (CP-3)."""
        held = self._standing.held(self._strategy.name)
        began, self._held = bool(held) and not self._held, held
        if not began:
            return []
        self._strategy.forget()
        return self._withdraw_all(now, held)

    def _renew(self, market: ConditionId, now: Instant, *, forced: bool) -> list[Effect]:
        """Publish a market's wish when it changed, or when its renewal is due."""
        former = self._said.get(market)
        due_ns = self._timing.target_ttl_ms * NS_PER_MS // RENEWALS_PER_TTL
        if forced and former is not None and now.boot_ns - former.at_ns < due_ns:
            return []
        wish, input_ns = self._wish(market, now)
        self._reason = wish.reason
        changed = former is None or former.wish.targets != wish.targets
        if not wish.targets:
            if former is None:
                return []
            del self._said[market]
            return [self._set(former.owner, market, Wish((), wish.reason), now.monotonic_ns)]
        if not changed and former is not None and now.boot_ns - former.at_ns < due_ns:
            return []
        owner = wish.owner or self._strategy.name
        effects: list[Effect] = []
        if former is not None and former.owner != owner:
            effects.append(self._set(former.owner, market, Wish((), "handed over"), input_ns))
        self._said[market] = _Said(owner, wish, now.boot_ns)
        effects.append(self._set(owner, market, wish, input_ns))
        return effects

    def _wish(self, market: ConditionId, now: Instant) -> tuple[Wish, MonotonicNs]:
        """Return the wish for a market and the stamp of what it rests on."""
        hang_ns = self._timing.hang_ms * NS_PER_MS
        if self._standing.is_silent(hang_ns, now):
            return Wish((), "risk does not ping"), now.monotonic_ns
        if self._held:
            return Wish((), self._held), now.monotonic_ns
        context = self._desk.context(market, self._standing, now)
        if not isinstance(context, MarketContext):
            return Wish((), context), now.monotonic_ns
        is_caretaker = str(self._strategy.name) == str(CARETAKER)
        if not is_caretaker and self._standing.reduces(self._strategy.name, context.info):
            return Wish((), "positions are being closed"), now.monotonic_ns
        if not is_caretaker and self._desk.is_spent():
            return Wish((), "the day has lost nearly all that it may"), now.monotonic_ns
        return self._strategy.wish(context), self._desk.input_ns(market)

    def _withdraw_all(self, now: Instant, reason: str) -> list[Effect]:
        """Publish an empty wish wherever there was one."""
        effects: list[Effect] = [Log("targets.withdrawn", {"reason": reason})]
        for market, said in self._said.items():
            effects.append(self._set(said.owner, market, Wish((), reason), now.monotonic_ns))
        self._said.clear()
        return effects

    def _set(
        self, owner: StrategyName, market: ConditionId, wish: Wish, input_ns: MonotonicNs
    ) -> Effect:
        """Return a wish as a target set on the bus."""
        body = TargetSet(owner, market, self._timing.target_ttl_ms, wish.targets)
        return Publish("strategy.targets", body, input_ns)

    def _status(self, now: Instant) -> Effect:
        """Return the status fact."""
        state = "held" if self._held else "active" if self._said else "idle"
        reason = self._held or self._reason
        body = StrategyStatus(self._strategy.name, state, reason, tuple(self._said))
        return Publish("strategy.status", body, now.monotonic_ns)
