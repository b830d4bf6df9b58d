"""One direction between two processes: in order, bounded, and late when told to be.

A reader that is stopped finds what was sent meanwhile, up to the high-water mark; what
came after that was dropped at the sender, as ZeroMQ does it.
"""

from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")

NEVER_NS = 1 << 62
"""Later than any run lasts."""


class Pipe(Generic[Item]):
    """A bounded queue whose items have a moment of arrival."""

    __slots__ = ("_high_water", "_items", "_newest_ns", "dropped")

    def __init__(self, high_water: int) -> None:
        """Start empty; `high_water` items are kept at most."""
        self._high_water = high_water
        self._items: deque[tuple[int, Item]] = deque()
        self._newest_ns = 0
        self.dropped = 0

    def push(self, arrival_ns: int, item: Item) -> int | None:
        """Queue an item; return when it arrives, no sooner than what was sent before it.

        Returns:
            None when the pipe is full and the item was dropped.
        """
        if len(self._items) >= self._high_water:
            self.dropped += 1
            return None
        if arrival_ns > self._newest_ns:
            self._newest_ns = arrival_ns
        self._items.append((self._newest_ns, item))
        return self._newest_ns

    def next_ns(self) -> int:
        """Return when the oldest item arrives."""
        return self._items[0][0] if self._items else NEVER_NS

    def has_arrived(self, now_ns: int) -> bool:
        """Tell whether there is something to drain."""
        return bool(self._items) and self._items[0][0] <= now_ns

    def drain(self, now_ns: int, count_max: int) -> list[Item]:
        """Return what has arrived, oldest first, no more than asked for."""
        taken: list[Item] = []
        items = self._items
        while items and items[0][0] <= now_ns and len(taken) < count_max:
            taken.append(items.popleft()[1])
        return taken

    def clear(self) -> None:
        """Forget everything: one end is gone."""
        self._items.clear()

    def __len__(self) -> int:
        """Return how many items are queued or on their way."""
        return len(self._items)
