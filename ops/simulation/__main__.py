"""`python -m ops.simulation SEED [SECONDS] [perps]`: one run, its report, status 1 for a violation.

With `perps` the feed of perpetual futures runs too, and its faults are drawn beside the others.
"""

import sys

from ops.simulation.run import SECONDS, report, run


def main(arguments: list[str]) -> int:
    """Run one seed and print what came of it; return the exit status."""
    perps = arguments[-1:] == ["perps"]
    numbers = arguments[:-1] if perps else arguments
    if not 1 <= len(numbers) <= 2 or not all(word.isdecimal() for word in numbers):
        sys.stderr.write("usage: python -m ops.simulation SEED [SECONDS] [perps]\n")
        return 2
    seconds = int(numbers[1]) if len(numbers) == 2 else SECONDS
    outcome = run(int(numbers[0]), seconds, perps=perps)
    for line in report(outcome):
        print(line)
    return 1 if outcome.violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
