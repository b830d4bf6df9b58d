"""What must hold for one single order: price, size, caps, collar, and no crossing of our own.

Pure predicates in a fixed order; the first that fails is the reason of the denial. The
worst case counts: every open buy filled, no open sell filled, and what the venue counts as
filled before any trade has told it.

Source of the limits: `shared/config.py`; of the rows: requirements EX-12, EX-14, EX-23,
EX-24, EX-26, KS-6 and INV-12.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from shared.config import LimitSettings
from shared.facts import BookView, MarketInfo, Side
from shared.identifiers import StrategyName, TokenId
from shared.targets import LEVELS_MAX, Target
from shared.units import PRICE_ONE_E4, SHARE_E6, MoneyE6, PriceE4, SizeE6, notional_e6
from shared.venue.amounts import (
    ceil_price,
    floor_price,
    is_marketable_value,
    is_price_on_grid,
    is_resting_size,
    is_size_signable,
    is_tick,
)
from shared.venue.rules import taker_fee

USD_E6: Final = 1_000_000

CLOSING: Final = frozenset({"unwind", "flatten", "stop"})
"""Purposes of orders that bring a position to an end."""


class Denial(msgspec.Struct, frozen=True):
    """Why the gate denies an order.

    Attributes:
        reason: Name that is counted and shown.
        value: What was judged, for people.
    """

    reason: str
    value: str = ""


class Candidate(msgspec.Struct, frozen=True):
    """An order as it would be posted.

    Attributes:
        price: After the clamp inside the spread.
        tick_e4: Price step in force.
    """

    strategy: StrategyName
    market: MarketInfo
    target: Target
    price: PriceE4
    tick_e4: PriceE4


class OwnQuote(msgspec.Struct, frozen=True):
    """An order of ours that is or may come to be in the market."""

    token: TokenId
    side: Side
    price: PriceE4


class Place(msgspec.Struct, frozen=True):
    """What one place binds at worst, and its own bounds; 0 where it has none.

    Attributes:
        name: `market`, `asset`, `strategy` or `account`.
        shares_e6: Shares that may come to be held, 1e-6.
        exposure_e6: Money that positions and open buys may bind, 1e-6 USD.
    """

    name: str
    shares_e6: int
    exposure_e6: int
    shares_max: int
    exposure_usd_max: int


class Load(msgspec.Struct, frozen=True):
    """What we hold and have out, worst case, before the candidate.

    Attributes:
        outcome_e6: Shares of the candidate's token, all open buys filled.
        outcome_least_e6: Shares of it for certain, all open sells filled.
        complement_e6: Shares of the other token for certain, all open sells filled.
        complement_most_e6: Shares of the other token, all open buys filled.
        unpaired_elsewhere_e6: Worst unpaired shares of every other market.
        exposure_e6: Cost of all positions and open buys, micro-dollars.
        available_e6: The strategy's confirmed shares of the token less its open sells.
        exposed_count: Orders open, in flight and unknown.
        exposed_max: How many of them the cancels at hand can take out, less a reserve.
        own_quotes: Of the candidate's market.
        places: Where the candidate counts and which have a bound of their own.
    """

    outcome_e6: int
    complement_e6: int
    unpaired_elsewhere_e6: int
    exposure_e6: int
    available_e6: int
    exposed_count: int
    exposed_max: int
    own_quotes: tuple[OwnQuote, ...]
    outcome_least_e6: int = 0
    complement_most_e6: int = 0
    places: tuple[Place, ...] = ()


def clamp_inside(target: Target, book: BookView, tick_e4: PriceE4) -> PriceE4 | Denial:
    """Return a wished price on the grid of the tick, a post-only one also inside the spread.

    A strategy that has not heard of a new tick yet wishes prices off its grid: they are moved to
    the next one that is no worse for us, down for a BUY and up for a SELL. A post-only price
    that would cross is moved inside the spread by one tick; an order that may take is not.
    """
    wished = snap(target.side, target.price, tick_e4)
    if not target.post_only:
        return wished
    if target.side == "BUY":
        best = book.asks[0][0] if book.asks else PriceE4(PRICE_ONE_E4)
        price = min(wished, floor_price(PriceE4(best - 1), tick_e4))
    else:
        best = book.bids[0][0] if book.bids else PriceE4(0)
        price = max(wished, PriceE4(floor_price(best, tick_e4) + tick_e4))
    if not tick_e4 <= price <= PRICE_ONE_E4 - tick_e4:
        return Denial("no_room_inside_spread", str(best))
    return PriceE4(price)


def snap(side: Side, price: PriceE4, tick_e4: PriceE4) -> PriceE4:
    """Return the nearest price on the grid that is no worse for us than a price."""
    return floor_price(price, tick_e4) if side == "BUY" else ceil_price(price, tick_e4)


def is_closing(target: Target) -> bool:
    """Tell whether an order can do nothing but bring a position to its end."""
    return target.reduce_only and target.purpose in CLOSING


def check_order(
    candidate: Candidate, book: BookView | None, load: Load, limits: LimitSettings
) -> Denial | None:
    """Return why an order is denied, or None when it may be placed."""
    checks: tuple[Callable[[], Denial | None], ...] = (
        lambda: _check_shape(candidate),
        lambda: _check_notional(candidate, limits),
        lambda: _check_collar(candidate, book, limits),
        lambda: _check_count(load, limits),
        lambda: _check_own_crossing(candidate, load),
        lambda: _check_sell(candidate, load, limits),
        lambda: _check_buy(candidate, load, limits),
    )
    for check in checks:
        denial = check()
        if denial is not None:
            return denial
    return None


def _check_shape(candidate: Candidate) -> Denial | None:
    """Tick, bounds, level and size, as the venue would refuse them."""
    target, tick = candidate.target, candidate.tick_e4
    if not is_tick(tick) or not is_price_on_grid(candidate.price, tick):
        return Denial("tick", f"{candidate.price} at {tick}")
    if target.purpose == "quote" and not target.post_only:
        return Denial("maker_only", "a quote that may take")
    if not 0 <= target.level < LEVELS_MAX:
        return Denial("level", str(target.level))
    if not is_size_signable(target.size):
        return Denial("size_step", str(target.size))
    if not is_resting_size(target.size, candidate.market.min_size_e6):
        # What is left of a position below the minimum cannot be sold: it is held to the end.
        name = "dust" if target.reduce_only and target.side == "SELL" else "min_size"
        return Denial(name, f"{target.size} of {candidate.market.min_size_e6}")
    if not target.post_only and not is_marketable_value(target.side, candidate.price, target.size):
        return Denial("min_notional", f"{candidate.price} x {target.size}")
    return None


def _check_notional(candidate: Candidate, limits: LimitSettings) -> Denial | None:
    """One order's value; one that closes a position is bounded by what is held."""
    if is_closing(candidate.target):
        return None
    notional = notional_e6(candidate.price, candidate.target.size)
    if notional > limits.order_notional_usd_max * USD_E6:
        return Denial("notional", str(notional))
    return None


def _check_collar(
    candidate: Candidate, book: BookView | None, limits: LimitSettings
) -> Denial | None:
    """No farther from the middle of the book than the collar; without a book, no order."""
    if book is None:
        return Denial("book_unknown")
    touch = [side[0][0] for side in (book.bids, book.asks) if side]
    if not touch:
        return Denial("book_empty")
    doubled_distance = abs(2 * candidate.price - (touch[0] + touch[-1]))
    if doubled_distance > 2 * limits.price_collar_e4:
        return Denial("collar", f"{candidate.price} beside {touch}")
    return None


def _check_count(load: Load, limits: LimitSettings) -> Denial | None:
    """Never more in the market than the cancels at hand can take out."""
    if load.exposed_count >= limits.open_orders_max:
        return Denial("open_orders", str(load.exposed_count))
    if load.exposed_count >= load.exposed_max:
        return Denial("cancel_reserve", f"{load.exposed_count} of {load.exposed_max}")
    return None


def _check_own_crossing(candidate: Candidate, load: Load) -> Denial | None:
    """An order that would match our own, in the same token or through its complement."""
    for own in load.own_quotes:
        if crosses(candidate.target, candidate.price, own):
            return Denial("own_crossing", f"{own.side} {own.price} of {own.token}")
    return None


def crosses(target: Target, price: PriceE4, own: OwnQuote) -> bool:
    """Tell whether an order at a price would match one of our own in the same market."""
    if own.token == target.token:
        bid, ask = (price, own.price) if target.side == "BUY" else (own.price, price)
        return own.side != target.side and bid >= ask
    if target.side == "BUY":
        return own.side == "BUY" and own.price + price >= PRICE_ONE_E4
    return own.side == "SELL" and own.price + price <= PRICE_ONE_E4


def _check_sell(candidate: Candidate, load: Load, limits: LimitSettings) -> Denial | None:
    """Only confirmed shares that no other sell already gives away, and no pair broken open.

    An order that closes a position passes the cap on unpaired shares: selling both sides of a
    pair leaves one of them alone for a moment.
    """
    target = candidate.target
    if target.side == "BUY":
        return Denial("reduce_only", "a buy adds") if target.reduce_only else None
    if target.size > load.available_e6:
        return Denial("inventory", f"{target.size} of {load.available_e6}")
    if is_closing(target):
        return None
    least = load.outcome_least_e6 - target.size
    return _check_unpaired(load, load.complement_most_e6 - least, limits)


def _check_buy(candidate: Candidate, load: Load, limits: LimitSettings) -> Denial | None:
    """Per-outcome cap, unpaired shares over all markets, and exposure."""
    target = candidate.target
    if target.side == "SELL":
        return None
    outcome = load.outcome_e6 + target.size
    if outcome > limits.shares_per_outcome_max * SHARE_E6:
        return Denial("outcome_cap", str(outcome))
    denial = _check_unpaired(load, outcome - load.complement_e6, limits)
    if denial is not None:
        return denial
    cost = cost_most_e6(
        candidate.price,
        target.size,
        post_only=target.post_only,
        fee_rate_e6=candidate.market.fee_rate_e6,
    )
    exposure = load.exposure_e6 + cost
    if exposure > limits.exposure_usd_max * USD_E6:
        return Denial("exposure_cap", str(exposure))
    return _check_places(load, target.size, cost)


def _check_places(load: Load, size: SizeE6, cost: MoneyE6) -> Denial | None:
    """The narrower caps: of the market, the asset, the strategy, and the account's shares."""
    for place in load.places:
        shares = place.shares_e6 + size
        if place.shares_max and shares > place.shares_max * SHARE_E6:
            return Denial(f"{place.name}_shares_cap", str(shares))
        exposure = place.exposure_e6 + cost
        if place.exposure_usd_max and exposure > place.exposure_usd_max * USD_E6:
            return Denial(f"{place.name}_exposure_cap", str(exposure))
    return None


def _check_unpaired(load: Load, here_e6: int, limits: LimitSettings) -> Denial | None:
    """Unpaired shares over all markets, with those that this one can come to."""
    unpaired = load.unpaired_elsewhere_e6 + max(0, here_e6)
    if unpaired > limits.unpaired_shares_global_max * SHARE_E6:
        return Denial("unpaired_cap", str(unpaired))
    return None


def worst_unpaired_e6(first: tuple[int, int], second: tuple[int, int]) -> SizeE6:
    """Return the most unpaired shares that a market can come to.

    Args:
        first: The most and the least that can come to be held of one token.
        second: Of the other.
    """
    return SizeE6(max(0, first[0] - second[1], second[0] - first[1]))


def cost_most_e6(price: PriceE4, size: SizeE6, *, post_only: bool, fee_rate_e6: int) -> MoneyE6:
    """Return the most that a buy can cost: its limit, rounded up, and the fee if it may take.

    A better price never costs more, its higher fee included.
    """
    cost = -(-price * size // PRICE_ONE_E4)
    return MoneyE6(cost if post_only else cost + taker_fee(price, size, fee_rate_e6))
