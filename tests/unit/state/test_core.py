"""The state builder: what it shows, what it doubts, and when nothing of it may be trusted."""

from typing import Any

import msgspec
import pytest
from msgspec import structs

from services.state.core import DOUBT_AFTER_NS, DOUBT_EVERY_NS, EARLY_MAX, StateCore
from services.state.feed_health import STATUS_SILENT_NS_MAX
from shared.effects import Exit, Gap, Paused, Stop
from shared.facts import (
    BookDoubted,
    Calendar,
    ReferencePrice,
    TradePrinted,
)
from shared.identifiers import Asset, TokenId
from shared.topics import FEED_MARKET, FEED_PRICE
from shared.units import NS_PER_MS, Instant, MonotonicNs, PriceE4, ReferenceE18, SizeE6, WallMs
from tests.builders.books import SHARE
from tests.builders.feeds import WALL_START_MS, at, config, facts, of_type
from tests.builders.markets import DOWN, UP, market_info
from tests.builders.state_rig import Rig, doubted, ready

STALE_MS = 2_000


def test_view_of_two_proven_books_is_valid_and_shows_them_best_first() -> None:
    view = ready().view(at(0))
    assert (view.valid, view.reason) == (True, "")
    assert view.books is not None
    assert view.books[0].token == UP
    assert view.books[0].bids[0] == (4_900, 20 * SHARE)
    assert view.books[1].asks[0] == (5_100, 25 * SHARE)
    assert view.proven_ns == at(0).monotonic_ns
    assert (view.reference, view.strike_e18, view.volatility_e9) == (None, None, None)


def test_view_is_invalid_before_the_market_feed_is_heard() -> None:
    rig = Rig()
    rig.list_market(at(0))
    rig.dump(at(0))
    assert (rig.view(at(0)).valid, rig.view(at(0)).reason) == (False, "market feed not heard")


def test_market_is_published_once_both_books_are_proven_again() -> None:
    rig = ready()
    change = rig.up.step("BUY", 4_700, 5)
    mirrored = rig.down.step("SELL", 5_300, 5)
    published = rig.hear("feed.market", rig.up.frame(change, mirrored), at(3))
    (view,) = facts(published, "state.market")
    assert view.valid
    assert view.books[0].bids[2] == (4_700, 5 * SHARE)
    assert view.books[1].asks[2] == (5_300, 5 * SHARE)


def test_published_market_carries_the_stamp_of_its_input() -> None:
    rig = ready()
    published = rig.hear("feed.market", rig.up.frame(rig.up.step("BUY", 4_700, 5)), at(3))
    (effect,) = published
    assert getattr(effect, "input_ns", None) == at(3).monotonic_ns


def test_open_batch_waits_and_is_published_when_whole() -> None:
    rig = ready()
    rig.up.venue_ms += 10
    rig.up.set("BUY", 4_600, 5)
    rig.up.set("BUY", 4_700, 5)
    first, second = rig.up.change("BUY", 4_600), rig.up.change("BUY", 4_700)
    assert rig.hear("feed.market", rig.up.frame(first), at(3)) == []
    assert facts(rig.core.on_tick(at(4)), "state.market") == []
    assert rig.view(at(4)).valid, "the last proven book stands while a batch is open"
    assert facts(rig.hear("feed.market", rig.up.frame(second), at(5)), "state.market")


def test_frame_with_more_at_hand_waits_for_the_rest_of_its_read() -> None:
    rig = ready()
    change = rig.up.step("BUY", 4_700, 5)
    assert rig.hear("feed.market", structs.replace(rig.up.frame(change), more=True), at(3)) == []
    published = rig.hear("feed.market", rig.down.frame(rig.down.step("SELL", 5_300, 5)), at(3))
    (view,) = facts(published, "state.market")
    assert view.books[0].bids[2] == (4_700, 5 * SHARE)
    assert view.books[1].asks[2] == (5_300, 5 * SHARE)


def test_frame_with_more_at_hand_is_proven_at_the_tick_when_the_rest_tells_nothing() -> None:
    rig = ready()
    change = rig.up.step("BUY", 4_700, 5)
    rig.hear("feed.market", structs.replace(rig.up.frame(change), more=True), at(3))
    (view,) = facts(rig.core.on_tick(at(4)), "state.market")
    assert view.books[0].bids[2] == (4_700, 5 * SHARE)


@pytest.mark.req("KS-4")
def test_book_out_of_sync_makes_the_view_invalid_and_is_doubted() -> None:
    rig = ready()
    rig.up.step("BUY", 4_500, 5)  # lost
    rig.hear("feed.market", rig.up.frame(rig.up.step("BUY", 4_700, 5)), at(3))
    effects = rig.core.on_tick(at(303))
    assert rig.view(at(303)).reason == "Up: hash disagrees"
    assert doubted(effects) == [UP]


@pytest.mark.req("KS-4")
def test_view_recovers_when_a_snapshot_is_proven() -> None:
    rig = ready()
    rig.up.step("BUY", 4_500, 5)
    rig.hear("feed.market", rig.up.frame(rig.up.step("BUY", 4_700, 5)), at(3))
    rig.core.on_tick(at(400))
    rig.hear("feed.market", rig.up.snapshot(), at(450))
    rig.status(at(450))
    assert rig.view(at(450)).valid


def test_doubt_is_repeated_while_it_lasts_and_no_faster() -> None:
    rig = ready()
    rig.core.on_message(Gap(FEED_MARKET, "feed.market", 3, "sequence"), at(0))
    asked = []
    for step in range(0, 6_000, 10):
        rig.status(at(step))
        if doubted(rig.core.on_tick(at(step))):
            asked.append(step)
    first = DOUBT_AFTER_NS // NS_PER_MS
    every = DOUBT_EVERY_NS // NS_PER_MS
    assert asked == [first, first + every, first + 2 * every]


def test_deaf_feed_is_asked_for_nothing() -> None:
    rig = ready()
    rig.core.on_message(Gap(FEED_MARKET, "", 3, "sequence"), at(0))
    rig.connected = False
    for step in range(0, 3_000, 100):
        rig.status(at(step))
        assert doubted(rig.core.on_tick(at(step))) == []


@pytest.mark.req("KS-4")
@pytest.mark.parametrize(("age_ms", "is_valid"), [(-1, True), (0, True), (1, False)])
def test_token_without_evidence_for_too_long_is_stale(age_ms: int, *, is_valid: bool) -> None:
    rig = ready()
    rig.evident_ms = 0
    now = at(STALE_MS + age_ms)
    rig.status(now)
    rig.core.on_tick(now)
    assert rig.view(now).valid == is_valid


@pytest.mark.req("KS-4")
def test_stale_book_stays_invalid_when_frames_come_again_until_a_snapshot() -> None:
    """What the stream told after a silence would be folded onto a book that missed changes."""
    rig = ready()
    rig.evident_ms = 0
    rig.status(at(2_500))
    rig.core.on_tick(at(2_500))
    rig.evident_ms = None
    rig.hear("feed.market", rig.up.frame(rig.up.step("BUY", 4_700, 5)), at(2_600))
    rig.status(at(2_600))
    rig.core.on_tick(at(2_600))
    assert not rig.view(at(2_600)).valid
    rig.dump(at(2_700))
    assert rig.view(at(2_700)).valid


@pytest.mark.parametrize(("late_ns", "is_valid"), [(0, True), (1, False)])
def test_silent_feed_process_is_not_believed(late_ns: int, *, is_valid: bool) -> None:
    rig = ready()
    now = at(0)
    later = Instant(
        now.boot_ns, MonotonicNs(now.monotonic_ns + STATUS_SILENT_NS_MAX + late_ns), now.wall_ns
    )
    assert rig.view(later).valid == is_valid


@pytest.mark.req("NET-3")
def test_new_session_of_the_feed_invalidates_every_book_of_the_old_one() -> None:
    rig = ready()
    rig.session = 2
    rig.status(at(1))
    assert rig.view(at(1)).reason == "Up: new session of the market feed"
    rig.dump(at(2))
    assert rig.view(at(2)).valid


def test_same_session_number_of_another_run_of_the_feed_is_a_new_session() -> None:
    rig = ready()
    rig.status(at(1), incarnation=2)
    assert not rig.view(at(1)).valid


def test_lost_facts_of_other_publishers_do_not_touch_the_books() -> None:
    rig = ready()
    rig.core.on_message(Gap(FEED_PRICE, "feed.price", 1, "sequence"), at(1))
    assert rig.view(at(1)).valid


def test_own_pause_invalidates_everything() -> None:
    rig = ready()
    rig.core.on_message(Paused(10**9), at(1))
    assert not rig.view(at(1)).valid


@pytest.mark.parametrize(("wall_ms", "is_valid"), [(59_999, True), (60_000, False)])
def test_ended_market_is_invalid_from_its_last_moment_on(wall_ms: int, *, is_valid: bool) -> None:
    rig = ready(59_990)
    rig.status(at(wall_ms))
    view = rig.view(at(wall_ms))
    assert (view.valid, view.reason) == (is_valid, "" if is_valid else "market ended")


def test_closed_market_leaves_the_view() -> None:
    rig = ready()
    gone = market_info(closed=True)
    rig.hear("feed.calendar", Calendar((gone,), at(1).monotonic_ns), at(1))
    (published,) = rig.core.snapshot(at(1))
    assert facts([published], "state.view")[0].markets == ()


@pytest.mark.req("DQ-4")
@pytest.mark.parametrize(
    "spoilt",
    [
        {"tokens": (TokenId("333"), DOWN)},
        {"min_size_e6": SizeE6(1_000_000)},
        {"neg_risk": True},
        {"version": "v2"},
    ],
)
def test_market_described_otherwise_shows_none_of_its_former_books(spoilt: dict[str, Any]) -> None:
    """One wrong answer of discovery once ended the process; now the books are proven anew."""
    rig = ready()
    right = rig.market
    rig.market = msgspec.structs.replace(right, **spoilt)
    rig.list_market(at(1))
    assert not rig.view(at(1)).valid
    rig.market = right
    rig.list_market(at(2))
    assert not rig.view(at(2)).valid
    rig.dump(at(3))
    assert rig.view(at(3)).valid


def test_market_carries_reference_strike_and_volatility() -> None:
    rig = ready()
    for step in range(60):
        tick = ReferencePrice(
            Asset("btc"),
            "chainlink",
            ReferenceE18((100_000 + step % 2) * 10**18),
            WallMs(WALL_START_MS + step * 500),
            at(step * 500).monotonic_ns,
        )
        rig.hear("feed.price", tick, at(step * 500))
    view = rig.view(at(30_000))
    assert view.strike_e18 == 100_000 * 10**18
    assert view.reference is not None
    assert view.reference.venue_ms == WALL_START_MS + 29_500
    assert view.spot == view.reference
    assert view.volatility_e9 is not None


def test_prices_before_the_first_calendar_are_kept() -> None:
    rig = Rig()
    tick = ReferencePrice(
        Asset("btc"), "chainlink", ReferenceE18(10**23), WallMs(WALL_START_MS), at(0).monotonic_ns
    )
    rig.hear("feed.price", tick, at(0))
    rig.list_market(at(1))
    assert rig.view(at(1)).strike_e18 == 10**23


def test_books_that_come_before_their_market_is_listed_are_kept() -> None:
    """The calendar reaches the feed a moment earlier, which subscribes at once."""
    rig = Rig()
    rig.status(at(0))
    rig.dump(at(0))
    rig.hear("feed.market", rig.up.frame(rig.up.step("BUY", 4_700, 5)), at(1))
    rig.list_market(at(2))
    assert rig.view(at(2)).valid


def test_early_books_of_an_older_session_are_forgotten() -> None:
    rig = Rig()
    rig.status(at(0))
    rig.dump(at(0))
    rig.session = 2
    rig.status(at(1))
    rig.list_market(at(2))
    assert rig.view(at(2)).reason == "Up: no snapshot yet"


def test_early_events_are_bounded() -> None:
    rig = Rig()
    rig.dump(at(0))
    for _ in range(EARLY_MAX - 1):
        rig.hear("feed.market", rig.down.snapshot(), at(1))
    rig.status(at(2))
    rig.list_market(at(2))
    assert rig.view(at(2)).reason == "Up: no snapshot yet"


def test_trade_is_told_to_both_books() -> None:
    rig = ready()
    for venue in (rig.up, rig.down):
        venue.last_trade = "0.335"
        venue.venue_ms += 10
        rig.hear("feed.market", venue.snapshot(after_trade=True), at(1))
    rig.hear(
        "feed.market",
        TradePrinted(rig.market.condition_id, UP, PriceE4(6_650), SizeE6(SHARE), "BUY", WallMs(1)),
        at(40),
    )
    assert rig.view(at(40)).valid
    assert rig.view(at(40)).proven_ns == at(40).monotonic_ns


def test_views_are_repeated_every_100_ms() -> None:
    rig = ready()
    times = [
        step for step in range(0, 1_000, 10) if facts(rig.core.on_tick(at(step)), "state.view")
    ]
    assert times == list(range(0, 1_000, 100))


def test_state_waits_for_a_calendar_and_ends_when_told() -> None:
    core = StateCore(config())
    assert core.health() == ("starting", "no calendar yet")
    assert of_type(core.on_message(Stop("test"), at(0)), Exit) == [Exit(0, "test")]
    assert ready().core.health() == ("ready", "")


def test_doubt_names_market_and_reason() -> None:
    rig = ready()
    rig.core.on_message(Gap(FEED_MARKET, "", 1, "sequence"), at(0))
    rig.core.on_tick(at(0))
    rig.status(at(501))
    effects = rig.core.on_tick(at(501))
    assert facts(effects, "state.doubted")[0] == BookDoubted(
        rig.market.condition_id, UP, "gap: sequence"
    )
