"""What every reader is owed: facts in sequence, or word of what is missing (DQ-2).

Looks at what a process's own intake gives to its core. A number that jumps without a gap before it,
or that comes twice, would be a fault of the bus: of numbering, filling or resynchronising.
"""

from collections.abc import Sequence

from bus.intake import Intake, Opener
from shared.effects import Gap, Message, Received
from shared.identifiers import Component, Incarnation
from shared.units import Instant

Key = tuple[Component, str]


class Continuity:
    """The newest numbers that one core was given."""

    def __init__(self) -> None:
        """Know nothing: what comes first is no gap."""
        self._newest: dict[Key, tuple[Incarnation, int]] = {}

    def judge(self, messages: list[Message]) -> list[Message]:
        """Return messages as they are; a jump that nobody told is our bug."""
        newest = self._newest
        for message in messages:
            if isinstance(message, Received):
                key = (message.component, message.topic)
                last = newest.get(key)
                if last is not None and last[0] == message.incarnation:
                    assert message.sequence == last[1] + 1, (
                        f"{message.topic} of {message.component}: {message.sequence} "
                        f"behind {last[1]}, and no gap was told"
                    )
                newest[key] = (message.incarnation, message.sequence)
            elif isinstance(message, Gap):
                self._forget(message.component)
        return messages

    def begin_anew(self, messages: list[Message]) -> list[Message]:
        """Return what came with a snapshot, behind which numbers go on anywhere."""
        for message in messages:
            if isinstance(message, Received):
                self._forget(message.component)
        return messages

    def _forget(self, component: Component) -> None:
        for key in [key for key in self._newest if key[0] == component]:
            del self._newest[key]


class JudgedIntake(Intake):
    """The real intake, with everything that it gives to its core looked at on the way."""

    def __init__(self, reader: Component, *, opener: Opener) -> None:
        """Follow the routing table, and remember nothing yet."""
        super().__init__(reader, opener=opener)
        self._judge = Continuity()

    def take(self, frames: Sequence[bytes], now: Instant) -> list[Message]:
        """Take one arriving message in."""
        return self._judge.judge(super().take(frames, now))

    def fill(self, frames: Sequence[bytes], now: Instant) -> list[Message] | None:
        """Take the answer to a request for single facts in; None when it is no such answer."""
        filled = super().fill(frames, now)
        return None if filled is None else self._judge.judge(filled)

    def answer(self, frames: Sequence[bytes], now: Instant) -> list[Message]:
        """Take the answer to a snapshot request in."""
        return self._judge.begin_anew(super().answer(frames, now))

    def expire(self, now: Instant) -> list[Message]:
        """Deliver what was held back for answers that do not come."""
        return self._judge.judge(super().expire(now))

    def pause(self, now: Instant) -> list[Message]:
        """Forget all sequences after this reader's own pause."""
        return self._judge.judge(super().pause(now))
