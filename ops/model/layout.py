"""How a state of the model is laid out: one byte a field, in blocks.

A state is a `bytes`: hashed fast, compared exactly, so no state is ever taken for another one.
Times count down, ages count up, both in ticks and both saturated, so that there is no clock in a
state and the states are finitely many.

Epochs are ranks: what matters of an epoch is which is older, never its number. Ranks are made
dense again after every step (`dense`), so that runs of any length have finitely many states.
"""

from collections.abc import Sequence
from typing import Final

# --- for all ----------------------------------------------------------------------------
BAD: Final = 0
"""0, or 1 + the place of the property that the step into this state has broken."""
FAULTS: Final = 1
"""Faults that may still happen."""
HALTS: Final = 2
"""Halts that the operator may still ask for."""
ACKED: Final = 3
"""Whether the newest halt was acknowledged, and no resume asked for since."""
WAITS: Final = 4
"""Whether a halt waits to be acknowledged."""
DISK: Final = 5
"""Risk's database: 1 a latch is on disk, 2 the database was lost or restored."""
WRITES: Final = 6
"""Risk's writes under way, two ternary digits, the older one first: 1 sets, 2 clears the latch."""
SUPERVISOR: Final = 7
PANIC: Final = 8
"""0 no, 1 latched and killed, 2 one empty read, 3 proven."""
PANIC_OVER: Final = 9
"""Ticks until every order is past its deadline, for panic; then ticks of the read gap."""
KEY: Final = 10
"""API key of the present group."""
HUNG: Final = 11
"""1 execution hangs for good, 2 risk does, 3 both."""
COMMON: Final = 12

# --- execution: a block for each ----------------------------------------------------------
ALIVE: Final = 0
STARTING: Final = 1
EPOCH: Final = 2
ASKED: Final = 3
"""Age of the ask whose echo was used, as execution counts it."""
TRULY: Final = 4
"""Age of the ask whose echo of the newest epoch was taken: the truth that S1 is judged by."""
LEASE: Final = 5
"""0 none, 1 ACTIVE, 2 REDUCING."""
FENCED: Final = 6
SELF_FENCED: Final = 7
"""1 and to be told, 2 and told once (where it is not repeated)."""
ZEROING: Final = 8
ACK: Final = 9
"""BLOCKED of this risk's fences: 0 for none, 1 for one of an older epoch, 2 for that of `EPOCH`."""
LINE: Final = 10
"""The newest ping: 0 of a risk that is gone or none, 1 from before its waking, 2 it counts."""
SCOPE: Final = 11
"""Generation of the scope's pause that was carried out."""
SCOPE_HELD: Final = 12
# its order
ORDER: Final = 13
FRESH: Final = 14
"""Whether the order's permit names the newest epoch received."""
DEADLINE: Final = 15
HOLD: Final = 16
LEDGER: Final = 17
"""0 nothing unresolved, 1 an intent that may still arrive."""
GHOST: Final = 18
"""1: proven to be no more."""
REDUCES: Final = 19
DOOMED: Final = 20
OWNER: Final = 21
"""API key of the order."""
LIFE: Final = 22
EXECUTION: Final = 23

NONE, QUEUED, CHECKED, FLYING, HELD, LIVE = range(6)
"""Of `ORDER`. CHECKED is inside the one write: the process can do nothing else until it is done."""

# --- risk: a block for each ---------------------------------------------------------------
UP: Final = 0
NOW: Final = 1
"""Its epoch."""
TRADING: Final = 2
LEASE_OVER: Final = 3
INTENTS_OVER: Final = 4
GRANTED: Final = 5
"""Ticks until orders under the longest lease that anybody may hold are past their deadline."""
REPORT: Final = 6
"""0 none; 1 + ticks until what the ledgers told of is past its deadline."""
READ: Final = 7
"""0 none, 1 sent, 2 shown empty, 3 shown an order."""
FIRST: Final = 8
"""0 no first empty read; 1 + ticks of the gap that are left."""
ZERO: Final = 9
HOLDER: Final = 10
LATCH: Final = 11
"""0 none, 1 set and not on disk, 2 on disk, 3 on disk and being cleared."""
TURNED: Final = 12
"""Ticks since its last turn."""
STATE: Final = 13
"""1 ACTIVE, 2 REDUCING."""
ACTIVE_AGE: Final = 14
"""Ticks since it was last ACTIVE."""
PAUSE: Final = 15
"""Newest generation of the scope's pause."""
PAUSED: Final = 16
"""0 released, 1 paused, 2 paused and told to have been carried out."""
UNSAID: Final = 17
"""Whether the present order has not been said yet (where a ping does not repeat it)."""
KNOWN: Final = 18
"""Two fields, one an execution: 0 never heard of, 1 known, 2 blocked, 3 exited."""
ASK: Final = 20
"""Two fields, one an execution: age of its newest ask that counts."""
FOREIGN: Final = 22
"""Ticks until no order of an earlier API key can be in the market."""
RISK: Final = 23

# --- a ping: a block for each place in each execution's line --------------------------------
OF: Final = 0
"""0 no ping, 1 + its risk."""
PING_EPOCH: Final = 1
FENCES: Final = 2
GRANTS: Final = 3
ECHO: Final = 4
"""Age of the ask that it echoes."""
COUNTS: Final = 5
"""0 of a risk that is gone, 1 from before its waking, 2 an answer to it counts."""
PING_SCOPE: Final = 6
PING_HELD: Final = 7
PING: Final = 8

# --- the pong: one a execution ---------------------------------------------------------------
TO: Final = 0
PONG_EPOCH: Final = 1
PONG_ASK: Final = 2
PONG_COUNTS: Final = 3
PONG_ACK: Final = 4
AFTER: Final = 5
"""Whether it was made after risk knew every execution to be still."""
UNRESOLVED: Final = 6
"""Ticks until the intents that it tells of are past their deadline."""
PONG_FENCED: Final = 7
PONG_SCOPE: Final = 8
PONG: Final = 9


class Layout:
    """Where the blocks of a scope begin.

    Attributes:
        executions: Beginnings of their blocks.
        risks: Likewise.
        pings: For each execution, the beginnings of the places of its line.
        pongs: For each execution.
        epochs: Every field that is an epoch.
    """

    def __init__(self, executions: int, risks: int, ping_places: int) -> None:
        at = COMMON
        self.executions = tuple(range(at, at + executions * EXECUTION, EXECUTION))
        at += executions * EXECUTION
        self.risks = tuple(range(at, at + risks * RISK, RISK))
        at += risks * RISK
        lines = []
        for _ in range(executions):
            lines.append(tuple(range(at, at + ping_places * PING, PING)))
            at += ping_places * PING
        self.pings = tuple(lines)
        self.pongs = tuple(range(at, at + executions * PONG, PONG))
        self.size = at + executions * PONG
        self.epochs = (
            *(block + EPOCH for block in self.executions),
            *(block + NOW for block in self.risks),
            *(block + PING_EPOCH for line in self.pings for block in line),
            *(block + PONG_EPOCH for block in self.pongs),
        )

    def dense(self, state: list[int]) -> None:
        """Make ranks of epochs again; 0 stays none."""
        found = sorted({state[at] for at in self.epochs} - {0})
        if found and found[-1] != len(found):
            rank = {0: 0}
            for place, epoch in enumerate(found):
                rank[epoch] = place + 1
            for at in self.epochs:
                state[at] = rank[state[at]]

    def newest(self, state: Sequence[int]) -> int:
        """Return the newest epoch of all."""
        return max(state[at] for at in self.epochs)
