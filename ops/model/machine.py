"""The whole model: every step that may follow a state, with rules that can be taken out.

Nobody is in a hurry: a process that takes no step is a stopped one, for as long as the search
likes, and a message that is not taken in is a late or lost one. So stops, delays and losses are no
faults here; crashes, lost databases and changed keys are, as many of them as the scope says.
"""

from collections.abc import Callable

from ops.model.layout import (
    ACK,
    AFTER,
    ASK,
    ASKED,
    BAD,
    EPOCH,
    FAULTS,
    FRESH,
    HALTS,
    OF,
    ORDER,
    PING,
    PING_EPOCH,
    PONG_ACK,
    PONG_ASK,
    PONG_COUNTS,
    PONG_EPOCH,
    PONG_FENCED,
    QUEUED,
    STATE,
    SUPERVISOR,
    TO,
    TRULY,
    UNRESOLVED,
    Layout,
)
from ops.model.rules import BY_NAME, PROPERTIES
from ops.model.scopes import Scope

State = bytes
Draft = list[int]
Step = tuple[str, Draft]
Actor = Callable[["Machine", State, list[Step]], None]

PLACES = {name: place + 1 for place, name in enumerate(PROPERTIES)}


class Machine:
    """The model of one scope, without some rules.

    Attributes:
        scope: What there is.
        layout: Of its states.
        off: Rules that are taken out.
        judged: Properties that are looked at.
    """

    def __init__(
        self, scope: Scope, actors: tuple[Actor, ...], off: frozenset[str] = frozenset()
    ) -> None:
        assert off <= BY_NAME.keys(), f"no such rule: {off}"
        self.scope = scope
        self.off = off
        self.judged = frozenset(PROPERTIES)
        self.layout = Layout(scope.executions, scope.risks, scope.places)
        self._actors = actors
        self._asks = "fresh_pongs" not in off and "loop_grants" not in off

    def first(self) -> State:
        """Return the state in which everybody is dead, and a supervisor is there."""
        state = [0] * self.layout.size
        state[FAULTS] = self.scope.faults
        state[HALTS] = self.scope.halts
        state[SUPERVISOR] = 1
        for block in self.layout.executions:
            state[block + ASKED] = state[block + TRULY] = self.scope.lease
        for block in self.layout.risks:
            state[block + STATE] = 1
            state[block + ASK] = state[block + ASK + 1] = self.scope.lease
        return bytes(state)

    def steps(self, state: State) -> list[tuple[str, State]]:
        """Return every step from a state, and where it leads; none once a property is broken."""
        if state[BAD]:
            return []
        found: list[Step] = []
        for actor in self._actors:
            actor(self, state, found)
        canonical, dense = self._canonical, self.layout.dense
        for _, draft in found:
            canonical(draft)
            dense(draft)
        return [(label, bytes(draft)) for label, draft in found]

    def _canonical(self, draft: Draft) -> None:
        """Make states one that differ only in what nobody will ever look at again.

        Each line names a field that no step reads any more: which epoch a permit names matters
        only before its check; an ask, an epoch or a report that would be refused when it arrives
        says nothing, and a ping of an older epoch is dropped by whoever hears it.
        """
        names = "fence_id" in self.off
        for block in self.layout.executions:
            if draft[block + ORDER] != QUEUED:
                draft[block + FRESH] = 0
            if draft[block + ACK] == 1 and not names:
                draft[block + ACK] = 0
        for block in self.layout.pongs:
            if draft[block + TO]:
                self._shorten(draft, block, names=names)
        if "old_echo" not in self.off:
            self._drop_old(draft)

    def _shorten(self, draft: Draft, block: int, *, names: bool) -> None:
        """Leave out of a pong what risk would not look at."""
        lease = self.scope.lease
        if (draft[block + PONG_COUNTS] < 2 or draft[block + PONG_ASK] >= lease) and self._asks:
            draft[block + PONG_COUNTS], draft[block + PONG_ASK] = 0, lease
        if draft[block + PONG_ACK] == 1 and not names:
            draft[block + PONG_ACK] = 0
        if not draft[block + AFTER]:
            draft[block + UNRESOLVED] = 0
        said = draft[block + PONG_ACK] == 2 or draft[block + PONG_FENCED]
        if not said and not self.scope.loses_database:
            draft[block + PONG_EPOCH] = 0

    def _drop_old(self, draft: Draft) -> None:
        for number, line in enumerate(self.layout.pings):
            epoch = draft[self.layout.executions[number] + EPOCH]
            if any(draft[place + OF] and draft[place + PING_EPOCH] < epoch for place in line):
                whole = [draft[place : place + PING] for place in line]
                kept = [ping for ping in whole if ping[PING_EPOCH] >= epoch]
                flat = [value for ping in kept for value in ping]
                size = len(line) * PING
                draft[line[0] : line[0] + size] = flat + [0] * (size - len(flat))

    def partners(self, risk: int) -> tuple[int, ...]:
        """Return the executions that a risk talks to: its own group's."""
        return tuple(range(self.scope.executions)) if self.scope.risks == 1 else (risk,)

    def broken(self, state: State) -> str:
        """Return the property that a state breaks; empty for none."""
        return list(PROPERTIES)[state[BAD] - 1] if state[BAD] else ""


def breaks(machine: Machine, draft: Draft, name: str) -> None:
    """Note that the step into a state has broken a property that is looked at; the first stands."""
    if name in machine.judged:
        draft[BAD] = draft[BAD] or PLACES[name]
