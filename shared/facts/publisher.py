"""What the recorder, and every publisher, tells of its own messages."""

from shared.facts.fact import Fact
from shared.identifiers import Component, Incarnation


class RecorderStatus(Fact, frozen=True):
    """Repeated every second.

    Attributes:
        state: `recording`, `failing` (the disk does not take it) or `stopped` (it is nearly full).
        reason: Everything that people should know, in words.
        damage: Of it, what was found damaged among the files; empty for nothing.
    """

    file: str
    messages: int
    bytes: int
    gaps: int
    state: str
    reason: str
    damage: str = ""


class Sequences(Fact, frozen=True):
    """The newest sequence of every topic of a publisher, each 100 ms: a lost last message shows."""

    newest: dict[str, int]


class TurnSource(Fact, frozen=True):
    """A stream of facts that entries of a batch name by its place."""

    component: Component
    incarnation: Incarnation
    topic: str


class Turns(Fact, frozen=True):
    """What a core was given and when, so that a recording replays to the same decisions.

    Attributes:
        first: Entries of this run before these; 0 begins the run.
        count: Entries in `packed`.
        sources: Streams that the entries name.
        packed: The entries (`shared/turns.py`), deflated.
        settings: With the first entries: the configuration in force, as JSON.
        build_hash: Likewise: of the source that ran.
    """

    first: int
    count: int
    sources: tuple[TurnSource, ...]
    packed: bytes
    settings: bytes = b""
    build_hash: str = ""
