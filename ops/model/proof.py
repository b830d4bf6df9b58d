"""The ground of risk's proof, as `shared/proof.py` counts it."""

from ops.model.layout import FOREIGN, INTENTS_OVER, KNOWN, LEASE_OVER, REPORT
from ops.model.machine import Draft, Machine, State


def all_still(machine: Machine, state: State | Draft, risk: int) -> bool:
    """Tell whether (a) holds for a risk: every execution is blocked, gone, or without a lease."""
    block = machine.layout.risks[risk]
    if state[block + LEASE_OVER] == 0 or "still" in machine.off:
        return True
    answers = [state[block + KNOWN + number] for number in machine.partners(risk)]
    heard = [answer for answer in answers if answer]
    return bool(heard) and min(heard) >= 2


def grounded(machine: Machine, state: State | Draft, risk: int) -> bool:
    """Tell whether (a) and (b) both hold: a read sent now counts."""
    if not all_still(machine, state, risk):
        return False
    block = machine.layout.risks[risk]
    if "resolved" in machine.off:
        return True
    if state[block + FOREIGN]:
        return False
    return state[block + INTENTS_OVER] == 0 or state[block + REPORT] == 1
