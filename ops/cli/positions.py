"""`interlock positions`: what is held, by the worst and by the surest count."""

from pathlib import Path

import click

from ops.cli.ledger_view import data_directory_of, readable, show
from ops.cli.options import group_options, json_option
from ops.cli.output import dollars, shares, short, table
from ops.ledger import read_books


@click.command("positions")
@group_options
@json_option
def command(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
) -> None:
    """Show positions that are not zero and not paid out.

    `matched` is what limits use, `confirmed` what may be sold.
    """
    data = data_directory_of(profile, run_directory, data_directory)
    books = readable(read_books(data), as_json=as_json)
    rows = [row for row in books.holdings if not row.is_closed]
    shown = table(
        "",
        ("strategy", "market", "token", "matched", "confirmed", "cost", "fills"),
        [
            (
                row.strategy,
                short(row.market),
                short(row.token),
                shares(row.matched),
                shares(row.confirmed),
                dollars(row.cost),
                row.fills,
            )
            for row in rows
        ],
    )
    show(
        "positions",
        rows,
        shown,
        as_of_wall_ns=books.as_of_wall_ns,
        is_cut=books.is_cut,
        as_json=as_json,
    )
