"""Wished against live: the fewest cancels and posts, cancels first.

An order whose price and size still hold stays, and keeps its place in the queue. One that
must move is cancelled; its successor is posted once it is gone, so that an intent never
has two orders. Pure; what may be posted is the gate's decision, not this one's.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from services.execution.lifecycle import Order
from shared.facts import Side
from shared.identifiers import TokenId
from shared.targets import Target
from shared.units import NS_PER_MS, NS_PER_S, BootNs, PriceE4
from shared.venue.amounts import SIZE_STEP_E6

RENEW_BEFORE_NS: Final = 15 * NS_PER_S
"""An order is replaced this long before the venue drops it: time for a cancel and a post."""

TOP_UP_PARTS: Final = 2
"""An order filled below one part in so many of its wish is replaced by a whole one."""

TAKES_WITHIN_NS: Final = 500 * NS_PER_MS
"""A closing order that takes has taken by then: the venue's hold of takers is half as long."""

REMAINDER: Final = "remainder"
"""Why the rest of a closing order that takes is cancelled: the venue's limit orders rest, and
a rest at the worst price would wait there to be taken. It is offered anew from the book."""

NOT_KNOWN: Final[Mapping[TokenId, int]] = MappingProxyType({})

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
    tick_e4: Mapping[TokenId, PriceE4],
    now_ns: BootNs,
    sellable_e6: Mapping[TokenId, int] = NOT_KNOWN,
) -> Difference:
    """Return the cancels and posts that lead from the live orders to the targets.

    Args:
        targets: One strategy's wish in one market; the first of a slot counts.
        orders: All its exposed orders in the market, in flight and being cancelled included.
        tick_e4: Price step in force of each token; an order off it is cancelled.
        now_ns: Present moment.
        sellable_e6: Shares of each token that may be offered beside these orders. A sell is
            not replaced by a larger one that would find no shares: the wish is older than the
            fill that it does not know of.
    """
    wished: dict[Slot, Target] = {}
    for target in targets:
        wished.setdefault((target.token, target.side, target.level), target)
    cancels: list[tuple[Order, str]] = []
    taken: set[Slot] = set()
    for order in orders:
        slot = (order.record.token, order.record.side, order.record.level)
        reason = _why_not(order, wished.get(slot), slot in taken, tick_e4)
        reason = reason or _why_larger(order, wished.get(slot), sellable_e6)
        reason = reason or _why_spent(order, now_ns)
        taken.add(slot)
        if reason and not order.doom:
            cancels.append((order, reason))
    posts = tuple(target for slot, target in wished.items() if slot not in taken)
    return Difference(tuple(cancels), posts)


def _why_not(
    order: Order,
    target: Target | None,
    is_taken: bool,
    tick_e4: Mapping[TokenId, PriceE4],
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
    return ""


def _why_larger(
    order: Order, target: Target | None, sellable_e6: Mapping[TokenId, int]
) -> Literal["size_up", ""]:
    """Return whether a whole order should stand where a small rest of one does."""
    if target is None or order.remaining_e6 * TOP_UP_PARTS >= target.size:
        return ""
    beside = sellable_e6.get(target.token)
    if target.side == "SELL" and beside is not None and beside + order.remaining_e6 < target.size:
        return ""
    return "size_up"


def _why_spent(order: Order, now_ns: BootNs) -> str:
    """Return why an order is at its end, whatever is wished; empty when it is not."""
    record = order.record
    if record.filled_e6 and order.remaining_e6 < SIZE_STEP_E6:
        # Less than any order may be: nothing can match it (EX-27).
        return "dust"
    takes = record.reduce_only and not record.post_only
    if takes and order.live_ns and now_ns - order.live_ns >= TAKES_WITHIN_NS:
        return REMAINDER
    if now_ns >= order.expires_ns - RENEW_BEFORE_NS:
        return "expires_soon"
    return ""
