"""KS-13 by risk's own counts, and CB-6."""

from collections.abc import Iterator
from typing import Any

import pytest

from services.risk.breaker_count import KEPT_NAME, BreakerCount
from services.risk.messages import BreakerTripped, StoredState
from services.risk.samples import Sample
from services.risk.source import Notice
from services.risk.throttle import ThrottleSource
from shared.config.losses import ThrottleSettings
from shared.facts import ExecutionStatus, FillFact, LossFigures, OwnOrder
from shared.identifiers import OrderHash, StrategyName, TradeId
from shared.losses import DAY_NS
from shared.risk_schema import Kept
from shared.topics import EXECUTION, FEED_USER, STRATEGIES
from shared.units import NS_PER_MS, BootNs, MoneyE6, PriceE4, SizeE6, WallMs, WallNs
from tests.builders.markets import MARKET, UP, instant, received

MAKER = StrategyName("market_making")
SETTINGS = ThrottleSettings(window_s=10, orders_max=3, fills_max=3)


def _fill(number: int, settlement: str = "MATCHED") -> FillFact:
    return FillFact(
        TradeId(f"t{number}"),
        OrderHash("0x1"),
        MAKER,
        MARKET,
        UP,
        "BUY",
        PriceE4(5_000),
        SizeE6(1),
        "MAKER",
        settlement,
        MoneyE6(0),
    )


def _order(number: int) -> OwnOrder:
    return OwnOrder(
        OrderHash(f"0x{number}"),
        MARKET,
        UP,
        "BUY",
        PriceE4(1),
        None,
        None,
        "LIVE",
        "LIVE",
        (),
        WallMs(1),
        "socket",
    )


def _told(*throttled: tuple[str, str]) -> ExecutionStatus:
    losses = LossFigures(MoneyE6(0), None, MoneyE6(0), 0, MoneyE6(0), 0, WallNs(0), "", throttled)
    return ExecutionStatus("ACTIVE", "", 1, BootNs(0), 0, 0, 0, True, None, (), losses=losses)


def _bad(source: ThrottleSource, ms: int) -> dict[str, str]:
    samples = [one for one in source.data(instant(ms)) if isinstance(one, Sample)]
    return {one.key[1]: one.why for one in samples if one.bad}


def _hear(source: ThrottleSource, body: Any, ms: int) -> None:
    component = FEED_USER if isinstance(body, OwnOrder) else EXECUTION
    source.hear(received(component, "topic", body, instant(ms)), instant(ms))


@pytest.mark.req("KS-13")
@pytest.mark.parametrize(("fills", "bad"), [(2, False), (3, False), (4, True)])
def test_fills_over_their_limit_are_bad_while_they_lie_in_the_window(fills: int, bad: bool) -> None:
    source = ThrottleSource(SETTINGS)
    for number in range(fills):
        _hear(source, _fill(number), 1_000)
        _hear(source, _fill(number, "CONFIRMED"), 1_500)
    assert (MAKER in _bad(source, 2_000)) is bad
    assert (MAKER in _bad(source, 10_999)) is bad
    assert not _bad(source, 11_000)


@pytest.mark.req("KS-13")
def test_what_execution_tells_of_a_strategy_is_bad_until_it_tells_otherwise() -> None:
    source = ThrottleSource(SETTINGS)
    _hear(source, _told((MAKER, "3 orders")), 1_000)
    assert _bad(source, 60_000) == {MAKER: "3 orders"}
    _hear(source, _told(), 60_000)
    assert not _bad(source, 60_000)


@pytest.mark.req("KS-13")
@pytest.mark.parametrize("extra", [0, 1])
def test_orders_that_the_venue_shows_cannot_be_hidden_by_execution(extra: int) -> None:
    source = ThrottleSource(SETTINGS)
    for number in range(SETTINGS.orders_max * len(STRATEGIES) + extra):
        _hear(source, _order(number), 1_000)
        _hear(source, _order(number), 1_000)
    assert len(_bad(source, 2_000)) == (len(STRATEGIES) if extra else 0)


def _look(count: BreakerCount, ms: int = 1_000) -> tuple[list[Notice], list[Kept], list[Sample]]:
    found = list(count.data(instant(ms)))
    return (
        [one for one in found if isinstance(one, Notice)],
        [one for one in found if isinstance(one, Kept)],
        [one for one in found if isinstance(one, Sample)],
    )


def _names() -> Iterator[str]:
    yield from ("loss_limit", "daily_loss", "strategy_performance")


@pytest.mark.req("CB-6")
def test_first_breaker_of_a_day_warns_and_every_further_one_is_critical() -> None:
    count = BreakerCount(StoredState())
    assert _look(count)[0] == []
    severities = []
    for name in _names():
        count.hear(BreakerTripped(name), instant())
        (notice,), kept, (sample,) = _look(count)
        assert sample.bad
        assert kept
        severities.append(notice.severity)
        assert _look(count)[0] == [], "each is told once"
    assert severities == ["warning", "critical", "critical"]


@pytest.mark.req("CB-6")
@pytest.mark.parametrize("name", ["operator_halt", "own_order_feed_stale", "breaker_count", "?"])
def test_only_circuit_breakers_count(name: str) -> None:
    count = BreakerCount(StoredState())
    count.hear(BreakerTripped(name), instant())
    assert count.count == 0


@pytest.mark.req("CB-6")
def test_count_survives_a_restart_of_the_day_and_not_the_day() -> None:
    count = BreakerCount(StoredState())
    count.hear(BreakerTripped("loss_limit"), instant())
    (kept,) = _look(count)[1]
    assert kept.name == KEPT_NAME
    again = BreakerCount(StoredState(kept={kept.name: kept.text}))
    again.hear(BreakerTripped("daily_loss"), instant())
    assert again.count == 2
    (notice,) = _look(again)[0]
    assert notice.severity == "critical"
    tomorrow = BreakerCount(StoredState(kept={kept.name: kept.text}))
    assert not _look(tomorrow, 1_000 + DAY_NS // NS_PER_MS)[2][0].bad
