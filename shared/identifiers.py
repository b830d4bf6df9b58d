"""Identities, and how they are derived, so that a replay makes the same ones.

Chance enters only as the incarnation, drawn once by the shell at start. All other
ids follow from it by counting.
"""

import hashlib
from typing import Final, NewType

Incarnation = NewType("Incarnation", int)
"""Random 64 bits drawn once per run of a process; part of everything it says."""

Component = NewType("Component", str)
"""Name of a process: `execution`, `risk`, `feed_market`, ..."""

ConditionId = NewType("ConditionId", str)
"""The venue's id of a market: 0x and 64 hex digits, lower case."""

TokenId = NewType("TokenId", str)
"""The venue's id of one outcome of a market: a decimal number as text."""

OrderHash = NewType("OrderHash", str)
"""EIP-712 digest of an order, 0x and 64 hex digits: its id at the venue."""

TradeId = NewType("TradeId", str)
"""The venue's id of a trade."""

StrategyName = NewType("StrategyName", str)
"""Name of a strategy: the owner of targets, orders and positions."""

Asset = NewType("Asset", str)
"""Underlying of a crypto market, lower case: `btc`."""

SALT_BITS = 53
"""The official clients keep the salt a JSON number below 2**53."""


def order_salt(incarnation: Incarnation, counter: int) -> int:
    """Return the salt of the n-th order of an incarnation, 1..2**53-1.

    Args:
        incarnation: Of the process that places the order.
        counter: Number of the order in this incarnation, from 0.
    """
    seed = f"order:{incarnation}:{counter}".encode()
    digest = hashlib.blake2b(seed, digest_size=8).digest()
    return int.from_bytes(digest, "big") % ((1 << SALT_BITS) - 1) + 1


ADOPTED: Final = StrategyName("adopted")
"""Owner of orders and positions that were found at the venue and nobody here had wished for."""
