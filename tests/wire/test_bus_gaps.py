"""Gaps on real sockets: facts that a publisher numbered and the wire never carried."""

from collections.abc import Iterator

import pytest

from shared.effects import EnvelopeReceived, Gap, Publish, Received
from shared.facts import StateView
from shared.topics import MARKET_MAKING, RECORDER, STATE
from shared.units import MonotonicNs
from tests.builders.bus_rig import Rig, Scripted, rig

VIEW = Publish("state.view", StateView(()), MonotonicNs(5))


@pytest.fixture
def bus() -> Iterator[Rig]:
    with rig() as made:
        yield made


class LossyWire:
    """The publisher's socket, behind which facts of one topic vanish on demand."""

    def __init__(self, made: Rig) -> None:
        sockets = made.loops[STATE]._sockets
        self._real = sockets.publish
        self.lose = 0
        sockets.publish = self.publish  # type: ignore[method-assign]

    def publish(self, frames: list[bytes]) -> None:
        if self.lose and frames[0] == b"state.view":
            self.lose -= 1
            return
        self._real(frames)


class Pair:
    """A publisher, a reader that trades and the recorder, all of which hear each other."""

    def __init__(self, made: Rig) -> None:
        self.bus = made
        self.state, self.reader, self.recorder = Scripted(), Scripted(), Scripted()
        made.add(STATE, self.state)
        made.add(MARKET_MAKING, self.reader)
        made.add(RECORDER, self.recorder, raw=True)
        self.wire = LossyWire(made)
        made.turn_until(self.is_heard)
        newest = made.loops[STATE]._outlet.newest()["state.view"] + 1  # one more is to be said
        made.turn_until(lambda: self.numbers()[-1] == self.recorded()[-1] == newest)
        for core in (self.reader, self.recorder):
            core.heard.clear()

    def is_heard(self) -> bool:
        """Publish once more, until both readers are whole and hear it."""
        self.state.next = [VIEW]
        return bool(self.numbers()[3:] and self.recorded()[3:])

    def numbers(self) -> list[int]:
        return [one.sequence for one in self.reader.of(Received) if one.topic == "state.view"]

    def recorded(self) -> list[int]:
        heard = self.recorder.of(EnvelopeReceived)
        return [one.sequence for one in heard if one.topic == "state.view"]

    def publish(self, count: int, lost: int) -> None:
        """Publish facts in one turn, of which the first are lost and the others arrive."""
        self.wire.lose = lost
        self.state.next = [VIEW] * count
        self.bus.loops[STATE].turn()
        while self.state.next:
            self.bus.loops[STATE].turn()


def is_without_gaps(found: list[int]) -> bool:
    return found == list(range(found[0], found[0] + len(found)))


@pytest.mark.req("DQ-2")
def test_gap_of_three_is_filled_from_the_publisher_for_trader_and_recorder(bus: Rig) -> None:
    pair = Pair(bus)
    pair.publish(5, 3)
    bus.turn_until(lambda: len(pair.numbers()) >= 5 and len(pair.recorded()) >= 5)
    assert is_without_gaps(pair.numbers())
    assert is_without_gaps(pair.recorded())
    assert pair.reader.of(Gap) == []
    assert pair.recorder.of(Gap) == []


@pytest.mark.req("DQ-2")
def test_last_three_of_a_burst_are_filled_when_the_numbers_are_told(bus: Rig) -> None:
    pair = Pair(bus)
    pair.publish(3, 3)
    bus.turn_until(lambda: len(pair.numbers()) >= 3 and len(pair.recorded()) >= 3)
    assert is_without_gaps(pair.numbers())
    assert pair.reader.of(Gap) == []


@pytest.mark.req("DQ-2")
def test_gap_of_fifty_is_told_and_followed_by_a_snapshot(bus: Rig) -> None:
    pair = Pair(bus)
    pair.publish(52, 50)
    pair.state.next = [VIEW]
    bus.turn_until(lambda: bool(pair.reader.of(Gap) and pair.recorder.of(Gap)))
    bus.turn_until(pair.is_heard)
    gap = Gap(STATE, "state.view", 50, "sequence")
    assert pair.reader.of(Gap) == [gap]
    assert pair.recorder.of(Gap) == [gap]
    assert pair.reader.heard.index(gap) == 0, "the gap is told before anything behind it"
    assert pair.numbers()[0] > 50
