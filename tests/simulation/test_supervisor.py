"""The simulated supervisord starts again what ended, unless it was asked to stop it."""

from ops.simulation.process import Process
from ops.simulation.scheduler import Scheduler
from ops.simulation.supervisor import ANSWER_NS, ASK_EVERY_NS, Supervisor, SupervisorLine
from ops.simulation.trace import Trace
from services.risk.messages import AskSupervisor, NoteProgram, ProgramsSeen, ProgramsTold
from services.simulator.chance import Chance
from shared.identifiers import Component
from shared.program_events import ProgramEvent
from shared.topics import STATE
from shared.units import BootNs, WallNs


class Rig:
    def __init__(self) -> None:
        self.scheduler = Scheduler(Chance(1))
        self.started: list[Component] = []
        self.supervisor = Supervisor(
            self.scheduler, Trace(), (STATE,), self.find, lambda name, _: self.started.append(name)
        )

    def find(self, name: Component) -> Process | None:
        return None

    def wait(self, lasts_ns: int) -> None:
        self.scheduler.run_until(self.scheduler.now_ns + lasts_ns)


def event(kind: str) -> ProgramEvent:
    return ProgramEvent(BootNs(1), WallNs(1), STATE, kind)  # type: ignore[arg-type]


def test_program_that_is_stopped_starts_again_only_when_asked() -> None:
    rig = Rig()
    line = SupervisorLine(rig.supervisor)
    line.apply(AskSupervisor("start", STATE), rig.scheduler.instant())
    rig.wait(ANSWER_NS)
    assert rig.started == [], "it was not stopped"
    line.apply(AskSupervisor("stop", STATE), rig.scheduler.instant())
    rig.wait(ANSWER_NS)
    assert [row.state for row in rig.supervisor.rows()] == ["STOPPED"]
    line.apply(AskSupervisor("start", STATE), rig.scheduler.instant())
    rig.wait(ANSWER_NS)
    assert rig.started == [STATE]
    assert [row.state for row in rig.supervisor.rows()] == ["STARTING"]


def test_file_of_ends_is_read_once_and_its_past_first() -> None:
    rig = Rig()
    SupervisorLine(rig.supervisor).apply(NoteProgram(event("flapping")), rig.scheduler.instant())
    line = SupervisorLine(rig.supervisor)
    rig.supervisor.append(event("exited"))
    past, rows = line.on_tick(rig.scheduler.instant())
    assert isinstance(past, ProgramsTold)
    assert isinstance(rows, ProgramsSeen)
    assert (past.is_past, [one.kind for one in past.events]) == (True, ["flapping"])
    (news,) = line.on_tick(rig.scheduler.instant())
    assert isinstance(news, ProgramsTold)
    assert (news.is_past, [one.kind for one in news.events]) == (False, ["exited"])
    assert line.on_tick(rig.scheduler.instant()) == []
    rig.wait(ASK_EVERY_NS)
    (rows,) = line.on_tick(rig.scheduler.instant())
    assert isinstance(rows, ProgramsSeen)
