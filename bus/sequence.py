"""Numbers that make loss visible: a counter at the publisher, a judge at each reader.

Pure. Sequences count per (incarnation, topic), since a number per publisher would show
false gaps to whoever reads only some of its topics. A publisher repeats its newest
numbers on `bus.sequences`, so that a lost last message shows too. A reader that joins late
has lost nothing that it was promised: it needs a snapshot, which is no gap.
"""

from collections import deque
from typing import Literal

import msgspec

from shared.identifiers import Component, Incarnation

DEAD_INCARNATIONS_MAX = 64
"""Remembered so that a late message of a dead run is ignored; a crash loop makes few a minute."""

UNKNOWN_COUNT = -1


class Numbering:
    """The publisher's side."""

    def __init__(self) -> None:
        self._newest: dict[str, int] = {}

    def next(self, topic: str) -> int:
        """Return the number of the next fact on a topic, from 1."""
        number = self._newest.get(topic, 0) + 1
        self._newest[topic] = number
        return number

    def newest(self) -> dict[str, int]:
        """Return the newest number of every topic that has had a fact."""
        return dict(self._newest)


class Judgement(msgspec.Struct, frozen=True):
    """What one sequence number means.

    Attributes:
        fresh: Whether the fact is to be delivered; a repeat or one of a dead run is not.
        missed: Facts lost before it, -1 when that cannot be known, 0 for none.
        cause: `sequence` or `incarnation` with a loss, else empty.
        joined: This reader begins here, in the middle: what came before needs a snapshot.
    """

    fresh: bool
    missed: int = 0
    cause: Literal["", "sequence", "incarnation"] = ""
    joined: bool = False


IN_SEQUENCE = Judgement(fresh=True)
REPEATED = Judgement(fresh=False)


class Loss(msgspec.Struct, frozen=True):
    """Facts of a topic that were sent and did not arrive."""

    topic: str
    missed: int


class Tracker:
    """The reader's side, for one publisher.

    Attributes:
        component: The publisher.
        incarnation: Newest run heard, None before the first.
        newest: Newest number accepted of each topic.
    """

    def __init__(self, component: Component, topics: tuple[str, ...]) -> None:
        self.component = component
        self.incarnation: Incarnation | None = None
        self.newest: dict[str, int] = {}
        self._topics = topics
        self._dead: deque[Incarnation] = deque(maxlen=DEAD_INCARNATIONS_MAX)
        self._baseline = False

    def judge(self, incarnation: Incarnation, topic: str, sequence: int) -> Judgement:
        """Take the number of an arriving fact in."""
        if incarnation in self._dead:
            return REPEATED
        if incarnation != self.incarnation:
            return self._first_of(incarnation, topic, sequence)
        last = self.newest.get(topic)
        if last is None:
            return self._first_on(topic, sequence)
        if sequence <= last:
            return REPEATED
        self.newest[topic] = sequence
        missed = sequence - last - 1
        return Judgement(fresh=True, missed=missed, cause="sequence") if missed else IN_SEQUENCE

    def compare(self, incarnation: Incarnation, newest: dict[str, int]) -> tuple[Loss, ...]:
        """Take the publisher's own list of newest numbers in; return what never arrived.

        A topic that was never heard before the first such list is a late join and no loss.
        """
        if incarnation != self.incarnation:
            return ()
        losses = []
        for topic in self._topics:
            told = newest.get(topic, 0)
            heard = self.newest.get(topic, 0 if self._baseline else told)
            if told > heard:
                losses.append(Loss(topic, told - heard))
            if told:
                self.newest[topic] = max(told, heard)
        self._baseline = True
        return tuple(losses)

    def rebase(self, incarnation: Incarnation, newest: dict[str, int]) -> None:
        """Go on from a snapshot's numbers: older facts are contained in it."""
        self._turn_to(incarnation)
        for topic in self._topics:
            told = newest.get(topic, 0)
            if told > self.newest.get(topic, 0):
                self.newest[topic] = told
        self._baseline = True

    def forget(self) -> None:
        """Begin anew after this reader's own pause: the next number of each topic is the first."""
        self.newest.clear()
        self._baseline = False

    def _first_of(self, incarnation: Incarnation, topic: str, sequence: int) -> Judgement:
        is_restart = self.incarnation is not None
        self._turn_to(incarnation)
        self.newest[topic] = sequence
        if is_restart:
            return Judgement(fresh=True, missed=UNKNOWN_COUNT, cause="incarnation", joined=True)
        return Judgement(fresh=True, joined=True)

    def _first_on(self, topic: str, sequence: int) -> Judgement:
        self.newest[topic] = sequence
        if sequence == 1:
            return IN_SEQUENCE
        if self._baseline:
            return Judgement(fresh=True, missed=sequence - 1, cause="sequence")
        return Judgement(fresh=True, joined=True)

    def _turn_to(self, incarnation: Incarnation) -> None:
        if incarnation == self.incarnation:
            return
        if self.incarnation is not None:
            self._dead.append(self.incarnation)
        self.incarnation = incarnation
        self.newest.clear()
        self._baseline = False
