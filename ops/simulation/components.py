"""Every component with what it is made of, in flow order; a run starts them all."""

from ops.simulation.assembly import BUILDERS as UNGUARDED
from ops.simulation.assembly import Builder
from shared.identifiers import Component

BUILDERS: dict[Component, Builder] = {**UNGUARDED}
