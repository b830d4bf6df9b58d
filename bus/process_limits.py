"""What one process may take of the host, and who goes first and last (CB-5).

Trading goes before everything else: risk and execution ask for a processor first, recorder and page
go last, and when memory is out the kernel ends page and simulated venue first. A process that
leaks ends itself and is started again. None leaves a core file: execution's would hold the key.

Source: setrlimit(2), setpriority(2), proc(5) on oom_score_adj.
"""

import contextlib
import os
import resource
from pathlib import Path
from typing import Final

from shared.identifiers import Component
from shared.topics import DASHBOARD, EXECUTION, RECORDER, RISK, SIMULATOR

URGENT: Final = frozenset({RISK, EXECUTION})
URGENT_NICE: Final = -10
"""Both loops stand between two ends of one lease: nine times the share of the other processes.

Beside a saturated machine a turn of risk of 205 ms and one of execution of 256 ms, all of it
waiting for a processor, made one lease run out (recorded in a soak). Source: sched(7)."""

BACKGROUND_NICE: Final = {RECORDER: 5, DASHBOARD: 10}
"""A third and a tenth of the share of others."""

OOM_SCORES: Final = {RISK: 0, EXECUTION: 0, RECORDER: 300, DASHBOARD: 600, SIMULATOR: 600}
"""Added to the thousandths of memory that a process has; who has most ends first."""

OOM_SCORE_OTHERS: Final = 100
"""Feeds, state and strategies start again within seconds; who cancels should outlive them."""

OOM_FILE: Final = Path("/proc/self/oom_score_adj")
MIB: Final = 1 << 20


def limit(component: Component, memory_mib_max: int) -> bool:
    """Limit this process; return whether it got the processor's share that it should have.

    Args:
        component: Who this is.
        memory_mib_max: Of its data; the simulated venue, no part of a live group, has no limit.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if component != SIMULATOR:
        wished = memory_mib_max * MIB
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        most = wished if hard == resource.RLIM_INFINITY else min(wished, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
    # Kernels without it, and containers that forbid it, order their victims by size alone.
    with contextlib.suppress(OSError):
        OOM_FILE.write_text(str(OOM_SCORES.get(component, OOM_SCORE_OTHERS)))
    return _place(component)


def _place(component: Component) -> bool:
    """Ask for a processor before or after others; False where the system does not allow it.

    Going first is allowed to root, with CAP_SYS_NICE, and with a limit of nice that reaches so far.
    Without it everything works the same, and a machine that is busy enough costs leases.
    """
    own = os.getpriority(os.PRIO_PROCESS, 0)
    wished = min(own, URGENT_NICE) if component in URGENT else own
    wished = max(wished, BACKGROUND_NICE.get(component, wished))
    try:
        os.setpriority(os.PRIO_PROCESS, 0, wished)
    except PermissionError:
        return False
    return True
