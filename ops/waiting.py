"""Waits for something to become true, with a deadline and with words for who waits.

The one place in which the command stands still; it looks again a few times a second.
"""

import threading
from collections.abc import Callable
from typing import TypeVar

from rich.console import Console

from bus import clock
from shared.units import NS_PER_S

LOOK_EVERY_S = 0.1

T = TypeVar("T")


def wait_for(
    look: Callable[[], T | None],
    within_s: float,
    say: Callable[[str], None] | None = None,
    words: Callable[[], str] | None = None,
) -> T | None:
    """Return what `look` returns as soon as it is not None; None when the time is over.

    Args:
        look: Asked at once and then about ten times a second.
        within_s: Longest wait in seconds, above zero.
        say: Takes a line that replaces the one before.
        words: What is waited for now.
    """
    still = threading.Event()
    deadline_ns = clock.read().boot_ns + int(within_s * NS_PER_S)
    while True:
        found = look()
        if found is not None:
            return found
        if clock.read().boot_ns >= deadline_ns:
            return None
        if say is not None and words is not None:
            say(words())
        still.wait(LOOK_EVERY_S)


class Progress:
    """One line that is replaced as things go on; plain lines where there is no terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last = ""
        self._status = console.status("") if console.is_terminal else None
        self._began_ns = clock.read().boot_ns

    def __enter__(self) -> "Progress":
        """Show the line."""
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the line away."""
        if self._status is not None:
            self._status.stop()

    def say(self, words: str) -> None:
        """Show words, with the seconds since the beginning."""
        if self._status is not None:
            elapsed_s = (clock.read().boot_ns - self._began_ns) / NS_PER_S
            self._status.update(f"{words} ({elapsed_s:.0f} s)")
        elif words != self._last:
            self._console.print(words, soft_wrap=True)
        self._last = words
