"""One order through its life, and the moments that bound it.

Pure rules on single orders: what an event in any order of arrival makes of a row, how far
an order counts as filled, until when the venue could still take it, and when it dies by
itself. The table of states is `shared/orders.py`; this file says which of the venue's
reports are no news to a row that already knows better.

Source of the expiry rules: https://docs.polymarket.com/trading/place-orders (2026-09-28):
a GTD order needs an expiration at least 180 s ahead and dies 60 s before it.
"""

from typing import Final

import msgspec

from services.execution.may_send import POST_WAIT_NS_MAX
from shared.ledger_schema import OrderRecord
from shared.orders import EXPOSED, TERMINAL, TRANSITIONS, OrderEvent
from shared.proof import VENUE_CLOCK_ALLOWANCE_NS
from shared.units import NS_PER_MS, NS_PER_S, BootNs, Instant, PriceE4, SizeE6, WallNs
from shared.venue.rules import GTD_EXPIRATION_MIN_S, GTD_LEAD_S

NEVER_NS: Final = BootNs(2**63 - 1)
"""An adopted order may have no expiry: it is gone only when the venue says so."""


class Order(msgspec.Struct):
    """An order's row, and what only this run needs to know of it. Changes in place.

    Attributes:
        deadline_ns: Last moment at which the venue could take it, socket time-out included.
        expires_ns: When the venue drops it by itself.
        wished_price: What the strategy asked for, before the clamp inside the spread.
        post_request: Request that carries it; 0 when none is outstanding.
        live_ns: Since when it is known to rest; 0 before.
        legs_e6: Sum of the trade legs counted for it, failed ones included.
        doom: Why it is being cancelled; empty when it is not.
        cancel_request: Request that cancels it; 0 when none is outstanding.
        cancel_after_ns: No cancel of it is repeated before.
        cancel_since_ns: When the first cancel that it still resists was sent; 0 for none.
        cancel_sent_ns: When the newest was sent.
        cancels_gone: Answers to cancels of it that called it gone, while we hold it to rest.
        cancels_failed: Cancels of it in a row that brought nothing.
        said_gone: Whether the venue answered a cancel of it by saying that it is not there.
        absent_reads: Whole reads in a row, sent while it was live, that did not show it.
        unlisted_ns: When the newest whole read that did not show it was sent; 0 while the
            newest one shows it, or there is none.
        not_found_ns: When the question was sent that did not find it after its deadline; 0 while
            there is none, or it was seen since.
        look_request: Request that asks for it; 0 when none is outstanding.
        look_after_ns: It is not asked for before.
        unseen_since_ns: When it ended by a word that does not say how much was filled before;
            0 while it has not, and once that is known.
        is_ghost: Whether it has ended here and the venue's newest list shows it all the same.
    """

    record: OrderRecord
    deadline_ns: BootNs
    expires_ns: BootNs
    wished_price: PriceE4
    post_request: int = 0
    live_ns: BootNs = BootNs(0)
    legs_e6: int = 0
    doom: str = ""
    cancel_request: int = 0
    cancel_after_ns: BootNs = BootNs(0)
    cancel_since_ns: BootNs = BootNs(0)
    cancel_sent_ns: BootNs = BootNs(0)
    cancels_gone: int = 0
    cancels_failed: int = 0
    said_gone: bool = False
    absent_reads: int = 0
    unlisted_ns: BootNs = BootNs(0)
    not_found_ns: BootNs = BootNs(0)
    look_request: int = 0
    look_after_ns: BootNs = BootNs(0)
    unseen_since_ns: BootNs = BootNs(0)
    is_ghost: bool = False

    @property
    def is_exposed(self) -> bool:
        """Whether it is, or may come to be, in the market."""
        return self.record.state in EXPOSED

    @property
    def remaining_e6(self) -> SizeE6:
        """What may still be filled; nothing of a terminal order."""
        if not self.is_exposed:
            return SizeE6(0)
        return SizeE6(self.record.size_e6 - self.record.filled_e6)

    @property
    def untold_e6(self) -> int:
        """What the venue counts as filled and no trade has told yet: bought or sold, but where?"""
        return max(0, self.record.filled_e6 - self.legs_e6)

    @property
    def unseen_e6(self) -> int:
        """What may have been filled and no trade has told: counted, or possible before its end.

        An order that is answered to be canceled or absent may have matched a moment before,
        and neither answer says how much.
        """
        ended = (self.unseen_since_ns or self.is_ghost) and not self.is_exposed
        possible = self.record.size_e6 - self.record.filled_e6 if ended else 0
        return self.untold_e6 + possible

    @property
    def outstanding_e6(self) -> SizeE6:
        """What may still become a fill that no trade has told."""
        return SizeE6(self.remaining_e6 + self.unseen_e6)

    def is_unresolved(self, now_ns: BootNs) -> bool:
        """Whether it is neither terminal nor past its deadline: it may still arrive."""
        return self.is_exposed and now_ns < self.deadline_ns


def expiration_s(wall_ns: int, late_order_margin_ms: int) -> int:
    """Return the shortest expiration that the venue takes, plus the margin, in wall seconds.

    Rounded down, so that an order is refused at the latest the margin after now; but never
    so far that the venue would refuse it at once.
    """
    wished_ns = wall_ns + GTD_EXPIRATION_MIN_S * NS_PER_S + late_order_margin_ms * NS_PER_MS
    earliest_s = -(-wall_ns // NS_PER_S) + GTD_EXPIRATION_MIN_S
    return int(max(wished_ns // NS_PER_S, earliest_s))


def deadline_wall_ns(posted_expiration_s: int, wall_ns: int, socket_timeout_ms: int) -> WallNs:
    """Return the last moment at which the venue could take an order decided at `wall_ns`.

    Its lateness rule decides, no sooner than the time-out of the socket after the last
    moment at which our own write could have happened.
    """
    late_ns = (posted_expiration_s - GTD_EXPIRATION_MIN_S) * NS_PER_S + VENUE_CLOCK_ALLOWANCE_NS
    written_ns = wall_ns + POST_WAIT_NS_MAX + socket_timeout_ms * NS_PER_MS
    return WallNs(max(late_ns, written_ns))


def expires_wall_ns(posted_expiration_s: int) -> WallNs:
    """Return when the venue drops an order by itself, at the latest."""
    seconds = posted_expiration_s - GTD_LEAD_S
    return WallNs(seconds * NS_PER_S + VENUE_CLOCK_ALLOWANCE_NS)


def to_boot_ns(wall_ns: int, now: Instant) -> BootNs:
    """Return a wall moment on the clock of this boot, by the two readings of one instant."""
    return BootNs(now.boot_ns + wall_ns - now.wall_ns)


def as_order(record: OrderRecord, now: Instant) -> Order:
    """Return an order around its row, as it is decided, adopted or read back from the ledger."""
    expires_ns = NEVER_NS
    if record.expiration_s:
        expires_ns = to_boot_ns(expires_wall_ns(record.expiration_s), now)
    return Order(
        record=record,
        deadline_ns=to_boot_ns(record.deadline_wall_ns, now),
        expires_ns=expires_ns,
        wished_price=record.price_e4,
    )


def advance(
    record: OrderRecord, event: OrderEvent, now: Instant, reason: str = ""
) -> OrderRecord | None:
    """Return the row after an event, or None when the event is no news to it.

    Reports come late, twice and in any order: a terminal row stays as it is, and a row that
    is known to rest is not made unknown, unsent or refused by a slower report.
    """
    if record.state in TERMINAL:
        return None
    following = TRANSITIONS[record.state].get(event)
    if following is None or following == record.state:
        return None
    return msgspec.structs.replace(
        record, state=following, reason=reason, updated_wall_ns=now.wall_ns
    )


def with_filled(record: OrderRecord, filled_e6: int, now: Instant) -> OrderRecord | None:
    """Return the row with more filled, or None when that is no news.

    Filled size only grows and never passes the ordered size; a terminal state stays.
    """
    filled = SizeE6(min(filled_e6, record.size_e6))
    if filled <= record.filled_e6:
        return None
    grown = msgspec.structs.replace(record, filled_e6=filled, updated_wall_ns=now.wall_ns)
    event: OrderEvent = "filled_fully" if filled == record.size_e6 else "filled_partly"
    return advance(grown, event, now) or grown
