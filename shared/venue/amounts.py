"""The two integer amounts of an order, and what the venue demands of price, size and value.

All in integers: the official client's floating point signs 4.5 % of limit orders with cents
one hundredth of a share short, and market orders at 0.29, 0.57 and 0.58 one tick off.
Decides nothing about balance or the book.

Source: https://docs.polymarket.com/trading/place-orders (2026-09-28); the flat cap of market
orders: https://github.com/Polymarket/py-clob-client-v2/issues/99.
"""

import msgspec

from shared.facts import Side
from shared.units import PRICE_ONE_E4, MoneyE6, PriceE4, SizeE6

TICKS_E4: tuple[PriceE4, ...] = tuple(PriceE4(tick) for tick in (1_000, 100, 50, 25, 10, 1))
"""Every price step that the venue allows, coarsest first."""

SIZE_STEP_E6 = SizeE6(10_000)
"""Sizes are signed in hundredths of a share, at every tick."""

MARKET_MONEY_STEP_E6 = MoneyE6(10_000)
"""What a FOK or FAK BUY spends has at most two decimals, whatever the tick."""

MARKET_COUNTER_DECIMALS = 4
"""What a FOK or FAK order receives has at most four decimals, however fine the tick."""

MARKET_COUNTER_STEP_E6 = 100
"""Those four decimals; at a tick of ten cents we keep to the tick's three."""

MARKETABLE_BUY_MIN_E6 = MoneyE6(1_000_000)
"""A BUY that takes must be worth a dollar.
Source: https://github.com/nautechsystems/nautilus_trader/issues/3874."""

_TENTH = 10
_LIMIT_DECIMALS: dict[int, int] = {1_000: 3, 100: 4, 50: 5, 25: 6, 10: 5, 1: 6}


class Amounts(msgspec.Struct, frozen=True):
    """What an order gives and wants, in 1e-6: dollars and shares for a BUY, reversed for a SELL.

    Attributes:
        maker: Given.
        taker: Wanted.
    """

    maker: int
    taker: int


class Uneven(ValueError):
    """The amounts of an order do not say a price on the grid of 1e-4 dollar."""


def amount_decimals(tick_e4: PriceE4) -> int:
    """Return how many decimals the dollar amount of a limit order may have at a tick.

    Raises:
        ValueError: The venue has no such tick.
    """
    decimals = _LIMIT_DECIMALS.get(tick_e4)
    if decimals is None:
        raise ValueError(f"the venue has no tick of {tick_e4} ten-thousandths")
    return decimals


def is_tick(tick_e4: int) -> bool:
    """Tell whether the venue has such a price step."""
    return tick_e4 in _LIMIT_DECIMALS


def is_price_on_grid(price: PriceE4, tick_e4: PriceE4) -> bool:
    """Tell whether a price is a multiple of the tick within [tick, 1 - tick]."""
    return tick_e4 <= price <= PRICE_ONE_E4 - tick_e4 and price % tick_e4 == 0


def floor_price(price: PriceE4, tick_e4: PriceE4) -> PriceE4:
    """Return the highest multiple of the tick not above a price; may be 0."""
    return PriceE4(price // tick_e4 * tick_e4)


def ceil_price(price: PriceE4, tick_e4: PriceE4) -> PriceE4:
    """Return the lowest multiple of the tick not below a price; may be one dollar."""
    return PriceE4(-(-price // tick_e4) * tick_e4)


def floor_size(size: SizeE6) -> SizeE6:
    """Return the largest size in hundredths of a share not above a size."""
    return SizeE6(size // SIZE_STEP_E6 * SIZE_STEP_E6)


def is_size_signable(size: SizeE6) -> bool:
    """Tell whether a size is above zero and in whole hundredths of a share."""
    return size > 0 and size % SIZE_STEP_E6 == 0


def is_resting_size(size: SizeE6, min_size_e6: SizeE6) -> bool:
    """Tell whether a size reaches the market's minimum, which is counted in shares."""
    return size >= min_size_e6


def is_marketable_value(side: Side, price: PriceE4, size: SizeE6) -> bool:
    """Tell whether an order that takes is worth enough; only a BUY has a minimum."""
    return side == "SELL" or price * size >= MARKETABLE_BUY_MIN_E6 * PRICE_ONE_E4


def limit_amounts(side: Side, price: PriceE4, size: SizeE6, tick_e4: PriceE4) -> Amounts:
    """Return the amounts of a GTC or GTD order.

    On the grid nothing is ever rounded: a price has at most the tick's decimals and a size
    two, so their product fits the decimals that the venue allows.

    Args:
        side: Of the order.
        price: On the tick's grid.
        size: In whole hundredths of a share, above zero.
        tick_e4: Present tick of the market.
    """
    assert is_price_on_grid(price, tick_e4), f"price {price} is off the grid of {tick_e4}"
    assert is_size_signable(size), f"size {size} is not in hundredths of a share"
    money, lost = divmod(price * size, PRICE_ONE_E4)
    assert lost == 0, "a hundredth of a share times a ten-thousandth of a dollar is whole"
    return Amounts(money, size) if side == "BUY" else Amounts(size, money)


def market_buy_amounts(price: PriceE4, money: MoneyE6, tick_e4: PriceE4) -> Amounts:
    """Return the amounts of a FOK or FAK BUY that spends money at a price or better.

    The shares are rounded down, so that the price implied is not below the limit and the
    order matches at the touch.

    Args:
        price: Highest price, on the tick's grid.
        money: To spend; rounded down to cents, at least one cent.
        tick_e4: Present tick of the market.
    """
    assert is_price_on_grid(price, tick_e4), f"price {price} is off the grid of {tick_e4}"
    spent = money // MARKET_MONEY_STEP_E6 * MARKET_MONEY_STEP_E6
    assert spent > 0, "a market order spends at least a cent"
    shares = spent * PRICE_ONE_E4 // price
    return Amounts(spent, _floor_counter(shares, tick_e4))


def market_sell_amounts(price: PriceE4, size: SizeE6, tick_e4: PriceE4) -> Amounts:
    """Return the amounts of a FOK or FAK SELL of shares at a price or better.

    The money is rounded down, so that the price implied is not above the limit.

    Args:
        price: Lowest price, on the tick's grid.
        size: In whole hundredths of a share, above zero.
        tick_e4: Present tick of the market.
    """
    exact = limit_amounts("SELL", price, size, tick_e4)
    return Amounts(exact.maker, _floor_counter(exact.taker, tick_e4))


def is_market_precision(side: Side, amounts: Amounts) -> bool:
    """Tell whether amounts respect the flat cap of FOK and FAK orders: 2 and 4 decimals."""
    given_step = MARKET_MONEY_STEP_E6 if side == "BUY" else SIZE_STEP_E6
    return amounts.maker % given_step == 0 and amounts.taker % MARKET_COUNTER_STEP_E6 == 0


def order_size(side: Side, amounts: Amounts) -> SizeE6:
    """Return the shares in an order's amounts."""
    return SizeE6(amounts.taker if side == "BUY" else amounts.maker)


def order_money(side: Side, amounts: Amounts) -> MoneyE6:
    """Return the dollars in an order's amounts."""
    return MoneyE6(amounts.maker if side == "BUY" else amounts.taker)


def implied_price(side: Side, amounts: Amounts) -> PriceE4:
    """Return the price that the amounts of a limit order say.

    Raises:
        Uneven: They say none, or one finer than 1e-4 dollar.
    """
    size = order_size(side, amounts)
    if size <= 0:
        raise Uneven(f"no shares in {amounts}")
    price, lost = divmod(order_money(side, amounts) * PRICE_ONE_E4, size)
    if lost:
        raise Uneven(f"{amounts} is finer than a ten-thousandth of a dollar")
    return PriceE4(price)


def worst_price(side: Side, amounts: Amounts, tick_e4: PriceE4) -> PriceE4:
    """Return the worst price on the grid at which the amounts of a market order may match.

    A BUY's implied price is a little above its limit, a SELL's a little below, because the
    side that it receives is rounded down; the grid price within is what was meant.

    Raises:
        Uneven: There are no shares in the amounts.
    """
    size = order_size(side, amounts)
    if size <= 0:
        raise Uneven(f"no shares in {amounts}")
    scaled = order_money(side, amounts) * PRICE_ONE_E4
    if side == "BUY":
        return floor_price(PriceE4(scaled // size), tick_e4)
    return ceil_price(PriceE4(-(-scaled // size)), tick_e4)


def _floor_counter(amount: int, tick_e4: PriceE4) -> int:
    """Round down what a market order receives: to the tick's decimals, four at most."""
    step = MARKET_COUNTER_STEP_E6
    if amount_decimals(tick_e4) < MARKET_COUNTER_DECIMALS:
        step *= _TENTH
    return amount // step * step
