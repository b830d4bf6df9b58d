"""What the dashboard's core asks of its edges, and what they tell it."""

from services.dashboard.health import Check
from shared.effects import Effect, Message
from shared.ledger_schema import FillRecord, PayoutRecord
from shared.units import MonotonicNs


class Show(Effect, frozen=True):
    """Hand out what is true now; what was shown before is over.

    Attributes:
        page: The page's model as JSON.
        history: The curves as JSON; empty when nothing was added to them.
        ready: Whether orders may pass; `checks` say why not.
        checks: Of readiness, each with its age at `at_ns`.
        metrics: Text for Prometheus.
        at_ns: When all of it was made.
    """

    page: bytes
    history: bytes
    ready: bool
    reasons: tuple[str, ...]
    checks: tuple[Check, ...]
    metrics: str
    at_ns: MonotonicNs


class Serving(Message, frozen=True):
    """The server listens, or cannot.

    Attributes:
        port: 0 while it does not listen.
        problem: Why it does not; empty when it does.
    """

    port: int
    problem: str


class Watched(Message, frozen=True):
    """How many pages are open now, and how many were cut off for reading too slowly."""

    pages: int
    dropped: int


class LedgerRead(Message, frozen=True):
    """Rows that are new or may have changed since the read before.

    Attributes:
        is_whole: Whether the fills and payouts are all that there are, not only the newest.
        is_cut: Whether older rows than those known were left out.
        as_of_wall_ns: When the newest row of the journal was written; 0 for none.
        read_ns: When the reading began.
    """

    fills: tuple[FillRecord, ...]
    payouts: tuple[PayoutRecord, ...]
    is_whole: bool
    is_cut: bool
    as_of_wall_ns: int
    read_ns: MonotonicNs


class LedgerUnread(Message, frozen=True):
    """The ledger told nothing: what it holds now is unknown."""

    why: str
    read_ns: MonotonicNs
