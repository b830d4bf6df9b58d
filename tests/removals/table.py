"""Each rule of the fence protocol taken out of the real code, and the test that misses it.

A removal is a change of one function: `old` stands there exactly once, and becomes `new`. What the
model (`ops/model`) says falls without a rule is one half; that the code has the rule, and that a
test sees when it has it no more, is the other, and stands here.
"""

from typing import Final

from tests.removals.of_depth import DEPTH, OF_DEPTH
from tests.removals.of_grants import OF_GRANTS
from tests.removals.of_proof import OF_PROOF
from tests.removals.removal import Removal

__all__ = ["DEPTH", "REMOVALS", "Removal"]

REMOVALS: Final = (*OF_GRANTS, *OF_PROOF, *OF_DEPTH)
