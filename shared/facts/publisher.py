"""What the recorder, and every publisher, tells of its own messages."""

from shared.facts.fact import Fact


class RecorderStatus(Fact, frozen=True):
    """Repeated every second."""

    file: str
    messages: int
    bytes: int
    gaps: int
    state: str
    reason: str


class Sequences(Fact, frozen=True):
    """The newest sequence of every topic of a publisher, each 100 ms: a lost last message shows."""

    newest: dict[str, int]
