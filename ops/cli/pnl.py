"""`interlock pnl`: profit and loss, exact to the micro-dollar, by market and in sum."""

from pathlib import Path

import click
import msgspec

from bus import clock
from ops.cli.ledger_view import data_directory_of, readable, show
from ops.cli.options import group_options, json_option
from ops.cli.output import dollars, shares, short, table
from ops.ledger import read_books
from shared.profit import totals_of


@click.command("pnl")
@group_options
@json_option
def command(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
) -> None:
    """Show what each holding made or lost: payouts and sells less buys and fees.

    A holding that is neither paid out nor sold to the last share has no profit yet.
    """
    data = data_directory_of(profile, run_directory, data_directory)
    books = readable(read_books(data), as_json=as_json)
    sums = totals_of(books.holdings, books.as_of_wall_ns, clock.read().wall_ns)
    rows = [{**msgspec.to_builtins(row), "realised_e6": row.realised} for row in books.holdings]
    shown = table(
        "",
        ("strategy", "market", "token", "fills", "held", "cost", "fees", "payout", "realised"),
        [
            (
                row.strategy,
                short(row.market),
                short(row.token),
                row.fills,
                shares(row.matched),
                dollars(row.cost),
                dollars(row.fees),
                "open" if row.payout is None else dollars(row.payout),
                "open" if row.realised is None else dollars(row.realised),
            )
            for row in books.holdings
        ],
    )
    show(
        "markets",
        rows,
        shown,
        as_of_wall_ns=books.as_of_wall_ns,
        is_cut=books.is_cut,
        as_json=as_json,
        more={"totals": msgspec.to_builtins(sums)},
    )
    if not as_json:
        click.echo(
            f"realised {dollars(sums.realised_e6)} USD, today (UTC) "
            f"{dollars(sums.realised_today_e6)}; paid for what is open {dollars(sums.open_cost_e6)}"
        )
