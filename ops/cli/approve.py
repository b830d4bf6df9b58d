"""`interlock approve`: gives the approvals that orders need, and looks whether they stand."""

from pathlib import Path
from typing import Any

import click
import msgspec
from rich.text import Text

from bus.credentials import CredentialsFault, Missing, read_credentials
from bus.settings import Settings
from ops.approvals import KINDS, Account, CannotApprove, Sent, Standing
from ops.cli.options import group_options, json_option, place_of, settings_or_exit
from ops.cli.output import FAILED, console, fail, show_json, table
from ops.venue import Unanswered, Venue


@click.command("approve")
@group_options
@json_option
@click.option("--dry-run", is_flag=True, help="Show what is missing and send nothing.")
def command(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
    dry_run: bool,
) -> None:
    """Let the venue's exchanges move the wallet's money and outcome tokens, without a bound.

    A plain key sends a transaction for each approval and pays for it; any other wallet sends all
    at once through the relayer, and a deposit wallet is created first when it is missing. What
    stands already is not sent again.

    Status 0 only when all approvals stand in the end, read again from the chain.
    """
    settings = settings_or_exit(place_of(profile, run_directory, data_directory), as_json=as_json)
    try:
        account = Account(settings)
        try:
            stands = _approve(account, settings, dry_run=dry_run, as_json=as_json)
        finally:
            account.close()
    except CannotApprove as fault:
        fail(str(fault), FAILED, as_json=as_json)
    if not stands:
        raise SystemExit(FAILED)


def _approve(account: Account, settings: Settings, *, dry_run: bool, as_json: bool) -> bool:
    """Give what is missing; return whether everything stands."""
    account.check_chain()
    sent: list[Sent] = []
    deployed = account.is_deployed()
    if isinstance(deployed, Unanswered):
        raise CannotApprove(f"wallet {account.wallet}: {deployed.why}")
    kind = settings.config.account.wallet_kind
    if not deployed and kind != "deposit":
        raise CannotApprove(f"the {kind} wallet {account.wallet} does not stand on the chain")
    standings = account.standings()
    if not as_json:
        click.echo(f"wallet {account.wallet}, {kind}" + ("" if deployed else ", not created yet"))
        _show(standings)
    missing = tuple(row.approval for row in standings if row.stands is False)
    unknown = any(row.stands is None for row in standings)
    if (missing or not deployed) and not unknown and not dry_run:
        if not deployed:
            sent.append(account.create())
        if all(one.holds for one in sent) and missing:
            sent += account.give(missing)
        standings = account.standings()
        if not as_json:
            _show_sent(sent)
            click.echo(_tell_venue(settings))
        else:
            _tell_venue(settings)
    return _conclude(standings, sent, account.wallet, dry_run=dry_run, as_json=as_json)


def _conclude(
    standings: tuple[Standing, ...],
    sent: list[Sent],
    wallet: str,
    *,
    dry_run: bool,
    as_json: bool,
) -> bool:
    stands = all(row.stands for row in standings) and all(one.holds for one in sent)
    if as_json:
        rows: list[dict[str, Any]] = [
            {**msgspec.to_builtins(row.approval), "what": row.approval.words, "stands": row.stands}
            for row in standings
        ]
        show_json({"ok": stands, "wallet": wallet, "approvals": rows, "transactions": sent})
        return stands
    left = [row for row in standings if not row.stands]
    if not left and stands:
        click.echo("all approvals stand")
    elif dry_run:
        click.echo(f"{len(left)} to give; nothing was sent")
    else:
        for row in left:
            click.echo(f"{row.approval.words}: {row.why or 'does not stand'}", err=True)
    return stands


def _show(standings: tuple[Standing, ...]) -> None:
    marks = {
        True: Text("stands", style="green"),
        False: Text("missing", style="bold red"),
        None: Text("unknown", style="bold yellow"),
    }
    rows = [
        (marks[row.stands], row.approval.words, row.why or row.approval.spender)
        for row in standings
    ]
    console().print(table("", ("", "approval", "spender"), rows))


def _show_sent(sent: list[Sent]) -> None:
    for one in sent:
        mark = "done" if one.holds else "FAILED" if one.holds is False else "unknown"
        click.echo(f"{mark}: {one.what}")
        click.echo(f"  {one.name or 'not taken'}: {one.result}")


def _tell_venue(settings: Settings) -> str:
    """Let the venue read the wallet anew: its copy is old otherwise. Returns words on it.

    Source: https://github.com/Polymarket/py-clob-client-v2/issues/74.
    """
    try:
        found = read_credentials(settings.credentials_file)
    except CredentialsFault as fault:
        return f"the venue was not told to look again: {fault}"
    if isinstance(found, Missing):
        return "the venue was not told to look again: no API key yet"
    venue = Venue(settings.config.venue.clob_url, found)
    try:
        kind = KINDS.index(settings.config.account.wallet_kind)
        told = venue.refresh_balance(kind)
    finally:
        venue.close()
    if isinstance(told, Unanswered):
        return f"the venue was not told to look again: {told.why}"
    return "the venue looks again"
