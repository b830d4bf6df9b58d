"""`python -m ops.simulation SEED [SECONDS]`: one run, its report, status 1 for a violation."""

import sys

from ops.simulation.run import SECONDS, report, run


def main(arguments: list[str]) -> int:
    """Run one seed and print what came of it; return the exit status."""
    if not 1 <= len(arguments) <= 2 or not all(word.isdecimal() for word in arguments):
        sys.stderr.write("usage: python -m ops.simulation SEED [SECONDS]\n")
        return 2
    outcome = run(int(arguments[0]), int(arguments[1]) if len(arguments) == 2 else SECONDS)
    for line in report(outcome):
        print(line)
    return 1 if outcome.violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
