"""Wished against live: the fewest cancels and posts, cancels first.

An order whose price and size still hold stays, and keeps its place in the queue. One that
must move is cancelled; its successor is posted once it is gone, so that an intent never
has two orders. Pure; what may be posted is the gate's decision, not this one's.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from services.execution.lifecycle import Order
from shared.facts import Side
from shared.identifiers import TokenId
from shared.targets import Target
from shared.units import NS_PER_S, BootNs, PriceE4

RENEW_BEFORE_NS: Final = 15 * NS_PER_S
"""An order is replaced this long before the venue drops it: time for a cancel and a post."""

TOP_UP_PARTS: Final = 2
"""An order filled below one part in so many of its wish is replaced by a whole one."""

Slot = tuple[TokenId, Side, int]
"""Token, side and level: with the market, the intent that at most one order serves."""


class Difference(msgspec.Struct, frozen=True):
    """What is to do for one strategy in one market.

    Attributes:
        cancels: Orders that do not belong there, with the reason.
        posts: Targets whose intent is free.
    """

    cancels: tuple[tuple[Order, str], ...]
    posts: tuple[Target, ...]


def difference(
    targets: Iterable[Target],
    orders: Iterable[Order],
    tick_e4: dict[TokenId, PriceE4],
    now_ns: BootNs,
) -> Difference:
    """Return the cancels and posts that lead from the live orders to the targets.

    Args:
        targets: One strategy's wish in one market; the first of a slot counts.
        orders: All its exposed orders in the market, in flight and being cancelled included.
        tick_e4: Price step in force of each token; an order off it is cancelled.
        now_ns: Present moment.
    """
    wished: dict[Slot, Target] = {}
    for target in targets:
        wished.setdefault((target.token, target.side, target.level), target)
    cancels: list[tuple[Order, str]] = []
    taken: set[Slot] = set()
    for order in orders:
        slot = (order.record.token, order.record.side, order.record.level)
        reason = _why_not(order, wished.get(slot), slot in taken, tick_e4, now_ns)
        taken.add(slot)
        if reason and not order.doom:
            cancels.append((order, reason))
    posts = tuple(target for slot, target in wished.items() if slot not in taken)
    return Difference(tuple(cancels), posts)


def _why_not(
    order: Order,
    target: Target | None,
    is_taken: bool,
    tick_e4: dict[TokenId, PriceE4],
    now_ns: BootNs,
) -> str:
    """Return why an order may not stay as it is; empty when it may."""
    record = order.record
    if target is None:
        return "not_wished"
    if is_taken:
        return "second_of_intent"
    tick = tick_e4.get(record.token)
    if tick is not None and record.price_e4 % tick:
        return "tick_changed"
    if target.price not in (record.price_e4, order.wished_price):
        return "price_moved"
    if target.post_only != record.post_only or target.reduce_only != record.reduce_only:
        return "kind_changed"
    if order.remaining_e6 > target.size:
        return "size_down"
    if order.remaining_e6 * TOP_UP_PARTS < target.size:
        return "size_up"
    if now_ns >= order.expires_ns - RENEW_BEFORE_NS:
        return "expires_soon"
    return ""
