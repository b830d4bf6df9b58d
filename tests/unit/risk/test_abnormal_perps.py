"""CB-3 on perpetual futures: what is abnormal, what an answer makes of it, what ends the pause."""

from collections.abc import Callable

import msgspec
import pytest

from services.risk.abnormal_perps import AbnormalPerps
from services.risk.perp_measures import DEPTH_SAMPLES_MIN, FUNDING_USUAL_E12_MIN
from services.risk.samples import Sample
from services.risk.source import Notice
from shared.config import PerpSettings
from shared.effects import Publish, Received
from shared.facts import (
    FeedStatus,
    PerpBook,
    PerpContext,
    PerpDoubted,
    PerpEvent,
    PerpLevel,
    PerpSource,
)
from shared.identifiers import Asset, Component, Incarnation
from shared.topics import FEED_PERP
from shared.units import CoinsE8, MoneyE6, MonotonicNs, RateE12, ReferenceE18, WallMs
from tests.builders.risk import instant
from tests.builders.risk_parts import config

BTC = Asset("btc")
REST_MS = 60_000
USUAL = FUNDING_USUAL_E12_MIN


class Rig:
    """The source, fed by socket and answers; a number of each kind stands until it is changed."""

    def __init__(self, *, enabled: bool = True) -> None:
        perp = PerpSettings(enabled=enabled, socket_url="ws://127.0.0.1:1/perp/ws")
        self.source = AbnormalPerps(msgspec.structs.replace(config(), perp=perp))
        self.session_number = 1
        self.mark: dict[str, float] = {"socket": 100.0, "rest": 100.0}
        self.funding: dict[str, int] = {"socket": USUAL, "rest": USUAL}
        self.depth: dict[str, float] = {"socket": 50.0, "rest": 50.0}
        self.ways: list[PerpSource] = ["socket", "rest"]
        self.ms = 0
        self.notices: list[str] = []
        self.doubts: list[int] = []
        self.why: dict[str, str] = {}

    def received(self, body: PerpEvent | FeedStatus) -> None:
        now = instant(self.ms)
        topic = "feed.status" if isinstance(body, FeedStatus) else "feed.perp"
        stamp = now.monotonic_ns
        fact = Received(Component(FEED_PERP), Incarnation(1), topic, 1, stamp, stamp, 0, body)
        self.source.hear(fact, now)

    def reconnect(self) -> None:
        self.session_number += 1
        stamp = instant(self.ms).monotonic_ns
        self.received(FeedStatus(FEED_PERP, True, stamp, "", self.session_number, ()))

    def tell(self, way: PerpSource) -> None:
        stamp = MonotonicNs(instant(self.ms).monotonic_ns)
        price = ReferenceE18(round(self.mark[way] * 10**6) * 10**12)
        self.received(
            PerpContext(
                BTC,
                price,
                price,
                price,
                CoinsE8(10**12),
                RateE12(self.funding[way]),
                RateE12(0),
                MoneyE6(10**15),
                way,
                stamp,
            )
        )
        level: PerpLevel = (price, CoinsE8(round(self.depth[way] * 10**8)))
        other: PerpLevel = (ReferenceE18(price + 1), CoinsE8(10**12))
        self.received(PerpBook(BTC, (level,), (other,), WallMs(self.ms), way, stamp))

    def run(self, seconds: int) -> list[str]:
        """Let both ways speak each second; return what is bad at the end."""
        for _ in range(seconds):
            self.ms += 1_000
            for way in self.ways:
                self.tell(way)
            self.look()
        return self.look()

    def look(self) -> list[str]:
        bad = []
        for one in self.source.data(instant(self.ms)):
            match one:
                case Sample(subject=subject, bad=True, why=why, key=("asset", "btc")):
                    bad.append(subject)
                    self.why[subject] = why
                case Notice(name=name):
                    self.notices.append(name)
                case Publish(body=PerpDoubted(number=number)):
                    self.doubts.append(number)
                case _:
                    pass
        return bad

    def usual(self) -> None:
        """Let it be known what is usual."""
        self.reconnect()
        assert self.run(4 * DEPTH_SAMPLES_MIN + 4) == []


Spoil = Callable[[Rig, tuple[str, ...]], None]


def set_funding(rig: Rig, ways: tuple[str, ...]) -> None:
    rig.funding.update(dict.fromkeys(ways, -11 * USUAL))


def set_depth(rig: Rig, ways: tuple[str, ...]) -> None:
    rig.depth.update(dict.fromkeys(ways, 1.0))


def set_mark(rig: Rig, ways: tuple[str, ...]) -> None:
    rig.mark.update(dict.fromkeys(ways, 125.0))


def mend(rig: Rig) -> None:
    rig.funding["socket"] = USUAL
    rig.depth["socket"] = 50.0
    rig.mark["socket"] = 100.0


KINDS = [
    pytest.param(set_mark, "perp price", id="price"),
    pytest.param(set_funding, "funding", id="funding"),
    pytest.param(set_depth, "depth", id="depth"),
]


@pytest.mark.req("CB-3")
@pytest.mark.parametrize(
    ("times", "bad"), [(10.0, []), (10.01, ["funding"]), (-10.01, ["funding"])]
)
def test_funding_is_abnormal_above_ten_times_the_usual(times: float, bad: list[str]) -> None:
    rig = Rig()
    rig.usual()
    rig.funding["socket"] = round(times * USUAL)
    assert rig.run(1) == bad


@pytest.mark.req("CB-3")
def test_usual_funding_is_the_median_of_the_hour_where_that_is_higher() -> None:
    rig = Rig()
    rig.funding = {"socket": 5 * USUAL, "rest": 5 * USUAL}
    rig.reconnect()
    assert rig.run(130) == []
    rig.funding["socket"] = 45 * USUAL
    assert rig.run(1) == []
    rig.funding["socket"] = 51 * USUAL
    assert rig.run(1) == ["funding"]


@pytest.mark.req("CB-3")
@pytest.mark.parametrize(("coins", "bad"), [(2.5, []), (2.49, ["depth"]), (0.0, ["depth"])])
def test_depth_is_abnormal_when_more_than_95_percent_are_gone(coins: float, bad: list[str]) -> None:
    rig = Rig()
    rig.usual()
    rig.depth["socket"] = coins
    assert rig.run(1) == bad


@pytest.mark.req("CB-3")
def test_depth_is_not_judged_before_anybody_knows_what_is_usual() -> None:
    rig = Rig()
    rig.reconnect()
    rig.run(3 * (DEPTH_SAMPLES_MIN - 2))
    rig.depth["socket"] = 0.1
    assert rig.run(1) == []


@pytest.mark.req("CB-3")
@pytest.mark.parametrize(("usd", "bad"), [(120.0, []), (120.1, ["perp price"])])
def test_perpetual_price_is_abnormal_over_20_percent_in_a_minute(
    usd: float, bad: list[str]
) -> None:
    rig = Rig()
    rig.usual()
    rig.mark["socket"] = usd
    assert rig.run(1) == bad


@pytest.mark.req("CB-3")
@pytest.mark.parametrize(("spoil", "name"), KINDS)
def test_what_is_real_rests_a_minute_and_is_then_the_usual(spoil: Spoil, name: str) -> None:
    rig = Rig()
    rig.usual()
    spoil(rig, ("socket", "rest"))
    assert rig.run(REST_MS // 1_000) == [name]
    assert "confirmed" in rig.why[name]
    assert rig.run(1) == []
    assert rig.notices == ["abnormal_market_over"]
    assert rig.run(120) == [], "what was confirmed is no news"
    assert not rig.doubts


@pytest.mark.req("CB-3")
@pytest.mark.parametrize(("spoil", "name"), KINDS)
def test_error_is_read_anew_over_another_connection_before_anything_goes_on(
    spoil: Spoil, name: str
) -> None:
    rig = Rig()
    rig.usual()
    spoil(rig, ("socket",))
    assert rig.run(2) == [name]
    assert "contradicted" in rig.why[name]
    assert rig.notices == ["perp_error"]
    assert set(rig.doubts) == {1}
    mend(rig)
    assert rig.run(70) == [name], "right again, and over the connection that was wrong"
    rig.reconnect()
    assert rig.run(1) == []
    assert rig.notices == ["perp_error", "abnormal_market_over"]


@pytest.mark.req("CB-3")
def test_one_answer_that_was_on_its_way_while_the_number_changed_is_no_contradiction() -> None:
    rig = Rig()
    rig.usual()
    set_mark(rig, ("socket",))
    rig.run(1)
    assert "contradicted once" in rig.why["perp price"]
    set_mark(rig, ("rest",))
    rig.run(70)
    assert rig.notices == ["abnormal_market_over"]
    assert not rig.doubts


@pytest.mark.req("CB-3")
def test_error_that_lasts_is_doubted_again_once_a_minute() -> None:
    rig = Rig()
    rig.usual()
    set_funding(rig, ("socket",))
    rig.run(3)
    assert len(rig.doubts) >= 2, "a fact may be lost: it is repeated"
    rig.reconnect()
    rig.run(150)
    assert set(rig.doubts) == {1, 2, 3}
    assert rig.look() == ["funding"]


@pytest.mark.req("CB-3")
@pytest.mark.parametrize("silent", ["rest", "socket"])
def test_silence_of_either_way_keeps_the_pause(silent: PerpSource) -> None:
    rig = Rig()
    rig.usual()
    set_funding(rig, ("socket", "rest"))
    rig.run(1)
    rig.ways.remove(silent)
    assert rig.run(200) == ["funding"]
    rig.ways.append(silent)
    assert rig.run(1) == []


@pytest.mark.req("CB-3")
def test_answer_from_before_the_change_says_nothing_of_it() -> None:
    rig = Rig()
    rig.usual()
    rig.ways = ["socket"]
    set_funding(rig, ("socket",))
    rig.run(1)
    assert "no answer says anything yet" in rig.why["funding"]
    assert not rig.doubts


@pytest.mark.req("CB-3", "KS-11")
def test_silent_feed_trips_nothing_by_itself() -> None:
    rig = Rig()
    rig.usual()
    rig.ways = []
    assert rig.run(300) == []


def test_feed_that_nobody_wants_is_not_judged() -> None:
    rig = Rig(enabled=False)
    rig.usual()
    set_mark(rig, ("socket",))
    assert rig.run(2) == []
    assert list(rig.source.data(instant(rig.ms))) == []
