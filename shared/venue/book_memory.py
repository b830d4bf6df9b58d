"""A token's folded levels as they are remembered over a restart: never a proof of anything.

Pure. Remembered levels are doubted until the venue's next hash agrees with them, as it would with
levels that were folded without a break; then nothing was missed. What was missed shows in
the hash, and the book begins with a snapshot as ever.
"""

import msgspec

from shared.identifiers import TokenId
from shared.units import PriceE4, SizeE6, WallMs

REMEMBERED = "remembered, not proven since"
"""Why a book that was read from a disk may not be trusted yet."""


class BookMemory(msgspec.Struct, frozen=True):
    """What is kept of one token's book.

    Attributes:
        last_trade: The last trade's price as the hash covers it, None when not known.
        venue_ms: Stamp of the newest content.
    """

    token: TokenId
    tick_e4: PriceE4
    bids: dict[PriceE4, SizeE6]
    asks: dict[PriceE4, SizeE6]
    last_trade: str | None
    venue_ms: WallMs
