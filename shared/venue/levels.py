"""One side of a book in sorted arrays, with each level's text as the venue hashes it.

A change moves one place of three parallel lists, found by bisection; the text that the hash
covers is then a single join. Proves nothing and judges nothing: what a side holds is what it
was told.

Source: measured on books of fifty levels a side: sorting a dict and writing its levels anew
costs ten times as much as the hash itself.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Literal

from shared.facts import Level
from shared.units import PriceE4, SizeE6
from shared.venue.book_hash import level_text


class Levels:
    """Levels of one side in the order of the wire: best last.

    Attributes:
        keys: Prices of bids, negated prices of asks: ascending on both sides.
        sizes: Total sizes, 1e-6 share, in the same order.
        texts: What the hash says of each level.
    """

    __slots__ = ("_sign", "keys", "sizes", "texts")

    def __init__(self, side: Literal["BUY", "SELL"]) -> None:
        """Start empty."""
        self._sign = 1 if side == "BUY" else -1
        self.keys: list[int] = []
        self.sizes: list[SizeE6] = []
        self.texts: list[str] = []

    def __bool__(self) -> bool:
        """Tell whether there is any level."""
        return bool(self.keys)

    def replace(self, levels: Sequence[Level]) -> None:
        """Hold these levels and no others; a price named twice keeps its last size."""
        rows = sorted(dict(levels).items(), reverse=self._sign < 0)
        self.keys = [self._sign * price for price, _ in rows]
        self.sizes = [size for _, size in rows]
        self.texts = [level_text(price, size) for price, size in rows]

    def set(self, price: PriceE4, size: SizeE6) -> None:
        """Set one level's total size; zero removes it, also where there is none."""
        key = self._sign * price
        keys = self.keys
        place = bisect_left(keys, key)
        is_there = place < len(keys) and keys[place] == key
        if size == 0:
            if is_there:
                del keys[place], self.sizes[place], self.texts[place]
        elif is_there:
            self.sizes[place] = size
            self.texts[place] = level_text(price, size)
        else:
            keys.insert(place, key)
            self.sizes.insert(place, size)
            self.texts.insert(place, level_text(price, size))

    def clear(self) -> None:
        """Forget every level."""
        self.keys.clear()
        self.sizes.clear()
        self.texts.clear()

    def best(self) -> PriceE4 | None:
        """Return the best price, None of an empty side."""
        return PriceE4(abs(self.keys[-1])) if self.keys else None

    def frozen(self) -> "FrozenLevels":
        """Return the levels as they are now, whatever happens to this side later."""
        return FrozenLevels(self.keys.copy(), self.sizes.copy())


class FrozenLevels:
    """One side as it was at a moment; made at each proof, read as far as somebody looks."""

    __slots__ = ("_keys", "_sizes")

    def __init__(self, keys: list[int], sizes: list[SizeE6]) -> None:
        """Take copies over."""
        self._keys = keys
        self._sizes = sizes

    def best(self) -> PriceE4 | None:
        """Return the best price, None of an empty side."""
        return PriceE4(abs(self._keys[-1])) if self._keys else None

    def top(self, count: int) -> tuple[Level, ...]:
        """Return so many levels, best first."""
        keys, sizes = self._keys[-1 : -count - 1 : -1], self._sizes[-1 : -count - 1 : -1]
        # A price is never negative: the sign is the side's.
        return tuple(zip(map(PriceE4, map(abs, keys)), sizes, strict=True))

    def all(self) -> tuple[Level, ...]:
        """Return every level, best first."""
        return self.top(len(self._keys))
