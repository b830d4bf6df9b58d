"""`interlock strategy`: disable, enable and reset one strategy; the others trade on."""

from pathlib import Path

import click

from ops import control
from ops.cli.asking import WITHIN_S, answer_or_exit, refuse, switches_or_exit
from ops.cli.halt import hold, show_held
from ops.cli.options import group_options, json_option, place_of
from ops.cli.output import FAILED, console, fail, show_json, table
from ops.cli.paper_run import paper_run
from ops.cli.resume import show_resumed, would_block
from shared.operator import Disable, Enable, LatchName, Reset, Resumed, SwitchList
from shared.switches import STRATEGY_DISABLED
from shared.topics import STRATEGIES

DISABLE_WITHIN_S = 15.0


@click.group("strategy")
def command() -> None:
    """Show, disable, enable and reset strategies, one at a time.

    A disabled strategy stays so through every restart; its positions are the caretaker's.
    """


@command.command("ls")
@group_options
@json_option
def show(
    profile: Path | None, run_directory: Path | None, data_directory: Path | None, as_json: bool
) -> None:
    """Show which strategies are held, and by what."""
    run = place_of(profile, run_directory, data_directory).run_directory
    seen = switches_or_exit(run, as_json=as_json)
    held = [row for row in seen.switches if row.scope == "strategy"]
    if as_json:
        show_json({"strategies": list(STRATEGIES), "held": held})
        return
    rows = [(row.scope_id, row.name, row.reason) for row in held]
    busy = {row.scope_id for row in held}
    rows += [(name, "nothing", "") for name in STRATEGIES if name not in busy]
    console().print(table("", ("strategy", "held by", "reason"), rows))


@command.command("disable")
@group_options
@json_option
@click.argument("name")
@click.option("--reason", default="disabled by the operator", show_default=True)
def disable(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
    name: str,
    reason: str,
) -> None:
    """Cancel what strategy NAME has in the market and let it place nothing more."""
    run = place_of(profile, run_directory, data_directory).run_directory
    request = Disable(strategy=name, reason=reason)
    answer = hold(run, request, f"disabling {name}", DISABLE_WITHIN_S, as_json=as_json)
    if as_json:
        show_json({"ok": True, "halted": answer})
        return
    show_held("disabled", answer)


@command.command("enable")
@group_options
@json_option
@click.argument("name")
@click.option("--reason", default="", help="For the audit trail; without one nothing is cleared.")
def enable(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
    name: str,
    reason: str,
) -> None:
    """Let strategy NAME trade again. Whatever else latches it needs `reset`; status 3: refused."""
    run = place_of(profile, run_directory, data_directory).run_directory
    seen, latches = _latches_of(run, name, reason, as_json=as_json)
    disabled = [latch for latch in latches if latch.name == STRATEGY_DISABLED.name]
    if not disabled:
        refuse(would_block(seen, latches), as_json=as_json, lead=f"{name} is not disabled:")
    request = Enable(strategy=name, version=disabled[0].version, reason=reason)
    show_resumed(answer_or_exit(run, request, Resumed, WITHIN_S, as_json=as_json), as_json=as_json)


@command.command("reset")
@group_options
@json_option
@click.argument("name")
@click.option("--reason", default="", help="For the audit trail; without one nothing is cleared.")
@click.option(
    "--paper",
    type=click.Path(path_type=Path),
    help="Data directory of a paper group: in mode live, for a strategy that did too badly.",
)
def reset(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
    name: str,
    reason: str,
    paper: Path | None,
) -> None:
    """Clear every latch of strategy NAME, and what was counted for them; status 3: refused."""
    run = place_of(profile, run_directory, data_directory).run_directory
    _, latches = _latches_of(run, name, reason, as_json=as_json)
    proof = None if paper is None else paper_run(paper, as_json=as_json)
    request = Reset(strategy=name, latches=latches, reason=reason, paper=proof)
    show_resumed(answer_or_exit(run, request, Resumed, WITHIN_S, as_json=as_json), as_json=as_json)


def _latches_of(
    run: Path, name: str, reason: str, *, as_json: bool
) -> tuple[SwitchList, tuple[LatchName, ...]]:
    """Return a strategy's latches as they are seen now, or end: there is none, or no reason."""
    seen = switches_or_exit(run, as_json=as_json)
    latches = control.latches_in(seen.switches, "strategy", name)
    if not latches:
        fail(f"no latch to clear of strategy {name}", FAILED, as_json=as_json)
    if not reason:
        refuse(
            (*would_block(seen, latches), 'a reason is needed: --reason "…"'),
            as_json=as_json,
            lead="nothing was cleared:",
        )
    return seen, latches
