"""Scopes below the account: which are not ACTIVE, and how often each has been paused.

A pause is a new generation: execution cancels the scope's orders whenever it sees one newer
than it has carried out. Placing nothing without cancelling is a pause in the same
generation. Every ping repeats what is not ACTIVE and what is not carried out yet.
Deliberately ignorant of why; switches decide (`breakers.py`, `core.py`).
"""

import msgspec

from shared.control import ScopeKind, ScopeOrder
from shared.switches import CARED_FOR
from shared.trading_state import TradingState, worst
from shared.units import NS_PER_S, BootNs

SCOPES_MAX = 512
"""Markets of a day at most; forgetting one that still matters would be worse than stopping."""

CARRIED_NS_MAX = NS_PER_S
"""A pause that execution has not carried out by then stops the whole account."""

ScopeKey = tuple[ScopeKind, str]


class _Hold(msgspec.Struct, frozen=True):
    """One reason to hold a scope in a state."""

    state: TradingState
    reason: str


class _Scope(msgspec.Struct):
    """One scope; holds by the name of their switch."""

    generation: int = 0
    carried: int = 0
    since_ns: BootNs = BootNs(0)
    holds: dict[str, _Hold] = msgspec.field(default_factory=dict)

    @property
    def state(self) -> TradingState:
        return worst(tuple(hold.state for hold in self.holds.values()))

    @property
    def is_cared_for(self) -> bool:
        """Whether everything that reduces the scope asks for stops only."""
        reducing = [switch for switch, hold in self.holds.items() if hold.state == "REDUCING"]
        return self.state == "REDUCING" and all(switch in CARED_FOR for switch in reducing)


class Scopes:
    """All scopes that are held, or whose newest pause is not carried out."""

    def __init__(self, generation_start: int) -> None:
        """Begin with no scope held.

        Args:
            generation_start: Above every generation of an earlier risk. The epoch serves: it
                only grows, and far faster than one run makes pauses.
        """
        self._generation = generation_start
        self._scopes: dict[ScopeKey, _Scope] = {}

    def hold(
        self,
        key: ScopeKey,
        switch: str,
        state: TradingState,
        reason: str,
        now_ns: BootNs,
        *,
        cancel: bool = True,
    ) -> bool:
        """Hold a scope for a switch; True when that changed something.

        Args:
            key: Kind and id.
            switch: Name of the switch that holds.
            state: What may still be placed there.
            reason: For people.
            now_ns: For the deadline by which it must be carried out.
            cancel: Whether the scope's orders go too; False places nothing new only.
        """
        assert key[0] != "account", "an account is fenced, not paused"
        scope = self._scopes.get(key)
        if scope is None:
            assert len(self._scopes) < SCOPES_MAX, "more scopes than markets of a day"
            scope = self._scopes[key] = _Scope()
        if cancel:
            self._generation += 1
            scope.generation = self._generation
            scope.since_ns = now_ns
        before = scope.holds.get(switch)
        scope.holds[switch] = _Hold(state, reason)
        return cancel or before != scope.holds[switch]

    def release(self, key: ScopeKey, switch: str) -> bool:
        """End one switch's hold; others stay. True when there was one."""
        scope = self._scopes.get(key)
        if scope is None or scope.holds.pop(switch, None) is None:
            return False
        self._forget_idle()
        return True

    def carried_out(self, carried: tuple[tuple[ScopeKind, str, int], ...]) -> None:
        """Take the generations that execution says it has carried out."""
        for kind, scope_id, generation in carried:
            scope = self._scopes.get((kind, scope_id))
            if scope is not None:
                scope.carried = max(scope.carried, generation)
        self._forget_idle()

    def all_carried(self) -> None:
        """Take a proof of zero: whatever was to be cancelled is gone."""
        for scope in self._scopes.values():
            scope.carried = scope.generation
        self._forget_idle()

    def is_carried(self, key: ScopeKey) -> bool:
        """Tell whether the newest pause of a scope was carried out; True when there is none."""
        scope = self._scopes.get(key)
        return scope is None or scope.carried >= scope.generation

    def is_held(self, key: ScopeKey, switch: str) -> bool:
        """Tell whether a switch holds a scope."""
        scope = self._scopes.get(key)
        return scope is not None and switch in scope.holds

    def overdue(self, now_ns: BootNs) -> tuple[ScopeKey, ...]:
        """Return the scopes whose pause should have been carried out by now."""
        return tuple(
            key
            for key, scope in self._scopes.items()
            if scope.carried < scope.generation and now_ns >= scope.since_ns + CARRIED_NS_MAX
        )

    def orders(self) -> tuple[ScopeOrder, ...]:
        """Return what every ping repeats."""
        return tuple(
            ScopeOrder(
                kind,
                scope_id,
                scope.generation,
                scope.state,
                "; ".join(hold.reason for hold in scope.holds.values()),
                scope.is_cared_for,
            )
            for (kind, scope_id), scope in self._scopes.items()
        )

    def _forget_idle(self) -> None:
        """Drop scopes that nobody holds and whose pauses are carried out."""
        for key in [
            key
            for key, scope in self._scopes.items()
            if not scope.holds and scope.carried >= scope.generation
        ]:
            del self._scopes[key]
