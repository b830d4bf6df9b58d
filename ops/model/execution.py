"""What execution may do: hear, decide, write, look at its lease, prove its zero, answer.

One thing at a time, as in a loop of one thread: from CHECKED on the process is inside the one
write of a post, and can be stopped there for any time. The ledger is the group's: whoever runs
next answers for every intent in it.
"""

from ops.model.layout import (
    ACK,
    ACTIVE_AGE,
    AFTER,
    ALIVE,
    ASKED,
    CHECKED,
    COUNTS,
    DEADLINE,
    DOOMED,
    ECHO,
    EPOCH,
    FENCED,
    FENCES,
    FLYING,
    FRESH,
    GHOST,
    GRANTS,
    HELD,
    HUNG,
    KEY,
    LEASE,
    LEDGER,
    LINE,
    LIVE,
    NONE,
    OF,
    ORDER,
    OWNER,
    PANIC,
    PAUSED,
    PING,
    PING_EPOCH,
    PING_HELD,
    PING_SCOPE,
    PONG,
    PONG_ACK,
    PONG_ASK,
    PONG_COUNTS,
    PONG_EPOCH,
    PONG_FENCED,
    PONG_SCOPE,
    QUEUED,
    REDUCES,
    SCOPE,
    SCOPE_HELD,
    SELF_FENCED,
    STARTING,
    SUPERVISOR,
    TO,
    TRULY,
    TURNED,
    UNRESOLVED,
    ZEROING,
)
from ops.model.machine import Draft, Machine, State, Step, breaks
from ops.model.proof import all_still


def execution_steps(machine: Machine, state: State, found: list[Step]) -> None:
    """Add what each execution may do."""
    for number, block in enumerate(machine.layout.executions):
        if not state[block + ALIVE]:
            _start(machine, state, number, block, found)
        elif state[HUNG] & 1:
            continue
        elif state[block + ORDER] == CHECKED:
            draft = list(state)
            draft[block + ORDER] = FLYING
            found.append((f"execution {number} writes", draft))
        else:
            _hear(machine, state, number, block, found)
            _hello(machine, state, number, block, found)
            _decide(machine, state, number, block, found)
            _check(machine, state, number, block, found)
            _look(machine, state, number, block, found)
            _settle(machine, state, number, block, found)


def crash(machine: Machine, draft: Draft, number: int) -> None:
    """End an execution: what it had not written is gone, its ledger stays."""
    block = machine.layout.executions[number]
    if draft[block + ORDER] in (QUEUED, CHECKED):
        draft[block + ORDER] = NONE
    if "intent" in machine.off:
        draft[block + LEDGER] = 0
    for field in (
        ALIVE,
        STARTING,
        LEASE,
        FENCED,
        SELF_FENCED,
        ZEROING,
        ACK,
        LINE,
        SCOPE,
        SCOPE_HELD,
        FRESH,
        DOOMED,
    ):
        draft[block + field] = 0
    draft[block + ASKED] = draft[block + TRULY] = machine.scope.lease
    for place in machine.layout.pings[number]:
        draft[place : place + PING] = [0] * PING
    draft[HUNG] &= ~1


def may_place(machine: Machine, state: State, block: int) -> bool:
    """Tell whether execution believes that it may place."""
    if state[block + FENCED] or state[block + SELF_FENCED] or state[block + ZEROING]:
        return False
    if state[PANIC] and "panic_read" not in machine.off:
        return False
    if "lease" in machine.off:
        return True
    return state[block + LEASE] != 0 and state[block + ASKED] < machine.scope.lease


def _start(machine: Machine, state: State, number: int, block: int, found: list[Step]) -> None:
    others = any(state[other + ALIVE] for other in machine.layout.executions)
    if not state[SUPERVISOR] or (others and "lock" not in machine.off):
        return
    draft = list(state)
    draft[block + ALIVE] = draft[block + STARTING] = draft[block + ZEROING] = 1
    pong = machine.layout.pongs[number]
    draft[pong : pong + PONG] = [0] * PONG
    found.append((f"execution {number} starts", draft))


def _hear(machine: Machine, state: State, number: int, block: int, found: list[Step]) -> None:
    line = machine.layout.pings[number]
    for place in line if machine.scope.overtakes else line[:1]:
        if not state[place + OF]:
            continue
        draft = list(state)
        ping = draft[place : place + PING]
        del draft[place : place + PING]
        draft[line[-1] : line[-1]] = [0] * PING
        late = ping[PING_EPOCH] < state[block + EPOCH]
        if not late or "old_echo" in machine.off:
            _obey(machine, draft, block, ping, late=late)
            _answer(machine, draft, number, block, ping[OF])
        found.append((f"execution {number} hears a ping of epoch {ping[PING_EPOCH]}", draft))


def _obey(machine: Machine, draft: Draft, block: int, ping: list[int], *, late: bool) -> None:
    """Take a ping in: block first, then the lease."""
    grew = ping[PING_EPOCH] > draft[block + EPOCH]
    if grew:
        draft[block + EPOCH] = ping[PING_EPOCH]
        draft[block + LEASE] = draft[block + FRESH] = draft[block + SELF_FENCED] = 0
        draft[block + TRULY] = machine.scope.lease
        draft[block + ACK] = min(draft[block + ACK], 1)
    exposed = draft[block + ORDER] != NONE or draft[block + LEDGER] != 0
    if ping[FENCES] and draft[block + ACK] != 2 and not late:
        if ping[COUNTS]:
            draft[block + ACK] = 2
        _begin_zero(draft, block)
    elif grew and exposed:
        _begin_zero(draft, block)
    draft[block + FENCED] = ping[FENCES]
    draft[block + LINE] = ping[COUNTS]
    if machine.scope.pauses:
        _carry_out(machine, draft, block, ping)
    if ping[GRANTS]:
        _take_lease(machine, draft, block, ping, late=late)


def _carry_out(machine: Machine, draft: Draft, block: int, ping: list[int]) -> None:
    """Carry a new pause of the scope out: what waits to leave does not leave any more."""
    draft[block + SCOPE_HELD] = ping[PING_HELD]
    if ping[PING_SCOPE] > draft[block + SCOPE]:
        draft[block + SCOPE] = ping[PING_SCOPE]
        if draft[block + ORDER] != NONE and "doomed" not in machine.off:
            draft[block + DOOMED] = 1


def _take_lease(machine: Machine, draft: Draft, block: int, ping: list[int], *, late: bool) -> None:
    """Use an echo of an ask that is newer than the one used."""
    if "asked" in machine.off:
        draft[block + LEASE], draft[block + ASKED] = ping[GRANTS], 0
    elif ping[ECHO] < draft[block + ASKED] or not draft[block + LEASE]:
        draft[block + LEASE], draft[block + ASKED] = ping[GRANTS], ping[ECHO]
    if not late:
        draft[block + TRULY] = min(draft[block + TRULY], ping[ECHO])


def _begin_zero(draft: Draft, block: int) -> None:
    draft[block + ZEROING] = 1
    draft[block + LEASE] = 0


def _answer(machine: Machine, draft: Draft, number: int, block: int, to: int) -> None:
    """Say everything, in the place of what was said before."""
    pong = machine.layout.pongs[number]
    until = max(
        (
            draft[writer + DEADLINE]
            for writer in machine.layout.executions
            if draft[writer + LEDGER] == 1
        ),
        default=0,
    )
    if "clock" in machine.off:
        until = max(0, until - machine.scope.allowance)
    draft[pong + TO] = to
    draft[pong + PONG_EPOCH] = draft[block + EPOCH]
    draft[pong + PONG_ASK] = 0
    draft[pong + PONG_COUNTS] = draft[block + LINE]
    draft[pong + PONG_ACK] = draft[block + ACK]
    draft[pong + AFTER] = all_still(machine, draft, to - 1)
    draft[pong + UNRESOLVED] = until
    draft[pong + PONG_FENCED] = draft[block + SELF_FENCED] == 1
    draft[pong + PONG_SCOPE] = draft[block + SCOPE]
    if "repeat_fenced" in machine.off and draft[block + SELF_FENCED]:
        draft[block + SELF_FENCED] = 2


def _hello(machine: Machine, state: State, number: int, block: int, found: list[Step]) -> None:
    if state[block + LINE]:
        return
    for risk in range(machine.scope.risks):
        if number in machine.partners(risk):
            draft = list(state)
            _answer(machine, draft, number, block, risk + 1)
            found.append((f"execution {number} says hello", draft))


def _decide(machine: Machine, state: State, number: int, block: int, found: list[Step]) -> None:
    if state[block + STARTING] or state[block + ORDER] != NONE or state[block + LEDGER]:
        return
    if not may_place(machine, state, block) or state[block + SCOPE_HELD]:
        return
    if not machine.scope.orders:
        return
    for reduces in (0, 1) if machine.scope.reduces else (0,):
        if state[block + LEASE] == 2 and not reduces:
            continue
        draft = list(state)
        draft[block + ORDER] = QUEUED
        draft[block + FRESH] = draft[block + LEDGER] = 1
        draft[block + DEADLINE] = machine.scope.late
        draft[block + REDUCES] = reduces
        draft[block + OWNER] = state[KEY]
        draft[block + GHOST] = draft[block + DOOMED] = 0
        found.append(
            (f"execution {number} decides {'a reduction' if reduces else 'an order'}", draft)
        )


def _check(machine: Machine, state: State, number: int, block: int, found: list[Step]) -> None:
    """Ask `may_send` again, directly before the write."""
    if state[block + ORDER] != QUEUED:
        return
    off = machine.off
    may = may_place(machine, state, block) and state[block + FRESH] and not state[block + DOOMED]
    if state[block + LEASE] == 2 and not state[block + REDUCES] and "reduce_at_write" not in off:
        may = False
    draft = list(state)
    if may or "at_write" in off:
        draft[block + ORDER] = CHECKED
        _judge(machine, draft, block)
        found.append((f"execution {number} finds that its post may leave", draft))
        return
    draft[block + ORDER] = NONE
    draft[block + LEDGER] = draft[block + DEADLINE] = draft[block + DOOMED] = 0
    draft[block + REDUCES] = draft[block + FRESH] = 0
    found.append((f"execution {number} withholds its post", draft))


def _judge(machine: Machine, draft: Draft, block: int) -> None:
    """Judge a first byte by the truth, whatever execution believes."""
    lease = machine.scope.lease
    if draft[block + TRULY] >= lease or not draft[block + FRESH]:
        breaks(machine, draft, "S1")
    if all(draft[risk + TURNED] > lease for risk in machine.layout.risks):
        breaks(machine, draft, "S5")
    reduced = all(draft[risk + ACTIVE_AGE] > lease for risk in machine.layout.risks)
    if reduced and not draft[block + REDUCES]:
        breaks(machine, draft, "S6")
    if any(draft[risk + PAUSED] == 2 for risk in machine.layout.risks):
        breaks(machine, draft, "S7")
    for other in machine.layout.executions:
        if other != block and draft[other + ALIVE]:
            writes = draft[other + ORDER] == CHECKED
            if writes or (not draft[other + STARTING] and may_place(machine, bytes(draft), other)):
                breaks(machine, draft, "S3")


def _look(machine: Machine, state: State, number: int, block: int, found: list[Step]) -> None:
    """Notice that the lease has run out: cancel everything, and say so."""
    if state[block + LEASE] and state[block + ASKED] >= machine.scope.lease:
        draft = list(state)
        _begin_zero(draft, block)
        draft[block + SELF_FENCED] = draft[block + SELF_FENCED] or 1
        found.append((f"execution {number} fences itself", draft))


def _settle(machine: Machine, state: State, number: int, block: int, found: list[Step]) -> None:
    """Prove its own zero as soon as its intents are resolved, cancel, take answers in."""
    is_resolved = not any(state[writer + LEDGER] for writer in machine.layout.executions)
    if state[block + ZEROING] and is_resolved and state[block + ORDER] != QUEUED:
        draft = list(state)
        draft[block + ZEROING] = draft[block + STARTING] = 0
        found.append((f"execution {number} has proven its zero", draft))
    if machine.scope.halts and state[block + ZEROING] and not state[block + SELF_FENCED]:
        draft = list(state)
        draft[block + SELF_FENCED] = 1
        found.append((f"execution {number} fences itself: its cancels fail", draft))
    if not state[block + LEDGER]:
        return
    if state[block + ORDER] in (HELD, LIVE):
        draft = list(state)
        draft[block + LEDGER] = 0
        found.append((f"execution {number} hears that its order was taken", draft))
    if "not_found" in machine.off and state[block + ORDER] == FLYING:
        draft = list(state)
        draft[block + LEDGER] = 0
        found.append((f"execution {number} does not find its order", draft))
