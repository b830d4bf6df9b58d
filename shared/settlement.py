"""Which reference price settles a market.

Source: https://docs.polymarket.com/changelog (2026-08): crypto up/down markets resolve on the
oracle's 60 s average, at the end against at the start; ties go to Up.
"""

SPOT_SOURCE = "chainlink"
TWAP_SOURCE = "chainlink_twap_60"

TWAP_INTERVALS_S = (300, 900, 14_400)
"""Lengths of the venue's own windows. Every other length exists in simulation only, and settles on
the last price, since an average of 60 s says nothing in a window of a minute."""


def settlement_source(interval_s: int) -> str:
    """Return the source of reference prices that settles windows of a length in seconds."""
    return TWAP_SOURCE if interval_s in TWAP_INTERVALS_S else SPOT_SOURCE
