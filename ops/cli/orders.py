"""`interlock orders`: our orders, as the ledger has them."""

from pathlib import Path

import click

from bus import clock
from ops.cli.ledger_view import data_directory_of, readable, show
from ops.cli.options import group_options, json_option
from ops.cli.output import duration, price, shares, short, table
from ops.ledger import reader_of
from shared.orders import EXPOSED

ROWS_DEFAULT = 50


@click.command("orders")
@group_options
@json_option
@click.option("--all", "show_all", is_flag=True, help="Those that are over too.")
@click.option("--rows", type=click.IntRange(1, 100_000), default=ROWS_DEFAULT, show_default=True)
def command(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
    show_all: bool,
    rows: int,
) -> None:
    """Show orders that are or may be in the market, newest last.

    UNKNOWN is an order about which nobody has said anything; it counts as in the market.
    """
    data = data_directory_of(profile, run_directory, data_directory)
    states = () if show_all else tuple(sorted(EXPOSED))
    found = readable(reader_of(data).orders(states=states, rows_max=rows), as_json=as_json)
    now_ns = clock.read().wall_ns
    columns = ("age", "state", "strategy", "market", "token", "side", "level")
    shown = table(
        "",
        (*columns, "price", "size", "filled", "epoch", "order", "reason"),
        [
            (
                duration(max(0, now_ns - row.created_wall_ns)),
                row.state,
                row.strategy,
                short(row.market),
                short(row.token),
                row.side,
                row.level,
                price(row.price_e4),
                shares(row.size_e6),
                shares(row.filled_e6),
                row.epoch,
                short(row.order_id),
                row.reason,
            )
            for row in found.rows
        ],
    )
    show(
        "orders",
        found.rows,
        shown,
        as_of_wall_ns=found.as_of_wall_ns,
        is_cut=found.is_cut,
        as_json=as_json,
    )
