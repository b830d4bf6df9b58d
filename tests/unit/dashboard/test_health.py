"""Every check of readiness just below, at and above its limit."""

from typing import Any

import pytest

from services.dashboard.health import HEARD_NS_MAX, Check, evidence_limits_ms, look
from services.dashboard.heard import Heard
from shared.effects import Received
from shared.facts import Evidence
from shared.identifiers import Component, Incarnation
from shared.topics import EXECUTION, FEED_USER, FEEDS, RISK
from shared.units import NS_PER_MS, MonotonicNs
from tests.builders.bus_rig import settings_in
from tests.builders.dashboard import execution_status, feed_status, risk_status
from tests.builders.markets import instant

NOW = instant(60_000)


@pytest.fixture
def limits(tmp_path: Any) -> dict[str, int]:
    return evidence_limits_ms(settings_in(tmp_path).config)


def hear(heard: Heard, component: str, topic: str, body: Any, age_ns: int = 0) -> None:
    sent = MonotonicNs(NOW.monotonic_ns - age_ns)
    named = Component(component)
    heard.take(Received(named, Incarnation(1), topic, 1, sent, sent, NOW.wall_ns, body))


def judged(heard: Heard, limits: dict[str, int], name: str) -> Check:
    return next(row for row in look(heard, limits, NOW.monotonic_ns) if row.name == name)


@pytest.mark.req("OP-3")
@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize(("over_ms", "holds"), [(-1, True), (0, True), (1, False)])
def test_feed_whose_newest_evidence_is_past_its_limit_fails(
    limits: dict[str, int], feed: str, over_ms: int, *, holds: bool
) -> None:
    heard = Heard()
    age_ns = (limits[feed] + over_ms) * NS_PER_MS
    stamp = MonotonicNs(NOW.monotonic_ns - age_ns)
    older = MonotonicNs(stamp - 10**9)
    status = feed_status(feed, NOW, evidence=(Evidence("1", older), Evidence("2", stamp)))
    hear(heard, feed, "feed.status", status)
    check = judged(heard, limits, feed)
    assert check.holds is holds
    assert check.age_ms == limits[feed] + over_ms


@pytest.mark.req("OP-3")
def test_feed_that_is_disconnected_or_has_no_evidence_fails_with_its_cause(
    limits: dict[str, int],
) -> None:
    heard = Heard()
    hear(heard, FEED_USER, "feed.status", feed_status(FEED_USER, NOW, connected=False, cause="no"))
    assert judged(heard, limits, FEED_USER).detail == "no"
    assert not judged(heard, limits, FEED_USER).holds
    for evidence in ((), (Evidence("1", None),)):
        hear(heard, FEED_USER, "feed.status", feed_status(FEED_USER, NOW, evidence=evidence))
        assert judged(heard, limits, FEED_USER) == Check(FEED_USER, False, "no evidence yet", None)


@pytest.mark.req("OP-3")
@pytest.mark.parametrize(("age_ns", "holds"), [(HEARD_NS_MAX, True), (HEARD_NS_MAX + 1, False)])
def test_risk_and_execution_must_have_been_heard_within_a_second(
    limits: dict[str, int], age_ns: int, *, holds: bool
) -> None:
    heard = Heard()
    hear(heard, RISK, "risk.status", risk_status(), age_ns)
    hear(heard, EXECUTION, "execution.status", execution_status(NOW), age_ns)
    for name in (RISK, EXECUTION):
        check = judged(heard, limits, name)
        assert check.holds is holds
        assert check.age_ms == 1_000


@pytest.mark.req("OP-3")
@pytest.mark.parametrize("state", ["HALTED", "REDUCING", "PAUSED"])
def test_only_active_is_ready(limits: dict[str, int], state: str) -> None:
    heard = Heard()
    hear(heard, RISK, "risk.status", risk_status(trading_state=state))
    hear(heard, EXECUTION, "execution.status", execution_status(NOW, trading_state=state))
    for name in (RISK, EXECUTION):
        assert not judged(heard, limits, name).holds
        assert judged(heard, limits, name).detail == state
