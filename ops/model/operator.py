"""The operator, the supervisor, watch, panic, and every fault of a scope."""

from ops.model.authority import die, latch
from ops.model.execution import crash
from ops.model.layout import (
    ACKED,
    ALIVE,
    DISK,
    FAULTS,
    GHOST,
    HALTS,
    HUNG,
    KEY,
    KNOWN,
    LATCH,
    NONE,
    NOW,
    ORDER,
    PANIC,
    PANIC_OVER,
    SUPERVISOR,
    TURNED,
    UP,
    WAITS,
    WRITES,
    ZERO,
)
from ops.model.machine import Draft, Machine, State, Step, breaks
from ops.model.venue import exists_any, shows_any


def operator_steps(machine: Machine, state: State, found: list[Step]) -> None:
    """Add halts, resumes, panic, and writes of risk's database."""
    for number, block in enumerate(machine.layout.risks):
        if not state[block + UP]:
            continue
        if state[block + TURNED] <= machine.scope.lease and not state[HUNG] & 2:
            _ask(machine, state, number, block, found)
            _acknowledge(machine, state, number, block, found)
        _write(machine, state, number, block, found)
    if machine.scope.panics:
        _panic(machine, state, found)


def fault_steps(machine: Machine, state: State, found: list[Step]) -> None:
    """Add what may go wrong while there are faults left, and what supervisor and watch do."""
    if state[HUNG] & 2 and "watch" not in machine.off:
        draft = list(state)
        die(machine, draft, 0)
        found.append(("watch kills the risk that hangs", draft))
    if not state[FAULTS]:
        return
    _crash(machine, state, found)
    for number, block in enumerate(machine.layout.risks):
        if machine.scope.loses_database and state[DISK] != 2:
            draft = _spend(state)
            if state[block + UP]:
                die(machine, draft, number)
            draft[DISK] = 2
            draft[block + NOW] = 0
            found.append((f"the database of risk {number} is lost", draft))
    if machine.scope.changes_key and not state[KEY]:
        draft = _spend(state)
        _end_all(machine, draft)
        draft[KEY] = 1
        found.append(("the group is killed, and started with another API key", draft))
    if machine.scope.hangs:
        _hang(machine, state, found)
    if machine.scope.ends and state[SUPERVISOR]:
        draft = _spend(state)
        draft[SUPERVISOR] = 0
        _end_all(machine, draft)
        found.append(("supervisord and the whole group are gone", draft))


def _crash(machine: Machine, state: State, found: list[Step]) -> None:
    """Let a process die where it stands."""
    for number, block in enumerate(machine.layout.executions):
        if state[block + ALIVE] and "e" in machine.scope.crashes:
            draft = _spend(state)
            crash(machine, draft, number)
            found.append((f"execution {number} crashes", draft))
    for number, block in enumerate(machine.layout.risks):
        if state[block + UP] and "r" in machine.scope.crashes:
            draft = _spend(state)
            die(machine, draft, number)
            found.append((f"risk {number} crashes", draft))


def _end_all(machine: Machine, draft: Draft) -> None:
    """Kill the whole group."""
    for number, block in enumerate(machine.layout.executions):
        if draft[block + ALIVE]:
            crash(machine, draft, number)
    for number, block in enumerate(machine.layout.risks):
        if draft[block + UP]:
            die(machine, draft, number)


def _spend(state: State) -> Draft:
    draft = list(state)
    draft[FAULTS] -= 1
    return draft


def _hang(machine: Machine, state: State, found: list[Step]) -> None:
    """Let a process hang for good; execution only once risk has heard of it.

    One that hangs before its first word, or while risk, too, is new, is killed through
    supervisord, which has no part in this model.
    """
    risk = machine.layout.risks[0]
    if (
        state[machine.layout.executions[0] + ALIVE]
        and state[risk + KNOWN] in (1, 2)
        and not state[HUNG] & 1
    ):
        draft = _spend(state)
        draft[HUNG] |= 1
        found.append(("execution hangs for good", draft))
    if state[machine.layout.risks[0] + UP] and not state[HUNG] & 2:
        draft = _spend(state)
        draft[HUNG] |= 2
        found.append(("risk hangs for good", draft))


def _ask(machine: Machine, state: State, number: int, block: int, found: list[Step]) -> None:
    """Let the operator halt, or resume what is latched."""
    if state[HALTS] and not state[WAITS] and state[WRITES] < 3:
        draft = list(state)
        draft[HALTS] -= 1
        draft[WAITS] = 1
        draft[block + TURNED] = 0
        latch(machine, draft, number)
        found.append((f"the operator asks risk {number} to halt", draft))
    if (
        state[block + LATCH] == 2
        and state[block + ZERO]
        and not state[PANIC]
        and not state[WRITES]
        and not state[WAITS]
    ):
        draft = list(state)
        draft[ACKED] = draft[block + TURNED] = 0
        draft[block + LATCH] = 3
        draft[WRITES] = 2
        found.append((f"the operator asks risk {number} to resume", draft))


def _acknowledge(
    machine: Machine, state: State, number: int, block: int, found: list[Step]
) -> None:
    """Tell the operator that the halt holds."""
    if not state[WAITS]:
        return
    written = state[block + LATCH] in (0, 2, 3) or "latch_disk" in machine.off
    if written and (state[block + ZERO] or "halt_zero" in machine.off):
        draft = list(state)
        draft[WAITS] = draft[block + TURNED] = 0
        draft[ACKED] = 1
        if exists_any(machine, state):
            breaks(machine, draft, "S2")
        if not state[block + LATCH]:
            breaks(machine, draft, "S4")
        for execution in machine.layout.executions:
            if state[execution + ORDER] != NONE:
                draft[execution + GHOST] = 1
        found.append((f"risk {number} acknowledges the halt", draft))


def _write(machine: Machine, state: State, number: int, block: int, found: list[Step]) -> None:
    """Carry out the oldest write of risk's database, beside its loop."""
    writes = state[WRITES]
    if not writes:
        return
    draft = list(state)
    kind, rest = (writes // 3, writes % 3) if writes >= 3 else (writes, 0)
    draft[WRITES] = rest
    if kind == 1:
        draft[DISK] = 1
        if rest != 1 and state[block + LATCH] == 1:
            draft[block + LATCH] = 2
    else:
        draft[DISK] = 0
        if state[block + LATCH] == 3:
            draft[block + LATCH] = 0
            if state[ACKED]:
                breaks(machine, draft, "S4")
    found.append(
        (f"risk {number} has {'set' if kind == 1 else 'cleared'} the latch on disk", draft)
    )


def _panic(machine: Machine, state: State, found: list[Step]) -> None:
    """Latch, kill, wait for every deadline, read twice."""
    draft = list(state)
    if state[PANIC] == 0:
        draft[PANIC] = 1
        draft[PANIC_OVER] = 0 if "panic_proof" in machine.off else machine.scope.late
        for number, block in enumerate(machine.layout.executions):
            if state[block + ALIVE]:
                crash(machine, draft, number)
        found.append(("panic: the latch is written, execution is killed", draft))
    elif not state[PANIC_OVER] and state[PANIC] == 1 and not shows_any(machine, state):
        draft[PANIC] = 2
        draft[PANIC_OVER] = machine.scope.gap
        found.append(("panic takes a first empty read", draft))
    elif not state[PANIC_OVER] and state[PANIC] == 2:
        draft[PANIC] = 1 if shows_any(machine, state) else 3
        if draft[PANIC] == 3:
            if exists_any(machine, state):
                breaks(machine, draft, "S2")
            for block in machine.layout.executions:
                if state[block + ORDER] != NONE:
                    draft[block + GHOST] = 1
        found.append(("panic takes a second read", draft))
