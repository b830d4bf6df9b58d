"""Whether the PANIC file stands in the data directory: looked at every turn.

`interlock panic` writes it before it does anything else. What cannot be told counts as
panic: a directory that is gone or may not be read is nothing to trade on.
"""

from pathlib import Path
from typing import Final

from bus.edge import Edge
from services.execution.messages import PanicSeen
from shared.effects import Message
from shared.units import Instant

PANIC_FILE: Final = "PANIC"


class PanicFile(Edge):
    """Looks, and tells the core at the first look and at each change."""

    def __init__(self, data_directory: Path) -> None:
        """Look into this directory."""
        self._directory = data_directory
        self._path = data_directory / PANIC_FILE
        self._told: bool | None = None

    def on_tick(self, now: Instant) -> list[Message]:
        """Look."""
        is_present = self._is_present()
        if is_present == self._told:
            return []
        self._told = is_present
        return [PanicSeen(is_present)]

    def _is_present(self) -> bool:
        try:
            self._path.lstat()
        except FileNotFoundError:
            return not self._directory.is_dir()
        except OSError:
            return True
        return True
