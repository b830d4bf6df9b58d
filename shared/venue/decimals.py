"""Decimal text of the venue to scaled integers, and back in the venue's canonical form.

Tolerant of what the venue has been seen to send (strings, integers, JSON numbers, trailing
zeros, a missing leading zero), strict about everything else: a digit finer than the unit is
an error (`faults.Unparseable`) and never rounded away, and nothing unparseable becomes 0.

Source of the spellings: recorded production frames and the examples of
https://docs.polymarket.com/market-data/realtime-data (2026-09-28).
"""

import functools
from decimal import Decimal

from shared.units import PRICE_ONE_E4, MoneyE6, PriceE4, ReferenceE18, SizeE6, WallMs
from shared.venue.faults import Unparseable

Number = str | int | float | Decimal
"""How a number may arrive in JSON."""

PRICE_PLACES = 4
SIZE_PLACES = 6
MONEY_PLACES = 6
REFERENCE_PLACES = 18

DIGITS_MAX = 40
"""No price, size or amount of the venue has more digits; bounds the work of a hostile frame."""

SIZE_E6_MAX = 10**18
"""A million million shares: more than there is money, and what still travels in 64 bits."""

WALL_MS_MAX = 253_402_300_800_000
"""The year 10000."""

_MS_PER_S = 1_000
_POWERS: tuple[int, ...] = tuple(int(f"1{'0' * places}") for places in range(DIGITS_MAX + 1))
_SECONDS_BELOW = 100_000_000_000
"""A stamp below 1e11 is in seconds: as seconds it lies before the year 5138, as milliseconds
before March 1973. The venue mixes both. Source: recorded production frames of the user stream."""


def parse_scaled(raw: Number, places: int, field: str) -> int:
    """Return a decimal number times ten to the power of places, exactly.

    Args:
        raw: Text, or a JSON number (a float by its shortest text).
        places: Decimal places of the unit, 0..18.
        field: Name for the error.

    Raises:
        Unparseable: Not a finite decimal number, or finer than the unit.
    """
    text = raw if isinstance(raw, str) else _number_text(raw, field)
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
    whole, _, fraction = digits.partition(".")
    joined = whole + fraction
    if not (joined.isascii() and joined.isdigit()) or len(digits) > DIGITS_MAX:
        raise Unparseable(field, raw)
    finer = len(fraction) - places
    if finer <= 0:
        return sign * int(joined) * _POWERS[-finer]
    scaled, lost = divmod(int(joined), _POWERS[finer])
    if lost:
        raise Unparseable(field, raw)
    return sign * scaled


def parse_price(raw: Number, field: str) -> PriceE4:
    """Return a price of 0 to 1 dollar in 1e-4 dollar.

    Raises:
        Unparseable: Not a number, outside 0..1, or finer than 1e-4.
    """
    price = price_of_text(raw) if isinstance(raw, str) else None
    return _bounded_price(raw, field) if price is None else price


@functools.lru_cache(maxsize=16_384)  # each of the 10,001 prices in about one spelling
def price_of_text(raw: str) -> PriceE4 | None:
    """Return a price as `parse_price` does, None where that would raise; one argument is fast."""
    try:
        return _bounded_price(raw, "")
    except Unparseable:
        return None


def _bounded_price(raw: Number, field: str) -> PriceE4:
    price = parse_scaled(raw, PRICE_PLACES, field)
    if not 0 <= price <= PRICE_ONE_E4:
        raise Unparseable(field, raw)
    return PriceE4(price)


def parse_optional_price(raw: Number | None, field: str) -> PriceE4 | None:
    """Return a price, or None where the venue sends null or empty text for "there is none".

    Raises:
        Unparseable: See `parse_price`.
    """
    return None if raw is None or raw == "" else parse_price(raw, field)


def parse_size(raw: Number, field: str) -> SizeE6:
    """Return a number of shares in 1e-6 share.

    Raises:
        Unparseable: Not a number, negative, above `SIZE_E6_MAX`, or finer than 1e-6.
    """
    size = size_of_text(raw) if isinstance(raw, str) else None
    return _bounded_size(raw, field) if size is None else size


@functools.lru_cache(maxsize=16_384)  # a changed level comes twice, and round sizes often
def size_of_text(raw: str) -> SizeE6 | None:
    """Return a size as `parse_size` does, None where that would raise."""
    try:
        return _bounded_size(raw, "")
    except Unparseable:
        return None


def _bounded_size(raw: Number, field: str) -> SizeE6:
    size = parse_scaled(raw, SIZE_PLACES, field)
    if not 0 <= size <= SIZE_E6_MAX:
        raise Unparseable(field, raw)
    return SizeE6(size)


def parse_optional_size(raw: Number | None, field: str) -> SizeE6 | None:
    """Return a size, or None where the venue sends null or empty text for "not told".

    Raises:
        Unparseable: See `parse_size`.
    """
    return None if raw is None or raw == "" else parse_size(raw, field)


def parse_money(raw: Number, field: str) -> MoneyE6:
    """Return an amount of dollars in 1e-6 dollar, of either sign.

    Raises:
        Unparseable: Not a number, or finer than 1e-6.
    """
    return MoneyE6(parse_scaled(raw, MONEY_PLACES, field))


def parse_reference(raw: Number, field: str) -> ReferenceE18:
    """Return the price of an underlying, sent as a plain decimal, in 1e-18 dollar.

    Raises:
        Unparseable: Not a number, not above zero, or finer than 1e-18.
    """
    value = parse_scaled(raw, REFERENCE_PLACES, field)
    if value <= 0:
        raise Unparseable(field, raw)
    return ReferenceE18(value)


def parse_integer(raw: Number, field: str) -> int:
    """Return a whole number, sent as text or as a number.

    Raises:
        Unparseable: Not a whole number.
    """
    return parse_scaled(raw, 0, field)


def parse_wall_ms(raw: Number, field: str) -> WallMs:
    """Return a stamp in milliseconds, sent in milliseconds or in seconds.

    Raises:
        Unparseable: Not a whole number, not above zero, or above `WALL_MS_MAX`.
    """
    stamp = parse_integer(raw, field)
    if not 0 < stamp <= WALL_MS_MAX:
        raise Unparseable(field, raw)
    return WallMs(stamp * _MS_PER_S if stamp < _SECONDS_BELOW else stamp)


def format_scaled(number: int, places: int) -> str:
    """Return a scaled integer as decimal text without trailing zeros, as the venue writes it."""
    sign, magnitude = ("-", -number) if number < 0 else ("", number)
    whole, fraction = divmod(magnitude, 10**places)
    if fraction == 0:
        return f"{sign}{whole}"
    return f"{sign}{whole}.{fraction:0{places}d}".rstrip("0")


@functools.lru_cache(maxsize=16_384)  # holds all 10,001 prices
def format_price(price: PriceE4) -> str:
    """Return a price as text: `0.5`."""
    return format_scaled(price, PRICE_PLACES)


@functools.lru_cache(maxsize=65_536)  # the levels of a few hundred books, at a few MB
def format_size(size: SizeE6) -> str:
    """Return a size as text: `93805.18`."""
    return format_scaled(size, SIZE_PLACES)


def format_money(money: MoneyE6) -> str:
    """Return an amount of money as text: `-0.00175`."""
    return format_scaled(money, MONEY_PLACES)


def format_reference(value: ReferenceE18) -> str:
    """Return the price of an underlying as text: `79697.73`."""
    return format_scaled(value, REFERENCE_PLACES)


def _number_text(raw: int | float | Decimal, field: str) -> str:
    if isinstance(raw, bool):
        raise Unparseable(field, raw)
    if isinstance(raw, int):
        return str(raw)
    # Every repr of a float can be read as a Decimal; what is not finite is refused below.
    number = Decimal(repr(raw)) if isinstance(raw, float) else raw
    if not number.is_finite() or abs(number.adjusted()) > DIGITS_MAX:
        raise Unparseable(field, raw)
    return format(number, "f")
