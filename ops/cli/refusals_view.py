"""How refusals of the last day are shown to people."""

from rich.console import Group
from rich.text import Text

from bus import clock
from bus.ledger_reader import Unreadable
from ops.cli.ledger_view import age_words
from ops.cli.output import UNKNOWN, duration, table
from ops.refusals import Refusals

WHO = {"REJECTED": "rejected by the venue", "NOT_SENT": "not sent", "UNKNOWN": "unknown"}


def past_refusals(found: Refusals | Unreadable) -> Group | Text:
    """Return the table, or why there is none."""
    if isinstance(found, Unreadable):
        return Text(f"refusals {UNKNOWN}: ledger {found.why}, {found.detail}", style="bold red")
    title = f"refused in the last day, {age_words(found.as_of_wall_ns, is_cut=False)}"
    if not found.rows:
        return Text(f"{title}: nothing")
    now_ns = clock.read().wall_ns
    rows = [
        (
            WHO[row.state],
            row.reason,
            row.count,
            f"{duration(max(0, now_ns - row.newest_wall_ns))} ago",
            row.text,
        )
        for row in found.rows
    ]
    return table(title, ("", "reason", "count", "newest", "its text"), rows)
