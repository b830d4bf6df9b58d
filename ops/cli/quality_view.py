"""How what state finds wrong with the data is shown to people."""

from rich.console import Group
from rich.text import Text

from ops.cli.output import UNKNOWN, age, duration, table
from ops.observe import View
from shared.topics import STATE


def render_quality(view: View) -> Group:
    """Return one line, and a row for everything that is wrong."""
    told = view.quality()
    if told is None:
        return Group(Text(f"data {UNKNOWN}: state does not say whether it is right", "bold red"))
    is_stopping = any(found.blocks for found in told.findings)
    words = "nothing wrong"
    if told.findings:
        words = f"{len(told.findings)} findings" + (", trading stops" if is_stopping else "")
    line = Text(f"data: {words}", style="bold red" if is_stopping else "")
    line.append(f"; {told.streams} streams, {told.refused} values refused, ", style="none")
    line.append(f"{told.suspect} flagged in this run; heard ", style="none")
    line.append_text(age(view.age_ns("state.quality", STATE)))
    if not told.findings:
        return Group(line)
    titles = ("stream", "check", "verdict", "value", "limit", "second source", "lasts", "seen", "n")
    rows = [
        (
            found.stream,
            found.check,
            Text(found.verdict, style="bold red") if found.blocks else found.verdict,
            found.value,
            found.limit,
            found.second,
            duration(max(0, view.at_ns - found.since_ns)),
            age(max(0, view.at_ns - found.last_ns)),
            found.count,
        )
        for found in told.findings
    ]
    return Group(line, table("", titles, rows))
