"""What a strategy wants to have in the market: the full wish per market, last one wins.

A target is no command: execution makes the difference between it and what is live. A
set that is not renewed within its time to live is withdrawn, and its orders cancelled.
"""

from typing import Literal

import msgspec

from shared.facts import Side
from shared.identifiers import ConditionId, StrategyName, TokenId
from shared.units import PriceE4, SizeE6

LEVELS_MAX = 16
"""Levels a side of one token: a ladder deeper than this is a bug of the strategy."""


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One order that shall rest, or one completion that shall happen.

    Attributes:
        level: Place in the ladder, 0 the innermost; (market, token, side, level) is the intent.
        post_only: False only for an explicit completion, flatten or stop.
        reduce_only: May only reduce the strategy's confirmed position in the token.
        leg_group: Name of a multi-leg group, empty for none.
    """

    token: TokenId
    side: Side
    level: int
    price: PriceE4
    size: SizeE6
    post_only: bool = True
    reduce_only: bool = False
    purpose: Literal["quote", "complete", "unwind", "flatten", "stop"] = "quote"
    leg_group: str = ""


class TargetSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole wish of one strategy in one market; empty targets mean nothing there."""

    strategy: StrategyName
    market: ConditionId
    target_ttl_ms: int
    targets: tuple[Target, ...]
