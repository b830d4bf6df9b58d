"""A session's way out: whatever is raised, zero is proven, and only a whole session holds."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from bus.settings import Settings
from ops.keys import Key
from ops.probe import guarding, session
from ops.probe.answers import Answer, judge
from ops.probe.asking import Asker, Silent
from ops.probe.desk import Desk
from ops.probe.guarding import Zero
from ops.probe.place import Place
from ops.probe.redact import Redactor
from ops.probe.script import Plan, Step, plan_of
from ops.probe.session import ANSWERS_FILE, Cost, Refused, Session, Wish
from ops.probe.transcript import Transcript
from shared.units import MoneyE6, PriceE4
from shared.venue.auth import Credentials
from tests.builders.execution_config import build_config
from tests.builders.markets import DOWN, UP, market_info

KEY = Key(b"\x11" * 32)
WHO = Credentials(KEY.address, "api-key-1", "c2VjcmV0", "passphrase-1")
PLAN = plan_of(("unknown_order",), (), take=False)
PROVEN = Zero(True, "", 3)


def _nothing(asking: object) -> str:
    return "complete"


class Rig:
    """A session without a venue: the script does what the test says, and zero is counted."""

    def __init__(self, directory: Path, patch: pytest.MonkeyPatch) -> None:
        self.directory = directory
        self.zeros = 0
        self.script: Callable[[Any], str] = _nothing
        place = Place(market_info(tick_e4=PriceE4(100)), UP, DOWN, PriceE4(4_800), PriceE4(4_900))
        patch.setattr(session, "find_place", lambda *_: place)
        patch.setattr(guarding, "reach_zero", self._reach_zero)
        patch.setattr(session._Asking, "ask", lambda asking, say: self.script(asking))

    def _reach_zero(self, *_: object) -> Zero:
        self.zeros += 1
        return PROVEN

    def run(self, *, money_e6_max: int = 10_000_000, agrees: bool = True) -> Session:
        settings = Settings(
            config=build_config(),
            path=self.directory / "profile.toml",
            run_directory=self.directory,
            data_directory=self.directory,
            key_file=self.directory / "key.hex",
            credentials_file=self.directory / "credentials.json",
            config_hash="",
            build_hash="",
            dependency_hash="",
        )
        wish = Wish(PLAN, "", MoneyE6(money_e6_max), 60.0)
        transcript = Transcript(self.directory, Redactor())
        asks = Asker("http://127.0.0.1:1", WHO, transcript)
        try:
            return session._run(
                settings, wish, self.directory, print, lambda _: agrees, KEY, WHO, asks
            )
        finally:
            asks.close()
            transcript.close()


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    return Rig(tmp_path, monkeypatch)


@pytest.mark.req("VEN-9")
@pytest.mark.parametrize("raised", [AssertionError, KeyError, KeyboardInterrupt, SystemExit])
def test_zero_is_reached_whatever_the_script_raises(rig: Rig, raised: type[BaseException]) -> None:
    def script(asking: object) -> str:
        raise raised

    rig.script = script
    with pytest.raises(raised):
        rig.run()
    assert rig.zeros == 1


@pytest.mark.req("VEN-9")
def test_whole_session_holds_and_is_written(rig: Rig) -> None:
    def script(asking: Any) -> str:
        asking.answers["unknown_order"] = Answer("unknown_order", {"http": 200})
        return "complete"

    rig.script = script
    found = rig.run()
    assert found.holds
    assert found.zero == PROVEN
    written = msgspec.json.decode((rig.directory / ANSWERS_FILE).read_bytes(), type=Session)
    assert written == found
    assert (rig.directory / ANSWERS_FILE).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("money", "agrees"), [(1, True), (10_000_000, False)])
def test_session_that_is_not_agreed_to_asks_nothing_and_has_nothing_to_undo(
    rig: Rig, money: int, agrees: bool
) -> None:
    rig.script = lambda asking: pytest.fail("asked")
    with pytest.raises(Refused):
        rig.run(money_e6_max=money, agrees=agrees)
    assert rig.zeros == 0


def build_session(**spoil: Any) -> Session:
    question = PLAN.questions[0]
    row = judge(question, Answer(question.id, {}), "", asked=True)
    cost = Cost("m", 1, MoneyE6(1), MoneyE6(0), 1)
    made = Session(1, "http://v", "m", cost, "complete", PROVEN, 1, (row,))
    return msgspec.structs.replace(made, **spoil)


def test_session_holds_only_when_it_is_whole_answered_and_proven() -> None:
    assert build_session().holds, "that an answer differs is an answer"
    question = PLAN.questions[0]
    open_row = judge(question, None, "silent", asked=True)
    unasked = judge(question, None, "not wished for", asked=False)
    assert not build_session(ended="interrupted: SIGINT").holds
    assert not build_session(zero=Zero(False, "1 open", 0)).holds
    assert not build_session(rows=(open_row,)).holds
    assert build_session(rows=(unasked,)).holds


def test_step_that_is_silent_leaves_its_questions_open_with_the_reason(tmp_path: Path) -> None:
    def silent(desk: Desk) -> None:
        raise Silent("nobody answered")

    transcript = Transcript(tmp_path, Redactor())
    asks = Asker("http://127.0.0.1:1", WHO, transcript)
    plan = Plan(PLAN.questions, PLAN.left_out)
    wish = Wish(plan, "", MoneyE6(1), 1.0)
    nothing = cast(Any, None)
    asking = session._Asking(nothing, wish, nothing, nothing, WHO, asks)
    not_reached = {row.question: row.why for row in asking.rows()}["unknown_order"]
    asking._take(Step("rest", silent), nothing)
    told = {row.question: (row.verdict, row.why) for row in asking.rows()}["unknown_order"]
    assert not_reached == "not reached"
    assert told == ("not answered", "nobody answered")
    asks.close()
    transcript.close()
