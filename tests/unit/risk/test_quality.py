"""What risk makes of state's word on the data: samples, levels, and what people are told."""

from typing import Any

import pytest

from services.risk.quality import QualityCauses, QualitySource
from services.risk.samples import Sample
from services.risk.source import Notice
from shared.effects import Received
from shared.facts import QualityFinding, StateQuality
from shared.identifiers import Component, Incarnation
from shared.switches import DATA_QUALITY
from shared.topics import EXECUTION, STATE
from shared.units import MonotonicNs
from tests.builders.risk import World, instant
from tests.builders.risk_parts import config


def finding(ms: float = 0, **spoil: Any) -> QualityFinding:
    fields: dict[str, Any] = {
        "stream": "btc chainlink price",
        "asset": "btc",
        "check": "jump",
        "verdict": "refused",
        "value": "126",
        "limit": "20 %",
        "second": "pyth says 100",
        "since_ns": instant(ms).monotonic_ns,
        "last_ns": instant(ms).monotonic_ns,
        "count": 1,
        "blocks": True,
    }
    return QualityFinding(**{**fields, **spoil})


def told(*findings: QualityFinding, ms: float = 0, component: Component = STATE) -> Received:
    stamp = instant(ms).monotonic_ns
    body = StateQuality(2, 0, 0, findings)
    return Received(component, Incarnation(1), "state.quality", 1, stamp, stamp, 0, body)


def bad(source: QualitySource, ms: float) -> list[tuple[str, bool]]:
    """Return which subjects are bad, and whether each cancels."""
    samples = [one for one in source.data(instant(ms)) if isinstance(one, Sample)]
    assert {one.switch for one in samples} == {DATA_QUALITY}
    assert {one.key for one in samples} == {("asset", "btc")}
    return [(one.subject, one.cancel) for one in samples if one.bad]


def notices(source: QualitySource, ms: float) -> list[str]:
    return [one.name for one in source.data(instant(ms)) if isinstance(one, Notice)]


@pytest.mark.req("DQ-6")
def test_refused_price_is_bad_and_cancels() -> None:
    source = QualitySource(config())
    source.hear(told(finding()), instant(0))
    assert bad(source, 10) == [("wrong", True)]
    source.hear(told(ms=20), instant(20))
    assert bad(source, 20) == []


@pytest.mark.req("DQ-1")
@pytest.mark.parametrize("check", ["stale", "unchanged"])
def test_stale_price_is_bad_and_leaves_what_rests_to_its_own_limit(check: str) -> None:
    source = QualitySource(config())
    source.hear(told(finding(check=check, verdict="stale")), instant(0))
    assert bad(source, 10) == [("stale", False)]


@pytest.mark.req("DQ-9")
def test_what_blocks_nothing_is_only_told() -> None:
    source = QualitySource(config())
    source.hear(told(finding(check="outlier", verdict="suspect", blocks=False)), instant(0))
    assert bad(source, 0) == []
    source.hear(told(finding(asset="eth")), instant(0))
    assert bad(source, 0) == [], "another asset's"


@pytest.mark.req("EX-22")
def test_silence_of_state_is_unknown_and_stops() -> None:
    source = QualitySource(config())
    assert bad(source, 0) == [("stale", False)]
    source.hear(told(component=EXECUTION), instant(0))
    assert bad(source, 0) == [("stale", False)], "nobody else may say it"
    source.hear(told(), instant(0))
    assert bad(source, 999) == []
    assert bad(source, 1_000) == [("stale", False)]


def test_finding_is_told_once_and_a_new_one_again() -> None:
    source = QualitySource(config())
    source.hear(told(finding()), instant(0))
    assert notices(source, 0) == ["data_jump"]
    source.hear(told(finding(count=2, last_ns=MonotonicNs(1))), instant(10))
    assert notices(source, 10) == []
    source.hear(told(finding(20)), instant(20))
    assert notices(source, 20) == ["data_jump"]


@pytest.mark.req("DQ-4")
def test_stamps_of_the_future_are_told_from_the_second_one_on() -> None:
    source = QualitySource(config())
    source.hear(told(finding(check="future", blocks=False)), instant(0))
    assert notices(source, 0) == []
    source.hear(told(finding(check="future", blocks=False, count=2)), instant(0))
    assert notices(source, 0) == ["data_future"]


def levels(*findings: QualityFinding, ms: float = 0) -> list[str]:
    causes = QualityCauses(config())
    causes.hear(told(*findings))
    return [one.level for one in causes.holding(instant(ms))]


@pytest.mark.req("DQ-1")
@pytest.mark.parametrize(("lasted_ms", "level"), [(9_999, []), (10_000, ["EMERGENCY"])])
def test_price_stale_for_long_is_an_emergency(lasted_ms: float, level: list[str]) -> None:
    since, last = instant(0).monotonic_ns, instant(lasted_ms).monotonic_ns
    for blocks in (True, False):
        found = finding(check="stale", since_ns=since, last_ns=last, blocks=blocks)
        assert levels(found, ms=lasted_ms + 999) == (level if blocks else [])
        assert levels(found, ms=lasted_ms + 1_000) == [], "good updates gather"


@pytest.mark.req("DQ-6")
def test_price_that_is_refused_for_long_keeps_the_positions() -> None:
    assert levels(finding(last_ns=instant(60_000).monotonic_ns)) == []


@pytest.mark.req("DQ-5")
def test_corrupt_feed_asks_for_the_lower_level() -> None:
    corrupt = finding(stream="feed_price", check="corrupt", verdict="degraded", blocks=False)
    assert levels(corrupt) == ["REDUCED"]


@pytest.mark.req("DG-1")
@pytest.mark.parametrize(("count", "level"), [(3, []), (4, ["REDUCED"])])
def test_stream_flagged_often_asks_for_the_lower_level(count: int, level: list[str]) -> None:
    assert levels(finding(check="outlier", verdict="suspect", count=count)) == level


@pytest.mark.req("DQ-6")
def test_asset_is_paused_on_a_refused_price_and_trades_again_after_clean_data() -> None:
    world = World()
    world.trade()
    world.quality = StateQuality(2, 1, 0, (finding(),))
    world.run(500)
    held = [one for one in world.status.switches if one.name == DATA_QUALITY.name]
    assert [(one.scope, one.scope_id, one.evidence) for one in held] == [("asset", "btc", "wrong")]
    assert world.status.trading_state == "ACTIVE", "other assets go on"
    world.quality = StateQuality(2, 1, 0, ())
    world.run(world.config.timing.clean_data_ms + 300)
    assert not [one for one in world.status.switches if one.name == DATA_QUALITY.name]
