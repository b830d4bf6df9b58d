"""What was already handed on of our trades, so that the re-reading of a gap repeats nothing.

Decides whether a trade that was read by request is news. The read overlaps what came before
the gap by minutes: most of its rows were told when they happened. A report that differs in
anything but its source and its stamps is news, also an older one: the reader judges it.
"""

import msgspec

from shared.facts import OwnTrade
from shared.identifiers import TradeId
from shared.units import WallMs

TRADES_KEPT_MAX = 4_096
"""Twice the rows of the longest list that is read; what is forgotten is only told once more."""


class ToldTrades:
    """The newest report of each trade that was handed on."""

    def __init__(self) -> None:
        """Have told nothing."""
        self._told: dict[TradeId, OwnTrade] = {}

    def note(self, trade: OwnTrade) -> bool:
        """Take a report as handed on; return whether it tells anything new."""
        bare = msgspec.structs.replace(trade, source="rest", match_ms=WallMs(0), venue_ms=WallMs(0))
        before = self._told.pop(trade.trade_id, None)
        self._told[trade.trade_id] = bare
        if len(self._told) > TRADES_KEPT_MAX:
            self._told.pop(next(iter(self._told)))
        return bare != before
