"""What venue and time may do: orders land late, are held back, shown, cancelled, and die."""

from ops.model.layout import (
    ACKED,
    ACTIVE_AGE,
    ALIVE,
    ASK,
    ASKED,
    DEADLINE,
    DOOMED,
    ECHO,
    FIRST,
    FLYING,
    FOREIGN,
    FRESH,
    GHOST,
    GRANTED,
    GRANTS,
    HELD,
    HOLD,
    HUNG,
    INTENTS_OVER,
    KEY,
    LEASE_OVER,
    LEDGER,
    LIFE,
    LIVE,
    ORDER,
    OWNER,
    PANIC,
    PANIC_OVER,
    PONG_ASK,
    READ,
    REDUCES,
    REPORT,
    STATE,
    TO,
    TRADING,
    TRULY,
    TURNED,
    UNRESOLVED,
    UP,
)
from ops.model.machine import Draft, Machine, State, Step, breaks


def venue_steps(machine: Machine, state: State, found: list[Step]) -> None:
    """Add what the venue may do with each order, and with each read under way."""
    for number, block in enumerate(machine.layout.executions):
        if state[block + ORDER] == FLYING:
            _receive(machine, state, number, block, found)
        elif state[block + ORDER] == HELD:
            draft = list(state)
            _show(machine, draft, block)
            found.append((f"the venue shows order {number}", draft))
        elif state[block + ORDER] == LIVE and _somebody_cancels(machine, state, block):
            draft = list(state)
            forget_order(draft, block)
            found.append((f"order {number} is cancelled", draft))
    for risk, block in enumerate(machine.layout.risks):
        if state[block + READ] == 1:
            draft = list(state)
            draft[block + READ] = 3 if shows_any(machine, state) else 2
            words = "an order" if draft[block + READ] == 3 else "no order"
            found.append((f"the venue shows {words} to risk {risk}", draft))


def time_steps(machine: Machine, state: State, found: list[Step]) -> None:
    """Let a tick pass."""
    draft = list(state)
    for block in machine.layout.executions:
        draft[block + ASKED] = min(machine.scope.lease, draft[block + ASKED] + 1)
        draft[block + TRULY] = min(machine.scope.lease, draft[block + TRULY] + 1)
        _age_order(machine, draft, block)
    for block in machine.layout.risks:
        _age_risk(machine, draft, block)
    _age_messages(machine, draft)
    draft[PANIC_OVER] = max(0, draft[PANIC_OVER] - 1)
    found.append(("time passes", draft))


def _age_risk(machine: Machine, draft: Draft, block: int) -> None:
    lease = machine.scope.lease
    for field in (LEASE_OVER, INTENTS_OVER, GRANTED, FOREIGN):
        draft[block + field] = max(0, draft[block + field] - 1)
    for field in (REPORT, FIRST):
        if draft[block + field] > 1:
            draft[block + field] -= 1
    for field in (ASK, ASK + 1):
        draft[block + field] = min(lease, draft[block + field] + 1)
    # Where liveness is judged, a risk that does not hang is never away: its waking would heal all.
    away = lease if machine.scope.lives and not draft[HUNG] & 2 else lease + 1
    draft[block + TURNED] = min(away, draft[block + TURNED] + 1)
    if machine.scope.reduces and draft[block + STATE] != 1:
        draft[block + ACTIVE_AGE] = min(lease + 1, draft[block + ACTIVE_AGE] + 1)


def _age_messages(machine: Machine, draft: Draft) -> None:
    lease = machine.scope.lease
    for line in machine.layout.pings:
        for place in line:
            if draft[place + GRANTS]:
                draft[place + ECHO] = min(lease, draft[place + ECHO] + 1)
                if draft[place + ECHO] == lease and "asked" not in machine.off:
                    draft[place + GRANTS] = draft[place + ECHO] = 0
    for block in machine.layout.pongs:
        if draft[block + TO]:
            draft[block + PONG_ASK] = min(lease, draft[block + PONG_ASK] + 1)
            draft[block + UNRESOLVED] = max(0, draft[block + UNRESOLVED] - 1)


def shows_any(machine: Machine, state: State | Draft) -> bool:
    """Tell whether a read of the open orders by the present key shows one."""
    return any(
        state[block + ORDER] == LIVE and state[block + OWNER] == state[KEY]
        for block in machine.layout.executions
    )


def exists_any(machine: Machine, state: State | Draft) -> bool:
    """Tell whether an order of ours is in the market, shown or not."""
    return any(state[block + ORDER] in (HELD, LIVE) for block in machine.layout.executions)


def forget_order(draft: Draft, block: int) -> None:
    """Let an order be no more; what the ledger knows of it stays."""
    for field in (ORDER, FRESH, HOLD, GHOST, REDUCES, DOOMED, OWNER, LIFE):
        draft[block + field] = 0
    if not draft[block + LEDGER]:
        draft[block + DEADLINE] = 0


def _receive(machine: Machine, state: State, number: int, block: int, found: list[Step]) -> None:
    """Take an order in, or refuse it; the answer may be lost."""
    if state[block + DEADLINE] or "late_orders" in machine.off:
        draft = list(state)
        draft[block + ORDER] = HELD
        draft[block + HOLD] = machine.scope.hold
        if state[block + GHOST] or state[ACKED] or state[PANIC] == 3:
            breaks(machine, draft, "S2")
        found.append((f"the venue takes order {number} in", draft))
    draft = list(state)
    forget_order(draft, block)
    found.append((f"order {number} is lost, or refused without an answer", draft))
    if state[block + ALIVE] and state[block + LEDGER]:
        draft = list(draft)
        draft[block + LEDGER] = draft[block + DEADLINE] = 0
        found.append((f"the venue refuses order {number} and says so", draft))


def _show(machine: Machine, draft: Draft, block: int) -> None:
    draft[block + ORDER] = LIVE
    draft[block + HOLD] = 0
    draft[block + LIFE] = machine.scope.life


def _somebody_cancels(machine: Machine, state: State, block: int) -> bool:
    """Tell whether anybody who is there would cancel an order that this key shows."""
    if state[block + OWNER] != state[KEY]:
        return False
    if state[PANIC] or state[block + ALIVE]:
        return True
    return any(state[risk + UP] and not state[risk + TRADING] for risk in machine.layout.risks)


def _age_order(machine: Machine, draft: Draft, block: int) -> None:
    """Let an order's times pass: its deadline, its hold, its life."""
    if draft[block + DEADLINE]:
        draft[block + DEADLINE] -= 1
        if not draft[block + DEADLINE]:
            draft[block + LEDGER] = 0
            if draft[block + ORDER] == FLYING and "late_orders" not in machine.off:
                forget_order(draft, block)
    if draft[block + ORDER] == HELD:
        draft[block + HOLD] -= 1
        if not draft[block + HOLD]:
            _show(machine, draft, block)
    elif draft[block + ORDER] == LIVE and draft[block + LIFE] and "expire" not in machine.off:
        draft[block + LIFE] -= 1
        if not draft[block + LIFE]:
            forget_order(draft, block)
