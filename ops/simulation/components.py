"""Every component with what it is made of, in flow order; a run starts them all."""

from ops.simulation.assembly import BUILDERS as UNGUARDED
from ops.simulation.assembly import Builder
from ops.simulation.guarded import execution, risk
from shared.identifiers import Component
from shared.topics import EXECUTION, RISK

BUILDERS: dict[Component, Builder] = {**UNGUARDED, EXECUTION: execution, RISK: risk}
