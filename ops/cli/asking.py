"""One question to risk from a command, and what every command does with an answer it cannot use."""

from pathlib import Path
from typing import NoReturn, TypeVar

import click

from ops import control
from ops.cli.output import DOWN, FAILED, NOT_TRADING, fail, show_json
from shared.control import ScopeKind
from shared.operator import Reply, Request, RequestRefused, ResumeRefused, Switches, SwitchList

WITHIN_S = 15.0
"""Answers that wait for one write and for nothing else."""

T = TypeVar("T", bound=Reply)


def answer_or_exit(
    run: Path, request: Request, wanted: type[T], within_s: float, *, as_json: bool
) -> T:
    """Return the answer wanted, or end: 3 refused with what blocks, 4 nobody there, 1 all else."""
    answer = control.ask(run, request, within_s)
    if not isinstance(answer, wanted):
        _give_up(answer, as_json=as_json)
    return answer


def _give_up(answer: Reply | control.Silent, *, as_json: bool) -> NoReturn:
    if isinstance(answer, ResumeRefused):
        refuse(answer.blockers, as_json=as_json)
    if isinstance(answer, control.Silent):
        fail(answer.why, FAILED if answer.taken else DOWN, as_json=as_json)
    if isinstance(answer, RequestRefused):
        fail(f"refused: {answer.error}: {answer.detail}", FAILED, as_json=as_json)
    fail(f"unexpected answer: {type(answer).__name__}", FAILED, as_json=as_json)


def refuse(blockers: tuple[str, ...], *, as_json: bool, lead: str = "refused:") -> NoReturn:
    """Show everything that blocks, and end with status 3."""
    if as_json:
        show_json({"ok": False, "blockers": list(blockers)})
    else:
        click.echo(lead, err=True)
        for blocker in blockers:
            click.echo(f"  {blocker}", err=True)
    raise SystemExit(NOT_TRADING)


def switches_or_exit(run: Path, *, as_json: bool) -> SwitchList:
    """Return what is tripped, or end when nobody says."""
    return answer_or_exit(run, Switches(), SwitchList, WITHIN_S, as_json=as_json)


def scope_or_exit(text: str) -> tuple[ScopeKind, str]:
    """Return a scope, or end with status 2."""
    try:
        return control.parse_scope(text)
    except control.ScopeFault as fault:
        raise click.UsageError(str(fault)) from None
