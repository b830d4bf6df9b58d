"""Walks from the command line: `python -m ops.simulation.machine SEED STEPS [WALKS]`."""

import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from ops.simulation.machine.walk import Prepared, Walked, report, shrink, walk

WORKERS = 2


def walk_once(seed: int, steps: int) -> Walked:
    """Walk from one seed; what is found is shrunk."""
    with Prepared() as account:
        walked = walk(seed, steps, account)
        if walked.found is not None:
            walked.found = shrink(walked.found, account)
        return walked


def main(seed: str, steps: str, walks: str = "1") -> int:
    """Walk so many times that often, from a seed on; return 1 when something was found."""
    began = time.process_time(), time.monotonic()
    seeds = range(int(seed), int(seed) + int(walks))
    each = -(-int(steps) // len(seeds))
    status = 0
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, mp_context=context) as pool:
        for walked in pool.map(walk_once, seeds, [each] * len(seeds)):
            print(
                f"seed {walked.seed}: {walked.steps} steps, {walked.machines} machines, "
                f"{walked.posts} posts, {walked.starts} starts, {walked.legs} legs, "
                f"{walked.failed} failed"
            )
            if walked.found is not None:
                status = 1
                print("\n".join(report(walked.found)))
    print(f"{int(steps) / (time.monotonic() - began[1]):.0f} steps/s")
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
