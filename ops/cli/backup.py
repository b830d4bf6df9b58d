"""`interlock backup`: a verified copy of the databases, and whether the copies still hold."""

from pathlib import Path

import click

from bus import clock
from bus.backup import DIRECTORY, Backup, BackupFailed, back_up, look_at, names_in, prove
from ops.cli.ledger_view import data_directory_of
from ops.cli.options import group_options, json_option
from ops.cli.output import DONE, FAILED, console, fail, progress_console, show_json, table

KEPT_DEFAULT = 48


@click.group("backup", invoke_without_command=True)
@group_options
@json_option
@click.option(
    "--keep", type=click.IntRange(3), default=KEPT_DEFAULT, show_default=True, help="Newest ones."
)
@click.pass_context
def command(
    context: click.Context,
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
    keep: int,
) -> None:
    """Copy ledger and risk's database beside a group that may run, and open the copies.

    The recorder does so each hour. Keys are not copied. Exit status 0 only when the copies hold.
    """
    if context.invoked_subcommand is not None:
        return
    data = data_directory_of(profile, run_directory, data_directory)
    try:
        made = back_up(data, clock.read().wall_ns, keep)
    except BackupFailed as fault:
        fail(str(fault), FAILED, as_json=as_json)
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}", FAILED, as_json=as_json)
    _show([made], as_json=as_json)


@command.command("ls")
@group_options
@json_option
def list_backups(
    profile: Path | None, run_directory: Path | None, data_directory: Path | None, as_json: bool
) -> None:
    """Open every backup and check its pages; status 0 only when there are some and all hold."""
    data = data_directory_of(profile, run_directory, data_directory)
    _show([look_at(data / DIRECTORY / name, name) for name in names_in(data)], as_json=as_json)


@command.command("verify")
@group_options
@json_option
@click.argument("name", required=False)
def verify(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
    name: str | None,
) -> None:
    """Prove the newest backup, or NAME, from its first row on, as `audit verify` does."""
    data = data_directory_of(profile, run_directory, data_directory)
    names = [one for one in names_in(data) if name in (None, one)]
    with progress_console().status("proving"):
        found = [prove(data / DIRECTORY / one, one) for one in names[-1:]]
    _show(found, as_json=as_json)


def _show(found: list[Backup], *, as_json: bool) -> None:
    if not found:
        fail("there is no backup", FAILED, as_json=as_json)
    wrong = [one for one in found if one.problem]
    if as_json:
        show_json({"ok": not wrong, "backups": found})
        raise SystemExit(FAILED if wrong else DONE)
    rows = [
        (one.name, one.epoch, one.events, sum(one.files.values()), one.problem) for one in found
    ]
    console().print(table("", ("backup", "epoch", "events", "bytes", "problem"), rows))
    raise SystemExit(FAILED if wrong else DONE)
