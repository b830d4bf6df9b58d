"""What the command reads from the ledger, each with the moment as of which it holds."""

from pathlib import Path

import msgspec

from bus.ledger_reader import LedgerReader, Unreadable
from shared.ledger_schema import LEDGER_FILE
from shared.profit import Holding, Totals, holdings, totals_of


class Books(msgspec.Struct, frozen=True):
    """All holdings that ever were.

    Attributes:
        is_cut: Whether rows were left out, so that sums are not of everything.
    """

    holdings: tuple[Holding, ...]
    as_of_wall_ns: int
    is_cut: bool


def reader_of(data_directory: Path) -> LedgerReader:
    """Return the reader of a data directory's ledger, which need not exist."""
    return LedgerReader(data_directory / LEDGER_FILE)


def read_books(data_directory: Path) -> Books | Unreadable:
    """Return all holdings, or why the ledger tells nothing."""
    reader = reader_of(data_directory)
    fills = reader.fills()
    if isinstance(fills, Unreadable):
        return fills
    payouts = reader.payouts()
    if isinstance(payouts, Unreadable):
        return payouts
    # A payout whose fills are cut off would count as pure profit; better to say less.
    known = {(row.market, row.token, row.strategy) for row in fills.rows}
    paid = [row for row in payouts.rows if (row.market, row.token, row.strategy) in known]
    return Books(
        tuple(holdings(fills.rows, paid)),
        min(fills.as_of_wall_ns, payouts.as_of_wall_ns),
        fills.is_cut or payouts.is_cut,
    )


def totals(data_directory: Path, now_wall_ns: int) -> Totals | Unreadable:
    """Return the sums over all holdings, or why the ledger tells nothing."""
    books = read_books(data_directory)
    if isinstance(books, Unreadable):
        return books
    return totals_of(books.holdings, books.as_of_wall_ns, now_wall_ns)
