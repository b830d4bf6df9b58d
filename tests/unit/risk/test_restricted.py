"""KS-5: each kind of evidence latches, an unknown place only pauses, and a resume waits."""

import msgspec
import pytest

from services.risk.messages import StoredState
from services.risk.restricted import ANSWER_HELD_NS, RestrictedSource
from services.risk.samples import Sample
from services.risk.standing_read import StandingRead
from services.risk.watching import make_sources
from shared.config import AccessSettings
from shared.control import Restricted
from shared.effects import HttpReply, Received
from shared.facts import PlaceFact
from shared.identifiers import Incarnation
from shared.operator import Resumed, ResumeRefused
from shared.risk_schema import LatchRow
from shared.switches import PLACE_UNKNOWN, RESTRICTED
from shared.topics import FEED_DISCOVERY
from shared.units import NS_PER_MS, BootNs, MonotonicNs
from tests.builders.risk import World, instant, market
from tests.builders.risk_parts import config

CLOSED_ONLY = b'{"error":"\'0x01\' address in closed only mode"}'
BANNED = b'{"error":"\'0x01\' address banned"}'
BLOCKED = "blocked"


def place(ms: float, verdict: str = "open", failures: int = 0) -> PlaceFact:
    return PlaceFact(verdict, instant(ms).monotonic_ns, failures, "CH ZH")  # type: ignore[arg-type]


def world(*, restricted: bool = True, verdict: str = "open") -> World:
    """Return a risk that trades a market which carries the venue's flag."""
    made = World()
    made.markets = [market(restricted=restricted)]
    made.place = place(0, verdict)
    made.trade()
    return made


def names(made: World) -> list[tuple[str, str]]:
    return [(one.name, one.kind) for one in made.status.switches]


def samples(source: RestrictedSource, ms: float) -> dict[tuple[str, str], Sample]:
    return {
        (one.switch.name, one.subject): one
        for one in source.data(instant(ms))
        if isinstance(one, Sample)
    }


def heard(source: RestrictedSource, fact: PlaceFact) -> None:
    received = Received(
        FEED_DISCOVERY, Incarnation(1), "feed.place", 1, MonotonicNs(0), MonotonicNs(0), 0, fact
    )
    source.hear(received, instant(0))


@pytest.mark.req("KS-5")
@pytest.mark.parametrize(
    ("status", "body"),
    [(403, b"<html>"), (451, b""), (400, CLOSED_ONLY), (400, BANNED)],
    ids=["403", "451", "closed_only", "banned"],
)
def test_answer_to_a_request_of_risk_latches_and_resume_waits_for_it_to_end(
    status: int, body: bytes
) -> None:
    made = world()
    made.tell(HttpReply(1, status, {}, body, BootNs(0)))
    made.run(200)
    assert ("restricted", "latch") in names(made)
    assert made.status.trading_state == "HALTED"
    made.run(4_000)
    made.resume()
    made.run(100)
    refused = made.replies[-1][1]
    assert isinstance(refused, ResumeRefused)
    assert "restricted still holds" in refused.blockers[0]
    made.run(ANSWER_HELD_NS / NS_PER_MS)
    made.resume()
    made.run(100)
    assert isinstance(made.replies[-1][1], Resumed)
    made.trade()


@pytest.mark.req("KS-5")
@pytest.mark.parametrize(("status", "body"), [(401, b""), (500, b""), (429, b""), (400, b"{}")])
def test_other_refusals_do_not_restrict(status: int, body: bytes) -> None:
    made = world()
    made.tell(HttpReply(1, status, {}, body, BootNs(0)))
    made.run(500)
    assert ("restricted", "latch") not in names(made)


@pytest.mark.req("KS-5")
def test_finding_of_execution_latches_once_and_is_over_with_a_new_grant() -> None:
    made = world()
    made.execution.restricted = Restricted(1, "closed_only: words")
    made.run(300)
    assert ("restricted", "latch") in names(made)
    made.run(ANSWER_HELD_NS / NS_PER_MS + 1_000)
    made.resume()
    made.trade()
    assert not made.status.switches, "the same finding latches no second time"
    made.execution.restricted = Restricted(2, "closed_only: again")
    made.run(300)
    assert ("restricted", "latch") in names(made)


@pytest.mark.req("KS-5")
@pytest.mark.parametrize("verdict", ["blocked", "close_only"])
def test_closed_place_latches_only_where_a_traded_market_is_restricted(verdict: str) -> None:
    free = world(restricted=False, verdict=verdict)
    assert free.status.trading_state == "ACTIVE"
    made = world()
    made.place = place(made.ms, verdict)
    made.run(300)
    assert ("restricted", "latch") in names(made)
    made.run(4_000)
    made.resume()
    made.run(100)
    assert isinstance(made.replies[-1][1], ResumeRefused)
    made.place = place(made.ms)
    made.run(200)
    made.resume()
    made.trade()


@pytest.mark.req("KS-5")
def test_flag_alone_is_enough_where_the_setting_says_so() -> None:
    settings = config()
    access = AccessSettings(restricted_flag_alone=True)
    source = RestrictedSource(msgspec.structs.replace(settings, access=access))
    assert not samples(source, 0)[("restricted", "place")].bad
    made = World(sources=(source,))
    made.markets = [market(restricted=True)]
    made.place = place(0)
    made.run(1_000)
    assert ("restricted", "latch") in names(made)


@pytest.mark.req("KS-5")
@pytest.mark.parametrize(
    ("age_ms", "failures", "is_unknown"),
    [(119_999, 0, False), (120_000, 0, True), (0, 4, False), (0, 5, True)],
)
def test_place_is_unknown_from_its_limits_on(age_ms: int, failures: int, is_unknown: bool) -> None:
    made = world()
    [source] = [
        one for one in make_sources(made.config, made.stored) if isinstance(one, RestrictedSource)
    ]
    heard(source, place(0, failures=failures))
    source._markets = (market(restricted=True),)
    found = samples(source, age_ms)
    assert found[("place_unknown", "")].bad is is_unknown
    assert not found[("restricted", "place")].bad


@pytest.mark.req("KS-5")
def test_unknown_place_pauses_and_trading_goes_on_by_itself_when_it_is_told() -> None:
    made = world()
    made.place = place(0, failures=9)
    made.run(300)
    assert names(made) == [(PLACE_UNKNOWN.name, "pause")]
    assert made.status.trading_state == "PAUSED"
    assert RESTRICTED.name not in dict(names(made))
    made.place = place(made.ms)
    made.trade()


@pytest.mark.req("KS-5")
def test_latch_survives_a_restart_of_risk() -> None:
    made = world()
    made.tell(HttpReply(1, 403, {}, b"", BootNs(0)))
    made.run(500)
    records = [row for write in made.writes for row in write.records]
    latched = tuple(row for row in records if isinstance(row, LatchRow))
    again = World(StoredState(used_max=2_000, reserved=3_000, latch_version=9, latches=latched))
    again.markets, again.place = made.markets, place(0)
    again.run(8_000)
    assert again.status.trading_state == "HALTED"
    assert made.config.timing.halted_poll_ms * NS_PER_MS < ANSWER_HELD_NS


@pytest.mark.req("KS-5")
def test_account_that_may_only_close_is_found_without_an_order() -> None:
    made = world()
    made.venue.closed_only = True
    made.run(made.config.access.standing_every_ms + 500)
    assert ("restricted", "latch") in names(made)
    made.run(4_000)
    made.resume()
    made.run(100)
    refused = made.replies[-1][1]
    assert isinstance(refused, ResumeRefused)
    assert "the account may only close" in refused.blockers[0]
    made.venue.closed_only = False
    made.run(made.config.access.standing_every_ms)
    made.resume()
    made.trade()


@pytest.mark.req("KS-5")
@pytest.mark.parametrize(("status", "body"), [(500, b""), (200, b"<html>"), (200, b"{}")])
def test_standing_that_nobody_tells_says_nothing(status: int, body: bytes) -> None:
    read = StandingRead(1_000)
    question = read.ask(instant(0))
    assert question is not None
    assert read.ask(instant(999)) is None
    read.hear(HttpReply(question.request_id + 1, 200, {}, b'{"closed_only":true}', BootNs(0)))
    read.hear(HttpReply(question.request_id, status, {}, body, BootNs(0)))
    assert read.closed_only is None
    again = read.ask(instant(1_000))
    assert again is not None
    read.hear(HttpReply(again.request_id, 200, {}, b'{"closed_only":true}', BootNs(0)))
    assert read.closed_only is True
