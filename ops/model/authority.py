"""What a risk begins and forgets: fences, latches, its own pauses, its death."""

from ops.model.layout import (
    ACK,
    AFTER,
    ASK,
    COUNTS,
    FIRST,
    FOREIGN,
    GRANTED,
    HUNG,
    INTENTS_OVER,
    KNOWN,
    LATCH,
    LEASE_OVER,
    LINE,
    NOW,
    OF,
    PAUSE,
    PONG_ACK,
    PONG_COUNTS,
    READ,
    REPORT,
    RISK,
    STATE,
    TRADING,
    TURNED,
    UNSAID,
    WAITS,
    WRITES,
    ZERO,
)
from ops.model.machine import Draft, Machine, State


def begin_fence(machine: Machine, draft: Draft, number: int) -> None:
    """Take a new epoch and end trading under it."""
    block = machine.layout.risks[number]
    scope = machine.scope
    draft[block + NOW] += 1
    over = draft[block + GRANTED]
    draft[block + LEASE_OVER] = max(0, over - scope.late)
    early = scope.allowance if "clock" in machine.off else 0
    draft[block + INTENTS_OVER] = max(0, over - early, draft[block + FOREIGN])
    for field in (TRADING, REPORT, READ, FIRST, ZERO):
        draft[block + field] = 0
    draft[block + UNSAID] = int("repeat_order" in machine.off)
    for partner in machine.partners(number):
        known = draft[block + KNOWN + partner]
        draft[block + KNOWN + partner] = 1 if known == 2 else known
        draft[machine.layout.pongs[partner] + AFTER] = 0


def latch(machine: Machine, draft: Draft, number: int) -> None:
    """Set a latch: it holds at once, and is on its way to the disk."""
    block = machine.layout.risks[number]
    is_clearing = draft[block + LATCH] == 3
    draft[block + LATCH] = 3 if is_clearing and "versions" in machine.off else 1
    draft[WRITES] = draft[WRITES] * 3 + 1
    if draft[block + TRADING] or draft[block + ZERO]:
        begin_fence(machine, draft, number)


def die(machine: Machine, draft: Draft, number: int) -> None:
    """End a risk: its memory is gone, what it had said is still under way."""
    block = machine.layout.risks[number]
    epoch, turned, state = draft[block + NOW], draft[block + TURNED], draft[block + STATE]
    pause = 0 if "generation" in machine.off else draft[block + PAUSE]
    draft[block : block + RISK] = [0] * RISK
    draft[block + NOW], draft[block + TURNED], draft[block + STATE] = epoch, turned, state
    draft[block + PAUSE] = pause
    draft[block + ASK] = draft[block + ASK + 1] = machine.scope.lease
    draft[WRITES] = draft[WAITS] = 0
    draft[HUNG] &= ~2
    _make_old(machine, draft, number, 0)
    for partner in machine.partners(number):
        execution = machine.layout.executions[partner]
        draft[execution + ACK] = 0
        draft[machine.layout.pongs[partner] + PONG_ACK] = 0


def turn(state: State, block: int) -> Draft:
    """Return a draft in which a risk has turned just now."""
    draft = list(state)
    draft[block + TURNED] = 0
    return draft


def wake(machine: Machine, draft: Draft, number: int) -> None:
    """Hear everybody afresh before any grant, in a new epoch."""
    block = machine.layout.risks[number]
    draft[block + ASK] = draft[block + ASK + 1] = machine.scope.lease
    _make_old(machine, draft, number, 1)
    if draft[block + TRADING]:
        begin_fence(machine, draft, number)


def _make_old(machine: Machine, draft: Draft, number: int, counts: int) -> None:
    """Let answers to what was said so far count for less."""
    for partner in machine.partners(number):
        execution = machine.layout.executions[partner]
        draft[execution + LINE] = min(counts, draft[execution + LINE])
        pong = machine.layout.pongs[partner]
        draft[pong + PONG_COUNTS] = min(counts, draft[pong + PONG_COUNTS])
        for place in machine.layout.pings[partner]:
            if draft[place + OF]:
                draft[place + COUNTS] = min(counts, draft[place + COUNTS])
