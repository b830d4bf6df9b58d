"""Every order of ours: the one place where an order's row changes.

Keeps what waits to be journaled and published, and answers the sums that limits need.
Decides nothing about placing or cancelling.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from services.execution import troubles
from services.execution.lifecycle import Order, advance, as_order, with_filled
from services.execution.troubles import Trouble
from shared.facts import OrderFact, Side
from shared.identifiers import ConditionId, OrderHash, StrategyName, TokenId
from shared.ledger_schema import OrderRecord
from shared.orders import OrderEvent, OrderState
from shared.units import NS_PER_S, BootNs, Instant, SizeE6

UNSEEN_NS: Final = 2 * NS_PER_S
"""A read of all trades sent this long after an order's end shows all of its fills."""

ENDS_UNSEEN: Final[frozenset[OrderEvent]] = frozenset({"canceled", "expired", "absent"})
"""Ends that may follow a fill which nobody has told yet."""

ORDERS_MEMORY_MAX: Final = 20_000
"""Terminal orders kept for late reports: eleven minutes at the highest rate, hours in calm."""


class OrderRegister:
    """All orders by their hash, in the order of their making.

    Attributes:
        unjournaled: Rows that changed since the ledger was last written, newest per order.
        unpublished: Rows that changed since they were last published.
        turned_away: Orders that the venue ended without having been asked to, since the caller
            last looked.
        troubles: What people have not been told yet.
    """

    def __init__(self, restored: Iterable[OrderRecord], now: Instant) -> None:
        """Begin with the rows that the ledger still holds open or recent."""
        self._orders: dict[OrderHash, Order] = {}
        self._exposed: dict[OrderHash, Order] = {}
        self._unseen: dict[OrderHash, Order] = {}
        self.unjournaled: dict[OrderHash, OrderRecord] = {}
        self.unpublished: dict[OrderHash, OrderRecord] = {}
        self.turned_away: list[Order] = []
        self.troubles: list[Trouble] = []
        for record in restored:
            order = as_order(record, now)
            self._orders[record.order_id] = order
            if order.is_exposed:
                self._exposed[record.order_id] = order

    def __len__(self) -> int:
        """Return how many orders are remembered."""
        return len(self._orders)

    def __iter__(self) -> Iterator[Order]:
        """Walk every remembered order."""
        return iter(tuple(self._orders.values()))

    def find(self, order_id: OrderHash) -> Order | None:
        """Return an order of ours; None for one that is not, or is forgotten."""
        return self._orders.get(order_id)

    def add(self, order: Order) -> None:
        """Take a new order in."""
        order_id = order.record.order_id
        assert order_id not in self._orders, "an order's hash is made once"
        self._orders[order_id] = order
        self._exposed[order_id] = order
        self._note(order)
        self._forget_oldest()

    def apply(self, order: Order, event: OrderEvent, now: Instant, reason: str = "") -> bool:
        """Apply an event to an order; return whether it was news."""
        changed = advance(order.record, event, now, reason)
        if changed is None:
            return False
        if order.record.state == "LIVE" and changed.state == "UNKNOWN":
            self.troubles.append(troubles.order_contradicted(order.record, reason))
        if event == "canceled" and not order.doom:
            self.turned_away.append(order)
        order.record = changed
        if changed.state in ("LIVE", "PARTLY_FILLED") and not order.live_ns:
            order.live_ns = now.boot_ns
        if event in ENDS_UNSEEN and not order.is_exposed:
            order.unseen_since_ns = now.boot_ns
        self._note(order)
        return True

    def tell_filled(self, order: Order) -> None:
        """Note that the venue has said how much of an ended order was filled."""
        if not order.is_exposed:
            order.unseen_since_ns = BootNs(0)
            self._note_unseen(order)

    def tell_trades(self, read_ns: BootNs, since_wall_ns: int) -> None:
        """Note that all trades since a wall moment were read, by a question sent at a moment."""
        for order in tuple(self._unseen.values()):
            is_covered = since_wall_ns <= order.record.created_wall_ns
            if is_covered and order.unseen_since_ns and read_ns >= _told_after_ns(order):
                self.tell_filled(order)

    def note_ghosts(self, listed: Iterable[OrderHash]) -> None:
        """Note which ended orders the venue lists: what is left of them may still be filled."""
        ghosts = frozenset(listed)
        for order in (*self._unseen.values(), *map(self._orders.__getitem__, ghosts)):
            order.is_ghost = order.record.order_id in ghosts
            self._note_unseen(order)

    def awaits_trades(self, asked_ns: BootNs, now_ns: BootNs) -> bool:
        """Whether an ended order waits for a newer read of trades than that asked at a moment."""
        return any(
            order.unseen_since_ns and asked_ns < _told_after_ns(order) <= now_ns
            for order in self._unseen.values()
        )

    def fill(self, order: Order, filled_e6: int, now: Instant) -> bool:
        """Raise what counts as filled of an order; return whether it was news."""
        changed = with_filled(order.record, filled_e6, now)
        if changed is None:
            return False
        if changed.state in ("NOT_SENT", "REJECTED"):
            # It cannot have been, and it was: what is left of it may still rest there.
            order.unseen_since_ns = now.boot_ns
            self.troubles.append(troubles.order_contradicted(order.record, "filled"))
        order.record = changed
        if not order.live_ns:
            order.live_ns = now.boot_ns
        self._note(order)
        return True

    def count_leg(self, order: Order, size_e6: int, now: Instant) -> None:
        """Count a trade's leg for its order: at least that much of it is filled."""
        order.legs_e6 += size_e6
        self.fill(order, max(order.legs_e6, order.record.filled_e6), now)
        self._note_unseen(order)

    def restore_legs(self, legs_e6: dict[OrderHash, int]) -> None:
        """Take from the ledger how much trades have told of each order."""
        for order_id, order in self._orders.items():
            order.legs_e6 = legs_e6.get(order_id, 0)
            if order.is_exposed:
                self._note_unseen(order)

    def mark_sent(self, order: Order, sent_ns: BootNs, now: Instant) -> None:
        """Keep when an order's first byte was written."""
        if order.record.sent_wall_ns == 0 and sent_ns:
            wall_ns = now.wall_ns - (now.boot_ns - sent_ns)
            order.record = msgspec.structs.replace(order.record, sent_wall_ns=wall_ns)
            self._note(order)
            self.apply(order, "sent", now)

    def exposed(self) -> tuple[Order, ...]:
        """Return every order that is, or may come to be, in the market."""
        return tuple(self._exposed.values())

    def count(self, *states: OrderState) -> int:
        """Return how many exposed orders are in any of these states."""
        return sum(1 for order in self._exposed.values() if order.record.state in states)

    def has_posts(self) -> bool:
        """Whether a post has neither an answer nor been given back."""
        return any(order.post_request for order in self._exposed.values())

    def unresolved(self, now_ns: BootNs) -> tuple[int, BootNs]:
        """Return how many orders may still arrive at the venue, and their latest deadline."""
        waiting = [o for o in self._exposed.values() if o.is_unresolved(now_ns)]
        return len(waiting), max((o.deadline_ns for o in waiting), default=BootNs(0))

    def open_size_e6(
        self, token: TokenId, side: Side, strategy: StrategyName | None = None
    ) -> SizeE6:
        """Return what may still be filled on one side of a token."""
        return SizeE6(
            sum(
                order.remaining_e6
                for order in self._exposed.values()
                if order.record.token == token
                and order.record.side == side
                and strategy in (None, order.record.strategy)
            )
        )

    def unseen_e6(self, token: TokenId, side: Side, strategy: StrategyName | None = None) -> int:
        """Return what may have been filled in a token without a trade that says so."""
        return sum(
            order.unseen_e6
            for order in self._unseen.values()
            if order.record.token == token
            and order.record.side == side
            and strategy in (None, order.record.strategy)
        )

    def outstanding_e6(
        self, token: TokenId, side: Side, strategy: StrategyName | None = None
    ) -> int:
        """Return all that may still become a fill on one side of a token."""
        return self.open_size_e6(token, side, strategy) + self.unseen_e6(token, side, strategy)

    def outstanding(self) -> tuple[Order, ...]:
        """Return every order that may still become a fill which no trade has told."""
        return tuple({**self._exposed, **self._unseen}.values())

    def markets(self) -> frozenset[ConditionId]:
        """Return every market with an exposed order."""
        return frozenset(order.record.market for order in self._exposed.values())

    def rejournal(self, records: Iterable[OrderRecord]) -> None:
        """Put rows back whose commit failed, unless newer ones wait already."""
        for record in records:
            self.unjournaled.setdefault(record.order_id, record)

    def _note(self, order: Order) -> None:
        """Keep the indices and the queues right after a change."""
        order_id = order.record.order_id
        if not order.is_exposed:
            self._exposed.pop(order_id, None)
        self._note_unseen(order)
        self.unjournaled[order_id] = order.record
        self.unpublished[order_id] = order.record

    def _note_unseen(self, order: Order) -> None:
        """Keep the index of orders that may have fills which no trade has told."""
        if order.unseen_e6:
            self._unseen[order.record.order_id] = order
        else:
            self._unseen.pop(order.record.order_id, None)

    def _forget_oldest(self) -> None:
        """Drop the oldest terminal order beyond the bound; exposed ones are never forgotten."""
        if len(self._orders) <= ORDERS_MEMORY_MAX:
            return
        for order_id, order in self._orders.items():
            if not order.is_exposed:
                del self._orders[order_id]
                self._unseen.pop(order_id, None)
                return


def _told_after_ns(order: Order) -> BootNs:
    """Return from when on a read of trades shows every fill of an ended order."""
    return BootNs(order.unseen_since_ns + UNSEEN_NS)


def as_fact(order: Order, now: Instant) -> OrderFact:
    """Return an order's row as it is published."""
    record = order.record
    return OrderFact(
        order_id=record.order_id,
        strategy=record.strategy,
        market=record.market,
        token=record.token,
        side=record.side,
        level=record.level,
        price=record.price_e4,
        size=record.size_e6,
        filled=record.filled_e6,
        state=record.state,
        reason=record.reason,
        epoch=record.epoch,
        created_ns=BootNs(now.boot_ns - (now.wall_ns - record.created_wall_ns)),
    )
