"""What open shares would bring: complete sets a dollar, every other share the best bid. Pure.

A mark that grows old is kept and its age told: a market between its end and its resolution has
no book, and nothing of it is worth less for that. A share that never had one is unknown.
"""

from collections.abc import Mapping

import msgspec

from shared.facts import BookView
from shared.identifiers import TokenId
from shared.units import PRICE_ONE_E4, BootNs, Instant, PriceE4

MARK_STALE_NS = 5_000_000_000
"""An older mark still counts, and makes the sum of which it is a part one that is not known."""

MARKS_MAX = 1_024
"""Tokens marked; the one heard of longest ago goes first."""


class Held(msgspec.Struct, frozen=True):
    """One market's shares by token, and their cost, 1e-6 share and 1e-6 USD.

    Attributes:
        tokens: Both outcomes where they are known, so that sets can be told.
    """

    shares: Mapping[TokenId, int]
    cost_e6: int
    tokens: tuple[TokenId, ...] = ()


class Worth(msgspec.Struct, frozen=True):
    """What open positions make against their cost.

    Attributes:
        unrealised_e6: By the newest marks, however old; a share without any counts its part
            of nothing gained and nothing lost.
        is_known: Whether every share has a fresh mark.
    """

    unrealised_e6: int
    is_known: bool


class Marks:
    """Newest best bid of each token."""

    def __init__(self) -> None:
        self._bids: dict[TokenId, tuple[PriceE4, BootNs]] = {}

    def take(self, book: BookView, now: Instant) -> None:
        """Take a proven book; one without bids says nothing of what a share would bring."""
        if not book.bids:
            return
        self._bids.pop(book.token, None)
        if len(self._bids) >= MARKS_MAX:
            self._bids.pop(next(iter(self._bids)))
        self._bids[book.token] = (book.bids[0][0], now.boot_ns)

    def worth(self, held: Held, now: Instant) -> Worth:
        """Return what one market's shares would make."""
        shares = {token: size for token, size in held.shares.items() if size > 0}
        sets = 0
        if len(held.tokens) > 1:
            sets = min(shares.get(token, 0) for token in held.tokens)
        value, is_known, unmarked = sets, True, 0
        for token, size in shares.items():
            single = size - (sets if token in held.tokens else 0)
            mark = self._bids.get(token)
            if not single:
                continue
            if mark is None:
                unmarked += single
                continue
            value += single * mark[0] // PRICE_ONE_E4
            is_known = is_known and now.boot_ns - mark[1] < MARK_STALE_NS
        total = sum(shares.values())
        if unmarked:
            value += held.cost_e6 * unmarked // total
        return Worth(value - held.cost_e6, is_known and not unmarked)
