"""docs/protocol-model.md, and the ways beside it that a test replays: written by runs alone."""

from collections.abc import Mapping

from ops.model.results import Result
from ops.model.rules import PROPERTIES, RULES
from ops.model.scopes import SCOPES

HEAD = """# The fence protocol, searched

Written by `make model`; do not edit. The model is `ops/model`: execution, risk, venue, control
line, supervisor, watch, operator and panic, step by step, and every state that they can reach.
Nobody is in a hurry there: a process that takes no step is a stopped one, a message that is not
taken in is a late or a lost one. Stops, delays and losses are therefore always included; crashes,
a lost database and a changed key are counted as faults. Epochs are ranks, and times are ages of a
few ticks, so that the states are finitely many however long a run is.

What the model leaves out, always on the side of more danger: resets of connections (bytes that were
written may always land), the venue's dead-man switch (it never helps), and execution's own reads
(its zero is believed as soon as its intents are resolved).
"""

FOUND = """## What the search has found in the code

- An execution that has answered BLOCKED and then hangs was asked by nobody again, so that nothing
  would have traded until a person came (L1 without `kill_silent`). Mended: silence kills it.
- A group that was killed and started with another API key proved zero by reads that cannot show
  what the earlier key still has in the market, so that a halt could be acknowledged too early (S2
  without `key`). Mended: risk keeps the key in its database, and when it was changed counts no read
  before the last order of the earlier one is over, about two minutes after its start. Change the
  key only while the group is down: one that is changed beside a group that runs is not in here.
- An execution that hangs before its first word to a risk was killed by nobody: risk held no line to
  it, and supervisord sees only that it exists. Mended: after sixty answers of supervisord without
  a word of it, risk has it killed by supervisord. That is not modelled: L1 leaves such starts out.
- A group that is killed while an order is on its way, and another group of the same account that is
  started at once from another data directory: its ledger knows nothing of that order, so zero was
  proven a moment too early (S2 in `two_groups`, with a ledger for each execution). Mended where it
  costs money: in mode live the first start of a data directory waits as for another key.
"""

LIVENESS = """Liveness means here: from every state a good one stays reachable without another
fault. It says that there is a way on, not how soon it is taken.
"""


def render(results: Mapping[tuple[str, str], Result]) -> str:
    """Return the page."""
    lines = [HEAD, "## Properties", ""]
    lines += [f"- **{name}** {text}" for name, text in PROPERTIES.items()]
    lines += ["", LIVENESS, FOUND, "## With every rule", ""]
    lines += ["| scope | what it is for | faults | states | steps | depth | search | broken |"]
    lines += ["|---|---|---|---|---|---|---|---|"]
    for scope in SCOPES:
        result = results.get((scope.name, ""))
        if result is None:
            lines.append(
                f"| {scope.name} | {scope.text} | {scope.faults} | - | - | - | not run | - |"
            )
            continue
        search = "complete" if result.complete else "not complete"
        broken = ", ".join(result.traces) or "nothing"
        counts = f"{result.states:,} | {result.steps:,} | {result.depth or '-'}"
        lines.append(
            f"| {scope.name} | {scope.text} | {scope.faults} | {counts} | {search} | {broken} |"
        )
    lines += ["", "## With one rule taken out", ""]
    lines += ["| rule | without it | scope | falls | shortest way | states seen |"]
    lines += ["|---|---|---|---|---|---|"]
    ways: list[str] = []
    for rule in RULES:
        result = results.get((rule.scope, rule.name))
        row = f"| `{rule.name}` | {rule.text} | {rule.scope} |"
        if result is None:
            lines.append(f"{row} - | not run | - |")
            continue
        nothing = "nothing" if result.complete else "nothing so far"
        fell = ", ".join(result.traces) or nothing
        steps = ", ".join(str(len(trace)) for trace in result.traces.values()) or "-"
        lines.append(f"{row} {fell} | {steps} | {result.states:,} |")
        for name, trace in result.traces.items():
            ways += [f"### Without `{rule.name}`: {name}", ""]
            ways += [f"{number}. {step}" for number, step in enumerate(trace, 1)]
            ways += [""]
    return "\n".join([*lines, "", "## The shortest ways", "", *ways]).rstrip() + "\n"
