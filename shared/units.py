"""Integers with their unit as a type, so that a price cannot be added to a size.

Decides nothing. Decimal text becomes these at the venue's boundary
(`shared/venue/parse.py`) and leaves them there; floats live only in pricing models.
"""

from typing import NewType

import msgspec

PriceE4 = NewType("PriceE4", int)
"""Outcome-token price in 1e-4 USD, 0..10_000: the finest tick of the venue."""

SizeE6 = NewType("SizeE6", int)
"""Quantity of outcome shares in 1e-6 share, never negative."""

MoneyE6 = NewType("MoneyE6", int)
"""Money in 1e-6 USD; negative means paid or lost."""


CoinsE8 = NewType("CoinsE8", int)
"""Quantity of an underlying in 1e-8 coin, never negative."""

RateE12 = NewType("RateE12", int)
"""A share of something in 1e-12, of either sign."""

BootNs = NewType("BootNs", int)
"""CLOCK_BOOTTIME: what leases and deadlines of safety are judged by."""

MonotonicNs = NewType("MonotonicNs", int)
"""CLOCK_MONOTONIC: what ages and latencies are measured by, comparable on one host."""

WallNs = NewType("WallNs", int)
"""Wall time since the epoch: for people, signatures and the venue's calendar only."""

WallMs = NewType("WallMs", int)
"""Wall time in milliseconds, as the venue writes it."""

NS_PER_US = 1_000
NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000

PRICE_ONE_E4 = PriceE4(10_000)
"""One dollar: the price of a complete set and the payout of a winning share."""

SHARE_E6 = SizeE6(1_000_000)
"""One share."""


class ReferenceE18(int):
    """Reference price of an underlying in 1e-18 USD, as the oracle sends it.

    A class of its own, since it does not fit into 64 bits: on the wire it is decimal text,
    by the two functions below.
    """

    __slots__ = ()


def to_wire(value: object) -> str:
    """Return what msgspec cannot write by itself as text; an `enc_hook`.

    Raises:
        TypeError: It is nothing of ours.
    """
    if isinstance(value, ReferenceE18):
        return str(int(value))
    raise TypeError(f"no wire form for {type(value).__name__}")


def from_wire(kind: type, raw: object) -> object:
    """Return what `to_wire` wrote; a `dec_hook`.

    Raises:
        TypeError: The type is nothing of ours.
        ValueError: The text is no number.
    """
    if kind is ReferenceE18 and isinstance(raw, str):
        return ReferenceE18(raw)
    raise TypeError(f"no wire form for {kind.__name__}")


class Instant(msgspec.Struct, frozen=True):
    """One reading of all three clocks; the only form in which time enters a core.

    Attributes:
        boot_ns: For leases and deadlines; advances through a suspend.
        monotonic_ns: For ages and latencies; comparable between processes of one host.
        wall_ns: For people, signatures and the market calendar; may jump.
    """

    boot_ns: BootNs
    monotonic_ns: MonotonicNs
    wall_ns: WallNs

    @property
    def wall_ms(self) -> WallMs:
        """Wall time in whole milliseconds, rounded down."""
        return WallMs(self.wall_ns // NS_PER_MS)


def notional_e6(price: PriceE4, size: SizeE6) -> MoneyE6:
    """Return price times size in micro-dollars, rounded down."""
    return MoneyE6(price * size // 10_000)
