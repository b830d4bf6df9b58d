"""Trades whose end is in doubt: the venue has said both, or said one just before a restart.

A dispute lasts until the venue's record, asked for, names an end. It lives in memory, so its
leg is written to the ledger again while it lasts: a start takes every leg that was written
shortly before the newest for disputed until the trades that it reads anyway have told its end.
Counts nothing and decides no settlement.
"""

from collections.abc import Iterable
from typing import Final

from services.execution.position import ADOPTED_ROLE, FillKey, fill_key
from shared.ledger_schema import FillRecord
from shared.trade_settlement import FINAL
from shared.units import NS_PER_S, Instant, WallMs

WRITTEN_EVERY_NS: Final = 30 * NS_PER_S
"""A disputed leg is written again so often: four times within what a start doubts."""

DOUBTED_NS: Final = 120 * NS_PER_S
"""Legs that were written so long before the newest are asked for at a start: as far back as trades
are read anyway."""


class Disputes:
    """Which legs are in doubt.

    Attributes:
        keys: All of them.
    """

    def __init__(self, restored: Iterable[FillRecord]) -> None:
        """Doubt the ends that the ledger's newest rows tell."""
        fills = tuple(restored)
        newest_ns = max((fill.updated_wall_ns for fill in fills), default=0)
        self._restored: dict[FillKey, WallMs] = {
            fill_key(fill): fill.match_ms
            for fill in fills
            if fill.settlement in FINAL
            and fill.role != ADOPTED_ROLE
            and newest_ns - fill.updated_wall_ns < DOUBTED_NS
        }
        self.keys: set[FillKey] = set(self._restored)

    def begin(self, key: FillKey) -> bool:
        """Note that the venue has said the other end; return whether that is news."""
        is_news = key not in self.keys or key in self._restored
        self._restored.pop(key, None)
        self.keys.add(key)
        return is_news

    def end(self, key: FillKey) -> bool:
        """Note that the venue's record names an end; return whether the leg was in doubt."""
        self._restored.pop(key, None)
        if key not in self.keys:
            return False
        self.keys.remove(key)
        return True

    def is_restored(self, key: FillKey) -> bool:
        """Whether a leg is in doubt only because a start has not asked for it yet."""
        return key in self._restored

    def since_ms(self) -> WallMs | None:
        """Return the oldest match that a start has to ask for; None when it has asked."""
        return min(self._restored.values(), default=None)

    def end_restored(self, since_ms: int) -> tuple[FillKey, ...]:
        """Take a whole read of trades since a moment: what it did not contradict stands.

        Returns:
            The legs that are in doubt no more.
        """
        over = tuple(key for key, match_ms in self._restored.items() if match_ms >= since_ms)
        for key in over:
            self.end(key)
        return over

    def to_write(self, fills: Iterable[FillRecord], now: Instant) -> tuple[FillRecord, ...]:
        """Return the disputed legs whose rows have become too old for a start to doubt them."""
        return tuple(
            fill
            for fill in fills
            if fill_key(fill) in self.keys
            and fill_key(fill) not in self._restored
            and now.wall_ns - fill.updated_wall_ns >= WRITTEN_EVERY_NS
        )
