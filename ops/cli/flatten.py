"""`interlock flatten`: cancel everything and have the positions closed, reduce-only."""

from pathlib import Path

import click

from bus.ledger_reader import Unreadable
from ops.cli.asking import scope_or_exit
from ops.cli.halt import hold, show_held
from ops.cli.options import data_directory_or_exit, group_options, json_option, place_of
from ops.cli.output import DONE, FAILED, progress_console, shares, show_json
from ops.ledger import read_books
from ops.observe import observe
from ops.waiting import Progress, wait_for
from shared.operator import Flatten
from shared.profit import Holding

PROOF_WITHIN_S = 60.0

WITHIN_S_DEFAULT = 120
"""A position is closed in seconds where somebody buys it; one below the smallest order never."""


@click.command("flatten")
@group_options
@json_option
@click.option("--scope", default="account", show_default=True, help="Or asset:btc, market:0x…")
@click.option("--reason", default="flattened by the operator", show_default=True)
@click.option(
    "--within",
    "within_s",
    type=click.IntRange(1, 3600),
    default=WITHIN_S_DEFAULT,
    show_default=True,
    help="Seconds to wait until the positions are closed; the hold itself stands at once.",
)
def command(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
    scope: str,
    reason: str,
    within_s: int,
) -> None:
    """Cancel everything, close the positions, and place nothing new until `interlock resume`.

    Closing orders only reduce, lose no more than a bound, and are tried until nothing is held.
    While a halt stands, or books or risk are missing, nothing is closed: it is held. Status 0
    only when the account is proven to hold nothing; for a narrower scope when the hold stands.
    """
    kind, identity = scope_or_exit(scope)
    place = place_of(profile, run_directory, data_directory)
    data = data_directory_or_exit(place)
    request = Flatten(scope=kind, scope_id=identity, reason=reason)
    run = place.run_directory
    answer = hold(run, request, "flattening", PROOF_WITHIN_S, as_json=as_json)
    left: tuple[Holding, ...] | Unreadable = ()
    if kind == "account":
        with Progress(progress_console()) as progress:
            wait_for(
                lambda: True if held(data) == () else None,
                within_s,
                progress.say,
                lambda: _words(held(data)),
            )
        left = held(data)
    status = observe(run).risk()
    stands = _above(None if status is None else status.trading_state)
    if as_json:
        holdings = None if isinstance(left, Unreadable) else left
        show_json({"ok": left == (), "held": answer, "left": holdings, "why": stands})
    else:
        show_held("flattening", answer)
        click.echo(_words(left) if kind == "account" else "the caretaker closes what it holds")
        if left and stands:
            click.echo(stands)
    raise SystemExit(DONE if left == () else FAILED)


def held(data: Path) -> tuple[Holding, ...] | Unreadable:
    """Return what the ledger still holds, or why nobody knows."""
    books = read_books(data)
    if isinstance(books, Unreadable):
        return books
    return tuple(row for row in books.holdings if not row.is_closed)


def _words(left: tuple[Holding, ...] | Unreadable) -> str:
    if isinstance(left, Unreadable):
        return f"what is held is unknown: {left.why}: {left.detail}"
    if not left:
        return "nothing is held"
    total = sum(abs(row.matched) for row in left)
    return f"still held: {shares(total)} shares in {len(left)} positions"


def _above(state: str | None) -> str:
    """Return what keeps positions from being closed, empty when nothing does."""
    if state is None:
        return "risk is not heard: nothing is closed, it is held"
    if state in ("HALTED", "PAUSED"):
        return f"the account is {state}: nothing is closed while that lasts; see `interlock status`"
    return ""
