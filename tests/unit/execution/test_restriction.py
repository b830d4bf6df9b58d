"""KS-5 at the gate: an answer that restricts us, and a market that our place may not trade."""

import msgspec
import pytest

from services.execution.access import access_predicates
from services.execution.budgets.restriction import Restriction
from shared.config import AccessSettings
from shared.facts import Alert, PlaceFact
from shared.topics import FEED_DISCOVERY
from shared.units import NS_PER_MS, MonotonicNs, PriceE4
from shared.venue.outcomes import Outcome, Rejected, judge_refusal
from shared.venue.refusals import Refusal
from tests.builders.execution import Rig, resting, target

CLOSED = b'{"error":"\'0x01\' address in closed only mode"}'
ACCESS = AccessSettings()


def place(rig: Rig, verdict: str = "open", failures: int = 0) -> PlaceFact:
    return PlaceFact(verdict, rig.now.monotonic_ns, failures, "CH ZH")  # type: ignore[arg-type]


def failing(rig: Rig, fact: PlaceFact | None, access: AccessSettings = ACCESS) -> list[str]:
    [info] = rig.core._parts.inputs.markets()[:1]
    restricted = msgspec.structs.replace(info, restricted=True)
    assert not access_predicates(
        msgspec.structs.replace(info, restricted=False), fact, access, rig.now
    )
    found = access_predicates(restricted, fact, access, rig.now)
    return [one.name for one in found if not one.holds]


@pytest.mark.req("KS-5")
@pytest.mark.parametrize(
    ("status", "body", "restricts"),
    [
        (403, b"<html>", True),
        (451, b"", True),
        (400, CLOSED, True),
        (400, b'{"error":"\'0x01\' address banned"}', True),
        (401, b"", False),
        (425, b"", False),
        (429, b"", False),
        (500, b"", False),
        (503, b'{"error":"Trading is currently disabled"}', False),
    ],
)
def test_answer_restricts_us_or_does_not(status: int, body: bytes, restricts: bool) -> None:
    found = Restriction()
    assert found.hear((judge_refusal(status, body),), 5) is restricts
    assert bool(found.text) is restricts
    assert (found.told() is not None) is restricts


@pytest.mark.req("KS-5")
def test_finding_is_told_once_and_ends_with_a_grant_under_a_newer_epoch() -> None:
    found = Restriction()
    outcomes: tuple[Outcome, ...] = (Rejected(Refusal.CLOSED_ONLY, "words"),)
    assert found.hear(outcomes, 5)
    assert not found.hear(outcomes, 5), "no news"
    found.granted(5)
    assert found.text
    found.granted(6)
    assert not found.text
    assert found.hear(outcomes, 6)
    told = found.told()
    assert told is not None
    assert told.number == 2


@pytest.mark.req("KS-5")
def test_refused_post_blocks_everything_cancels_and_is_told_until_risk_grants_anew() -> None:
    rig = resting()
    rig.venue.refusal = (403, "not from here")
    rig.wishes = (*rig.wishes, target(level=1, price=PriceE4(4_700)))
    rig.run(600)
    assert not rig.venue.open, "what rested is cancelled"
    pong = rig.pong()
    assert pong.restricted is not None
    assert "restricted" in pong.restricted.text
    assert [one for one in rig.published(Alert) if one.name == "restricted"]
    posts = len(rig.venue.posts)
    rig.venue.refusal = None
    rig.run(40_000)
    assert len(rig.venue.posts) == posts, "no waiting ends it"
    rig.fence()
    rig.run(5_000)
    assert rig.pong().restricted is not None, "a fence alone grants nothing"
    rig.resume()
    rig.run(3_000)
    assert rig.pong().restricted is None
    assert rig.venue.open


@pytest.mark.req("KS-5")
@pytest.mark.parametrize(
    ("verdict", "expected"),
    [("open", []), ("blocked", ["restricted"]), ("close_only", ["restricted"])],
)
def test_restricted_market_needs_an_open_place(verdict: str, expected: list[str]) -> None:
    rig = resting()
    assert failing(rig, place(rig, verdict)) == expected


@pytest.mark.req("KS-5")
def test_place_that_nobody_knows_keeps_new_orders_out_and_drives_none_out() -> None:
    rig = resting()
    assert failing(rig, None) == ["place_known"]
    assert failing(rig, place(rig, failures=ACCESS.geoblock_failures_max)) == ["place_known"]
    assert not failing(rig, place(rig, failures=ACCESS.geoblock_failures_max - 1))
    stale_ns = ACCESS.geoblock_stale_ms * NS_PER_MS
    for age_ns, expected in ((stale_ns - 1, []), (stale_ns, ["place_known"])):
        old = msgspec.structs.replace(
            place(rig), asked_ns=MonotonicNs(rig.now.monotonic_ns - age_ns)
        )
        assert failing(rig, old) == expected


@pytest.mark.req("KS-5")
def test_flag_alone_is_enough_where_the_setting_says_so() -> None:
    rig = resting()
    alone = AccessSettings(restricted_flag_alone=True)
    assert failing(rig, place(rig), alone) == ["restricted"]


@pytest.mark.req("KS-5")
def test_place_that_discovery_tells_reaches_the_gate() -> None:
    rig = resting()
    rig.hear(FEED_DISCOVERY, "feed.place", place(rig, "blocked"))
    told = rig.core._parts.inputs.place
    assert told is not None
    assert told.verdict == "blocked"
