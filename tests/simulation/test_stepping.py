"""A process dies or stops between any two effects, and never inside a commit."""

import pytest

from bus.application import Application
from bus.edge import Edge
from ops.simulation.stepping import Killed, SteppedEdge, Stepping
from shared.effects import Control, Durable, Effect, Exit, Log, Message, Publish
from shared.units import BootNs, Instant, MonotonicNs, WallNs

NOW = Instant(BootNs(1), MonotonicNs(1), WallNs(1))


class Write(Durable, frozen=True):
    """A record."""


class Send(Effect, frozen=True):
    """Something that rests on the record."""

    number: int


class World(Edge):
    """Remembers what was done to it; also the outlet of nothing."""

    handles = (Write, Send)

    def __init__(self) -> None:
        self.done: list[str] = []

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        self.done.append(f"send {effect.number}" if isinstance(effect, Send) else "write")
        return []

    def commit(self, now: Instant) -> None:
        self.done.append("commit")

    def close(self) -> None:
        """Nothing to close."""

    def publish(self, effect: Publish, decided: Instant) -> None:
        """No facts here."""

    def send_control(self, effect: Control) -> None:
        """No line here."""

    def log(self, effect: Log) -> None:
        """No log here."""

    def exit(self, effect: Exit) -> None:
        """Nobody exits here."""


class Rig:
    def __init__(self) -> None:
        self.world = World()
        self.pauses: list[int] = []
        self.stepping = Stepping(self.pauses.append)
        edge = SteppedEdge(self.world, self.stepping, [], lambda: NOW)
        self.application = Application(self.world, [edge], lambda: NOW)

    def turn(self) -> None:
        effects = [Write(), Send(1), Send(2), Send(3)]
        self.application.apply([(effect, NOW) for effect in effects])


WHOLE = ["write", "commit", "send 1", "send 2", "send 3"]


@pytest.mark.parametrize("effects_before", range(len(WHOLE)))
def test_killed_process_has_done_exactly_what_came_before(effects_before: int) -> None:
    rig = Rig()
    rig.stepping.arm(effects_before)
    with pytest.raises(Killed):
        rig.turn()
    assert rig.world.done == WHOLE[:effects_before]


@pytest.mark.parametrize("effects_before", range(2, len(WHOLE)))
def test_stopped_process_does_the_rest_when_it_goes_on(effects_before: int) -> None:
    rig = Rig()
    rig.stepping.arm(effects_before, lasts_ns=7)
    rig.turn()
    assert rig.world.done == WHOLE[:effects_before]
    assert rig.pauses == [7]
    rig.stepping.resume()
    assert rig.world.done == WHOLE
    assert not rig.stepping.is_paused


@pytest.mark.parametrize("effects_before", [0, 1])
def test_stop_inside_a_commit_comes_right_behind_it(effects_before: int) -> None:
    rig = Rig()
    rig.stepping.arm(effects_before, lasts_ns=7)
    rig.turn()
    assert rig.world.done == ["write", "commit"]


def test_second_stop_keeps_the_order_of_the_rest() -> None:
    rig = Rig()
    rig.stepping.arm(2, lasts_ns=7)
    rig.turn()
    rig.stepping.arm(1, lasts_ns=9)
    rig.stepping.resume()
    assert rig.world.done == WHOLE[:3]
    rig.stepping.resume()
    assert rig.world.done == WHOLE
    assert rig.pauses == [7, 9]


def test_blow_that_is_disarmed_never_falls() -> None:
    rig = Rig()
    rig.stepping.arm(1)
    rig.stepping.disarm()
    rig.turn()
    assert rig.world.done == WHOLE


def test_blow_before_one_kind_of_effect_counts_only_those() -> None:
    rig = Rig()
    rig.stepping.arm(1, before="Send")
    with pytest.raises(Killed):
        rig.turn()
    assert rig.world.done == WHOLE[:3]
