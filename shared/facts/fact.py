"""What all facts share: frozen, strict, and the words that several of them use."""

from typing import Literal

import msgspec

from shared.units import PriceE4, SizeE6

Side = Literal["BUY", "SELL"]
MarketVersion = Literal["v1", "v2"]
Level = tuple[PriceE4, SizeE6]
"""A price and the total size resting at it."""


class Fact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that happened or was seen."""


class TaggedFact(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    """A fact that shares its topic with others."""
