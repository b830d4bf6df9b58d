"""A simulated process loses, buffers and forgets what a real one would."""

from bus.control_line import Identity
from ops.simulation.body import Body
from ops.simulation.bus import Bus
from ops.simulation.faults import Rates
from ops.simulation.line import ControlLine
from ops.simulation.process import Process, Surroundings
from ops.simulation.scheduler import Scheduler
from ops.simulation.trace import Trace
from services.simulator.chance import Chance
from shared.control import Ping, Pong
from shared.effects import (
    Control,
    ControlReceived,
    Effect,
    Exit,
    Gap,
    Message,
    Paused,
    Peer,
    Publish,
    Received,
)
from shared.facts import StrategyStatus
from shared.identifiers import Component, Incarnation, StrategyName
from shared.topics import MARKET_MAKING, RISK
from shared.units import NS_PER_MS, BootNs, Instant

LEASE_NS = 400 * NS_PER_MS


class Talker:
    """Publishes its status at every tick; risk's ping goes out as often."""

    def __init__(self, effects: list[Effect]) -> None:
        self.effects = effects
        self.heard: list[Message] = []

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        self.heard.append(message)
        return []

    def on_tick(self, now: Instant) -> list[Effect]:
        return list(self.effects)


class Rig:
    """Risk and one strategy, each a talker."""

    def __init__(self) -> None:
        self.scheduler = Scheduler(Chance(1))
        self.processes: dict[Component, Process] = {}
        self.ended: list[tuple[Component, str]] = []
        trace = Trace()
        self.bus = Bus(self.scheduler, Chance(2), Rates(), trace, self.wake)
        self.line = ControlLine(self.scheduler, Chance(3), Rates(), trace, self.wake)
        self.around = Surroundings(
            self.scheduler, self.bus, self.line, trace, self, LEASE_NS, self.exited
        )

    def wake(self, component: Component, moment_ns: int) -> None:
        if component in self.processes:
            self.processes[component].wake_at(moment_ns)

    def exited(self, process: Process, cause: str) -> None:
        self.ended.append((process.component, cause))

    def published(self, peer: Peer, effect: Publish, now: Instant) -> None:
        """Nobody watches."""

    def ordered(self, peer: Peer, ping: Ping, now: Instant) -> None:
        """Nobody watches."""

    def start(self, component: Component, incarnation: int, *effects: Effect) -> Talker:
        talker = Talker(list(effects))
        identity = Identity(component, Incarnation(incarnation), incarnation, "", "", "")
        self.processes[component] = Process(
            identity, self.around, lambda _: Body(talker, (), lambda: None)
        )
        return talker

    def run(self, milliseconds: int) -> None:
        self.scheduler.run_until(self.scheduler.now_ns + milliseconds * NS_PER_MS)


def status(rig: Rig) -> Publish:
    body = StrategyStatus(StrategyName("market_making"), "idle", "", ())
    return Publish("strategy.status", body, rig.scheduler.instant().monotonic_ns)


def test_fact_reaches_its_reader_in_sequence() -> None:
    rig = Rig()
    risk = rig.start(RISK, 1)
    rig.start(MARKET_MAKING, 2, status(rig))
    rig.run(1_000)
    facts = [message for message in risk.heard if isinstance(message, Received)]
    assert len(facts) > 12, "a reader is blind for up to 200 ms"
    numbers = [message.sequence for message in facts]
    assert numbers == list(range(numbers[0], numbers[0] + len(facts)))


def test_stopped_reader_hears_of_its_pause_before_anything_else() -> None:
    rig = Rig()
    risk = rig.start(RISK, 1)
    rig.start(MARKET_MAKING, 2, status(rig))
    rig.run(500)
    risk.heard.clear()
    rig.processes[RISK].pause(1_000 * NS_PER_MS)
    rig.run(999)
    assert risk.heard == []
    rig.run(200)
    assert isinstance(risk.heard[0], Paused)
    gaps = [message for message in risk.heard if isinstance(message, Gap)]
    assert {gap.cause for gap in gaps} == {"pause"}
    facts = [message for message in risk.heard if isinstance(message, Received)]
    assert facts
    resumed_ns = rig.scheduler.instant().monotonic_ns - 200 * NS_PER_MS
    assert all(message.sent_ns >= resumed_ns for message in facts)


def test_stopped_component_finds_every_ping_that_was_sent_meanwhile() -> None:
    rig = Rig()
    order = Ping(Incarnation(1), 1, BootNs(0), 1, 0, "", "PAUSED", (), (), 0)
    rig.start(RISK, 1, Control(order, Peer(MARKET_MAKING, Incarnation(2))))
    maker = rig.start(MARKET_MAKING, 2)
    rig.run(500)
    maker.heard.clear()
    rig.processes[MARKET_MAKING].pause(1_000 * NS_PER_MS)
    rig.run(1_010)
    pings = [message for message in maker.heard if isinstance(message, ControlReceived)]
    assert len(pings) > 45


def test_component_answers_pings_and_says_hello_without_them() -> None:
    rig = Rig()
    risk = rig.start(RISK, 1)
    rig.start(MARKET_MAKING, 2)
    rig.run(1_000)
    pongs = [message.body for message in risk.heard if isinstance(message, ControlReceived)]
    assert all(isinstance(pong, Pong) and pong.ping_id == 0 for pong in pongs)
    assert 3 <= len(pongs) <= 6


def test_killed_process_says_nothing_more_and_its_successor_is_a_gap() -> None:
    rig = Rig()
    risk = rig.start(RISK, 1)
    rig.start(MARKET_MAKING, 2, status(rig))
    rig.run(500)
    rig.processes[MARKET_MAKING].kill("test")
    rig.run(10)
    risk.heard.clear()
    rig.run(500)
    assert risk.heard == []
    assert rig.ended == [(MARKET_MAKING, "test")]
    rig.start(MARKET_MAKING, 3, status(rig))
    rig.run(500)
    assert Gap(MARKET_MAKING, "", -1, "incarnation") in risk.heard


def test_process_that_asks_to_end_has_its_last_facts_delivered() -> None:
    rig = Rig()
    risk = rig.start(RISK, 1)
    maker = rig.start(MARKET_MAKING, 2)
    rig.run(500)
    maker.effects = [status(rig), Exit(3, "done")]
    rig.run(50)
    assert rig.ended == [(MARKET_MAKING, "exit 3: done")]
    assert any(isinstance(message, Received) for message in risk.heard)


def test_message_for_an_incarnation_that_is_gone_is_lost() -> None:
    rig = Rig()
    order = Ping(Incarnation(1), 1, BootNs(0), 1, 0, "", "PAUSED", (), (), 0)
    rig.start(RISK, 1, Control(order, Peer(MARKET_MAKING, Incarnation(9))))
    maker = rig.start(MARKET_MAKING, 2)
    rig.run(500)
    assert maker.heard == []
