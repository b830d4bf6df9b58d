"""The fence protocol as a model that is searched completely."""

from ops.model.execution import execution_steps
from ops.model.machine import Machine
from ops.model.operator import fault_steps, operator_steps
from ops.model.risk import risk_steps
from ops.model.scopes import Scope
from ops.model.venue import time_steps, venue_steps

ACTORS = (execution_steps, risk_steps, venue_steps, operator_steps, fault_steps, time_steps)


def build(scope: Scope, *off: str) -> Machine:
    """Return the model of a scope without some rules."""
    return Machine(scope, ACTORS, frozenset(off))
