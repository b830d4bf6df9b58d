"""What a feed wants to tell the venue while it may be reconnecting (NET-6).

Bounded: the oldest falls out, counted, since the newest wish is the one that counts. A text that
was sent is kept until a pong to a later ping shows that the venue has read it; when the
connection goes before that, it waits again, in its old place. So a text is delivered at least
once, in order, and never silently not at all.

Subscriptions alone go this way, which may be repeated. An order never does: nothing that is late
may be placed, so posts have no buffer, and one without a connection comes back `unconnected`
(`bus/http.py`).
"""

from collections import deque

WAITING_MAX = 1_000
"""Texts kept. Source: requirement NET-6; a feed has a few subscriptions a minute."""

PINGS_MAX = 64
"""Pings of which the pong is awaited: a connection is given up long before so many are."""


class Outbox:
    """Texts that wait for a connection, and those of which nobody knows yet that they arrived.

    Attributes:
        dropped: Texts that fell out, since the start.
    """

    def __init__(self, waiting_max: int = WAITING_MAX) -> None:
        """Begin with none.

        Args:
            waiting_max: Texts kept, sent and unsent together.
        """
        assert waiting_max > 0
        self.dropped = 0
        self._waiting_max = waiting_max
        self._waiting: deque[str] = deque()
        self._sent: deque[str] = deque()
        self._pinged: deque[int] = deque(maxlen=PINGS_MAX)
        self._proven = 0

    @property
    def waits(self) -> int:
        """How many texts wait to be sent."""
        return len(self._waiting)

    @property
    def unproven(self) -> int:
        """How many were sent and not shown to have arrived."""
        return len(self._sent)

    def add(self, text: str) -> bool:
        """Keep a text behind all others; return whether the oldest fell out for it."""
        self._waiting.append(text)
        if len(self._waiting) + len(self._sent) <= self._waiting_max:
            return False
        if self._sent:
            self._sent.popleft()
            self._proven += 1
        else:
            self._waiting.popleft()
        self.dropped += 1
        return True

    def take(self) -> tuple[str, ...]:
        """Return everything that waits, oldest first: it is being sent now."""
        texts = tuple(self._waiting)
        self._waiting.clear()
        self._sent.extend(texts)
        return texts

    def pinged(self) -> None:
        """Note a ping: its pong will show that everything sent so far was read."""
        self._pinged.append(self._proven + len(self._sent))

    def ponged(self) -> None:
        """Take the answer to the oldest ping: what was sent before it has arrived."""
        if not self._pinged:
            return
        upto = self._pinged.popleft()
        while self._sent and self._proven < upto:
            self._sent.popleft()
            self._proven += 1

    def lost(self) -> None:
        """Put what was not shown to have arrived back in front of what waits."""
        self._waiting.extendleft(reversed(self._sent))
        self._sent.clear()
        self._pinged.clear()

    def clear(self) -> None:
        """Forget everything: the owner has said it all anew."""
        self._waiting.clear()
        self._sent.clear()
        self._pinged.clear()
