"""What a dry run has intended: the same wish is not intended in every turn.

An order that is never sent never rests, so the difference between wished and live would
bring it forth again and again. Here it counts as intended for as long as a real one would
have rested before its renewal; a wish that changes is intended anew, at most once a second.
Nothing here counts as exposure: the gate judges each wish of a dry run as if it stood alone.
"""

from typing import Final

import msgspec

from services.execution.diff import RENEW_BEFORE_NS
from services.execution.lifecycle import Order
from shared.facts import Side
from shared.identifiers import ConditionId, StrategyName, TokenId
from shared.targets import Target
from shared.units import NS_PER_S, BootNs, PriceE4, SizeE6

CHANGED_NS: Final = NS_PER_S
"""Between two intentions of one place in a market: cancel and post take a while live, too."""

INTENTS_MAX: Final = 4_096
"""Places remembered; beyond that the oldest is forgotten, and intended once more."""

Place = tuple[StrategyName, ConditionId, TokenId, Side, int]


class Intended(msgspec.Struct, frozen=True):
    """One order that would rest.

    Attributes:
        price: As it was signed; wished: as the strategy said it, before the clamp.
        again_ns: When a real one would be renewed.
        changed_ns: When a changed wish may be intended.
    """

    price: PriceE4
    wished: PriceE4
    size: SizeE6
    post_only: bool
    reduce_only: bool
    again_ns: BootNs
    changed_ns: BootNs


class Rehearsal:
    """The newest intention of each place."""

    def __init__(self) -> None:
        """Begin with none."""
        self._intended: dict[Place, Intended] = {}

    def note(self, order: Order, now_ns: BootNs) -> None:
        """Keep an order that was withheld for no other reason than that nothing is sent."""
        record = order.record
        place = (record.strategy, record.market, record.token, record.side, record.level)
        self._intended.pop(place, None)
        if len(self._intended) >= INTENTS_MAX:
            self._intended.pop(next(iter(self._intended)))
        self._intended[place] = Intended(
            price=record.price_e4,
            wished=order.wished_price,
            size=record.size_e6,
            post_only=record.post_only,
            reduce_only=record.reduce_only,
            again_ns=BootNs(order.expires_ns - RENEW_BEFORE_NS),
            changed_ns=BootNs(now_ns + CHANGED_NS),
        )

    def holds(self, place: Place, target: Target, now_ns: BootNs) -> str:
        """Return why a wish is not intended again now, empty when it is."""
        known = self._intended.get(place)
        if known is None:
            return ""
        if now_ns < known.changed_ns:
            return "was intended just now"
        if now_ns < known.again_ns and _is_same(known, target):
            return "is intended and would rest"
        return ""


def _is_same(known: Intended, target: Target) -> bool:
    """Whether a wish is the one that was intended."""
    return (
        target.price in (known.price, known.wished)
        and target.size == known.size
        and target.post_only == known.post_only
        and target.reduce_only == known.reduce_only
    )
