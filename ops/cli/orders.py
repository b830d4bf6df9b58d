"""`interlock orders`: our orders, as the ledger has them."""

from pathlib import Path
from typing import get_args

import click

from bus import clock
from ops.cli.filters import Filter, filter_options
from ops.cli.ledger_view import data_directory_of, readable, show
from ops.cli.options import group_options, json_option
from ops.cli.output import chosen, duration, price, shares, short, table
from ops.ledger import reader_of
from shared.ledger_schema import OrderRecord
from shared.orders import EXPOSED, OrderState

ROWS_DEFAULT = 50

STATES = get_args(OrderState)

NARROW = ("age", "state", "token", "side", "price", "size", "filled", "reason")
"""What fits a terminal of eighty columns."""


@click.command("orders")
@group_options
@json_option
@filter_options
@click.option("--all", "show_all", is_flag=True, help="Those that are over too.")
@click.option("--state", type=click.Choice(STATES), multiple=True, help="Only in this state.")
@click.option("--rows", type=click.IntRange(1, 100_000), default=ROWS_DEFAULT, show_default=True)
def command(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
    market: str,
    strategy: str,
    since: int,
    show_all: bool,
    state: tuple[str, ...],
    rows: int,
) -> None:
    """Show orders that are or may be in the market, newest last.

    UNKNOWN is an order about which nobody has said anything; it counts as in the market. `age`
    counts from the decision, `changed` from the newest word on it; `reason` says why it left
    the market or never reached it.
    """
    data = data_directory_of(profile, run_directory, data_directory)
    states = state or (() if show_all else tuple(sorted(EXPOSED)))
    meant = Filter(market, strategy, since)
    # What is filtered here is cut here: the newest rows of a market may lie far back.
    limit = {"rows_max": rows} if meant.is_any else {}
    found = readable(
        reader_of(data).orders(states=states, since_wall_ns=since, **limit), as_json=as_json
    )
    fitting = meant.of(found.rows)
    shown = fitting[-rows:]
    show(
        "orders",
        shown,
        table("", *chosen(_cells(shown), NARROW)),
        as_of_wall_ns=found.as_of_wall_ns,
        is_cut=found.is_cut or len(fitting) > rows,
        as_json=as_json,
    )


def _cells(rows: list[OrderRecord]) -> list[dict[str, object]]:
    now_ns = clock.read().wall_ns
    return [
        {
            "age": duration(max(0, now_ns - row.created_wall_ns)),
            "changed": duration(max(0, now_ns - row.updated_wall_ns)),
            "state": row.state,
            "strategy": row.strategy,
            "market": short(row.market),
            "token": short(row.token),
            "side": row.side,
            "level": row.level,
            "price": price(row.price_e4),
            "size": shares(row.size_e6),
            "filled": shares(row.filled_e6),
            "epoch": row.epoch,
            "order": short(row.order_id),
            "reason": row.reason,
        }
        for row in rows
    ]
