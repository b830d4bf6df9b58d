"""One session from beginning to end: refuse, ask, and whatever happened leave zero behind.

Nothing is posted before the refusals are through and the cost was agreed to. After the first
step every way out cancels all and proves zero. Answers are written at the end, beside the raw
record.
"""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bus import clock
from bus.credentials import CredentialsFault, Missing, read_credentials, write_private
from bus.settings import MISSING, Settings, secret_file_problem
from ops.keys import Key, KeyFault, make_throwaway_key, read_key
from ops.probe import guarding
from ops.probe.answers import Row, judge
from ops.probe.asking import Asker, Silent
from ops.probe.desk import Answers, Desk, worst_case_e6
from ops.probe.guarding import Interrupted, Say, Zero
from ops.probe.listening import Ear
from ops.probe.orders import Poster
from ops.probe.place import Place, find_place
from ops.probe.redact import Redactor
from ops.probe.script import BY_ID, Plan, Step
from ops.probe.steps_keys import subscription
from ops.probe.transcript import Transcript
from ops.start import obtain_credentials
from ops.venue import Unanswered, Venue
from shared.units import MoneyE6
from shared.venue.auth import Credentials

ANSWERS_FILE = "answers.json"
DIRECTORY = "probe"


class Refused(Exception):
    """Local: the session did not begin; nothing was posted."""


class Wish(msgspec.Struct, frozen=True):
    """What a session is to do.

    Attributes:
        slug: Market; empty for the nearest with enough time left.
        money_e6_max: Beyond this worst case it refuses.
        within_s: Hard end of the script.
    """

    plan: Plan
    slug: str
    money_e6_max: MoneyE6
    within_s: float


class Cost(msgspec.Struct, frozen=True):
    """What is agreed to beforehand.

    Attributes:
        worst_e6: With every order filled whole.
        taken_e6: Of it, what is meant to be bought; 0 without `--take`.
    """

    market: str
    orders: int
    worst_e6: MoneyE6
    taken_e6: MoneyE6
    lasts_s: int


class Session(msgspec.Struct, frozen=True):
    """What came of it; written as it is.

    Attributes:
        ended: `complete`, or what ended it early.
        unanswered: Why a question that was asked has no answer.
    """

    wall_ms: int
    venue: str
    market: str
    cost: Cost
    ended: str
    zero: Zero
    posted: int
    rows: tuple[Row, ...]

    @property
    def holds(self) -> bool:
        """Whether everything asked was answered, and zero is proven."""
        asked = [row for row in self.rows if row.verdict != "not asked"]
        answered = all(row.answer is not None for row in asked)
        return self.ended == "complete" and self.zero.proven and answered


def new_directory(data_directory: Path) -> Path:
    """Make the directory of a session, named by the moment.

    Raises:
        OSError: The data directory takes none.
    """
    moment = datetime.fromtimestamp(clock.read().wall_ns / 1e9, UTC)
    path = data_directory / DIRECTORY / moment.strftime("%Y%m%dT%H%M%S.%fZ")
    path.mkdir(mode=0o700, parents=True)
    return path


def run(
    settings: Settings, wish: Wish, directory: Path, say: Say, agrees: Callable[[Cost], bool]
) -> Session:
    """Run a session.

    Args:
        settings: Venue and account.
        wish: What is asked.
        directory: Empty; takes the record and the answers.
        say: Takes a line that replaces the one before.
        agrees: Asked once, before anything is posted.

    Raises:
        Refused: It may not begin; the words say why.
    """
    why = guarding.refusal_of(settings)
    if why:
        raise Refused(why)
    if settings.config.run.mode == "simulation" and _lacks_key(settings):
        settings.data_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        make_throwaway_key(settings.key_file)
    held = guarding.hold_account(settings)
    if isinstance(held, str):
        raise Refused(held)
    try:
        key, credentials = _identity(settings, say)
        _refuse_open_orders(settings, credentials)
        with ExitStack() as stack:
            redactor = Redactor()
            redactor.know(credentials)
            transcript = Transcript(directory, redactor)
            stack.callback(transcript.close)
            asks = Asker(settings.config.venue.clob_url, credentials, transcript)
            stack.callback(asks.close)
            return _run(settings, wish, directory, say, agrees, key, credentials, asks)
    finally:
        for lock in held:
            lock.close()


class _Asking(msgspec.Struct):
    """The script under way.

    Attributes:
        answers: So far, by question; missing: why a question has none.
        begun: Steps that were begun.
    """

    settings: Settings
    wish: Wish
    place: Place
    poster: Poster
    credentials: Credentials
    asks: Asker
    answers: Answers = {}
    missing: dict[str, str] = {}
    begun: set[str] = set()

    def ask(self, say: Say) -> str:
        """Ask step by step; return how it ended. Whatever ends it, the caller goes on to zero."""
        url = self.settings.config.venue.user_socket_url
        transcript = self.asks.transcript
        try:
            with (
                guarding.interruptible(self.wish.within_s),
                Ear("user", url, transcript, pings=True) as user,
            ):
                user.send(subscription(self.credentials))
                desk = Desk(
                    self.settings.config,
                    self.credentials,
                    transcript,
                    self.asks,
                    self.place,
                    self.poster,
                    user,
                    self.answers,
                )
                for step in self.wish.plan.steps:
                    say(f"asking: {step.name}")
                    self._take(step, desk)
        except Interrupted as interrupt:
            transcript.note("session", f"ended by {interrupt}")
            return f"interrupted: {interrupt}"
        except Silent as silence:
            return f"the own-order socket: {silence}"
        return "complete"

    def _take(self, step: Step, desk: Desk) -> None:
        """Take one step; one that cannot be finished leaves its questions open, with the reason."""
        transcript = self.asks.transcript
        transcript.note(step.name, "begins")
        self.begun.add(step.name)
        try:
            step.run(desk)
        except Silent as silence:
            transcript.note(step.name, f"not finished: {silence}")
            for question in self.wish.plan.questions:
                if question.step == step.name:
                    self.missing[question.id] = str(silence)

    def rows(self) -> tuple[Row, ...]:
        """Return every question with its answer, or with why there is none."""
        asked = {question.id for question in self.wish.plan.questions}
        rows = []
        for name, question in BY_ID.items():
            if name in asked:
                why = self.missing.get(name) or (
                    "its step could not read it" if question.step in self.begun else "not reached"
                )
                rows.append(judge(question, self.answers.get(name), why, asked=True))
            else:
                rows.append(judge(question, None, self.wish.plan.left_out[name], asked=False))
        return tuple(rows)


def _run(
    settings: Settings,
    wish: Wish,
    directory: Path,
    say: Say,
    agrees: Callable[[Cost], bool],
    key: Key,
    credentials: Credentials,
    asks: Asker,
) -> Session:
    """Choose the market, agree on the cost, ask, and leave zero behind."""
    config = settings.config
    try:
        place = find_place(asks, config, wish.slug)
    except Silent as silence:
        raise Refused(str(silence)) from None
    cost = cost_of(wish.plan, place)
    if cost.worst_e6 > wish.money_e6_max:
        raise Refused(
            f"worst case {cost.worst_e6 / 1e6:.2f} USD is above the limit of "
            f"{wish.money_e6_max / 1e6:.2f} USD"
        )
    if not agrees(cost):
        raise Refused("the cost was not agreed to (--yes agrees beforehand)")
    poster = Poster(
        asks, place, key, credentials, config.account, config.venue.chain_id, cost.worst_e6
    )
    asking = _Asking(settings, wish, place, poster, credentials, asks)
    with guarding.former_signals():
        try:
            ended = asking.ask(say)
        finally:
            # Of everything that can be raised above, a bug of ours too.
            zero = guarding.reach_zero(settings, credentials, say)
    asks.transcript.note("zero", f"proven {zero.proven} {zero.why} canceled {zero.canceled}")
    session = Session(
        wall_ms=clock.read().wall_ms,
        venue=config.venue.clob_url,
        market=place.info.slug,
        cost=cost,
        ended=ended,
        zero=zero,
        posted=len(poster.order_ids),
        rows=asking.rows(),
    )
    write_private(directory / ANSWERS_FILE, msgspec.json.format(msgspec.json.encode(session)))
    return session


def cost_of(plan: Plan, place: Place) -> Cost:
    """Return what a script costs at worst in a market."""
    resting = sum(step.resting for step in plan.steps)
    crossing = sum(step.crossing for step in plan.steps)
    worst, size, price = worst_case_e6(place, resting, crossing, plan.takes)
    taken = MoneyE6(price * size // 10_000 if plan.takes else 0)
    orders = resting + crossing + (1 if plan.takes else 0)
    return Cost(place.info.slug, orders, worst, taken, plan.lasts_s)


def _lacks_key(settings: Settings) -> bool:
    return secret_file_problem(settings.key_file) == MISSING


def _identity(settings: Settings, say: Say) -> tuple[Key, Credentials]:
    """Return the wallet's key and the API key, which is obtained when there is none."""
    problem = obtain_credentials(settings, say)
    if problem:
        raise Refused(problem)
    try:
        found = read_credentials(settings.credentials_file)
        key = read_key(settings.key_file)
    except (CredentialsFault, KeyFault) as fault:
        raise Refused(str(fault)) from None
    if isinstance(found, Missing):
        raise Refused(f"{found.path} is missing")
    return key, found


def _refuse_open_orders(settings: Settings, credentials: Credentials) -> None:
    """Refuse while orders are open that this session has not made."""
    venue = Venue(settings.config.venue.clob_url, credentials)
    try:
        found = venue.open_orders()
    finally:
        venue.close()
    if isinstance(found, Unanswered):
        raise Refused(f"open orders cannot be read: {found.why}")
    if found.orders:
        raise Refused(
            f"{len(found.orders)} orders of the account are open; the way out of a session "
            "would cancel them: `interlock panic` or the venue's own page ends them"
        )
