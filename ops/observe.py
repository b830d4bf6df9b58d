"""What the group says of itself right now, heard off the bus, with the age of everything.

Listens for half a second at most: risk, execution and every feed repeat their status ten
times a second, so what was not heard by then is not there. Nothing is asked of anybody.
"""

from pathlib import Path
from typing import TypeVar

import msgspec

from bus import clock
from bus.tap import Heard, Tap
from shared.effects import Received
from shared.facts import (
    ExecutionStatus,
    FeedStatus,
    RecorderStatus,
    RiskStatus,
    StateQuality,
    StrategyStatus,
)
from shared.topics import COMPONENTS, EXECUTION, FEEDS, RISK, SIDE_FEEDS, STATE
from shared.units import NS_PER_MS, MonotonicNs

LISTEN_MS = 500

TOPICS = (
    "risk.status",
    "execution.status",
    "feed.status",
    "strategy.status",
    "recorder.status",
    "state.quality",
)

T = TypeVar("T")


class Seen(msgspec.Struct, frozen=True):
    """A fact with the moment at which its publisher sent it."""

    fact: Received

    def age_ns(self, now_ns: MonotonicNs) -> int:
        """Return how old it is now."""
        return max(0, now_ns - self.fact.sent_ns)


class View(msgspec.Struct, frozen=True):
    """The newest of every status by (topic, component); what is missing was not heard.

    Attributes:
        at_ns: When listening ended.
        wall_ns: The same for people.
    """

    facts: dict[tuple[str, str], Seen]
    at_ns: MonotonicNs
    wall_ns: int

    def risk(self) -> RiskStatus | None:
        """Return risk's status, None when it was not heard."""
        return self._of("risk.status", RISK, RiskStatus)

    def execution(self) -> ExecutionStatus | None:
        """Return execution's status, None when it was not heard."""
        return self._of("execution.status", EXECUTION, ExecutionStatus)

    def feeds(self) -> dict[str, FeedStatus]:
        """Return the status of every feed that was heard."""
        names = (*FEEDS, *SIDE_FEEDS)
        found = {name: self._of("feed.status", name, FeedStatus) for name in names}
        return {name: status for name, status in found.items() if status is not None}

    def strategies(self) -> dict[str, StrategyStatus]:
        """Return the status of every strategy that was heard."""
        return {
            component: seen.fact.body
            for (topic, component), seen in self.facts.items()
            if topic == "strategy.status"
        }

    def recorder(self) -> RecorderStatus | None:
        """Return the recorder's status, None when it was not heard."""
        return self._of("recorder.status", "recorder", RecorderStatus)

    def quality(self) -> StateQuality | None:
        """Return what state finds wrong with the data, None when it was not heard."""
        return self._of("state.quality", STATE, StateQuality)

    def age_ns(self, topic: str, component: str) -> int | None:
        """Return the age of a status, None when it was not heard."""
        seen = self.facts.get((topic, component))
        return None if seen is None else seen.age_ns(self.at_ns)

    def _of(self, topic: str, component: str, body: type[T]) -> T | None:
        seen = self.facts.get((topic, component))
        if seen is None:
            return None
        assert isinstance(seen.fact.body, body), f"{topic} carries {body.__name__}"
        return seen.fact.body


def observe(run_directory: Path, listen_ms: int = LISTEN_MS) -> View:
    """Listen until everything that is repeated ten times a second was heard, or time is over."""
    facts: dict[tuple[str, str], Seen] = {}
    with Tap(run_directory, COMPONENTS, TOPICS) as tap:
        until_ns = MonotonicNs(clock.read().monotonic_ns + listen_ms * NS_PER_MS)
        while (heard := tap.receive(until_ns)) is not None:
            _take(facts, heard)
            if _is_complete(facts):
                break
    now = clock.read()
    return View(facts, now.monotonic_ns, now.wall_ns)


def _take(facts: dict[tuple[str, str], Seen], heard: Heard) -> None:
    fact = heard.fact
    if isinstance(fact, Received):
        facts[(fact.topic, fact.component)] = Seen(fact)


def _is_complete(facts: dict[tuple[str, str], Seen]) -> bool:
    wanted = [("risk.status", RISK), ("execution.status", EXECUTION), ("state.quality", STATE)]
    wanted += [("feed.status", feed) for feed in (*FEEDS, *SIDE_FEEDS)]
    return all(key in facts for key in wanted)
