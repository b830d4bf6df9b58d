"""`interlock up`: check everything, start the group, and with --wait say when it trades."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from bus.settings import Settings
from ops.cli import status_view
from ops.cli.options import group_options, json_option
from ops.cli.output import (
    FAILED,
    FINDINGS,
    NOT_TRADING,
    console,
    fail,
    progress_console,
    show_findings,
    show_json,
)
from ops.group import Asked
from ops.observe import View, observe
from ops.start import Begun, Refusal, start
from ops.trading import reasons_not_trading
from ops.waiting import Progress, wait_for

WAIT_S_DEFAULT = 90


@click.command("up")
@group_options
@json_option
@click.option("--wait", is_flag=True, help="Return when our orders rest, or with the reasons.")
@click.option(
    "--within",
    "within_s",
    type=click.IntRange(1, 3600),
    default=WAIT_S_DEFAULT,
    show_default=True,
    help="With --wait: seconds after which the reasons are shown and the status is 3.",
)
def command(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
    wait: bool,
    within_s: int,
) -> None:
    """Start the group of processes.

    Reports every finding at once and starts nothing while there is one (status 2). Refuses
    (status 3) where a group runs already, and while a PANIC latch stands.
    """
    asked = Asked(profile, run_directory, data_directory)
    view: View | None = None
    with Progress(progress_console()) as progress:
        begun = start(asked, progress.say)
        if isinstance(begun, Begun) and not begun.problem and wait:
            look = partial(observe, begun.settings.run_directory)
            view = wait_until_trading(look, progress.say, within_s)
    if isinstance(begun, Refusal):
        fail(begun.why, NOT_TRADING, as_json=as_json)
    if not isinstance(begun, Begun):
        show_findings(begun, as_json=as_json)
        raise SystemExit(FINDINGS)
    if begun.problem:
        fail(f"the group runs, halted: {begun.problem}", FAILED, as_json=as_json)
    _show(begun, view, as_json=as_json)


def wait_until_trading(
    observed: Callable[[], View], say: Callable[[str], None], within_s: float
) -> View:
    """Return the view in which an order rested, or the last one when the time is over.

    The verdict is that view's: a look of its own may fall between two orders of a requote.
    """
    view = observed()

    def look() -> bool | None:
        nonlocal view
        view = observed()
        return None if reasons_not_trading(view) else True

    def words() -> str:
        reasons = reasons_not_trading(view)
        more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
        return f"waiting: {reasons[0]}{more}" if reasons else "waiting"

    wait_for(look, within_s, say, words)
    return view


def page_of(settings: Settings) -> str | None:
    """Return where the page of a group is, None when it has none."""
    dashboard = settings.config.dashboard
    return f"http://127.0.0.1:{dashboard.port}/" if dashboard.enabled else None


def _show(begun: Begun, view: View | None, *, as_json: bool) -> None:
    """Show what runs; with the view at the end of the waiting, whether it trades."""
    reasons = reasons_not_trading(view) if view is not None else ()
    page = page_of(begun.settings)
    if as_json:
        show_json(
            {
                "ok": not reasons,
                "run_directory": str(begun.settings.run_directory),
                "data_directory": str(begun.settings.data_directory),
                "supervisor_pid": begun.supervisor_pid,
                "page": page,
                "reasons": list(reasons),
            }
        )
    elif view is not None:
        console().print(status_view.render(view, begun.settings.data_directory))
    else:
        console().print(f"started in {begun.settings.run_directory}; see `interlock status`")
    if page is not None and not as_json:
        console().print(f"page: {page}")
    for reason in reasons if not as_json else ():
        click.echo(f"not trading: {reason}", err=True)
    if reasons:
        raise SystemExit(NOT_TRADING)
