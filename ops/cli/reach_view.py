"""How the venue is reached, and the newest recovery from a lost feed, as `interlock status` shows.

What is well is left out: a line stands for a connection that fails or is suspect, for a name that
no server resolves, and for the newest recovery, step by step with its times (NET-3).
"""

from rich.console import Group
from rich.text import Text

from ops.cli.output import duration, table
from ops.observe import View
from shared.facts import FeedStatus, Reconnection
from shared.reach import ADVICE, HostReach
from shared.units import NS_PER_MS, MonotonicNs


def render_reach(view: View) -> list[Group | Text]:
    """Return what is not well about reaching the venue, and the newest recovery."""
    parts: list[Group | Text] = []
    for feed, status in view.feeds().items():
        parts += _connection(feed, status, view.at_ns)
        parts += [
            line for host in status.hosts if (line := _name(feed, host, view.at_ns)) is not None
        ]
    risk = view.risk()
    if risk is not None and risk.reconnection is not None:
        parts.append(_reconnection(risk.reconnection, view.wall_ns))
    return parts


def _connection(feed: str, status: FeedStatus, at_ns: MonotonicNs) -> list[Text]:
    if status.suspect:
        return [Text(f"{feed} suspect: the venue's pong is late", style="bold yellow")]
    if status.connected or not status.wanted or not status.state:
        return []
    made = Text(f"{feed} {status.state}", style="bold red")
    made.append(f", {status.failures} failures in a row at {status.url}")
    if status.next_try_ns is not None:
        made.append(f", next try in {duration(max(0, status.next_try_ns - at_ns))}")
    advice = next((text for kind, text in ADVICE.items() if kind == status.fault), "")
    if status.fault:
        made.append(f"\n  {status.fault}: {advice}")
    return [made]


def _name(feed: str, host: HostReach, at_ns: MonotonicNs) -> Text | None:
    if not host.failure and host.source != "fallback":
        return None
    made = Text(f"{feed}: {host.host} ", style="bold red" if host.failure else "bold yellow")
    made.append(host.failure or "is resolved by a server of the profile")
    if host.resolved_ns is not None:
        told = duration(max(0, at_ns - host.resolved_ns))
        made.append(f"; {host.addresses} addresses of {told} ago, look-ups {host.lookup_ms} ms")
    return made


def _reconnection(found: Reconnection, wall_ns: int) -> Group:
    ago = duration(max(0, wall_ns - found.began_wall_ns))
    whole = "goes on"
    if found.whole_ms is not None:
        is_late = found.whole_ms > found.limit_ms
        whole = f"{duration(found.whole_ms * NS_PER_MS)} from the connection on"
        whole += f", over its {duration(found.limit_ms * NS_PER_MS)}" if is_late else ""
    rows: list[tuple[object, ...]] = [
        (
            step.name,
            Text("waits", style="bold red")
            if step.after_ms is None
            else duration(step.after_ms * NS_PER_MS),
            step.waits,
        )
        for step in found.steps
    ]
    rows += [("moved far", "", text) for text in found.moved]
    title = f"recovery {found.number}, {ago} ago ({found.cause}): {whole}"
    return table(title, ("step", "after the loss", "waits for"), rows)
