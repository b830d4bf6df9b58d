"""CB-3: which move is abnormal, what a second source makes of it, and what ends the pause."""

import msgspec
import pytest

from services.risk.abnormal import AbnormalSource
from services.risk.samples import Sample
from services.risk.source import Notice
from shared.effects import Publish, Received
from shared.facts import FeedStatus, PricesDoubted, ReferencePrice
from shared.identifiers import Asset, Component, Incarnation
from shared.topics import FEED_PRICE
from shared.units import MonotonicNs, ReferenceE18, WallMs
from tests.builders.risk import instant
from tests.builders.risk_parts import config

FIRST, SECOND = "chainlink", "pyth"
REST_MS = 60_000


class Rig:
    """The source, fed with ticks; time is the tick's own."""

    def __init__(self, **spoil: object) -> None:
        settings = config()
        abnormal = msgspec.structs.replace(settings.abnormal, **spoil)
        self.source = AbnormalSource(msgspec.structs.replace(settings, abnormal=abnormal))
        self.session(1)

    def received(self, body: object, ms: float) -> None:
        now = instant(ms)
        stamp = now.monotonic_ns
        topic = "feed.status" if isinstance(body, FeedStatus) else "feed.price"
        fact = Received(Component(FEED_PRICE), Incarnation(1), topic, 1, stamp, stamp, 0, body)
        self.source.hear(fact, now)

    def session(self, number: int, ms: float = 0) -> None:
        self.received(FeedStatus(FEED_PRICE, True, MonotonicNs(0), "", number, ()), ms)

    def tick(self, usd: float, ms: float, source: str = FIRST) -> None:
        value = ReferenceE18(round(usd * 10**6) * 10**12)
        stamp = instant(ms).monotonic_ns
        self.received(ReferencePrice(Asset("btc"), source, value, WallMs(round(ms)), stamp), ms)

    def both(self, usd: float, ms: float) -> None:
        self.tick(usd, ms)
        self.tick(usd, ms, SECOND)

    def look(self, ms: float) -> tuple[bool, list[str], list[int]]:
        """Return whether the asset is bad, the alerts, and the numbers of the doubts told."""
        found = list(self.source.data(instant(ms)))
        (sample,) = [one for one in found if isinstance(one, Sample)]
        notices = [one.name for one in found if isinstance(one, Notice)]
        bodies = [one.body for one in found if isinstance(one, Publish)]
        return sample.bad, notices, [one.number for one in bodies if isinstance(one, PricesDoubted)]

    def bad(self, ms: float) -> bool:
        return self.look(ms)[0]


@pytest.mark.req("CB-3")
@pytest.mark.parametrize(
    ("usd", "bad"),
    [(119.9, False), (120.0, False), (120.1, True), (80.1, False), (80.0, False), (79.9, True)],
)
def test_move_is_abnormal_just_above_its_limit(usd: float, bad: bool) -> None:
    rig = Rig()
    rig.both(100.0, 0)
    rig.both(usd, 1_000)
    assert rig.bad(1_000) is bad


@pytest.mark.req("CB-3")
@pytest.mark.parametrize(("later_ms", "bad"), [(59_999, True), (60_000, False)])
def test_move_counts_within_a_minute(later_ms: int, bad: bool) -> None:
    rig = Rig()
    rig.both(100.0, 0)
    rig.both(121.0, later_ms)
    assert rig.bad(later_ms) is bad


@pytest.mark.req("CB-3")
def test_small_steps_add_up_against_the_lowest_and_the_highest_of_the_minute() -> None:
    rig = Rig()
    for second, usd in enumerate((100.0, 105.0, 111.0, 117.0, 121.0)):
        rig.both(usd, second * 1_000)
    assert rig.bad(4_000)


@pytest.mark.req("CB-3")
def test_real_move_rests_a_minute_and_is_then_the_new_price() -> None:
    rig = Rig()
    rig.both(100.0, 0)
    rig.both(130.0, 1_000)
    assert rig.look(1_000) == (True, [], [])
    rig.both(130.0, REST_MS)
    assert rig.bad(REST_MS + 999)
    rig.both(131.0, REST_MS + 1_000)
    assert rig.look(REST_MS + 1_000) == (False, ["abnormal_market_over"], [])
    rig.both(132.0, REST_MS + 2_000)
    assert not rig.bad(REST_MS + 2_000)


@pytest.mark.req("CB-3")
def test_error_is_rebuilt_before_anything_goes_on() -> None:
    """The doubt is repeated, and a right price over the old connection is not enough."""
    rig = Rig()
    rig.both(100.0, 0)
    rig.tick(130.0, 1_000)
    rig.tick(100.0, 1_000, SECOND)
    assert rig.look(1_000) == (True, ["price_error"], [1])
    assert rig.look(1_100) == (True, [], [])
    assert rig.look(1_600)[2] == [1]
    later = REST_MS + 2_000
    rig.both(100.0, later)
    assert rig.bad(later), "not rebuilt yet"
    rig.session(2, later)
    assert not rig.bad(later)
    assert rig.look(later + 10_000)[2] == [], "nothing is doubted any more"


@pytest.mark.req("CB-3")
def test_error_that_lasts_is_rebuilt_again_and_again_and_stays_paused() -> None:
    rig = Rig()
    rig.both(100.0, 0)
    numbers = []
    for second in range(1, 400):
        rig.tick(130.0, second * 1_000)
        rig.tick(100.0, second * 1_000, SECOND)
        rig.session(second, second * 1_000)
        bad, _, told = rig.look(second * 1_000)
        assert bad
        numbers += told
    assert sorted(set(numbers)) == [1, 2, 3, 4, 5, 6, 7]  # at 1 s and each minute


@pytest.mark.req("CB-3")
@pytest.mark.parametrize("silent", [FIRST, SECOND])
def test_unknown_stays_paused_and_rebuilds_nothing(silent: str) -> None:
    rig = Rig()
    rig.both(100.0, 0)
    rig.both(130.0, 1_000)
    for second in range(2, 300):
        rig.tick(130.0, second * 1_000, SECOND if silent == FIRST else FIRST)
        assert rig.look(second * 1_000) == (True, [], [])
    rig.both(130.0, 300_000)
    assert not rig.bad(300_000)


@pytest.mark.req("CB-3")
def test_without_a_second_source_only_silence_is_said_and_the_pause_stays() -> None:
    rig = Rig(second_source="")
    rig.both(100.0, 0)
    rig.both(130.0, 1_000)
    rig.both(130.0, 10 * REST_MS)
    assert rig.look(10 * REST_MS) == (True, [], [])


def test_ticks_that_go_backwards_or_are_of_other_assets_are_passed_over() -> None:
    rig = Rig()
    rig.both(100.0, 10_000)
    rig.tick(150.0, 9_999)
    assert not rig.bad(10_000)
