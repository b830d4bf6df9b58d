"""`interlock positions`: what is held, by the worst and by the surest count."""

from pathlib import Path

import click

from bus import clock
from ops.cli.filters import Filter, filter_options
from ops.cli.ledger_view import data_directory_of, readable, show
from ops.cli.options import group_options, json_option, place_of
from ops.cli.output import UNKNOWN, chosen, dollars, duration, shares, short, table
from ops.heard import hear
from ops.ledger import read_books
from shared.facts import PositionFact, Positions
from shared.profit import Holding
from shared.topics import EXECUTION

NARROW = ("token", "owner", "matched", "mined", "confirmed", "on chain", "cost")

Chain = tuple[int | None, int | None, bool]
"""Shares on chain and the age of that reading, both None while unknown, and whether it is dust."""

UNHEARD: Chain = (None, None, False)


@click.command("positions")
@group_options
@json_option
@filter_options
def command(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
    market: str,
    strategy: str,
    since: int,
) -> None:
    """Show positions that are not zero and not paid out.

    `matched` is what limits use, `confirmed` what may be sold; `on chain` is the wallet's whole
    balance of the token, of all owners, as execution last heard it: unknown while it does not
    run. `dust` is less than an order may be.
    """
    place = place_of(profile, run_directory, data_directory)
    data = data_directory_of(profile, run_directory, data_directory)
    books = readable(read_books(data), as_json=as_json)
    meant = Filter(market, strategy, since)
    rows = [
        row
        for row in meant.of(books.holdings)
        if not row.is_closed and row.updated_wall_ns >= since
    ]
    told = hear(place.run_directory, EXECUTION, "execution.positions", Positions)
    chain = {} if told is None else _chain(told[0].positions, told[1])
    found = [(row, chain.get((row.strategy, row.token), UNHEARD)) for row in rows]
    show(
        "positions",
        [_plain(row, on_chain) for row, on_chain in found],
        table("", *chosen([_cells(row, on_chain) for row, on_chain in found], NARROW)),
        as_of_wall_ns=books.as_of_wall_ns,
        is_cut=books.is_cut,
        as_json=as_json,
    )


def _chain(facts: tuple[PositionFact, ...], age_ns: int) -> dict[tuple[str, str], Chain]:
    """Return what execution says of the chain, with the age of its reading now."""
    return {
        (fact.strategy, fact.token): (
            fact.on_chain,
            None if fact.on_chain_age_ns is None else fact.on_chain_age_ns + age_ns,
            fact.dust,
        )
        for fact in facts
    }


def _plain(row: Holding, chain: Chain) -> dict[str, object]:
    on_chain, age_ns, dust = chain
    fields = {name: getattr(row, name) for name in row.__struct_fields__}
    return {**fields, "on_chain": on_chain, "on_chain_age_ns": age_ns, "dust": dust}


def _cells(row: Holding, chain: Chain) -> dict[str, object]:
    on_chain, age_ns, dust = chain
    words = UNKNOWN if on_chain is None else shares(on_chain)
    if age_ns is not None:
        words += f", {duration(age_ns)} ago"
    now_ns = clock.read().wall_ns
    return {
        "owner": row.strategy,
        "market": short(row.market),
        "token": short(row.token),
        "matched": shares(row.matched),
        "mined": shares(row.mined),
        "confirmed": shares(row.confirmed),
        "on chain": words,
        "dust": "dust" if dust else "",
        "cost": dollars(row.cost),
        "fills": row.fills,
        "changed": f"{duration(max(0, now_ns - row.updated_wall_ns))} ago",
    }
