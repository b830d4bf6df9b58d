"""The venue's tiers of trading rates, and what an answer says of the buckets behind them.

Each signer has one token bucket for orders and one for cancels; both grow with thirty days
of volume. Nobody tells the tier beforehand: it stands in the headers of every answer to an
order or a cancel, and until one has come the lowest is the only safe guess.

Source: https://docs.polymarket.com/api-reference/trading-rate-limits (2026-09-28). The page
names the headers and does not say how they count; `Remaining` is read as whole tokens left
after the request that it answers.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

REMAINING_HEADER: Final = "poly-ratelimit-remaining"
TIER_HEADER: Final = "poly-ratelimit-tier"
WARNING_HEADER: Final = "poly-ratelimit-warning"

DIGITS_MAX: Final = 6
"""The largest burst has four digits; a longer number is none of tokens."""

WARNING_CHARS_MAX: Final = 200


class Tier(msgspec.Struct, frozen=True):
    """Rates and bursts of one tier."""

    name: str
    order_rate_per_s: int
    order_burst: int
    cancel_rate_per_s: int
    cancel_burst: int


STANDARD: Final = Tier("Standard", 40, 60, 80, 120)
"""Of everybody, and of whoever has not been told another."""

TIERS: Final[Mapping[str, Tier]] = {
    "standard": STANDARD,
    "copper": Tier("Copper", 60, 90, 120, 180),
    "bronze": Tier("Bronze", 80, 120, 160, 240),
    "silver": Tier("Silver", 200, 300, 400, 600),
    "gold": Tier("Gold", 400, 600, 800, 1200),
    "platinum": Tier("Platinum", 450, 675, 900, 1350),
    "diamond": Tier("Diamond", 525, 787, 1050, 1575),
    "elite": Tier("Elite", 600, 900, 1200, 1800),
}


class RateNote(msgspec.Struct, frozen=True):
    """What the headers of one answer say.

    Attributes:
        remaining: Whole tokens left, which is 0 below zero too; None when it says nothing.
        tier: None when it names none, or one that is not known.
        stranger: Name of a tier that is not known; empty when there is none.
        warning: What would have been refused, were the limits enforced; empty for nothing.
    """

    remaining: int | None = None
    tier: Tier | None = None
    stranger: str = ""
    warning: str = ""


def read_rate(headers: Mapping[str, str]) -> RateNote:
    """Return what an answer says of the bucket that it took from.

    Args:
        headers: With lower-case names.
    """
    name = headers.get(TIER_HEADER, "").strip()
    tier = TIERS.get(name.lower())
    left = headers.get(REMAINING_HEADER, "").strip()
    is_number = left.isascii() and left.isdigit() and len(left) <= DIGITS_MAX
    return RateNote(
        remaining=int(left) if is_number else None,
        tier=tier,
        stranger=name[:WARNING_CHARS_MAX] if tier is None else "",
        warning=headers.get(WARNING_HEADER, "")[:WARNING_CHARS_MAX],
    )
