"""KS-5 at the gate: what the venue has answered to us that means "not you" or "not from here".

Found by execution's own eyes and held until risk grants again under a newer epoch: before that
risk has heard of it by pong and latched it, and an operator has resumed. Forgotten with the
process, since the latch is risk's and the next start asks the venue at once.

Source: https://docs.polymarket.com/resources/error-codes and
https://docs.polymarket.com/api-reference/geoblock (2026-09-28).
"""

from collections.abc import Sequence

from shared.control import Restricted
from shared.venue.modes import RESTRICTING_MODES, mode_of
from shared.venue.outcomes import Outcome, Rejected


class Restriction:
    """The newest finding.

    Attributes:
        text: Why nothing is placed; empty while nothing restricts us.
    """

    def __init__(self) -> None:
        """Begin unrestricted: the first answer corrects it."""
        self.text = ""
        self._number = 0
        self._epoch = 0

    def hear(self, outcomes: Sequence[Outcome], epoch: int) -> bool:
        """Take what an answer said; return whether it restricts us and is news."""
        found = next((one for one in outcomes if mode_of(one) in RESTRICTING_MODES), None)
        if not isinstance(found, Rejected):
            return False
        is_news = not self.text or epoch > self._epoch
        self._epoch = epoch
        self.text = f"{found.reason.value}: {found.text}"
        self._number += is_news
        return is_news

    def granted(self, epoch: int) -> None:
        """Take a lease that runs: one under a newer epoch means that an operator has resumed."""
        if epoch > self._epoch:
            self.text = ""

    def told(self) -> Restricted | None:
        """Return what every pong says of it; None while nothing restricts us."""
        return Restricted(self._number, self.text) if self.text else None
