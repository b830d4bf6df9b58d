"""`interlock drill`: fence a group that trades, measure it, and see it trade again."""

from pathlib import Path

import click
import msgspec

from bus import clock
from bus.audit import RiskTrail
from bus.ledger_reader import Unreadable
from ops.cli.asking import answer_or_exit
from ops.cli.options import data_directory_or_exit, group_options, json_option, place_of
from ops.cli.output import (
    DONE,
    FAILED,
    console,
    duration,
    fail,
    progress_console,
    show_json,
    table,
)
from ops.observe import observe
from ops.trading import is_active
from ops.waiting import Progress, wait_for
from shared.drill import BOUNDS_MS
from shared.operator import Drill, Drilled, DrillReport
from shared.risk_schema import RISK_FILE
from shared.units import NS_PER_MS

WITHIN_S = 40.0
"""Risk gives a drill up after thirty seconds, and says so."""

TRADES_WITHIN_S = 60.0

LAST_MAX = 1_000


@click.command("drill")
@group_options
@json_option
@click.option("--reason", default="drill", show_default=True, help="For the audit trail.")
@click.option("--really", is_flag=True, help="In mode live, where it cancels real orders.")
@click.option(
    "--last",
    type=click.IntRange(1, LAST_MAX),
    help="Hold none: show the newest that were held.",
)
def command(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
    reason: str,
    really: bool,
    last: int | None,
) -> None:
    """Hold a kill drill: a real fence of the running group, with its times, then recovery.

    The same fence that every fault makes. Orders lose their places in the queues; positions
    stay. Status 0 only when every time was in its bound and the group trades again; 3 when
    nothing trades, or in mode live without --really.
    """
    place = place_of(profile, run_directory, data_directory)
    if last is not None:
        _show_last(data_directory_or_exit(place), last, as_json=as_json)
        return
    run = place.run_directory
    with Progress(progress_console()) as progress:
        progress.say("drill: fenced, waiting for proof from the venue")
        request = Drill(reason=reason, really=really)
        report = answer_or_exit(run, request, Drilled, WITHIN_S, as_json=as_json).report
        trades = wait_for(
            lambda: True if is_active(observe(run)) else None,
            TRADES_WITHIN_S,
            progress.say,
            lambda: "zero proven; waiting until it trades again",
        )
    if as_json:
        show_json(
            {"ok": bool(trades) and not report.misses, "drill": report, "trades": bool(trades)}
        )
    else:
        _show(report)
        click.echo("trades again" if trades else f"does not trade after {TRADES_WITHIN_S:.0f} s")
    raise SystemExit(DONE if trades and not report.misses else FAILED)


def _show(report: DrillReport) -> None:
    rows = []
    for field, words, bound_ms in BOUNDS_MS:
        took_ns: int | None = getattr(report.times, field)
        took = "not seen" if took_ns is None else f"{took_ns / NS_PER_MS:.1f} ms"
        kept = took_ns is not None and took_ns <= bound_ms * NS_PER_MS
        rows.append((words, took, f"{bound_ms} ms", "kept" if kept else "MISSED"))
    console().print(table("drill", ("from the decision until", "took", "allowed", ""), rows))
    for miss in report.misses:
        click.echo(f"missed: {miss}")


def _show_last(data: Path, count: int, *, as_json: bool) -> None:
    found = RiskTrail(data / RISK_FILE).newest_of("drill", ("kept", "missed"), count)
    if isinstance(found, Unreadable):
        fail(f"unknown: {found.why}: {found.detail}", FAILED, as_json=as_json)
    reports = [msgspec.json.decode(row.entry.cause, type=DrillReport) for row in found]
    if as_json:
        show_json({"drills": reports})
        return
    now_ns = clock.read().wall_ns
    rows = [
        (
            f"{duration(max(0, now_ns - report.wall_ns))} ago",
            *(
                "not seen" if (took := getattr(report.times, field)) is None else duration(took)
                for field, _, _ in BOUNDS_MS
            ),
            "; ".join(report.misses) or "kept",
            report.asked_by,
        )
        for report in reports
    ]
    columns = ("held", *(words for _, words, _ in BOUNDS_MS), "bounds", "by")
    console().print(table("", columns, rows) if rows else "no drill was held yet")
