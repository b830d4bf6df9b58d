"""Confirmation of a condition: n of the newest m samples trip, clean time releases.

Deliberately knows no switch and no scope; `breakers.py` keeps one for each.
"""

from collections import deque

from shared.switches import Confirmation
from shared.units import BootNs


class Confirmed:
    """One condition, sampled.

    Attributes:
        tripped: Whether it holds, confirmed.
        why: Of the newest bad sample.
        needed: Bad samples among the newest `of` that trip it.
    """

    def __init__(self, confirmation: Confirmation, clean_ns: int) -> None:
        """Begin not tripped.

        Args:
            confirmation: Samples needed.
            clean_ns: How long every sample must be good before it releases.
        """
        self.tripped = False
        self.why = ""
        self.needed = confirmation.needed
        self.of = confirmation.of
        self._samples: deque[bool] = deque(maxlen=confirmation.of)
        self._clean_ns = clean_ns
        self._good_since: BootNs | None = None

    @property
    def bad(self) -> int:
        """How many of the newest samples were bad."""
        return sum(self._samples)

    def add(self, bad: bool, why: str, now_ns: BootNs) -> bool:
        """Take a sample; True when it tripped or released."""
        self._samples.append(bad)
        if bad:
            self.why = why
            self._good_since = None
        elif self._good_since is None:
            self._good_since = now_ns
        before = self.tripped
        if self.bad >= self.needed:
            self.tripped = True
        elif self.is_clean(now_ns):
            self.tripped = False
        return self.tripped != before

    def is_clean(self, now_ns: BootNs) -> bool:
        """Tell whether every sample has been good for the clean time."""
        return self._good_since is not None and now_ns >= self._good_since + self._clean_ns
