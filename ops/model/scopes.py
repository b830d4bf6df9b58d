"""Configurations of the model: which actors, which faults, how many of them.

Times are in ticks; only their order matters: a lease is shorter than an order's lateness, the gap
of the reads is not shorter than the venue's hold.
"""

from typing import Final

import msgspec


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """One bounded world that is searched completely.

    Attributes:
        name: Of it.
        text: What it is for.
        lease: Ticks of a lease.
        late: Ticks from an intent until the venue refuses it.
        gap: Ticks between the reads.
        hold: Ticks for which the venue may hold an accepted order back from reads.
        places: Pings under way to one execution at once.
        overtakes: Whether pings may overtake each other.
        executions, risks: How many there may be at once.
        faults: Crashes, lost databases and changed keys, together.
        halts: Halts that the operator asks for.
        hangs: Whether a process may hang for good; ends: whether the whole group may end so.
        lives: Whether liveness is judged; then only a hung execution is fenced for.
        crashes: Which may crash: e, r.
    """

    name: str
    text: str
    lease: int = 1
    late: int = 2
    gap: int = 1
    hold: int = 1
    places: int = 1
    overtakes: bool = False
    executions: int = 1
    risks: int = 1
    faults: int = 1
    halts: int = 0
    crashes: str = "er"
    panics: bool = False
    loses_database: bool = False
    reduces: bool = False
    pauses: bool = False
    changes_key: bool = False
    clock_error: int = 0
    allowance: int = 0
    life: int = 0
    hangs: bool = False
    ends: bool = False
    lives: bool = False
    orders: bool = True


SCOPES: Final = (
    Scope(
        name="lease", text="lease and write alone: risk and execution stop for any time", faults=0
    ),
    Scope(name="basic", text="a crash of either, orders that land late"),
    Scope(
        name="overtaking",
        text="two pings under way, the newer one first",
        places=2,
        overtakes=True,
        faults=0,
    ),
    Scope(
        name="halts",
        text="two halts, resumes, a database that is lost",
        halts=2,
        loses_database=True,
        orders=False,
        crashes="r",
    ),
    Scope(name="halt_orders", text="a halt while an order is on its way", halts=1, faults=0),
    Scope(name="panic", text="panic beside a group that lives", panics=True, faults=0),
    Scope(name="reducing", text="risk grants reduce-only leases", reduces=True, faults=0),
    Scope(
        name="pauses",
        text="a scope below the account, generations",
        pauses=True,
        faults=1,
        crashes="r",
    ),
    Scope(
        name="keys",
        text="another API key after a restart",
        changes_key=True,
        life=2,
        faults=1,
        crashes="",
    ),
    Scope(
        name="clocks",
        text="the venue's clock is behind ours",
        late=3,
        clock_error=2,
        allowance=2,
        faults=1,
    ),
    Scope(
        name="two_groups",
        text="a second execution and a second risk",
        executions=2,
        risks=2,
        faults=1,
    ),
    Scope(
        name="supervision",
        text="what hangs for good, and who ends it",
        hangs=True,
        lives=True,
        orders=False,
    ),
    Scope(
        name="restored",
        text="an older database of risk's comes back",
        loses_database=True,
        lives=True,
        orders=False,
        crashes="",
    ),
    Scope(
        name="gone",
        text="supervisord and the whole group are gone for good",
        ends=True,
        lives=True,
        life=1,
        crashes="",
    ),
)

BY_NAME: Final = {scope.name: scope for scope in SCOPES}
