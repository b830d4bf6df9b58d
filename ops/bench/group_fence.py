"""How soon a whole group under twice the peak stops: halts, exits, hangs, and a lossy venue.

From risk's decision to BLOCKED and to the cancel-all at the venue, from a kill and from a stop
of a process to the decision, and from the decision to an empty book and to the proof of it while
a tenth of all requests is lost. The floors are taken beside the same load.
"""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence

import msgspec

from bus import clock
from bus.floors import ipc_round_trips, tcp_round_trips
from ops.bench.place import Place
from ops.bench.results import BenchFailed, Result, added, halved, summarise
from ops.bench.trading_group import TradingGroup, trading_group
from ops.start import Say
from shared.topics import FEED_USER, STATE
from shared.units import NS_PER_MS, NS_PER_S

BLOCKED = "halt-to-blocked"
WIRE = "halt-to-wire"
EXIT = "exit-to-fence"
HANG = "hang-to-fence"
EMPTY = "lossy-to-empty"
PROOF = "lossy-to-proof"
NAMES = (BLOCKED, WIRE, EXIT, HANG, EMPTY, PROOF)

BOUNDS_NS = {
    BLOCKED: 10 * NS_PER_MS,
    WIRE: 25 * NS_PER_MS,
    EXIT: 20 * NS_PER_MS,
    HANG: 600 * NS_PER_MS,
    EMPTY: NS_PER_S,
    PROOF: 6 * NS_PER_S,
}
"""What is promised of the slowest in a hundred."""

ROUNDS = 12
VICTIMS = (STATE, FEED_USER)
"""Taken in turns, so that none ends so often that risk takes it for one that flaps."""

FLOOR_SAMPLES = 40
FLOOR_PACE_NS = 10 * NS_PER_MS
LOST = 0.1
CANCEL_ALL = ("DELETE", "/cancel-all")
"""Method and path of the request that empties the account."""


class _Samples(msgspec.Struct):
    """What was measured, by the name of the benchmark."""

    taken: dict[str, list[int]] = msgspec.field(default_factory=lambda: {n: [] for n in NAMES})

    def add(self, name: str, span_ns: int) -> None:
        self.taken[name].append(span_ns)


def measure(names: Sequence[str], say: Say, rounds: int = ROUNDS) -> list[Result]:
    """Measure what is named, `rounds` times each; some seconds a round.

    Raises:
        BenchFailed: Something did not come about in time.
        TooBusy: Other load keeps the group from trading.
    """
    samples = _Samples()
    acts: tuple[tuple[tuple[str, ...], Callable[[TradingGroup, _Samples, int], None]], ...] = (
        ((BLOCKED, WIRE), _halt),
        ((EXIT,), _exit),
        ((HANG,), _hang),
        ((EMPTY, PROOF), _lossy),
    )
    with trading_group(say) as (where, group):
        for kinds, act in acts:
            if not set(kinds) & set(names):
                continue
            for number in range(rounds):
                say(f"{' and '.join(kinds)}: {number + 1} of {rounds}")
                act(group, samples, number)
                group.wait_until_trading()
        floors = _floors(where)
    return [_result(name, samples.taken[name], floors) for name in NAMES if name in names]


def _halt(group: TradingGroup, samples: _Samples, number: int) -> None:
    del number
    since_ns = clock.read().monotonic_ns
    latch, times = group.halt()
    decided = group.decision_after(since_ns)
    assert times.blocked_ns is not None, "zero comes after blocked"
    samples.add(BLOCKED, times.blocked_ns)
    asked = [
        row.at_ns
        for row in group.note()
        if (row.method, row.path) == CANCEL_ALL and row.at_ns >= decided.decided_ns
    ]
    if not asked:
        raise BenchFailed("no cancel-all has reached the venue")
    samples.add(WIRE, min(asked) - decided.decided_ns)
    group.resume(latch)


def _exit(group: TradingGroup, samples: _Samples, number: int) -> None:
    victim = VICTIMS[number % len(VICTIMS)]
    killed_ns = group.signal(victim, signal.SIGKILL)
    samples.add(EXIT, group.decision_after(killed_ns).decided_ns - killed_ns)


def _hang(group: TradingGroup, samples: _Samples, number: int) -> None:
    """Stop a process; risk kills it after the fence, and supervisord starts it again."""
    victim = VICTIMS[number % len(VICTIMS)]
    stopped_ns = group.signal(victim, signal.SIGSTOP)
    samples.add(HANG, group.decision_after(stopped_ns).decided_ns - stopped_ns)


def _lossy(group: TradingGroup, samples: _Samples, number: int) -> None:
    del number
    resting = group.resting()
    lost = {"kind": "lose_request", "probability": LOST}
    group.log.order("POST", "/admin/faults", lost)
    since_ns = clock.read().monotonic_ns
    latch, times = group.halt()
    decided = group.decision_after(since_ns)
    group.log.order("DELETE", "/admin/faults", {})
    assert times.zero_ns is not None, "a halt is answered when zero is proven"
    emptied_ns = group.emptied_ns(group.note(), resting, decided.decided_ns)
    samples.add(EMPTY, emptied_ns - decided.decided_ns)
    samples.add(PROOF, times.zero_ns)
    group.resume(latch)


class _Floors(msgspec.Struct, frozen=True):
    """What the same ways cost without us, beside the same load."""

    control: tuple[int, ...]
    wire: tuple[int, ...]
    exits: tuple[int, ...]
    timer: tuple[int, ...]
    gap: tuple[int, ...]


def _floors(where: Place) -> _Floors:
    timing = where.settings.config.timing
    control = ipc_round_trips(where.directory, FLOOR_SAMPLES, FLOOR_PACE_NS)
    tcp = tcp_round_trips(FLOOR_SAMPLES, FLOOR_PACE_NS)
    return _Floors(
        control=control,
        wire=tuple(added(halved(control), halved(tcp))),
        exits=tuple(_exit_seen_ns() for _ in range(FLOOR_SAMPLES)),
        timer=tuple(_timer_ns(timing.hang_ms) for _ in range(3)),
        gap=(_timer_ns(timing.read_gap_ms),),
    )


def _exit_seen_ns() -> int:
    """Return how long a kill takes until a pidfd tells of the exit."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        descriptor = os.pidfd_open(child.pid)
        try:
            began_ns = clock.read().monotonic_ns
            child.kill()
            select.select([descriptor], [], [])
            return clock.read().monotonic_ns - began_ns
        finally:
            os.close(descriptor)


def _timer_ns(span_ms: int) -> int:
    """Return how long a bare wait of so many milliseconds takes."""
    began_ns = clock.read().monotonic_ns
    select.select([], [], [], span_ms / 1000)
    return clock.read().monotonic_ns - began_ns


def _result(name: str, taken: list[int], floors: _Floors) -> Result:
    told = {
        BLOCKED: ("risk's decision to halt to BLOCKED of execution at risk", floors.control),
        WIRE: ("risk's decision to halt to the first cancel-all at the venue", floors.wire),
        EXIT: ("a process killed to risk's decision to fence", floors.exits),
        HANG: ("a process stopped to risk's decision to fence", floors.timer),
        EMPTY: ("a halt to the last order's end, a tenth of all requests lost", floors.wire),
        PROOF: ("a halt to the proof of zero, a tenth of all requests lost", floors.gap),
    }
    floor = {
        BLOCKED: "a bare ipc round trip",
        WIRE: "one way over bare ipc and bare loopback TCP",
        EXIT: "a kill to a bare pidfd's word",
        HANG: "a bare wait as long as silence may last",
        EMPTY: "one way over bare ipc and bare loopback TCP",
        PROOF: "a bare wait as long as two reads must be apart",
    }
    what, floors_ns = told[name]
    found = summarise(name, f"{what}, at twice the peak", taken, floor[name], floors_ns)
    return msgspec.structs.replace(found, bound_ns=BOUNDS_NS[name])
