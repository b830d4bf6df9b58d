"""One rule taken out of one function, and where functions and tests stand."""

from typing import Final

import msgspec

R: Final = "tests/unit/risk/"
E: Final = "tests/unit/execution/"
PROOF: Final = "tests/unit/shared/test_proof.py::"


class Removal(msgspec.Struct, frozen=True):
    """One rule taken out.

    Attributes:
        rule: Name in `ops/model/rules.py`, or one of `DEPTH`.
        file: Source that is changed; within: its function.
        old, new: Text there, and what it becomes.
        test: That must fail.
    """

    rule: str
    file: str
    within: str
    old: str
    new: str
    test: str


LEASE: Final = "services/execution/lease.py"
FENCING: Final = "services/execution/fencing.py"
CORE: Final = "services/risk/core.py"
GUARD: Final = "services/risk/guard.py"
AUTHORITY: Final = "services/risk/authority.py"
FENCE: Final = "services/risk/fence.py"
GRANTOR: Final = "services/risk/lease.py"
ZERO: Final = "shared/proof.py"
MAY_SEND: Final = "services/execution/may_send.py"
