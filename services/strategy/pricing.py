"""Fair value of an up-or-down market, and the Avellaneda-Stoikov quote around it.

Decides where a market maker would like to stand, in floats; every price leaves this
module through `round_bid_down` or `round_ask_up` as an integer on the venue's grid. Knows
nothing of orders, balances or caps.

Source: M. Avellaneda and S. Stoikov, High-frequency trading in a limit order book,
Quantitative Finance 8(3), 2008, equations for the reservation price and optimal spread.
The price of a claim that pays one dollar when the underlying ends above its strike is the
probability of it; its local variance times the time left is the squared normal density
at the same distance, so time to expiry enters through the distance alone.
"""

import math

import msgspec

from shared.units import PRICE_ONE_E4, PriceE4, ReferenceE18

SECONDS_LEFT_MIN = 1.0
"""Floor of the time left: below it the distance to the strike explodes."""

INVENTORY_UNIT_SHARES = 100.0
"""Risk aversion is per 100 shares, the unit in which the skew is given too."""


class Fair(msgspec.Struct, frozen=True):
    """Probability that the first outcome wins, and the variance that is still to come.

    Attributes:
        probability: 0..1.
        variance: Local variance of the probability times the time left, 0..0.16.
    """

    probability: float
    variance: float


class Quote(msgspec.Struct, frozen=True):
    """Reservation price and half spread, in dollars."""

    reservation: float
    half_spread: float


def fair_value(
    reference: ReferenceE18, strike: ReferenceE18, volatility_e9: int, seconds_left: float
) -> Fair:
    """Price the claim that the underlying ends at or above its strike.

    Args:
        reference: Newest price of the settlement source.
        strike: Price at the window's start.
        volatility_e9: Standard deviation of log returns per square-root second, 1e-9.
        seconds_left: Until the window's end; floored at `SECONDS_LEFT_MIN`.
    """
    assert reference > 0
    assert strike > 0
    deviation = max(volatility_e9, 1) * 1e-9 * math.sqrt(max(seconds_left, SECONDS_LEFT_MIN))
    distance = math.log(reference / strike) / deviation
    probability = 0.5 * math.erfc(-distance / math.sqrt(2.0))
    return Fair(probability, math.exp(-distance * distance) / (2.0 * math.pi))


def avellaneda_stoikov(
    fair: Fair,
    unpaired_shares: float,
    risk_aversion: float,
    order_arrival_decay: float,
) -> Quote:
    """Return reservation price and half spread for an inventory.

    Args:
        fair: Value and variance to come.
        unpaired_shares: Shares of the first outcome less shares of the second.
        risk_aversion: Gamma, per `INVENTORY_UNIT_SHARES`.
        order_arrival_decay: k, per dollar of distance from the mid price.
    """
    inventory = unpaired_shares / INVENTORY_UNIT_SHARES
    reservation = fair.probability - inventory * risk_aversion * fair.variance
    spread = risk_aversion * fair.variance + (2.0 / risk_aversion) * math.log1p(
        risk_aversion / order_arrival_decay
    )
    return Quote(reservation, spread / 2.0)


def round_bid_down(price: float, tick: PriceE4) -> PriceE4 | None:
    """Return the highest price on the grid at or below `price`; None when there is none."""
    ticks = math.floor(price * PRICE_ONE_E4 / tick + 1e-9)
    return _inside(ticks * tick, tick)


def round_ask_up(price: float, tick: PriceE4) -> PriceE4 | None:
    """Return the lowest price on the grid at or above `price`; None when there is none."""
    ticks = math.ceil(price * PRICE_ONE_E4 / tick - 1e-9)
    return _inside(ticks * tick, tick)


def _inside(price: int, tick: PriceE4) -> PriceE4 | None:
    """Return a price when the venue takes it: one tick to one dollar less a tick."""
    return PriceE4(price) if tick <= price <= PRICE_ONE_E4 - tick else None
