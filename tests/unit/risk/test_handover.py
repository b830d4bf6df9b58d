"""When a crashed strategy is let in again: once it answers and nothing is left to sell."""

from typing import Any

import msgspec
import pytest

from services.risk.handover import Handover
from services.risk.messages import LatchEnded, NoteProgram, ProcessExited, ProgramsTold
from services.risk.samples import Sample
from shared.effects import ControlReceived, Received
from shared.facts import Calendar, MarketInfo, PositionFact, Positions
from shared.identifiers import Component, Incarnation, StrategyName
from shared.program_events import EventKind, ProgramEvent
from shared.switches import STRATEGY_DISABLED, STRATEGY_HANDOVER
from shared.topics import EXECUTION, FEED_DISCOVERY, MARKET_MAKING
from shared.units import NS_PER_MS, MoneyE6, SizeE6, WallMs
from tests.builders.risk import DOWN, MARKET, UP, World, instant, market

OWNER = StrategyName(MARKET_MAKING)
MIN_E6 = market().min_size_e6
RUN = World().pong(MARKET_MAKING, None)


def held(up_e6: int, down_e6: int = 0, owner: StrategyName = OWNER) -> tuple[PositionFact, ...]:
    return tuple(
        PositionFact(owner, MARKET, token, SizeE6(size), SizeE6(size), SizeE6(size), MoneyE6(0))
        for token, size in ((UP, up_e6), (DOWN, down_e6))
        if size
    )


class Desk:
    """The source, told of one market and of what is held there."""

    def __init__(self, *, info: MarketInfo | None = None) -> None:
        self.source = Handover()
        self.now = instant(10_000)
        self.info = info or market()
        self.positions: tuple[PositionFact, ...] = ()
        self.pong()
        self.facts()

    def fact(self, component: Component, body: Any) -> None:
        mono = self.now.monotonic_ns
        self.hear(Received(component, Incarnation(1), "topic", 1, mono, mono, 0, body))

    def facts(self) -> None:
        self.fact(FEED_DISCOVERY, Calendar((self.info,), self.now.monotonic_ns))
        self.fact(EXECUTION, Positions(self.positions))

    def pong(self, state: Any = "ready", incarnation: int = int(RUN.incarnation)) -> None:
        mine = msgspec.structs.replace(RUN, state=state, incarnation=Incarnation(incarnation))
        self.hear(ControlReceived(mine))

    def hear(self, message: Any) -> None:
        self.source.hear(message, self.now)

    def later(self, ms: float) -> None:
        self.now = instant((self.now.boot_ns - instant(0).boot_ns) / NS_PER_MS + ms)

    def told(self, kind: EventKind, *, expected: bool = False) -> None:
        stamps = (self.now.boot_ns, self.now.wall_ns)
        event = ProgramEvent(*stamps, MARKET_MAKING, kind, RUN.pid, expected)
        self.hear(ProgramsTold((event,), False))

    def crash(self) -> None:
        self.hear(ProcessExited(MARKET_MAKING, RUN.incarnation))

    def again(self) -> None:
        """Let it run again, as another run."""
        self.pong(incarnation=2)

    def why(self) -> str:
        """Return why it is kept out, empty when it is not."""
        found = [one for one in self.source.data(self.now) if isinstance(one, Sample)]
        assert all(one.switch == STRATEGY_HANDOVER for one in found)
        return "; ".join(one.why for one in found if one.bad)


@pytest.mark.req("CP-3")
@pytest.mark.parametrize(
    ("excess_e6", "kept_out"), [(MIN_E6 - 1, False), (MIN_E6, True), (MIN_E6 + 1, True)]
)
def test_crashed_strategy_is_kept_out_while_an_order_could_sell_what_it_holds(
    excess_e6: int, kept_out: bool
) -> None:
    desk = Desk()
    desk.positions = held(2 * MIN_E6 + excess_e6, 2 * MIN_E6)
    desk.crash()
    assert "does not answer" in desk.why()
    desk.facts()
    desk.again()
    assert bool(desk.why()) is kept_out
    desk.positions = held(2 * MIN_E6, 2 * MIN_E6)
    desk.facts()
    assert desk.why() == ""


def test_what_is_left_past_the_cutoff_or_of_others_keeps_nobody_out() -> None:
    cutoff = WallMs(instant(10_000).wall_ms)
    for desk, positions in (
        (Desk(info=market(cutoff_ms=cutoff)), held(MIN_E6)),
        (Desk(), held(MIN_E6, owner=StrategyName("adopted"))),
    ):
        desk.positions = positions
        desk.facts()
        desk.crash()
        desk.again()
        assert desk.why() == ""


def test_positions_that_nobody_tells_of_are_not_gone() -> None:
    desk = Desk()
    desk.crash()
    desk.later(3_001)
    desk.again()
    assert "unknown" in desk.why()
    desk.facts()
    assert desk.why() == ""


@pytest.mark.parametrize("state", ["starting", "sick"])
def test_strategy_that_is_not_ready_is_kept_out(state: str) -> None:
    desk = Desk()
    desk.crash()
    desk.pong(state, incarnation=2)
    assert "does not answer" in desk.why()


@pytest.mark.req("CP-3")
@pytest.mark.parametrize("kind", ["exited", "backoff"])
def test_crash_that_watch_tells_of_begins_it_too(kind: EventKind) -> None:
    desk = Desk()
    desk.told(kind)
    assert desk.why()


@pytest.mark.parametrize(("kind", "expected"), [("stopped", False), ("exited", True)])
def test_end_that_was_asked_for_or_is_ordinary_withdraws_it(
    kind: EventKind, expected: bool
) -> None:
    desk = Desk()
    desk.positions = held(MIN_E6)
    desk.facts()
    desk.crash()
    assert desk.why()
    desk.told(kind, expected=expected)
    assert desk.why() == ""


@pytest.mark.req("CP-3")
def test_strategy_that_is_enabled_again_is_kept_out_until_its_position_is_gone() -> None:
    desk = Desk()
    desk.positions = held(MIN_E6)
    desk.facts()
    desk.hear(LatchEnded(STRATEGY_DISABLED.name, "strategy", MARKET_MAKING))
    assert "caretaker" in desk.why()
    desk.hear(LatchEnded(STRATEGY_DISABLED.name, "strategy", "nobody"))


def test_end_is_written_down_so_that_the_next_risk_knows() -> None:
    desk = Desk()
    desk.crash()
    desk.again()
    (note,) = [one for one in desk.source.data(desk.now) if isinstance(one, NoteProgram)]
    assert note.event.kind == "handed_over"
    other = Desk()
    other.told("exited")
    other.hear(ProgramsTold((note.event,), True))
    assert other.why() == ""


def test_exit_of_an_older_run_or_of_others_begins_nothing() -> None:
    desk = Desk()
    desk.hear(ProcessExited(MARKET_MAKING, Incarnation(77)))
    desk.hear(ProcessExited(EXECUTION, RUN.incarnation))
    assert desk.why() == ""


@pytest.mark.req("CP-3")
def test_whole_of_risk_keeps_a_crashed_strategy_out_and_lets_others_trade() -> None:
    world = World()
    world.trade()
    world.positions = held(MIN_E6)
    world.run(200)
    world.exit_of(MARKET_MAKING)
    world.restart(MARKET_MAKING)
    world.run(10_000)
    (scope,) = world.leases()[-1].scopes
    assert (scope.scope_id, scope.state, scope.care) == (MARKET_MAKING, "REDUCING", True)
    assert world.status.trading_state == "ACTIVE"
    world.positions = ()
    world.run(world.config.timing.clean_data_ms + 500)
    assert world.leases()[-1].scopes == ()
