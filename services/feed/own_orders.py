"""Our open orders as the user stream told them, compared with what the venue answers.

Decides whether the stream has told everything: the same orders, each with the same matched
size. An order that changed a moment ago, on either side, is given time; one that stays
different means that the stream has lost something.

Source: terminal updates that never came, and updates before the placement they belong to, in
https://github.com/nautechsystems/nautilus_trader/issues/3797 and #3770.
"""

from collections.abc import Iterable

import msgspec

from shared.facts import OwnOrder
from shared.identifiers import OrderHash
from shared.units import NS_PER_S, MonotonicNs, SizeE6

GRACE_NS = 2 * NS_PER_S
"""Stream and answer are taken at different moments, and the venue holds a marketable order up to a
quarter of a second; a healthy stream has caught up long before."""

GONE_KEPT_MAX = 2_000
"""Orders remembered after they left the market, so that a late update does not revive one."""

KNOWN_MAX = 6_000
"""Orders remembered in all: three times what a list of the venue can hold, so that no stream,
however wrong, fills the memory. One that was forgotten while it rests shows as a difference."""

OPEN_STATUSES = frozenset({"LIVE", "DELAYED"})

DUST_E6 = 10_000
"""An order with no more than this left counts as filled. Source:
https://github.com/nautechsystems/nautilus_trader/blob/develop/docs/integrations/polymarket.md"""


class _Known(msgspec.Struct):
    is_open: bool
    matched: SizeE6 | None
    touched_ns: MonotonicNs


class OwnOrders:
    """What the stream has told of our orders on this connection."""

    def __init__(self) -> None:
        """Know of none."""
        self._known: dict[OrderHash, _Known] = {}
        self._different_since_ns: dict[OrderHash, MonotonicNs] = {}

    def begin(self, orders: Iterable[OwnOrder], now_ns: MonotonicNs) -> None:
        """Start over from what the venue answered after a connection was made.

        What the stream has told since it opened is newer than the answer and stays, but for
        a matched size: that only grows.
        """
        for order in orders:
            known = self._known.get(order.order_id)
            if known is None:
                self._known[order.order_id] = _Known(_is_open(order), order.size_matched_e6, now_ns)
            else:
                _grow(known, order)

    def forget(self) -> None:
        """Forget everything, as on a new connection."""
        self._known.clear()
        self._different_since_ns.clear()

    def apply(self, order: OwnOrder, at_ns: MonotonicNs) -> None:
        """Take an event of the stream; an order that is gone stays gone."""
        known = self._known.get(order.order_id)
        is_open = _is_open(order)
        if known is None:
            self._known[order.order_id] = _Known(is_open, order.size_matched_e6, at_ns)
            self._bound()
            return
        known.is_open = known.is_open and is_open
        _grow(known, order)
        known.touched_ns = at_ns

    def compare(self, asked: Iterable[OwnOrder], asked_ns: MonotonicNs) -> tuple[OrderHash, ...]:
        """Return the orders that differ although they had time to agree; none is agreement.

        Args:
            asked: All open orders as the venue answered.
            asked_ns: When it was asked.
        """
        at_venue = {order.order_id: order.size_matched_e6 for order in asked}
        streamed = {key: known for key, known in self._known.items() if known.is_open}
        different = {
            order_id
            for order_id in at_venue.keys() | streamed.keys()
            if not self._agrees(order_id, at_venue)
        }
        self._different_since_ns = {
            order_id: self._different_since_ns.get(order_id, asked_ns) for order_id in different
        }
        return tuple(
            sorted(
                order_id
                for order_id, since_ns in self._different_since_ns.items()
                if asked_ns - since_ns >= GRACE_NS
            )
        )

    @property
    def is_agreed(self) -> bool:
        """Tell whether the last comparison found no difference at all."""
        return not self._different_since_ns

    def _agrees(self, order_id: OrderHash, at_venue: dict[OrderHash, SizeE6 | None]) -> bool:
        known = self._known.get(order_id)
        if known is None or not known.is_open:
            return order_id not in at_venue
        if order_id not in at_venue:
            return False
        matched = at_venue[order_id]
        return matched is None or known.matched is None or matched == known.matched

    def _bound(self) -> None:
        """Forget the longest gone orders beyond the bound, and open ones only beyond the last."""
        if len(self._known) > KNOWN_MAX:
            del self._known[next(iter(self._known))]
        if len(self._known) <= GONE_KEPT_MAX:
            return
        gone = [order_id for order_id, known in self._known.items() if not known.is_open]
        for order_id in gone[: max(0, len(gone) - GONE_KEPT_MAX)]:
            del self._known[order_id]


def _grow(known: _Known, order: OwnOrder) -> None:
    if order.size_matched_e6 is not None:
        known.matched = SizeE6(max(known.matched or 0, order.size_matched_e6))


def _is_open(order: OwnOrder) -> bool:
    """Tell whether an order rests; MATCHED has been sent for a part of it, too."""
    if order.status != "MATCHED":
        return order.status in OPEN_STATUSES
    if order.size_matched_e6 is None or order.original_size_e6 is None:
        return False
    return order.original_size_e6 - order.size_matched_e6 > DUST_E6
