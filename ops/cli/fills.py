"""`interlock fills`: our parts of trades, each counted once."""

from pathlib import Path

import click

from bus import clock
from ops.cli.ledger_view import data_directory_of, readable, show
from ops.cli.options import group_options, json_option
from ops.cli.output import dollars, duration, price, shares, short, table
from ops.ledger import reader_of
from shared.units import NS_PER_MS

ROWS_DEFAULT = 50


@click.command("fills")
@group_options
@json_option
@click.option("--rows", type=click.IntRange(1, 100_000), default=ROWS_DEFAULT, show_default=True)
def command(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
    rows: int,
) -> None:
    """Show fills with their settlement, newest last; FAILED ones count for nothing."""
    data = data_directory_of(profile, run_directory, data_directory)
    found = readable(reader_of(data).fills(rows_max=rows), as_json=as_json)
    now_ns = clock.read().wall_ns
    columns = ("age", "settlement", "role", "strategy", "market", "token")
    shown = table(
        "",
        (*columns, "side", "price", "size", "fee", "trade"),
        [
            (
                duration(max(0, now_ns - row.match_ms * NS_PER_MS)),
                row.settlement,
                row.role,
                row.strategy,
                short(row.market),
                short(row.token),
                row.side,
                price(row.price_e4),
                shares(row.size_e6),
                dollars(row.fee_e6),
                short(row.trade_id),
            )
            for row in found.rows
        ],
    )
    show(
        "fills",
        found.rows,
        shown,
        as_of_wall_ns=found.as_of_wall_ns,
        is_cut=found.is_cut,
        as_json=as_json,
    )
