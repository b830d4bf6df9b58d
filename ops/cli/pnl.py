"""`interlock pnl`: profit and loss, exact to the micro-dollar, by market, strategy and in sum."""

from collections.abc import Mapping
from pathlib import Path

import click
import msgspec

from bus import clock
from ops.cli.filters import Filter, filter_options
from ops.cli.ledger_view import data_directory_of, readable, show
from ops.cli.options import group_options, json_option, place_of
from ops.cli.output import UNKNOWN, chosen, console, dollars, duration, price, shares, short, table
from ops.cli.status_view import losses_line
from ops.heard import hear
from ops.ledger import read_books
from shared.facts import RiskStatus, StateView
from shared.identifiers import StrategyName
from shared.profit import Holding, Totals, totals_of
from shared.topics import RISK, STATE
from shared.units import PRICE_ONE_E4

NARROW = ("token", "held", "cost", "fees", "payout", "realised", "mark", "unrealised")

Mark = tuple[int, int]
"""Middle of a token's book in 1e-4 dollar, and its age in ns."""


class Line(msgspec.Struct, frozen=True):
    """A holding, its mark if there is one, and what it would make at that mark."""

    holding: Holding
    mark: Mark | None

    @property
    def unrealised(self) -> int | None:
        """Return profit or loss at the mark, None for a closed holding or without a mark."""
        if self.holding.is_closed or self.mark is None:
            return None
        return self.holding.matched * self.mark[0] // PRICE_ONE_E4 - self.holding.cost


@click.command("pnl")
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
    """Show what each holding made or lost: payouts and sells less buys and fees.

    A holding that is neither paid out nor sold to the last share has no profit yet; what it
    would make at the middle of its book is `unrealised`, unknown without a proven book.
    """
    place = place_of(profile, run_directory, data_directory)
    data = data_directory_of(profile, run_directory, data_directory)
    books = readable(read_books(data), as_json=as_json)
    meant = Filter(market, strategy, since)
    rows = [row for row in meant.of(books.holdings) if row.updated_wall_ns >= since]
    told = hear(place.run_directory, STATE, "state.view", StateView)
    marks = {} if told is None else _marks(*told)
    lines = [Line(row, marks.get(row.token)) for row in rows]
    risk = hear(place.run_directory, RISK, "risk.status", RiskStatus)
    losses = None if risk is None else risk[0].losses
    now_ns = clock.read().wall_ns
    sums = totals_of(rows, books.as_of_wall_ns, now_ns)
    by_strategy = {
        name: totals_of([row for row in rows if row.strategy == name], books.as_of_wall_ns, now_ns)
        for name in sorted({row.strategy for row in rows})
    }
    show(
        "markets",
        [_plain(line) for line in lines],
        table("", *chosen([_cells(line) for line in lines], NARROW)),
        as_of_wall_ns=books.as_of_wall_ns,
        is_cut=books.is_cut,
        as_json=as_json,
        more={
            "totals": msgspec.to_builtins(sums),
            "strategies": msgspec.to_builtins(by_strategy),
            "unrealised_e6": _sum(lines),
            "today": msgspec.to_builtins(losses),
        },
    )
    if not as_json:
        _show_sums(sums, by_strategy, lines)
        console().print(losses_line(losses))


def _marks(view: StateView, age_ns: int) -> dict[str, Mark]:
    """Return the middle of every proven book."""
    found: dict[str, Mark] = {}
    for one in view.markets:
        for book in one.books or ():
            if one.valid and book.bids and book.asks:
                found[book.token] = ((book.bids[0][0] + book.asks[0][0]) // 2, age_ns)
    return found


def _sum(lines: list[Line]) -> int | None:
    """Return the unrealised sum, None when a part of it is unknown."""
    parts = [line.unrealised for line in lines if not line.holding.is_closed]
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def _plain(line: Line) -> dict[str, object]:
    row = line.holding
    mark, age_ns = (None, None) if line.mark is None else line.mark
    return {
        **msgspec.to_builtins(row),
        "realised_e6": row.realised,
        "mark_e4": mark,
        "mark_age_ns": age_ns,
        "unrealised_e6": line.unrealised,
    }


def _cells(line: Line) -> dict[str, object]:
    row = line.holding
    mark = UNKNOWN if line.mark is None else f"{price(line.mark[0])}, {duration(line.mark[1])} ago"
    unrealised = UNKNOWN if line.unrealised is None else dollars(line.unrealised)
    return {
        "strategy": row.strategy,
        "market": short(row.market),
        "token": short(row.token),
        "fills": row.fills,
        "held": shares(row.matched),
        "cost": dollars(row.cost),
        "fees": dollars(row.fees),
        "payout": "open" if row.payout is None else dollars(row.payout),
        "realised": "open" if row.realised is None else dollars(row.realised),
        "mark": "" if row.is_closed else mark,
        "unrealised": "" if row.is_closed else unrealised,
    }


def _show_sums(sums: Totals, by_strategy: Mapping[StrategyName, Totals], lines: list[Line]) -> None:
    rows = [(name, *_words(found)) for name, found in by_strategy.items()]
    rows.append(("all", *_words(sums)))
    names = ("strategy", "realised", "today (UTC)", "fees", "paid for open", "fills")
    console().print(table("", names, rows))
    unrealised = _sum(lines)
    words = UNKNOWN if unrealised is None else f"{dollars(unrealised)} USD"
    click.echo(f"unrealised at the middle of the books: {words}")


def _words(found: Totals) -> tuple[str, ...]:
    money = (found.realised_e6, found.realised_today_e6, found.fees_e6, found.open_cost_e6)
    return (*map(dollars, money), str(found.fills))
