"""CP-2: what state remembers is what it has folded, and nothing damaged is ever recalled."""

from ops.simulation.checkers import Findings
from services.state.core import StateCore
from services.state.memory import Memory, Remembered
from shared.config import Config
from shared.facts import StateView


class MemoryChecker:
    """Recalls each memory in a twin, and compares what the twin would remember."""

    def __init__(self, findings: Findings) -> None:
        """Take where violations go."""
        self._findings = findings
        self.recalled = self.refused = 0

    def kept(self, memory: Memory, config: Config) -> None:
        """Judge a memory that was written."""
        twin = StateCore(config)
        twin.on_message(Remembered(memory, (), "twin"), memory.taken)
        again = twin.remember(memory.taken)
        for name in Memory.__struct_fields__:
            if getattr(again, name) != getattr(memory, name):
                self._findings.add("CP-2", f"{name} are remembered otherwise than folded")
        (published,) = twin.snapshot(memory.taken)
        assert isinstance(published.body, StateView)
        valid = [view.market for view in published.body.markets if view.valid]
        if valid:
            self._findings.add("CP-2", f"{valid[0]} is valid by a memory alone")

    def found(self, *, is_damaged: bool, is_refused: bool) -> None:
        """Judge what a start made of what lay on the disk."""
        self.recalled += not is_refused
        self.refused += is_refused
        if is_damaged != is_refused:
            was = "damaged" if is_damaged else "whole"
            self._findings.add("CP-2", f"a {was} memory was {'' if is_refused else 'not '}refused")
