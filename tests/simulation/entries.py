"""Whole-system runs in which entries of the catalogue strike one after the other."""

from functools import cache

from ops.simulation.faults import Fault, Plan, Rates
from ops.simulation.run import Outcome, run
from services.simulator.catalogue.entry import Entry
from services.simulator.catalogue.table import ENTRIES
from shared.units import NS_PER_MS, NS_PER_S

NODE = "tests/simulation/test_catalogue.py::test_reaction"
FIRST_S = 12
"""By then quotes rest and are taken."""

AFTER_S = 4
"""From an entry's end to the next one: reconciliation, a new connection, a proof of zero."""

QUIET_S = 12
IN_ONE_RUN = 9

SEEDS = (1, 2, 3, 4)
"""Chance decides whether quotes rest and are taken while an entry is on: where nothing was there to
strike, the next seed is tried."""

PROVEN = tuple(entry for entry in ENTRIES if NODE in entry.tests)


def _runs() -> list[tuple[Entry, ...]]:
    """Return the entries of each run: those that the venue's order of numbers puts together."""
    return [PROVEN[at : at + IN_ONE_RUN] for at in range(0, len(PROVEN), IN_ONE_RUN)]


def run_of(entry: Entry) -> int:
    """Return in which run an entry strikes."""
    return next(number for number, entries in enumerate(_runs()) if entry in entries)


def moments(number: int) -> dict[str, tuple[int, int]]:
    """Return when each entry of a run strikes, and until when what follows is looked at, in ns."""
    at_s = FIRST_S
    found: dict[str, tuple[int, int]] = {}
    for entry in _runs()[number]:
        end_s = at_s + -(-entry.lasts_ms // 1_000) + AFTER_S
        found[entry.name] = (at_s * NS_PER_S, end_s * NS_PER_S)
        at_s = end_s
    return found


@cache
def outcome(number: int, seed: int) -> Outcome:
    """Return what came of a run of a seed; it is made once."""
    spans = moments(number)
    schedule = tuple(
        Fault(spans[entry.name][0], "entry", lasts_ns=entry.lasts_ms * NS_PER_MS, mode=entry.name)
        for entry in _runs()[number]
    )
    calm_ns = max(end_ns for _, end_ns in spans.values())
    plan = Plan(Rates(), schedule, calm_ns, garbles=True)
    return run(seed, calm_ns // NS_PER_S + QUIET_S, plan=plan)


def told(entry: Entry, seed: int) -> list[str]:
    """Return what people were told while an entry was on and shortly after, `name: text` each."""
    number = run_of(entry)
    first_ns, end_ns = moments(number)[entry.name]
    return [
        f"{who} {what}: {text}"
        for moment_ns, who, what, text in outcome(number, seed).told
        if first_ns <= moment_ns < end_ns
    ]
