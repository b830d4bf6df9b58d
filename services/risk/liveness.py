"""Who is there: every run of every component, its last pong, and whether it has ended.

Three signs, kept apart: a pong says that a run answered, a pidfd says that it ended, silence
says that it hangs. A pong that answers a ping sent after the run's exit contradicts the
kernel; it is told, and counts for nothing.

Silence is counted in time for which this process listened: a turn of our own that came late
says nothing about anybody else.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from shared.config import ComponentSettings, Config
from shared.config.components import SILENT
from shared.control import Pong
from shared.effects import Peer
from shared.identifiers import Component, Incarnation
from shared.topics import COMPONENTS, EXECUTION, RISK
from shared.units import NS_PER_MS, NS_PER_S, BootNs

LISTENED_NS_MAX = 50 * NS_PER_MS
"""Most of one gap between two turns that counts as listening; a turn is due each 10 ms."""

RUNS_MAX = 8
"""Runs of one component that are kept: a lock allows one, and each restart ends one."""

Condition = Literal["absent", "alive", "hung", "exited"]
Heard = Literal["new", "known", "contradiction", "ignored"]


class Run(msgspec.Struct):
    """One incarnation of a component.

    Attributes:
        pong_ns: When its newest pong was taken in.
        heard_ns: The same, on the clock of listening.
        exited_ns: When the kernel told of its end; 0 while it has not.
        killed_ns: When it was last killed for its silence; 0 for never.
        kills: How often it was killed, for whatever reason.
    """

    peer: Peer
    pid: int
    pong: Pong
    pong_ns: BootNs
    heard_ns: int
    exited_ns: BootNs = BootNs(0)
    killed_ns: BootNs = BootNs(0)
    kills: int = 0


EXECUTION_KILL_NS = 3 * NS_PER_S
"""Silence after which execution is killed whatever it has answered. A missing BLOCKED gets it
killed far sooner (`fence.py`); but behind a fence that it has answered nobody asks again, and one
that hangs there would keep the account from trading for good. Found by `ops/model`."""


class Patience(msgspec.Struct, frozen=True):
    """How long one component may be silent.

    Attributes:
        hang_ns: Then it counts as hung.
        kill_ns: Then it is killed, so that supervisord starts it anew.
    """

    hang_ns: int
    kill_ns: int


def patience(config: Config) -> dict[Component, Patience]:
    """Return the patience with each component but risk, of the settings."""
    found = {EXECUTION: Patience(config.timing.hang_ms * NS_PER_MS, EXECUTION_KILL_NS)}
    for name in SILENT:
        table: ComponentSettings = getattr(config.components, name)
        found[Component(name)] = Patience(table.hang_ms * NS_PER_MS, table.kill_ms * NS_PER_MS)
    return found


class Liveness:
    """All runs, newest last for each component."""

    def __init__(self, patience: Mapping[Component, Patience], now_ns: BootNs) -> None:
        self._patience = patience
        self._turn_ns = now_ns
        self._listened_ns = 0
        self._runs: dict[Component, list[Run]] = {
            component: [] for component in COMPONENTS if component != RISK
        }

    def turn(self, now_ns: BootNs) -> None:
        """Let the clock of listening go on, by no more than a turn may take."""
        self._listened_ns += min(now_ns - self._turn_ns, LISTENED_NS_MAX)
        self._turn_ns = now_ns

    def hear(self, pong: Pong, now_ns: BootNs) -> Heard:
        """Take a pong in; `new` asks for a pidfd on its process."""
        runs = self._runs.get(pong.component)
        if runs is None:
            return "ignored"
        for run in runs:
            if run.peer.incarnation == pong.incarnation:
                if run.exited_ns:
                    return "contradiction" if pong.ping_sent_ns > run.exited_ns else "ignored"
                run.pong, run.pong_ns, run.heard_ns = pong, now_ns, self._listened_ns
                return "known"
        if len(runs) >= RUNS_MAX and not self._forget_one(runs):
            return "ignored"
        peer = Peer(pong.component, pong.incarnation)
        runs.append(Run(peer, pong.pid, pong, now_ns, self._listened_ns))
        return "new"

    def exited(self, component: Component, incarnation: Incarnation, now_ns: BootNs) -> bool:
        """Take the kernel's word for the end of a run; True when it was news."""
        for run in self._runs.get(component, []):
            if run.peer.incarnation == incarnation and not run.exited_ns:
                run.exited_ns = now_ns
                return True
        return False

    def newest(self, component: Component) -> Run | None:
        """Return the run of a component that was heard of last; None when none ever was."""
        runs = self._runs[component]
        return runs[-1] if runs else None

    def living(self, component: Component) -> tuple[Run, ...]:
        """Return the runs of a component that have not ended."""
        return tuple(run for run in self._runs[component] if not run.exited_ns)

    def runs(self, component: Component) -> tuple[Run, ...]:
        """Return every run of a component that is still known, those that ended included."""
        return tuple(self._runs[component])

    def all_living(self) -> tuple[Run, ...]:
        """Return all runs that have not ended, execution's first: it is pinged first."""
        rest = [component for component in self._runs if component != EXECUTION]
        return tuple(run for name in (EXECUTION, *rest) for run in self.living(name))

    def silence_ns(self, run: Run) -> int:
        """Return for how long a run has been silent while this process listened."""
        return self._listened_ns - run.heard_ns

    def condition(self, component: Component) -> Condition:
        """Return how a component is."""
        run = self.newest(component)
        if run is None:
            return "absent"
        if run.exited_ns:
            return "exited"
        return "hung" if self.silence_ns(run) >= self._patience[component].hang_ns else "alive"

    def hung_to_kill(self, now_ns: BootNs) -> tuple[Run, ...]:
        """Return the runs that are to be killed now for their silence."""
        due = []
        for run in self.all_living():
            kill_ns = self._patience[run.peer.component].kill_ns
            if self.silence_ns(run) < kill_ns:
                continue
            if now_ns >= run.killed_ns + kill_ns:
                run.killed_ns = now_ns
                due.append(run)
        return tuple(due)

    def killed(self, component: Component, incarnation: Incarnation) -> Run | None:
        """Count a kill of a run, and return it; None when it is not known."""
        for run in self._runs.get(component, []):
            if run.peer.incarnation == incarnation:
                run.kills += 1
                return run
        return None

    def is_answering(self, component: Component) -> bool:
        """Tell whether a component answers and calls itself ready."""
        run = self.newest(component)
        alive = self.condition(component) == "alive"
        return alive and run is not None and run.pong.state == "ready"

    def _forget_one(self, runs: list[Run]) -> bool:
        """Make room by forgetting the oldest run that has ended; False when none has."""
        for index, run in enumerate(runs):
            if run.exited_ns:
                del runs[index]
                return True
        return False
