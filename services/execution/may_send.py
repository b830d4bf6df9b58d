"""Whether a post may leave now: asked when it is decided and again directly before its write.

Pure. With the check only before a queue, posts left after their lease had ended; a process
that was stopped between check and write is covered by the order's own deadline at the venue.
"""

from typing import Final

import msgspec

from shared.effects import Effect
from shared.identifiers import OrderHash
from shared.trading_state import TradingState, lets_pass
from shared.units import NS_PER_MS, BootNs
from shared.venue.order_hash import ExchangeDomain, UnsignedOrder

POST_WAIT_NS_MAX: Final = 200 * NS_PER_MS
"""A post that could not be written so soon rests on a picture that is gone: decided anew."""


DRY_RUN: Final = "DRY_RUN"
"""Why a post of a dry run did not leave, once everything else would have let it."""


DOOMED: Final = "doomed"
"""Why a post did not leave that waited for its commit until nobody wished it any more."""


class Permit(msgspec.Struct, frozen=True):
    """What a post was allowed under.

    Attributes:
        not_after_ns: CLOCK_BOOTTIME after which the decision is too old to leave.
        epoch: Newest epoch received when it was decided.
        reduce_only: Whether it may pass while only reducing is granted.
    """

    order_id: OrderHash
    epoch: int
    not_after_ns: BootNs
    reduce_only: bool


class Permits(msgspec.Struct, frozen=True):
    """What each order of a batch was allowed under: all of them hold, or none is sent."""

    permits: tuple[Permit, ...]


class Grant(msgspec.Struct, frozen=True):
    """What execution holds at a moment.

    Attributes:
        epoch: Newest that was received.
        until_ns: End of the lease, 0 without one.
        state: What the lease grants.
        blocked: Why nothing may be placed whatever the lease says; empty when nothing blocks.
        is_dry: Whether posts are decided and recorded only (`[run] dry_run`).
    """

    epoch: int
    until_ns: BootNs
    state: TradingState
    blocked: str
    is_dry: bool = False


class PlaceOrder(Effect, frozen=True):
    """Sign an order and post it; its intent is in a `Journal` of the same turn.

    Answered by `HttpReply` or `HttpFailed` with the same request id.

    Attributes:
        order_id: Hash of `order` under `domain`.
        expiration_s: Wall seconds, outside the signed struct.
        deadline_ns: Total deadline of the request.
    """

    request_id: int
    order_id: OrderHash
    order: UnsignedOrder
    domain: ExchangeDomain
    expiration_s: int
    post_only: bool
    permit: Permit
    deadline_ns: BootNs


class PlaceOrders(Effect, frozen=True):
    """Sign some orders and post them in one request; all their intents are journaled.

    Answered once, by `HttpReply` or `HttpFailed` with its own request id.

    Attributes:
        orders: Two at least, no more than the venue takes; their own request ids are void.
        deadline_ns: Total deadline of the request.
    """

    request_id: int
    orders: tuple[PlaceOrder, ...]
    deadline_ns: BootNs


def may_send(permit: Permit, grant: Grant, now_ns: BootNs) -> str | None:
    """Return why a post may not leave at this moment, or None when it may.

    Args:
        permit: Of the post.
        grant: What is held now.
        now_ns: A fresh reading of CLOCK_BOOTTIME.
    """
    if grant.blocked:
        return grant.blocked
    if permit.epoch != grant.epoch:
        return "epoch"
    if now_ns >= grant.until_ns:
        return "lease"
    if not lets_pass(grant.state, reduce_only=permit.reduce_only):
        return "trading_state"
    if now_ns > permit.not_after_ns:
        return "too_late"
    return DRY_RUN if grant.is_dry else None
