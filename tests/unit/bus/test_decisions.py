"""A recorded run is decided again; what differs or is missing is said, and never passed over."""

from pathlib import Path

import msgspec
import pytest

from bus.decisions import UNEQUAL, UNPROVEN, Replay, Unusable, decide_again
from bus.lives import Report
from bus.turn_log import WHOLE_NS
from services.state.core import StateCore
from shared.effects import Effect, Gap, Message, Paused
from shared.facts import Calendar, Evidence, FeedStatus, ReferencePrice, TradePrinted
from shared.identifiers import Asset
from shared.recording import FactRecord
from shared.topics import FEED_DISCOVERY, FEED_MARKET, FEED_PRICE, STATE, TOPICS
from shared.units import NS_PER_MS, Instant, MonotonicNs, PriceE4, ReferenceE18, SizeE6, WallMs
from tests.builders.books import VenueBook
from tests.builders.feeds import WALL_START_MS, at, config
from tests.builders.markets import DOWN, UP, market_info
from tests.builders.recorded_life import RecordedLife

LENGTH_MS = 20_000


def recorded(core: StateCore | None = None) -> RecordedLife:
    """Return twenty seconds of a state builder, with changes, a gap and a snapshot's answer."""
    life = RecordedLife(core or StateCore(config()), config(), at(0))
    market = market_info(start_ms=WallMs(WALL_START_MS), end_ms=WallMs(WALL_START_MS + 60_000))
    up, down = VenueBook(UP, market), VenueBook(DOWN, market)
    life.hear(FEED_DISCOVERY, "feed.calendar", Calendar((market,), at(0).monotonic_ns), at(0))
    for step in range(LENGTH_MS // 50):
        now = at(step * 50)
        if step % 4 == 0:
            evidence = tuple(Evidence(token, now.monotonic_ns) for token in (UP, DOWN))
            status = FeedStatus(
                feed=FEED_MARKET,
                connected=True,
                since_ns=at(0).monotonic_ns,
                cause="",
                session=1,
                evidence=evidence,
            )
            life.hear(FEED_MARKET, "feed.status", status, now)
        if step % 200 == 0:
            for book in (up, down):
                life.hear(FEED_MARKET, "feed.market", book.snapshot(), now)
        if step == 300:
            life.give(Gap(FEED_MARKET, "feed.market", 3, "sequence"), now)
            life.give(Paused(1_000_000_000), now)
        if step % 20 == 10:
            price = ReferencePrice(
                Asset("btc"),
                "binance",
                ReferenceE18(10**23 + step * 10**18),
                WallMs(WALL_START_MS + step * 50),
                MonotonicNs(now.monotonic_ns),
            )
            life.hear(FEED_PRICE, "feed.price", price, now)
        life.tick(at(step * 50 + 7))
    life.end(at(LENGTH_MS))
    return life


@pytest.fixture(scope="module")
def whole() -> RecordedLife:
    return recorded()


def decisions_of(life: RecordedLife) -> int:
    """Return how many facts the state builder has published."""
    names = [topic.name for topic in TOPICS if STATE in topic.publishers]
    return sum(len(life.of(name)) for name in names if not name.startswith("bus."))


def copy_of(life: RecordedLife) -> RecordedLife:
    copied = RecordedLife(StateCore(config()), config(), at(0))
    copied.records = list(life.records)
    return copied


def replayed(life: RecordedLife, path: Path, core: type[StateCore] = StateCore) -> Report:
    (report,) = Replay(STATE, core).read([life.write(path / "a.ilr")])
    return report


@pytest.mark.req("NET-3")
def test_recorded_run_is_decided_again_to_the_same_bytes_twice(
    whole: RecordedLife, tmp_path: Path
) -> None:
    first = replayed(whole, tmp_path)
    assert first.is_equal, first
    assert (first.unheard, first.entries > LENGTH_MS // 50) == (0, True)
    assert first.equal == decisions_of(whole)
    assert whole.of("state.doubted"), "a doubt is among the decisions"
    assert replayed(whole, tmp_path) == first


def test_first_difference_is_shown_with_its_field_and_what_was_seen(
    whole: RecordedLife, tmp_path: Path
) -> None:
    life = copy_of(whole)
    place = life.of("state.view")[40]
    record = life.records[place]
    assert isinstance(record, FactRecord)
    tree = msgspec.msgpack.decode(record.body)
    tree["markets"][0]["books"][1]["bids"][0][1] += 1
    life.spoil(place, body=msgspec.msgpack.encode(tree))
    report = replayed(life, tmp_path)
    assert report.difference is not None
    assert (report.difference.topic, report.difference.number) == ("state.view", 41)
    assert report.difference.field == "markets.0.books.1.bids.0.1"
    assert int(report.difference.recorded) == int(report.difference.again) + 1
    assert report.difference.seen[-1] == "tick"
    assert decide_again(STATE, StateCore, [str(tmp_path / "a.ilr")]) == UNEQUAL


def test_core_that_decides_otherwise_is_found_out(whole: RecordedLife, tmp_path: Path) -> None:
    class Forgetful(StateCore):
        def on_message(self, message: Message, now: Instant) -> list[Effect]:
            if isinstance(message, Gap | Paused):
                return []
            return super().on_message(message, now)

    report = replayed(whole, tmp_path, Forgetful)
    assert report.difference is not None
    assert (report.difference.topic, report.difference.field) == ("state.view", "markets.0.valid")
    assert any("Paused" in words for words in report.difference.seen)


def test_decision_that_nobody_makes_again_is_a_difference(
    whole: RecordedLife, tmp_path: Path
) -> None:
    class Silent(StateCore):
        def on_tick(self, now: Instant) -> list[Effect]:
            super().on_tick(now)
            return []

    report = replayed(whole, tmp_path, Silent)
    assert report.difference is not None
    assert (report.difference.recorded, report.difference.again) == ("decided", "nothing")


@pytest.mark.req("DQ-2")
def test_lost_batch_of_turns_ends_the_comparison_and_is_said(
    whole: RecordedLife, tmp_path: Path
) -> None:
    life = copy_of(whole)
    del life.records[life.of("bus.turns")[60]]
    report = replayed(life, tmp_path)
    assert report.difference is None
    assert not report.is_equal
    assert "is not in the recording" in report.incomplete
    assert 0 < report.equal < decisions_of(whole)
    assert decide_again(STATE, StateCore, [str(tmp_path / "a.ilr")]) == UNPROVEN


def test_lost_fact_ends_the_comparison_where_the_core_was_given_it(
    whole: RecordedLife, tmp_path: Path
) -> None:
    life = copy_of(whole)
    lost = next(place for place in life.of("feed.status") if place > len(life.records) * 3 // 4)
    del life.records[lost]
    report = replayed(life, tmp_path)
    assert "feed.status" in report.incomplete
    assert "is missing" in report.incomplete
    assert report.equal > 0


def test_facts_lost_in_the_first_seconds_are_told_whole(
    whole: RecordedLife, tmp_path: Path
) -> None:
    life = copy_of(whole)
    early = [place for place in life.of("feed.market") + life.of("feed.calendar") if place < 100]
    assert early
    life.records = [one for place, one in enumerate(life.records) if place not in early]
    assert replayed(life, tmp_path).is_equal


def test_facts_that_a_restarted_publisher_says_first_are_told_whole(tmp_path: Path) -> None:
    """The recorder may find it a moment after the reader did."""
    life = RecordedLife(StateCore(config()), config(), at(0))
    begun = WHOLE_NS // NS_PER_MS + 1_000
    for step in range(0, 40_000, 100):
        price = ReferencePrice(
            Asset("btc"),
            "chainlink",
            ReferenceE18(10**23 + step),
            WallMs(WALL_START_MS + step),
            MonotonicNs(at(step).monotonic_ns),
        )
        life.hear(FEED_PRICE, "feed.price", price, at(step), 1 if step < 2 * begun else 2)
        life.tick(at(step + 1))
    life.end(at(41_000))
    restarted = life.of("feed.price")[2 * begun // 100]
    early = [place for place in life.of("feed.price") if restarted <= place < restarted + 12]
    assert len(early) > 3
    life.records = [one for place, one in enumerate(life.records) if place not in early]
    assert replayed(life, tmp_path).is_equal


def test_run_whose_beginning_nobody_recorded_is_not_called_equal(
    whole: RecordedLife, tmp_path: Path
) -> None:
    life = copy_of(whole)
    life.records = life.records[len(life.records) // 2 :]
    report = replayed(life, tmp_path)
    assert (report.equal, report.began_wall_ns) == (0, None)
    assert "its beginning" in report.incomplete


def test_decisions_before_the_recorder_listened_are_counted_apart(
    whole: RecordedLife, tmp_path: Path
) -> None:
    life = copy_of(whole)
    early = life.of("state.view")[:3]
    life.records = [one for place, one in enumerate(life.records) if place not in early]
    report = replayed(life, tmp_path)
    assert (report.is_equal, report.unheard) == (True, 3)


def test_later_decision_that_was_lost_is_said(whole: RecordedLife, tmp_path: Path) -> None:
    life = copy_of(whole)
    del life.records[life.of("state.view")[150]]
    assert "state.view 151 is not in the recording" in replayed(life, tmp_path).incomplete


def test_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.ilr"
    path.write_bytes(b"no recording")
    with pytest.raises(Unusable):
        Replay(STATE, StateCore).read([path])
    assert decide_again(STATE, StateCore, [str(path)]) == UNPROVEN
    assert decide_again(STATE, StateCore, [str(tmp_path / "none.ilr")]) == UNPROVEN


def test_two_runs_of_a_component_are_two_reports(whole: RecordedLife, tmp_path: Path) -> None:
    second = RecordedLife(StateCore(config()), config(), at(30_000), incarnation=78)
    for step in range(100):
        second.tick(at(30_000 + step * 50))
    second.end(at(36_000))
    life = copy_of(whole)
    life.records += second.records
    reports = Replay(STATE, StateCore).read([life.write(tmp_path / "a.ilr")])
    assert [report.is_equal for report in reports] == [True, True]


def test_trade_is_an_input_like_any(tmp_path: Path) -> None:
    life = RecordedLife(StateCore(config()), config(), at(0))
    market = market_info(start_ms=WallMs(WALL_START_MS), end_ms=WallMs(WALL_START_MS + 60_000))
    trade = TradePrinted(
        market=market.condition_id,
        token=UP,
        price=PriceE4(5_000),
        size=SizeE6(1),
        side="BUY",
        venue_ms=WallMs(WALL_START_MS),
    )
    for step in range(400):
        if step % 50 == 3:
            life.hear(FEED_MARKET, "feed.market", trade, at(step * 50))
        life.tick(at(step * 50 + 1))
    life.end(at(30_000))
    assert replayed(life, tmp_path).is_equal
