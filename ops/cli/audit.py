"""`interlock audit`: what was written, and whether all of it is what was written."""

from pathlib import Path
from typing import Any

import click
import msgspec

from bus import clock
from bus.audit import Entry, LedgerAudit, NotProven, RiskTrail, TrailProven
from bus.ledger_proof import Proven
from bus.ledger_reader import Unreadable
from ops.cli.ledger_view import data_directory_of
from ops.cli.options import group_options, json_option
from ops.cli.output import DONE, FAILED, console, duration, progress_console, show_json, table
from shared.ledger_schema import LEDGER_FILE
from shared.risk_schema import RISK_FILE

ROWS_DEFAULT = 30


@click.group("audit", invoke_without_command=True)
@group_options
@json_option
@click.option("--rows", type=click.IntRange(1, 10_000), default=ROWS_DEFAULT, show_default=True)
@click.pass_context
def command(
    context: click.Context,
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
    rows: int,
) -> None:
    """Show what execution and risk wrote last, newest last.

    Both keep a chain: every row is hashed over the one before. `audit verify` proves them.
    """
    if context.invoked_subcommand is not None:
        return
    data = data_directory_of(profile, run_directory, data_directory)
    found = {
        "ledger": LedgerAudit(data / LEDGER_FILE).newest(rows),
        "risk": RiskTrail(data / RISK_FILE).newest(rows),
    }
    unknown = {name: part for name, part in found.items() if isinstance(part, Unreadable)}
    known = [entry for part in found.values() if not isinstance(part, Unreadable) for entry in part]
    entries = sorted(known, key=lambda entry: (entry.wall_ns, entry.source, entry.sequence))[-rows:]
    if as_json:
        show_json({"ok": not unknown, "entries": entries, "unknown": unknown})
    else:
        _show_entries(entries)
        for name, part in unknown.items():
            click.echo(f"{name}: unknown: {part.why}: {part.detail}", err=True)
    raise SystemExit(FAILED if unknown else DONE)


@command.command("verify")
@group_options
@json_option
def verify(
    profile: Path | None, run_directory: Path | None, data_directory: Path | None, as_json: bool
) -> None:
    """Prove ledger and risk's trail from the first row on; they may be written meanwhile.

    Every hash is computed anew, and every row of orders, fills and payouts is compared with
    what the events say. Nothing is changed. Exit status 0 only when all of it is proven.
    """
    data = data_directory_of(profile, run_directory, data_directory)
    with progress_console().status("event 0") as status:
        ledger = LedgerAudit(data / LEDGER_FILE).prove(
            lambda sequence: status.update(f"event {sequence}")
        )
    risk = RiskTrail(data / RISK_FILE).prove()
    is_proven = isinstance(ledger, Proven) and isinstance(risk, TrailProven)
    if as_json:
        show_json({"ok": is_proven, "ledger": _as_fields(ledger), "risk": _as_fields(risk)})
    else:
        click.echo(f"ledger: {_ledger_words(ledger)}")
        click.echo(f"risk: {_risk_words(risk)}")
    raise SystemExit(DONE if is_proven else FAILED)


def _show_entries(entries: list[Entry]) -> None:
    now_ns = clock.read().wall_ns
    rows = [
        (
            duration(max(0, now_ns - entry.wall_ns)),
            entry.source,
            entry.sequence,
            entry.kind,
            entry.what,
        )
        for entry in entries
    ]
    if rows:
        console().print(table("", ("age", "of", "number", "kind", "what"), rows))
    else:
        click.echo("nothing was written yet")


def _as_fields(found: msgspec.Struct) -> dict[str, Any]:
    """Return an answer as JSON, with whether it is a proof."""
    return {
        "proven": isinstance(found, Proven | TrailProven),
        **msgspec.structs.asdict(found),
    }


def _ledger_words(found: Proven | NotProven | Unreadable) -> str:
    if not isinstance(found, Proven):
        return _fault_words(found, "event")
    rows = ", ".join(f"{count} {name}" for name, count in found.rows.items())
    working = sum(found.working.values())
    lines = [
        f"proven: {found.events} events{_span(found.first_hash, found.last_hash)}",
        f"  {found.anchors} anchors; newest event {_age(found.last_wall_ns)}",
        f"  rows compared: {rows}; a start works with {working} of them",
    ]
    if found.plain_events:
        lines.append(f"  {found.plain_events} events of an older version, chained without state")
    return "\n".join(lines)


def _risk_words(found: TrailProven | NotProven | Unreadable) -> str:
    if not isinstance(found, TrailProven):
        return _fault_words(found, "row")
    span = _span(found.first_hash, found.last_hash)
    return f"proven: {found.rows} rows{span}\n  newest row {_age(found.last_wall_ns)}"


def _fault_words(found: NotProven | Unreadable, noun: str) -> str:
    if isinstance(found, Unreadable):
        return f"unknown: {found.why}: {found.detail}"
    if not found.sequence:
        return f"NOT PROVEN: {found.what}"
    return f"NOT PROVEN: {noun} {found.sequence}: {found.what}\n  it says: {found.says}"


def _span(first_hash: str, last_hash: str) -> str:
    return f", hashes {first_hash} to {last_hash}" if first_hash else ""


def _age(wall_ns: int) -> str:
    if not wall_ns:
        return "none yet"
    return f"{duration(max(0, clock.read().wall_ns - wall_ns))} ago"
