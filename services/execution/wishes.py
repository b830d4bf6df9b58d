"""What strategies want now: the newest set per strategy and market, while it is renewed.

A set that is not renewed within its time to live, whose strategy was replaced by another
run, or whose source shows a gap, is withdrawn until the next one arrives. A strategy
cannot lengthen its own time to live beyond the configured one.
"""

from typing import Final

import msgspec

from shared.effects import Received
from shared.identifiers import Component, ConditionId, Incarnation, StrategyName
from shared.targets import LEVELS_MAX, Target, TargetSet
from shared.topics import CARETAKER
from shared.units import NS_PER_MS, Instant, MonotonicNs

TARGETS_MAX: Final = 4 * LEVELS_MAX
"""Two tokens, two sides, a full ladder each; a set beyond that is a bug and withdrawn."""

SETS_MAX: Final = 256
"""Strategies times markets that can be wished for at once."""

Key = tuple[StrategyName, ConditionId]


class Wish(msgspec.Struct, frozen=True):
    """A set with its origin and its end.

    Attributes:
        until_ns: CLOCK_MONOTONIC after which it is withdrawn, counted from its sending.
        input_ns: When the oldest input that it rests on reached the edge.
    """

    targets: TargetSet
    component: Component
    incarnation: Incarnation
    until_ns: MonotonicNs
    input_ns: MonotonicNs


class Wishes:
    """The newest wish of each strategy in each market."""

    def __init__(self, target_ttl_ms: int) -> None:
        """Begin without any; the time to live is the configured ceiling."""
        self._ttl_ms_max = target_ttl_ms
        self._wishes: dict[Key, Wish] = {}
        self._incarnations: dict[Component, Incarnation] = {}

    def take(self, received: Received, now: Instant, *, only_care: bool = False) -> str:
        """Take a set in; return why it is not, or empty when it is.

        Its strategy must be named like the component that sends it. Only the caretaker wishes
        for another, reduce-only, and only while that one says nothing itself.

        Args:
            received: The set.
            now: Present moment.
            only_care: Whether the position is to be closed: what its strategy says is withdrawn.
        """
        targets = received.body
        assert isinstance(targets, TargetSet)
        if str(targets.strategy) != str(received.component):
            if not _is_care(received.component, targets):
                return "strategy_mismatch"
            own = self._wishes.get((targets.strategy, targets.market))
            speaks = own is not None and own.component != CARETAKER
            if own is not None and speaks and now.monotonic_ns < own.until_ns and not only_care:
                return ""
        elif only_care and received.component != CARETAKER:
            own = self._wishes.get((targets.strategy, targets.market))
            if own is not None and own.component != CARETAKER:
                del self._wishes[(targets.strategy, targets.market)]
            return "reducing" if targets.targets else ""
        if self._incarnations.get(received.component) != received.incarnation:
            self.withdraw(received.component)
            self._incarnations[received.component] = received.incarnation
        key = (targets.strategy, targets.market)
        if len(targets.targets) > TARGETS_MAX or (
            key not in self._wishes and len(self._wishes) >= SETS_MAX
        ):
            self._wishes.pop(key, None)
            return "too_many_targets"
        ttl_ms = min(max(targets.target_ttl_ms, 0), self._ttl_ms_max)
        until_ns = MonotonicNs(received.sent_ns + ttl_ms * NS_PER_MS)
        if until_ns <= now.monotonic_ns:
            self._wishes.pop(key, None)
            return "expired_target"
        self._wishes[key] = Wish(
            targets, received.component, received.incarnation, until_ns, received.input_ns
        )
        return ""

    def withdraw(self, component: Component) -> None:
        """Forget all that a component wished for, until it speaks again."""
        for key, wish in tuple(self._wishes.items()):
            if wish.component == component:
                del self._wishes[key]

    def withdraw_all(self) -> None:
        """Forget every wish."""
        self._wishes.clear()

    def live(self, now: Instant) -> dict[Key, Wish]:
        """Return the wishes that are in force, and forget the others."""
        for key, wish in tuple(self._wishes.items()):
            if now.monotonic_ns >= wish.until_ns:
                del self._wishes[key]
        return self._wishes

    def of(self, key: Key, now: Instant) -> tuple[Target, ...]:
        """Return one strategy's targets in a market; none when nothing is in force."""
        wish = self._wishes.get(key)
        if wish is None or now.monotonic_ns >= wish.until_ns:
            return ()
        return wish.targets.targets


def _is_care(component: Component, targets: TargetSet) -> bool:
    """Whether a set for another strategy does nothing but reduce what that one holds."""
    return component == CARETAKER and all(target.reduce_only for target in targets.targets)
