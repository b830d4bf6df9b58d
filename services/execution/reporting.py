"""What execution says of itself: facts on the bus and its part of a pong.

Makes them from what the nouns hold and decides nothing, but when each is repeated.
"""

from collections.abc import Callable, Iterable
from typing import Final

from services.execution.gate import Predicate
from services.execution.inputs import Inputs
from services.execution.order_register import OrderRegister, as_fact
from services.execution.placing import Desk, Slot
from services.execution.positions import Positions
from shared.effects import Effect, Publish
from shared.facts import (
    Explanations,
    FillFact,
    GateExplanation,
    GatePredicate,
    MarketInfo,
    RefusalCount,
)
from shared.facts import Positions as PositionsFact
from shared.identifiers import ConditionId
from shared.ledger_schema import FillRecord
from shared.units import NS_PER_MS, NS_PER_S, BootNs, Instant

STATUS_EVERY_NS: Final = 100 * NS_PER_MS
POSITIONS_EVERY_NS: Final = NS_PER_S
EXPLAIN_EVERY_NS: Final = NS_PER_S


class Repeated:
    """When a fact is due again."""

    def __init__(self, every_ns: int) -> None:
        """Make it due at once."""
        self._every_ns = every_ns
        self._next_ns = BootNs(0)

    def is_due(self, now: Instant) -> bool:
        """Whether it is due now; then the next time is later."""
        if now.boot_ns < self._next_ns:
            return False
        self._next_ns = BootNs(now.boot_ns + self._every_ns)
        return True


def changes(
    register: OrderRegister, positions: Positions, inputs: Inputs, desk: Desk, now: Instant
) -> list[Effect]:
    """Return a fact for each order and each leg that has changed, and the positions if any.

    Each leg is counted for its strategy too (KS-13).
    """
    effects: list[Effect] = []
    for order_id in register.unpublished:
        order = register.find(order_id)
        if order is not None:
            effects.append(Publish("execution.order", as_fact(order, now), now.monotonic_ns))
    register.unpublished.clear()
    for fill in positions.unpublished:
        desk.throttle.filled(fill, now)
        effects.append(Publish("execution.fill", _as_fill_fact(fill), now.monotonic_ns))
    positions.unpublished.clear()
    if positions.has_changed:
        effects.append(holdings(positions, inputs, now))
    positions.has_changed = False
    for trouble in (*register.troubles, *positions.troubles):
        effects.append(Publish("risk.alert", trouble.alert(), now.monotonic_ns))
    register.troubles.clear()
    positions.troubles.clear()
    return effects


def holdings(positions: Positions, inputs: Inputs, now: Instant) -> Publish:
    """Return all positions as they are published."""
    min_sizes = {info.condition_id: info.min_size_e6 for info in inputs.markets()}
    facts = positions.facts(now.boot_ns, min_sizes)
    return Publish("execution.positions", PositionsFact(facts), now.monotonic_ns)


def refusals(desk: Desk) -> tuple[RefusalCount, ...]:
    """Return the denials of this run, by reason."""
    return tuple(RefusalCount(reason, count) for reason, count in sorted(desk.denials.items()))


def explanations(
    account: Iterable[Predicate],
    markets: Iterable[MarketInfo],
    predicates_of: Callable[[MarketInfo], tuple[Predicate, ...]],
    desk: Desk,
    now: Instant,
) -> Publish:
    """Return every predicate of the gate, for the account and for each market."""
    scopes = [GateExplanation(ConditionId(""), "", _shown(account))]
    for info in markets:
        denials = tuple(
            f"{_name(slot)}: {denial.reason} {denial.value}".rstrip()
            for slot, denial in desk.newest_denials.items()
            if slot[1] == info.condition_id
        )
        scopes.append(
            GateExplanation(info.condition_id, info.slug, _shown(predicates_of(info)), denials)
        )
    return Publish("execution.explain", Explanations(tuple(scopes)), now.monotonic_ns)


def _shown(predicates: Iterable[Predicate]) -> tuple[GatePredicate, ...]:
    """Return predicates as they are published."""
    return tuple(GatePredicate(p.name, p.holds, p.value, p.age_ns) for p in predicates)


def _name(slot: Slot) -> str:
    """Return an intent as people read it."""
    strategy, _, token, side, level = slot
    return f"{strategy}/{token}/{side}/{level}"


def _as_fill_fact(fill: FillRecord) -> FillFact:
    """Return a leg as it is published."""
    return FillFact(
        trade_id=fill.trade_id,
        order_id=fill.order_id,
        strategy=fill.strategy,
        market=fill.market,
        token=fill.token,
        side=fill.side,
        price=fill.price_e4,
        size=fill.size_e6,
        role=fill.role,
        settlement=fill.settlement,
        fee=fill.fee_e6,
    )
