"""The catalogue as a page: `python -m services.simulator.catalogue.page > docs/venue-faults.md`."""

import sys

from services.simulator.catalogue.entry import Entry
from services.simulator.catalogue.table import SECTIONS
from services.simulator.faults.orders import FaultOrder

INTRODUCTION = """\
# Faults of the venue

Written from the simulator's catalogue; a test keeps the two equal. Every entry is something that
users of the real venue have met, or that its documentation announces. Those with a switch are
turned on while the simulator runs, with `interlock faults on NAME` or `POST /admin/faults
{"entry": "NAME"}`, and thrown at random with `interlock faults random`. Numbers from 101 on are
modes, limits and damage on the way, numbers from 201 on are of the venue whose perpetual futures
are read."""


def render() -> str:
    """Return the page, Markdown."""
    lines = [INTRODUCTION]
    for title, entries in SECTIONS:
        lines += ["", f"## {title}"]
        for entry in entries:
            lines += ["", *_entry_lines(entry)]
    return "\n".join(lines) + "\n"


def _entry_lines(entry: Entry) -> list[str]:
    lines = [f"### {entry.number}. {entry.name}", "", entry.what, ""]
    if entry.orders:
        lines.append(f"* Switch: {'; '.join(map(_order_text, entry.orders))}.")
    if entry.always:
        lines.append(f"* Always: {entry.always}")
    lines.append(f"* Our reaction: {entry.reaction}")
    if entry.tests:
        lines.append(f"* Shown by: {', '.join(f'`{test}`' for test in entry.tests)}")
    if entry.later:
        lines.append(f"* Later: {entry.later}")
    lines.append(f"* Told of in: {', '.join(f'<{link}>' for link in entry.links)}")
    return lines


def _order_text(order: FaultOrder) -> str:
    """Return a fault with those of its fields that it sets."""
    fields = [
        f"{name} {getattr(order, name)}"
        for name, default in zip(
            order.__struct_fields__[1:], order.__struct_defaults__, strict=True
        )
        if getattr(order, name) != default and name != "text"
    ]
    text = f' "{order.text}"' if order.kind in ("refuse", "replace_reply") else ""
    return f"`{order.kind}{text}`" + (f" ({', '.join(fields)})" if fields else "")


if __name__ == "__main__":
    sys.stdout.write(render())
