"""What risk may do: start, hear, ping, grant, fence, prove, resume, latch."""

from ops.model.authority import begin_fence, latch, turn, wake
from ops.model.execution import crash
from ops.model.layout import (
    ACKED,
    ACTIVE_AGE,
    AFTER,
    ALIVE,
    ASK,
    COUNTS,
    DISK,
    ECHO,
    FENCES,
    FIRST,
    FOREIGN,
    GHOST,
    GRANTED,
    GRANTS,
    HOLDER,
    HUNG,
    INTENTS_OVER,
    KEY,
    KNOWN,
    LATCH,
    LEASE_OVER,
    NONE,
    NOW,
    OF,
    ORDER,
    PANIC,
    PAUSE,
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
    READ,
    REPORT,
    STATE,
    SUPERVISOR,
    TO,
    TRADING,
    TURNED,
    UNRESOLVED,
    UNSAID,
    UP,
    ZERO,
)
from ops.model.machine import Draft, Machine, State, Step, breaks
from ops.model.proof import all_still, grounded
from ops.model.venue import exists_any

EXITED = 3


def risk_steps(machine: Machine, state: State, found: list[Step]) -> None:
    """Add what each risk may do."""
    for number, block in enumerate(machine.layout.risks):
        if not state[block + UP]:
            _start(machine, state, number, block, found)
        elif state[HUNG] & 2:
            if "loop_grants" in machine.off:
                _help(machine, state, number, block, found)
        elif state[block + TURNED] > machine.scope.lease:
            if "loop_grants" in machine.off:
                _help(machine, state, number, block, found)
            draft = turn(state, block)
            if "fresh_pongs" not in machine.off:
                wake(machine, draft, number)
            found.append((f"risk {number} wakes after more than a lease", draft))
        else:
            if state[block + TURNED]:
                found.append((f"risk {number} turns", turn(state, block)))
            for partner in machine.partners(number):
                _ping(machine, state, number, partner, found)
                _hear(machine, state, number, partner, found)
                _see_exit(machine, state, number, partner, found)
            _change_order(machine, state, number, block, found)
            _read(machine, state, number, block, found)


def _start(machine: Machine, state: State, number: int, block: int, found: list[Step]) -> None:
    others = any(state[other + UP] for other in machine.layout.risks)
    if not state[SUPERVISOR] or (others and "lock" not in machine.off):
        return
    draft = turn(state, block)
    draft[block + UP] = 1
    lease = 0 if "start_lease" in machine.off else machine.scope.lease
    draft[block + GRANTED] = lease + machine.scope.late
    if state[KEY] and "key" not in machine.off:
        scope = machine.scope
        draft[block + FOREIGN] = draft[block + GRANTED] + scope.hold + scope.life
    begin_fence(machine, draft, number)
    if state[DISK] & 1:
        draft[block + LATCH] = 2
    elif state[DISK] == 2 and "database" not in machine.off:
        latch(machine, draft, number)
    if draft[DISK] == 2:
        draft[DISK] = 0
    if state[ACKED] and not draft[block + LATCH]:
        breaks(machine, draft, "S4")
    found.append((f"risk {number} starts", draft))


def _ping(machine: Machine, state: State, number: int, partner: int, found: list[Step]) -> None:
    """Say the whole present order; a ping that finds no room takes the place of another."""
    block = machine.layout.risks[number]
    if state[block + KNOWN + partner] not in (1, 2):
        return
    if not state[machine.layout.executions[partner] + ALIVE]:
        return
    whole = bool(state[block + UNSAID]) or "repeat_order" not in machine.off
    if not whole and not state[block + TRADING]:
        return
    draft = turn(state, block)
    draft[block + UNSAID] = 0
    grants = _grant(machine, draft, block, partner)
    ping = [0] * PING
    ping[OF] = number + 1
    ping[PING_EPOCH] = state[block + NOW]
    ping[FENCES] = int(not state[block + TRADING])
    ping[GRANTS] = grants
    ping[ECHO] = state[block + ASK + partner] if grants else 0
    ping[COUNTS] = 2
    ping[PING_SCOPE], ping[PING_HELD] = state[block + PAUSE], int(state[block + PAUSED] > 0)
    if not whole:
        told = state[machine.layout.executions[partner] + 2]
        if told != state[block + NOW]:
            return
    words = f"risk {number} pings execution {partner}{_words(ping)}"
    for after in _lines(machine, draft, partner, ping):
        found.append((words, after))


def _words(ping: list[int]) -> str:
    if ping[FENCES]:
        return ": a fence"
    return ("", ": an ACTIVE lease", ": a REDUCING lease")[ping[GRANTS]]


def _lines(machine: Machine, draft: Draft, partner: int, ping: list[int]) -> list[Draft]:
    """Return every way in which a ping may join the line of an execution."""
    line = machine.layout.pings[partner]
    begin, end = line[0], line[-1] + PING
    under_way = [draft[place : place + PING] for place in line if draft[place + OF]]
    if len(under_way) < len(line):
        choices = [[*under_way, ping]]
    else:
        choices = [[*under_way[:gone], *under_way[gone + 1 :], ping] for gone in range(len(line))]
    results = []
    for choice in choices:
        after = list(draft)
        flat = [value for each in choice for value in each]
        after[begin:end] = flat + [0] * (end - begin - len(flat))
        results.append(after)
    return results


def _grant(machine: Machine, draft: Draft, block: int, partner: int) -> int:
    """Return what a ping grants now, and remember until when it may be used."""
    lease = machine.scope.lease
    age = draft[block + ASK + partner]
    if not draft[block + TRADING] or draft[block + LATCH] or age >= lease:
        return 0
    if draft[block + HOLDER] not in (0, partner + 1) and "holder" not in machine.off:
        return 0
    if len(machine.layout.executions) > 1:
        draft[block + HOLDER] = partner + 1
    draft[block + GRANTED] = max(draft[block + GRANTED], lease - age + machine.scope.late)
    return draft[block + STATE]


def _help(machine: Machine, state: State, number: int, block: int, found: list[Step]) -> None:
    """Grant beside a loop that hangs: what the rule forbids."""
    for partner in machine.partners(number):
        pong = machine.layout.pongs[partner]
        if not state[block + TRADING] or state[pong + PONG_COUNTS] != 2:
            continue
        draft = list(state)
        draft[block + ASK + partner] = state[pong + PONG_ASK]
        grants = _grant(machine, draft, block, partner)
        if grants:
            ping = [number + 1, state[block + NOW], 0, grants, state[pong + PONG_ASK], 2, 0, 0]
            for after in _lines(machine, draft, partner, ping):
                found.append((f"a helper of risk {number} grants", after))


def _hear(machine: Machine, state: State, number: int, partner: int, found: list[Step]) -> None:
    """Take a pong in."""
    at = machine.layout.pongs[partner]
    if state[at + TO] != number + 1:
        return
    block = machine.layout.risks[number]
    draft = turn(state, block)
    pong = draft[at : at + PONG]
    draft[at : at + PONG] = [0] * PONG
    words = f"risk {number} hears execution {partner}"
    if (
        state[block + KNOWN + partner] == EXITED
        and not state[machine.layout.executions[partner] + ALIVE]
    ):
        found.append((words, draft))
        return
    if state[block + KNOWN + partner] in (0, EXITED):
        draft[block + KNOWN + partner] = 1
        if "block_once" in machine.off and state[block + KNOWN + partner] == EXITED:
            draft[block + KNOWN + partner] = 2
        draft[block + REPORT] = 0
        if not grounded(machine, draft, number):
            draft[block + READ] = 0
    if pong[PONG_EPOCH] > draft[block + NOW] and "epoch_max" not in machine.off:
        draft[block + NOW] = pong[PONG_EPOCH]
        begin_fence(machine, draft, number)
    if pong[PONG_COUNTS] == 2 or "fresh_pongs" in machine.off:
        draft[block + ASK + partner] = min(pong[PONG_ASK], draft[block + ASK + partner])
    _take_answers(machine, draft, number, partner, pong)
    found.append((words, draft))


def _take_answers(
    machine: Machine, draft: Draft, number: int, partner: int, pong: list[int]
) -> None:
    """Take SELF_FENCED, BLOCKED, the intents and the pause that was carried out."""
    block = machine.layout.risks[number]
    if pong[PONG_FENCED] and pong[PONG_EPOCH] == draft[block + NOW]:
        if "never_clears" in machine.off and draft[block + LATCH]:
            draft[block + LATCH] = 0
            if draft[ACKED]:
                breaks(machine, draft, "S4")
        if draft[block + TRADING] and "answer_fenced" not in machine.off:
            begin_fence(machine, draft, number)
    if pong[PONG_SCOPE] >= draft[block + PAUSE] and draft[block + PAUSED]:
        draft[block + PAUSED] = 2
    if draft[block + TRADING]:
        return
    names = pong[PONG_ACK] == 2 and pong[PONG_EPOCH] == draft[block + NOW]
    if names or ("fence_id" in machine.off and pong[PONG_ACK]):
        draft[block + KNOWN + partner] = 2
    if pong[AFTER] and all_still(machine, draft, number):
        _take_report(draft, block, pong[UNRESOLVED])


def _take_report(draft: Draft, block: int, unresolved: int) -> None:
    """Take what a ledger tells of its intents; one that takes back an earlier one is believed."""
    if unresolved and draft[block + REPORT] == 1:
        draft[block + READ] = draft[block + FIRST] = draft[block + ZERO] = 0
    draft[block + REPORT] = 1 + unresolved


def _see_exit(machine: Machine, state: State, number: int, partner: int, found: list[Step]) -> None:
    """See an exit, and kill an execution that does not answer BLOCKED."""
    block = machine.layout.risks[number]
    known = state[block + KNOWN + partner]
    if known not in (1, 2):
        return
    if not state[machine.layout.executions[partner] + ALIVE]:
        draft = turn(state, block)
        draft[block + KNOWN + partner] = EXITED
        draft[block + ASK + partner] = machine.scope.lease
        if state[block + HOLDER] == partner + 1:
            draft[block + HOLDER] = 0
        if draft[block + TRADING]:
            begin_fence(machine, draft, number)
        found.append((f"risk {number} sees that execution {partner} has exited", draft))
        return
    if state[block + TRADING]:
        return
    is_silent = known == 2 and state[HUNG] & 1 and "kill_silent" not in machine.off
    if is_silent or (known == 1 and "kill" not in machine.off):
        draft = turn(state, block)
        crash(machine, draft, partner)
        why = "it is silent" if is_silent else "BLOCKED did not come"
        found.append((f"risk {number} kills execution {partner}: {why}", draft))


def _change_order(
    machine: Machine, state: State, number: int, block: int, found: list[Step]
) -> None:
    """Fence for any switch, resume when the check list holds, reduce, pause, latch for panic."""
    if state[block + TRADING]:
        if not machine.scope.lives or state[HUNG] & 1:
            draft = turn(state, block)
            begin_fence(machine, draft, number)
            found.append((f"risk {number} fences", draft))
    elif state[block + ZERO] and not state[block + LATCH] and _sees_one(machine, state, number):
        draft = turn(state, block)
        draft[block + NOW] += 1
        draft[block + TRADING] = 1
        draft[block + UNSAID] = int("repeat_order" in machine.off)
        draft[block + ZERO] = draft[block + FIRST] = draft[block + READ] = draft[block + REPORT] = 0
        draft[block + LEASE_OVER] = draft[block + INTENTS_OVER] = 0
        found.append((f"risk {number} begins to trade", draft))
    if machine.scope.reduces:
        draft = turn(state, block)
        draft[block + STATE] = 3 - state[block + STATE]
        draft[block + ACTIVE_AGE] = 0
        found.append(
            (
                f"risk {number} {'reduces' if state[block + STATE] == 1 else 'is ACTIVE again'}",
                draft,
            )
        )
    if machine.scope.pauses:
        draft = turn(state, block)
        if state[block + PAUSED]:
            if state[block + PAUSED] == 2:
                draft[block + PAUSED] = 0
                found.append((f"risk {number} releases the scope", draft))
        elif state[block + PAUSE] < 2:
            draft[block + PAUSED] = 1
            draft[block + PAUSE] += 1
            found.append((f"risk {number} pauses the scope", draft))
    if state[PANIC] and not state[block + LATCH] and "panic_read" not in machine.off:
        draft = turn(state, block)
        draft[block + LATCH] = 2
        begin_fence(machine, draft, number)
        found.append((f"risk {number} sees the PANIC latch", draft))


def _sees_one(machine: Machine, state: State, number: int) -> bool:
    """Tell whether exactly one execution is there, and has asked for a lease."""
    block = machine.layout.risks[number]
    there = [
        partner for partner in machine.partners(number) if state[block + KNOWN + partner] in (1, 2)
    ]
    return len(there) == 1 and state[block + ASK + there[0]] < machine.scope.lease


def _read(machine: Machine, state: State, number: int, block: int, found: list[Step]) -> None:
    """Read the open orders, and count what the reads show."""
    if state[block + TRADING]:
        return
    read = state[block + READ]
    may_count = grounded(machine, state, number) or "read_after" in machine.off
    if may_count and read == 0 and not state[block + ZERO] and state[block + FIRST] in (0, 1):
        draft = turn(state, block)
        draft[block + READ] = 1
        found.append((f"risk {number} sends a read", draft))
    if read == 2:
        draft = turn(state, block)
        draft[block + READ] = 0
        if "read_after" in machine.off and not grounded(machine, state, number):
            return
        if state[block + FIRST] or "two_reads" in machine.off:
            _conclude(machine, draft, block)
            found.append((f"risk {number} takes an empty read: zero is proven", draft))
        else:
            draft[block + FIRST] = 1 + (0 if "read_gap" in machine.off else machine.scope.gap)
            found.append((f"risk {number} takes a first empty read", draft))
    if read == 3:
        draft = turn(state, block)
        draft[block + READ] = draft[block + FIRST] = 0
        found.append((f"risk {number} takes a read that shows an order", draft))


def _conclude(machine: Machine, draft: Draft, block: int) -> None:
    """Hold zero for proven: whatever there is of ours must not become live any more."""
    draft[block + ZERO] = 1
    draft[block + FIRST] = 0
    if exists_any(machine, draft):
        breaks(machine, draft, "S2")
    for execution in machine.layout.executions:
        if draft[execution + ORDER] != NONE:
            draft[execution + GHOST] = 1
