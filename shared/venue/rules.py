"""The venue's rules of time and money that no message states: fees, expiry, holds.

Decides nothing; both the live system and the simulator compute by them.
"""

import functools

from shared.facts import MarketVersion
from shared.identifiers import ConditionId
from shared.units import PRICE_ONE_E4, MoneyE6, PriceE4, SizeE6, WallMs
from shared.venue.faults import Unparseable

GTD_LEAD_S = 60
"""A GTD order ends this long before the expiration that it names.
Source: https://docs.polymarket.com/trading/place-orders (2026-09-28)."""

GTD_EXPIRATION_MIN_S = 180
"""An expiration nearer than this when the order arrives is refused.
Source: https://docs.polymarket.com/trading/place-orders (2026-09-28)."""

TAKER_DELAY_MS = 150
"""How long a crypto market holds an order that takes; it cannot be cancelled meanwhile.
Source: https://docs.polymarket.com/changelog (2026-09-04)."""

TAKER_DELAY_MAX_MS = 250
"""The longest hold that the venue's documentation still names.
Source: https://docs.polymarket.com/concepts/order-lifecycle (2026-09-28)."""

FEE_STEP_E6 = 10
"""Fees are charged in hundred-thousandths of a dollar, rounded down; less is no fee.
Source: https://docs.polymarket.com/trading/fees (2026-09-28); the direction of the rounding:
https://nautilustrader.io/docs/rust-api-latest/nautilus_polymarket/execution/parse/
(compute_commission, 2026-11-20)."""

FEE_RATE_SCALE = 1_000_000
"""A fee rate of 0.07 is 70,000."""

FEE_EXPONENT_MAX = 4
"""Every market has 1; the bound keeps the integers small."""

_MS_PER_S = 1_000
_CONDITION_DIGITS = 64
_CONDITION_DIGITS_SHORT = 62
_HEX_DIGITS = frozenset("0123456789abcdef")


def taker_fee(price: PriceE4, size: SizeE6, fee_rate_e6: int, exponent: int = 1) -> MoneyE6:
    """Return what the taker of shares pays: shares times rate times (p(1-p)) to the exponent.

    A BUY pays it on top, a SELL receives that much less; a maker pays nothing.

    Args:
        price: Of the match, in the taker's token; both tokens give the same fee.
        size: Shares matched.
        fee_rate_e6: The market's rate, 0..1,000,000.
        exponent: The market's exponent, 1..4.
    """
    assert 0 <= price <= PRICE_ONE_E4
    assert 0 <= fee_rate_e6 <= FEE_RATE_SCALE
    assert 1 <= exponent <= FEE_EXPONENT_MAX
    spread = price * (PRICE_ONE_E4 - price)
    scale = FEE_RATE_SCALE * _dollar_square(exponent) * FEE_STEP_E6
    return MoneyE6(size * fee_rate_e6 * _power(spread, exponent) // scale * FEE_STEP_E6)


def shortest_expiration_s(wall_ms: WallMs, late_margin_ms: int) -> int:
    """Return the nearest GTD expiration that the venue takes from an order sent now.

    Args:
        wall_ms: Wall time of sending.
        late_margin_ms: How late the order may arrive and still be taken; rounded up to the
            next whole second of the expiration.
    """
    assert late_margin_ms >= 0
    return -(-(wall_ms + late_margin_ms) // _MS_PER_S) + GTD_EXPIRATION_MIN_S


def is_expiration_taken(expiration_s: int, arrival_ms: WallMs) -> bool:
    """Tell whether an order with this GTD expiration may arrive at this wall time."""
    return arrival_ms <= last_arrival_ms(expiration_s)


def last_arrival_ms(expiration_s: int) -> WallMs:
    """Return the last moment at which the venue takes an order with this GTD expiration."""
    return WallMs((expiration_s - GTD_EXPIRATION_MIN_S) * _MS_PER_S)


def order_end_ms(expiration_s: int) -> WallMs:
    """Return when the venue ends a GTD order that names this expiration."""
    return WallMs((expiration_s - GTD_LEAD_S) * _MS_PER_S)


@functools.lru_cache(maxsize=4_096)  # every frame names one of a few markets
def normal_condition_id(text: str, field: str) -> ConditionId:
    """Return a condition id in the one form that we compare: 0x and 64 lower-case digits.

    The short form of Protocol V2, 62 digits, is padded at its end.
    Source: https://docs.polymarket.com/migrate/polymarket-v2/api-integrations (2026-09-28).

    Raises:
        Unparseable: It is neither form.
    """
    digits = text[2:].lower()
    is_sized = len(digits) in (_CONDITION_DIGITS, _CONDITION_DIGITS_SHORT)
    if not (text.startswith("0x") and is_sized and _HEX_DIGITS.issuperset(digits)):
        raise Unparseable(field, text)
    return ConditionId("0x" + digits.ljust(_CONDITION_DIGITS, "0"))


def normal_version(text: str | None, field: str) -> MarketVersion:
    """Return the protocol of a market, by which its orders are signed.

    Raises:
        Unparseable: It is missing or unknown; such a market must not be traded.
    """
    if text == "v1":
        return "v1"
    if text == "v2":
        return "v2"
    raise Unparseable(field, text)


def _power(base: int, exponent: int) -> int:
    result = 1
    for _ in range(exponent):
        result *= base
    return result


def _dollar_square(exponent: int) -> int:
    return _power(PRICE_ONE_E4 * PRICE_ONE_E4, exponent)
