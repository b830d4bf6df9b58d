"""What the dashboard has heard, with the stamp of everything; judges nothing.

The newest of each status by its speaker stays for good and grows old; what a gap has put in
doubt and no snapshot has told again is forgotten, since an order that is drawn in the book and
gone at the venue would be worse than none.
"""

from collections import deque
from typing import Any, Generic, TypeVar

import msgspec

from shared.effects import Received
from shared.facts import Alert, OrderFact, RiskStatus, Transition
from shared.identifiers import Component, OrderHash
from shared.orders import EXPOSED, TERMINAL
from shared.topics import COMPONENTS, EXECUTION
from shared.units import NS_PER_S, Instant, MonotonicNs

ORDERS_MAX = 1_000
"""Far above the open orders that the gate allows; a bound against a peer gone mad."""

ALERTS_MAX = 50
TRANSITIONS_MAX = 30
"""What a person scrolls through; the audit trail has all."""

ANSWER_NS_MAX = 30 * NS_PER_S
"""A post that is older has no answer that says anything about latency."""

UNANSWERED = frozenset({"INTENDED", "SUBMITTED"})
UNTOLD = frozenset({"UNKNOWN", "NOT_SENT"})
"""Nobody has answered, or was asked."""

T = TypeVar("T", bound=msgspec.Struct)


class Seen(msgspec.Struct, Generic[T], frozen=True):
    """A fact and its stamps.

    Attributes:
        sent_ns: When its publisher sent it; its age counts from here.
        wall_ns: The publisher's wall clock, for people.
    """

    body: T
    component: str
    sent_ns: MonotonicNs
    wall_ns: int

    def age_ns(self, now_ns: int) -> int:
        """Return how old it is now."""
        return max(0, now_ns - self.sent_ns)


class Heard:
    """The newest of everything.

    Attributes:
        orders: Ours that may be in the market, by id.
        alerts: Oldest first; transitions likewise.
        restarts: New runs of each component that risk has told of since this process began.
        facts: How many facts were heard of each component.
        gaps: How many gaps.
    """

    def __init__(self) -> None:
        self._newest: dict[tuple[str, str], Seen[Any]] = {}
        self.orders: dict[OrderHash, Seen[OrderFact]] = {}
        self.alerts: deque[Seen[Alert]] = deque(maxlen=ALERTS_MAX)
        self.transitions: deque[Seen[Transition]] = deque(maxlen=TRANSITIONS_MAX)
        self.restarts: dict[str, int] = {}
        self.facts: dict[str, int] = dict.fromkeys(COMPONENTS, 0)
        self.gaps = 0
        self._runs: dict[str, int] = {}
        self._posted: dict[OrderHash, MonotonicNs] = {}

    def take(self, fact: Received) -> int | None:
        """Take a fact in; return how long the venue took to answer a post, when this tells it."""
        self.facts[fact.component] = self.facts.get(fact.component, 0) + 1
        seen: Seen[Any] = Seen(fact.body, fact.component, fact.sent_ns, fact.wall_ns)
        match fact.body:
            case OrderFact():
                return self._take_order(seen)
            case Alert():
                self.alerts.append(seen)
            case Transition():
                self.transitions.append(seen)
            case RiskStatus() as status:
                self._count_restarts(status)
                self._newest[(fact.topic, fact.component)] = seen
            case _:
                self._newest[(fact.topic, fact.component)] = seen
        return None

    def note(self, alert: Alert, component: str, now: Instant) -> None:
        """Keep an alert of this process's own, which does not hear itself."""
        self.alerts.append(Seen(alert, component, now.monotonic_ns, now.wall_ns))

    def doubt(self, component: Component) -> None:
        """Forget what only changes are told of: a gap makes it unknown until it is told again."""
        self.gaps += 1
        if component == EXECUTION:
            self.orders.clear()
            self._posted.clear()

    def newest(self, topic: str, component: str, body: type[T]) -> Seen[T] | None:
        """Return the newest fact of a topic and speaker, None when none was ever heard."""
        seen = self._newest.get((topic, component))
        assert seen is None or isinstance(seen.body, body), f"{topic} carries {body.__name__}"
        return seen

    def of_topic(self, topic: str, body: type[T]) -> dict[str, Seen[T]]:
        """Return the newest fact of every speaker of a topic."""
        found = {}
        for name, component in self._newest:
            if name == topic and (seen := self.newest(topic, component, body)) is not None:
                found[component] = seen
        return found

    def sent_ns(self, topic: str, component: str) -> MonotonicNs | None:
        """Return when the newest fact was sent, None when none was ever heard."""
        seen = self._newest.get((topic, component))
        return None if seen is None else seen.sent_ns

    def _take_order(self, seen: Seen[OrderFact]) -> int | None:
        order = seen.body
        before = self.orders.get(order.order_id)
        if order.state in TERMINAL:
            self.orders.pop(order.order_id, None)
        elif order.state in EXPOSED and (before is not None or len(self.orders) < ORDERS_MAX):
            self.orders[order.order_id] = seen
        if order.state in UNANSWERED:
            if before is None and len(self._posted) < ORDERS_MAX:
                self._posted[order.order_id] = seen.sent_ns
            return None
        posted_ns = self._posted.pop(order.order_id, None)
        if posted_ns is None or order.state in UNTOLD:
            return None
        took_ns = seen.sent_ns - posted_ns
        return took_ns if 0 <= took_ns <= ANSWER_NS_MAX else None

    def _count_restarts(self, status: RiskStatus) -> None:
        for row in status.components:
            known = self._runs.get(row.component)
            if row.incarnation and known is not None and known != row.incarnation:
                self.restarts[row.component] = self.restarts.get(row.component, 0) + 1
            if row.incarnation:
                self._runs[row.component] = row.incarnation
