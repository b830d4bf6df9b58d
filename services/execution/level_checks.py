"""DG-1 and DG-2 at the gate: what the level of degradation leaves of an order's size.

Enforced here whatever a strategy wishes: half of the usual size at REDUCED, and nothing that
opens at a worse level. An order that closes a position is bounded by what is held.
"""

from services.execution.lifecycle import Order
from services.execution.order_checks import CLOSING, Candidate, Denial, Load, check_order
from shared.config import Config
from shared.facts import BookView, MarketInfo
from shared.level import Level, rank, size_at
from shared.units import SHARE_E6, SizeE6


def size_max_e6(level: Level, info: MarketInfo, config: Config) -> SizeE6 | None:
    """Return the largest order of a market at a level, 1e-6 share; None for no bound of its own."""
    if level == "NORMAL":
        return None
    full = SizeE6(config.strategy.market_making.size_shares * SHARE_E6)
    return size_at(level, full, info.min_size_e6)


def check_at(
    level: Level, candidate: Candidate, book: BookView | None, load: Load, config: Config
) -> Denial | None:
    """Return why an order is denied, by the level or by any other check of a single order."""
    denied = check_level(candidate, level, config)
    return denied or check_order(candidate, book, load, config.limits)


def check_level(candidate: Candidate, level: Level, config: Config) -> Denial | None:
    """Return why the level denies an order, or None when it does not."""
    target = candidate.target
    if target.reduce_only or level == "NORMAL":
        return None
    if rank(level) >= rank("EMERGENCY"):
        return Denial("level", level)
    size_max = size_max_e6(level, candidate.market, config)
    if size_max is not None and target.size > size_max:
        return Denial("reduced_size", f"{target.size} of {size_max}")
    return None


def is_oversized(order: Order, level: Level, info: MarketInfo | None, config: Config) -> bool:
    """Tell whether an order that rests is larger than the level lets one be."""
    record = order.record
    if info is None or record.reduce_only or record.purpose in CLOSING:
        return False
    size_max = size_max_e6(level, info, config)
    return size_max is not None and record.size_e6 - record.filled_e6 > size_max
