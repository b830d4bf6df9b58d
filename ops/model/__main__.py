"""`python -m ops.model`: search, and write the page.

With names, only these searches (`scope` or `scope/rule`); what earlier runs came to is kept in
`build/model`, so that the page always shows the newest result of each.
"""

import argparse
import sys
import time
from pathlib import Path

import msgspec

from ops.model import results
from ops.model.page import render
from ops.model.scopes import BY_NAME

KEPT = Path("build/model")
PAGE = Path("docs/protocol-model.md")
WAYS = Path("docs/protocol-model.json")


def main() -> int:
    """Run what is asked for; return 1 when a property fell with every rule in place."""
    parser = argparse.ArgumentParser(prog="python -m ops.model", description=__doc__)
    parser.add_argument("names", nargs="*", help="scope, or scope/rule; none for everything")
    parser.add_argument(
        "--states", type=int, default=results.STATES_MAX, help="most states of a search"
    )
    parser.add_argument("--page", action="store_true", help="write the page from what was kept")
    asked = parser.parse_args()
    wanted = results.wanted()
    if asked.names:
        pairs = [name.partition("/") for name in asked.names]
        wanted = [(BY_NAME[scope], rule) for scope, _, rule in pairs]
    fell = False
    for scope, rule in () if asked.page and not asked.names else wanted:
        began = time.process_time()
        result = results.run(scope, rule, asked.states)
        results.keep(KEPT, result)
        took = time.process_time() - began
        end = "complete" if result.complete else "not complete"
        fell_now = ", ".join(result.traces) or "nothing"
        print(
            f"{scope.name:12} without {rule or 'nothing':15} {result.states:>10,} states, "
            f"{result.steps:>11,} steps, {took:6.1f} s, {end}: {fell_now} falls",
            flush=True,
        )
        for trace in () if rule else result.traces.values():
            fell = True
            print("".join(f"    {step}\n" for step in trace), end="")
    kept = results.load(KEPT)
    PAGE.write_text(render(kept), encoding="utf-8")
    ways = {f"{scope}/{rule}": kept[scope, rule].traces for scope, rule in sorted(kept) if rule}
    WAYS.write_bytes(msgspec.json.format(msgspec.json.encode(ways)) + b"\n")
    return int(fell)


if __name__ == "__main__":
    sys.exit(main())
