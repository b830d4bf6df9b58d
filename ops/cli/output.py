"""How the command speaks: exit statuses, JSON, tables, ages, money.

Nothing is shown without its age where it can grow old; what is older than its limit is
called stale, in words, not by colour alone.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import click
import msgspec
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from shared.config import Finding
from shared.units import NS_PER_MS, NS_PER_S

DONE = 0
FAILED = 1
FINDINGS = 2
NOT_TRADING = 3
DOWN = 4

STALE_NS = NS_PER_S
"""Everything shown live is repeated ten times a second; a second of silence is not live."""

UNKNOWN = "unknown"

NARROW_COLUMNS = 100


def console() -> Console:
    """Return where people read; wide enough for a table when there is no terminal."""
    made = Console(highlight=False)
    if not made.is_terminal:
        made.width = NARROW_COLUMNS * 2
    return made


def progress_console() -> Console:
    """Return where progress goes: standard error, so that JSON stays alone on standard output."""
    return Console(stderr=True, highlight=False)


def show_json(content: object) -> None:
    """Print one JSON object or array."""
    print(json.dumps(msgspec.to_builtins(content), indent=2))


def fail(why: str, status: int = FAILED, *, as_json: bool = False) -> NoReturn:
    """Say why and end with a status."""
    if as_json:
        show_json({"ok": False, "why": why})
    else:
        click.echo(why, err=True)
    raise SystemExit(status)


def show_findings(findings: Sequence[Finding], *, as_json: bool) -> None:
    """Show everything that is wrong with a configuration."""
    if as_json:
        show_json({"ok": False, "findings": findings})
        return
    click.echo(f"{len(findings)} findings; nothing was started.", err=True)
    for finding in findings:
        click.echo(f"  {finding.where}: {finding.what}", err=True)


def table(title: str, columns: Iterable[str], rows: Iterable[Sequence[object]]) -> Group:
    """Return a title, if it is not empty, and a table; numbers stand at the right."""
    made = Table(box=None, pad_edge=False, header_style="dim")
    filled = [[_cell(cell) for cell in row] for row in rows]
    for number, name in enumerate(columns):
        numeric = bool(filled) and all(row[number][1] for row in filled)
        made.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in filled:
        made.add_row(*(text for text, _ in row))
    return Group(Text(title, style="bold"), made) if title else Group(made)


def chosen(
    rows: Sequence[dict[str, object]], narrow: Sequence[str]
) -> tuple[tuple[str, ...], list[list[object]]]:
    """Return the columns that the terminal is wide enough for, and the cells of each row.

    Args:
        rows: Cells by column, all with the same columns.
        narrow: What a narrow terminal shows; `--json` has everything anywhere.
    """
    names = tuple(rows[0]) if rows else tuple(narrow)
    if console().width < NARROW_COLUMNS:
        names = tuple(name for name in names if name in narrow)
    return names, [[row[name] for name in names] for row in rows]


def age(age_ns: int | None, stale_ns: int = STALE_NS) -> Text:
    """Return an age for people, marked when stale, `never` for none."""
    if age_ns is None:
        return Text("never", style="bold red")
    if age_ns > stale_ns:
        return Text(f"{duration(age_ns)} stale", style="bold red")
    return Text(duration(age_ns))


def duration(span_ns: int) -> str:
    """Return a duration in the unit that reads best."""
    if span_ns < NS_PER_MS:
        return f"{span_ns // 1_000} us"
    if span_ns < NS_PER_S:
        return f"{span_ns // NS_PER_MS} ms"
    seconds = span_ns / NS_PER_S
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def price(price_e4: int) -> str:
    """Return a price in dollars, exactly."""
    return f"{price_e4 / 10_000:.4f}".rstrip("0").ljust(4, "0")


def shares(size_e6: int) -> str:
    """Return a quantity in shares, exactly, without trailing zeros."""
    whole, part = divmod(abs(size_e6), 1_000_000)
    sign = "-" if size_e6 < 0 else ""
    text = f"{sign}{whole}.{part:06d}"
    return text.rstrip("0").rstrip(".")


def dollars(money_e6: int) -> str:
    """Return money in dollars, exactly, with its sign."""
    whole, part = divmod(abs(money_e6), 1_000_000)
    sign = "-" if money_e6 < 0 else ""
    text = f"{part:06d}".rstrip("0").ljust(2, "0")
    return f"{sign}{whole}.{text}"


def short(identity: str) -> str:
    """Return the beginning and the end of a long id."""
    return identity if len(identity) <= 14 else f"{identity[:8]}…{identity[-4:]}"


def _cell(value: Any) -> tuple[Text | str, bool]:
    if isinstance(value, Text):
        return value, False
    if isinstance(value, bool):
        return ("yes" if value else "no"), False
    if value is None:
        return Text(UNKNOWN, style="bold red"), False
    return str(value), isinstance(value, int)
