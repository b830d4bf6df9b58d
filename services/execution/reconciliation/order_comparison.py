"""Open orders as the venue lists them against ours, whole read by whole read.

A difference counts once it has stood for the grace between two reads that both show it, as a
list may lag behind an answer; one in a number that was signed counts at once. Finds the
ghosts, which we hold for ended and the venue lists; cancelling them, and what follows from
a difference, is decided elsewhere.
"""

from typing import Final

import msgspec

from services.execution.lifecycle import Order
from services.execution.order_register import OrderRegister
from services.execution.reconciliation.agreement import Difference
from services.execution.reconciliation.paged_read import Read
from shared.facts import OwnOrder
from shared.identifiers import OrderHash
from shared.orders import TERMINAL
from shared.units import NS_PER_MS, BootNs, Instant, WallNs

FILLED_TOLERANCE_E6: Final = 10_000
"""A hundredth of a share: what sums over trades may differ by from the venue's count."""

SIGNED: Final = frozenset({"token", "side", "price_e4", "size_e6"})
"""Numbers that were signed and never change: no lag explains another."""

SIZE_E6: Final = 1_000_000
"""The venue's schema shows sizes in units, its answers in shares: the other form of the same
size is no difference. Source: https://docs.polymarket.com/api-reference (2026-09-28)."""

_Key = tuple[OrderHash, str]


class _Standing(msgspec.Struct):
    """A difference, since which read it has been shown by each."""

    difference: Difference
    since_ns: BootNs
    newest_ns: BootNs


class OrderComparison:
    """What the newest reads disagree about.

    Attributes:
        ghosts: Orders that have ended here and that the newest read lists.
    """

    def __init__(self, register: OrderRegister, grace_ms: int) -> None:
        """Begin with no read."""
        self._register = register
        self._grace_ns = grace_ms * NS_PER_MS
        self._standing: dict[_Key, _Standing] = {}
        self.ghosts: tuple[OrderHash, ...] = ()

    def take_read(self, read: Read[OwnOrder], now: Instant) -> None:
        """Compare a whole read, after its reports were applied."""
        assert read.rows is not None, "a read that said nothing is not compared"
        found: dict[_Key, Difference] = {}
        ghosts: list[OrderHash] = []
        for row in read.rows:
            order = self._register.find(row.order_id)
            if order is None:
                continue
            if order.record.state in TERMINAL:
                if read.sent_ns > _boot_ns(order.record.updated_wall_ns, now):
                    ghosts.append(row.order_id)
                    found[row.order_id, "state"] = _state(order, row)
                continue
            found.update(_numbers(order, row, read.sent_ns, now))
        for order in self._register.exposed():
            if order.live_ns and order.absent_reads:
                name = f"order {order.record.order_id}"
                state = order.record.state
                found[order.record.order_id, "listed"] = Difference(name, state, "not listed")
        self.ghosts = tuple(ghosts)
        self._register.note_ghosts(ghosts)
        self._standing = {
            key: self._stand(key, difference, read.sent_ns) for key, difference in found.items()
        }

    def confirmed(self) -> tuple[Difference, ...]:
        """Return the differences that have stood for the grace, and those that need none."""
        return tuple(
            one.difference
            for (_, name), one in self._standing.items()
            if name in SIGNED or one.newest_ns - one.since_ns >= self._grace_ns
        )

    def _stand(self, key: _Key, difference: Difference, sent_ns: BootNs) -> _Standing:
        before = self._standing.get(key)
        since_ns = sent_ns if before is None else before.since_ns
        return _Standing(difference, since_ns, sent_ns)


def _boot_ns(wall_ns: WallNs, now: Instant) -> int:
    """Return a wall moment of this run on the clock of this boot."""
    return now.boot_ns - (now.wall_ns - wall_ns)


def _state(order: Order, row: OwnOrder) -> Difference:
    """Return the difference of an order that ended here alone."""
    return Difference(f"order {row.order_id}", order.record.state, f"listed as {row.status}")


def _numbers(order: Order, row: OwnOrder, sent_ns: BootNs, now: Instant) -> dict[_Key, Difference]:
    """Return what a listed order's numbers differ in from those that were signed and told."""
    record = order.record
    size_e6 = row.original_size_e6
    if size_e6 == record.size_e6 * SIZE_E6:
        size_e6 = None
    pairs: list[tuple[str, object, object]] = [
        ("token", record.token, row.token),
        ("side", record.side, row.side),
        ("price_e4", record.price_e4, row.price),
        ("size_e6", record.size_e6, size_e6),
    ]
    matched_e6 = row.size_matched_e6
    is_older = _boot_ns(record.updated_wall_ns, now) < sent_ns
    if matched_e6 is not None and is_older:
        behind_e6 = record.filled_e6 - matched_e6
        if behind_e6 > FILLED_TOLERANCE_E6:
            pairs.append(("filled_e6", record.filled_e6, matched_e6))
    return {
        (row.order_id, name): Difference(f"order {row.order_id} {name}", str(ours), str(theirs))
        for name, ours, theirs in pairs
        if theirs not in (ours, None)
    }
