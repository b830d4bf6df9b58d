"""`interlock probe`: a scripted first session with minimum orders, and what it found."""

import os
import signal
from contextlib import nullcontext, suppress
from pathlib import Path

import click
from rich.text import Text

from bus.settings import Settings, load
from ops.cli.options import group_options, json_option, place_of
from ops.cli.output import (
    DONE,
    FAILED,
    FINDINGS,
    NOT_TRADING,
    console,
    dollars,
    fail,
    progress_console,
    show_findings,
    show_json,
    table,
)
from ops.group import Asked
from ops.probe import twin
from ops.probe.answers import Row, in_words
from ops.probe.asking import Silent
from ops.probe.comparing import Difference, NoSession, compare
from ops.probe.script import BY_ID, plan_of
from ops.probe.session import Cost, Refused, Session, Wish, new_directory, run
from ops.start import variables_of
from ops.waiting import Progress
from shared.units import MoneyE6

MONEY_USD_DEFAULT = 10
WITHIN_S_DEFAULT = 600

STYLES = {
    "agrees": "green",
    "differs": "bold yellow",
    "not asked": "dim",
    "not answered": "bold red",
}

QUESTION = click.Choice(tuple(BY_ID))


@click.command("probe")
@group_options
@json_option
@click.option("--list", "lists", is_flag=True, help="Show the questions and ask none.")
@click.option("--yes", is_flag=True, help="Agree to the cost that is shown.")
@click.option("--take", is_flag=True, help="Also buy one minimum order, and keep what it buys.")
@click.option("--market", default="", help="Slug. Default: the nearest with five minutes left.")
@click.option(
    "--only", type=QUESTION, metavar="ID", multiple=True, help="Ask this; may be repeated."
)
@click.option(
    "--skip", type=QUESTION, metavar="ID", multiple=True, help="Leave this out; may be repeated."
)
@click.option(
    "--money-max",
    "money_usd_max",
    type=click.IntRange(1, 1_000),
    default=MONEY_USD_DEFAULT,
    show_default=True,
    help="Refuse above this worst case, in USD.",
)
@click.option(
    "--within",
    "within_s",
    type=click.IntRange(10, 3_600),
    default=WITHIN_S_DEFAULT,
    show_default=True,
    help="Seconds after which the script ends; the way to zero follows.",
)
@click.option("--diff", is_flag=True, help="Then run the script at a simulator, and compare.")
@click.option(
    "--session",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="With --against: compare this session's directory and ask nobody.",
)
@click.option(
    "--against",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Compare with this session's directory.",
)
def command(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
    lists: bool,
    yes: bool,
    take: bool,
    market: str,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    money_usd_max: int,
    within_s: int,
    diff: bool,
    session: Path | None,
    against: Path | None,
) -> None:
    """Ask the venue its open questions with minimum orders, and keep every raw frame.

    In mode simulation the venue is a simulator of the command's own, unless one answers at the
    profile's address. Orders are GTD, post-only and far from the touch; every way out cancels
    all and proves zero. Refuses (status 3) while a group runs on the account, and at a real
    venue without the profile's live acknowledgement.

    Status 0 only when everything asked was answered and zero is proven; with --session 0 only
    when the sessions agree.
    """
    if lists:
        _list(as_json=as_json)
        return
    if session is not None:
        _compare_alone(session, against, as_json=as_json)
        return
    settings = _settings(profile, run_directory, data_directory, as_json=as_json)
    wish = Wish(
        plan_of(only, skip, take=take), market, MoneyE6(money_usd_max * 1_000_000), within_s
    )
    directory, found = _probe(settings, wish, yes=yes, as_json=as_json)
    compared: tuple[Difference, ...] | None = None
    try:
        if diff:
            other = _at_a_simulator(settings, wish, directory, as_json=as_json)
            compared = compare(directory, other)
        elif against is not None:
            compared = compare(directory, against)
    except NoSession as fault:
        fail(str(fault), FAILED, as_json=as_json)
    _show(found, directory, compared, as_json=as_json)
    raise SystemExit(DONE if found.holds else FAILED)


def _settings(
    profile: Path | None, run_directory: Path | None, data_directory: Path | None, *, as_json: bool
) -> Settings:
    place = place_of(profile, run_directory, data_directory)
    if place.profile is None:
        fail("name a profile with --profile", FINDINGS, as_json=as_json)
    asked = Asked(profile, run_directory, data_directory)
    settings = load(place.profile, variables_of(asked, os.environ))
    if isinstance(settings, Settings):
        return settings
    show_findings(settings, as_json=as_json)
    raise SystemExit(FINDINGS)


def _probe(settings: Settings, wish: Wish, *, yes: bool, as_json: bool) -> tuple[Path, Session]:
    """Run one session where the profile says, or at a simulator of our own."""
    config = settings.config
    is_own = config.run.mode == "simulation" and not twin.answers(config)
    try:
        directory = new_directory(settings.data_directory)
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}", FAILED, as_json=as_json)

    progress = Progress(progress_console())
    # As ^C: whatever was begun is ended, a simulator of our own too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    def agrees(cost: Cost) -> bool:
        if yes or as_json:
            return yes
        progress.__exit__()
        agreed = _agrees(cost)
        progress.__enter__()
        return agreed

    with progress:
        try:
            around = twin.simulator(config, directory) if is_own else nullcontext(settings)
            with around as used:
                return directory, run(used, wish, directory, progress.say, agrees)
        except (Refused, Silent) as refusal:
            with suppress(OSError):  # what it has kept stays
                directory.rmdir()
            fail(str(refusal), NOT_TRADING, as_json=as_json)


def _at_a_simulator(settings: Settings, wish: Wish, directory: Path, *, as_json: bool) -> Path:
    """Run the same script at a simulator of our own; return its session."""
    other = directory / "simulator"
    other.mkdir(mode=0o700)
    with Progress(progress_console()) as progress:
        try:
            with twin.simulator(settings.config, other) as used:
                wished = Wish(wish.plan, "", wish.money_e6_max, wish.within_s)
                run(used, wished, other, progress.say, lambda _: True)
        except (Refused, Silent) as refusal:
            fail(f"simulator: {refusal}", FAILED, as_json=as_json)
    return other


def _agrees(cost: Cost) -> bool:
    bought = f", {dollars(cost.taken_e6)} USD of it are bought" if cost.taken_e6 else ""
    return click.confirm(
        f"{cost.orders} orders in {cost.market}, at worst {dollars(cost.worst_e6)} USD{bought}, "
        f"for up to {cost.lasts_s} s. Go on?",
        err=True,
    )


def _list(*, as_json: bool) -> None:
    if as_json:
        show_json(tuple(BY_ID.values()))
        return
    rows = [
        (one.id, one.asks, one.matters, one.how, in_words(one.assumes)) for one in BY_ID.values()
    ]
    names = ("id", "question", "why it matters", "how", "simulator assumes")
    console().print(table("", names, rows))


def _compare_alone(session: Path, against: Path | None, *, as_json: bool) -> None:
    if against is None:
        fail("--session needs --against", FINDINGS, as_json=as_json)
    try:
        compared = compare(session, against)
    except NoSession as fault:
        fail(str(fault), FAILED, as_json=as_json)
    if as_json:
        show_json({"ok": not compared, "differences": compared})
    else:
        _show_differences(compared)
    if compared:
        raise SystemExit(FAILED)


def _show(
    found: Session, directory: Path, compared: tuple[Difference, ...] | None, *, as_json: bool
) -> None:
    if as_json:
        show_json(
            {
                "ok": found.holds,
                "directory": str(directory),
                "session": found,
                "differences": compared,
            }
        )
        return
    names = ("question", "answer", "simulator assumes", "")
    console().print(table(f"{found.venue}, {found.market}", names, map(_row, found.rows)))
    if compared is not None:
        _show_differences(compared)
    zero = found.zero
    words = "zero proven" if zero.proven else f"ZERO NOT PROVEN: {zero.why}"
    click.echo(
        f"{found.ended}; {found.posted} orders posted, at worst "
        f"{dollars(found.cost.worst_e6)} USD; {words}; kept in {directory}"
    )


def _row(row: Row) -> tuple[object, ...]:
    question = BY_ID[row.question]
    verdict = Text(row.verdict, style=STYLES[row.verdict])
    if row.answer is None:
        return question.asks, row.why, "", verdict
    measured = in_words(row.answer.measured)
    told = in_words(row.answer.shape) + (f" ({measured})" if measured else "")
    assumed = "the same" if row.verdict == "agrees" else "; ".join(row.differences)
    return question.asks, told, assumed, verdict


def _show_differences(compared: tuple[Difference, ...]) -> None:
    if not compared:
        click.echo("no difference in form")
        return
    rows = [(one.where, one.here or "nothing", one.there or "nothing") for one in compared]
    console().print(table("differences", ("where", "here", "there"), rows))
