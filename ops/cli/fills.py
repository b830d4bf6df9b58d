"""`interlock fills`: our parts of trades, each counted once."""

from pathlib import Path

import click

from bus import clock
from ops.cli.filters import Filter, filter_options
from ops.cli.ledger_view import data_directory_of, readable, show
from ops.cli.options import group_options, json_option
from ops.cli.output import chosen, dollars, duration, price, shares, short, table
from ops.ledger import reader_of
from shared.ledger_schema import FillRecord
from shared.units import NS_PER_MS

ROWS_DEFAULT = 50

SETTLEMENTS = ("MATCHED", "MINED", "CONFIRMED", "RETRYING", "FAILED")

NARROW = ("age", "settlement", "role", "token", "side", "price", "size", "fee")


@click.command("fills")
@group_options
@json_option
@filter_options
@click.option("--state", type=click.Choice(SETTLEMENTS), multiple=True, help="Only settled so.")
@click.option("--rows", type=click.IntRange(1, 100_000), default=ROWS_DEFAULT, show_default=True)
def command(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
    market: str,
    strategy: str,
    since: int,
    state: tuple[str, ...],
    rows: int,
) -> None:
    """Show fills with their settlement, newest last; FAILED ones count for nothing.

    `age` counts from the match, `settled` from the newest word on the settlement.
    """
    data = data_directory_of(profile, run_directory, data_directory)
    meant = Filter(market, strategy, since)
    limit = {"rows_max": rows} if meant.is_any and not state else {}
    reader = reader_of(data)
    found = readable(reader.fills(since_ms=since // NS_PER_MS, **limit), as_json=as_json)
    fitting = [row for row in meant.of(found.rows) if not state or row.settlement in state]
    shown = fitting[-rows:]
    show(
        "fills",
        shown,
        table("", *chosen(_cells(shown), NARROW)),
        as_of_wall_ns=found.as_of_wall_ns,
        is_cut=found.is_cut or len(fitting) > rows,
        as_json=as_json,
    )


def _cells(rows: list[FillRecord]) -> list[dict[str, object]]:
    now_ns = clock.read().wall_ns
    return [
        {
            "age": duration(max(0, now_ns - row.match_ms * NS_PER_MS)),
            "settlement": row.settlement,
            "settled": duration(max(0, now_ns - row.updated_wall_ns)),
            "role": row.role,
            "strategy": row.strategy,
            "market": short(row.market),
            "token": short(row.token),
            "side": row.side,
            "price": price(row.price_e4),
            "size": shares(row.size_e6),
            "fee": dollars(row.fee_e6),
            "trade": short(row.trade_id),
        }
        for row in rows
    ]
