"""What a process is made of, and what is cut when it ends."""

from collections.abc import Callable

import msgspec

from bus.edge import Edge
from shared.effects import Core


class Body(msgspec.Struct, frozen=True):
    """What a process is made of: its core, and the edges that carry out its effects.

    Attributes:
        die: Called once when the process ends, to cut its edges from the world.
    """

    core: Core
    edges: tuple[Edge, ...]
    die: Callable[[], None]
