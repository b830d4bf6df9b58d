"""Execution as a whole: each switch that the gate holds by its own evidence."""

import msgspec
import pytest

from services.execution.messages import PanicSeen
from shared.effects import HttpRequest, HttpReset, Stop
from shared.facts import Alert
from shared.units import PriceE4, WallMs
from tests.builders.execution import Rig, resting, target
from tests.builders.markets import DOWN

# --- switches ---


@pytest.mark.req("KS-1")
def test_market_past_its_cutoff_is_cancelled_and_never_quoted_again() -> None:
    rig = resting()
    cutoff = WallMs(rig.now.wall_ms + 500)
    rig.info = msgspec.structs.replace(rig.info, cutoff_ms=cutoff)
    rig.run(480)
    assert len(rig.venue.open) == 2
    rig.run(60)
    assert rig.venue.open == {}
    posts = len(rig.venue.posts)
    rig.run(1_000)
    assert len(rig.venue.posts) == posts
    assert "cutoff" in rig.denials()


@pytest.mark.req("KS-2")
def test_stale_user_feed_cancels_all_and_resumes_after_reconciliation() -> None:
    rig = resting()
    rig.silent_feeds.add("feed_user")
    rig.run(2_900)
    assert len(rig.venue.open) == 2
    rig.run(250)
    assert rig.venue.open == {}
    rig.silent_feeds.clear()
    reads = len(rig.venue.seen("/data/orders"))
    rig.run(500)
    assert len(rig.venue.seen("/data/orders")) > reads, "reconciled first"
    assert len(rig.venue.open) == 2


@pytest.mark.req("KS-2")
def test_nothing_is_placed_after_a_user_feed_break_until_reads_answer() -> None:
    rig = resting()
    rig.venue.silent.add("read")
    rig.user_session = 2
    rig.wishes = ()
    rig.run(200)
    rig.wishes = (target(),)
    rig.run(1_000)
    assert rig.venue.open == {}
    assert "reconciled" in rig.denials()
    rig.venue.silent.clear()
    rig.run(1_000)
    assert len(rig.venue.open) == 1


@pytest.mark.req("KS-3")
def test_silent_oracle_pauses_at_three_and_cancels_at_ten_seconds() -> None:
    rig = resting()
    rig.silent_feeds.add("feed_price")
    rig.run(3_200)
    assert len(rig.venue.open) == 2, "paused, not cancelled"
    rig.wishes = (target(), target(token=DOWN), target(level=1, price=PriceE4(4_700)))
    rig.run(300)
    assert len(rig.venue.open) == 2
    assert "oracle" in rig.denials()
    rig.run(6_700)
    assert rig.venue.open == {}


@pytest.mark.req("KS-4")
def test_stale_market_feed_cancels_its_tokens() -> None:
    rig = resting()
    rig.silent_feeds.add("feed_market")
    rig.run(1_900)
    assert len(rig.venue.open) == 2
    rig.run(250)
    assert rig.venue.open == {}


@pytest.mark.req("KS-4")
def test_invalid_view_cancels_the_market() -> None:
    rig = resting()
    rig.view = {"valid": False, "reason": "hash differs"}
    rig.run(150)
    assert rig.venue.open == {}
    assert "state_view" in rig.denials()


def test_state_that_is_silent_cancels_the_market() -> None:
    rig = resting()
    rig.silent_feeds.add("state")
    rig.run(1_150)
    assert rig.venue.open == {}


def test_market_that_leaves_the_calendar_is_cancelled() -> None:
    rig = resting()
    rig.info = msgspec.structs.replace(rig.info, accepting_orders=False)
    rig.run(150)
    assert rig.venue.open == {}


def test_fence_resets_the_connections_of_posts_before_it_cancels() -> None:
    """The kernel delivered an order 6.9 s after a kill -9 of its process (measured)."""
    rig = resting()
    told = [type(effect) for effect in rig.fence()]
    assert HttpReset in told
    assert told.index(HttpReset) < told.index(HttpRequest)


def test_panic_file_blocks_and_cancels() -> None:
    rig = resting()
    rig.tell(PanicSeen(True))
    rig.run(100)
    assert rig.venue.open == {}
    assert rig.core.may_send(rig.venue.posts[0].permit, rig.now) == "panic"
    rig.run(8_000)
    assert rig.venue.open == {}


@pytest.mark.req("KS-12")
def test_stop_ends_only_after_zero_is_proven() -> None:
    rig = resting()
    rig.tell(Stop("SIGTERM"))
    rig.run(1_000)
    assert rig.venue.open == {}
    assert rig.ended() is None
    rig.run(6_000)
    ended = rig.ended()
    assert ended is not None
    assert ended.status == 0


@pytest.mark.req("KS-12")
def test_stop_is_honest_when_the_venue_does_not_answer() -> None:
    rig = resting()
    rig.venue.silent |= {"cancel", "read"}
    rig.tell(Stop("SIGTERM"))
    rig.run(11_900)
    assert rig.ended() is None
    rig.run(300)
    ended = rig.ended()
    assert ended is not None
    assert ended.status == 1
    assert "not proven" in ended.reason


def test_stop_before_there_are_credentials_ends_at_once() -> None:
    rig = Rig()
    rig.tell(Stop("SIGTERM"))
    assert rig.exit is not None
    assert rig.exit.status == 0


# --- cancels ---


@pytest.mark.req("INV-4")
@pytest.mark.req("EX-3")
def test_cancel_refused_by_429_is_repeated_within_a_quarter_second() -> None:
    rig = resting()
    rig.venue.cancel_status = 429
    rig.venue.cancel_headers = {"retry-after": "30"}
    before = len(rig.sent(HttpRequest, "cancel"))
    rig.wishes = ()
    rig.run(1_100)
    assert len(rig.sent(HttpRequest, "cancel")) >= before + 4
    rig.venue.cancel_status = 200
    rig.run(300)
    assert rig.venue.open == {}


@pytest.mark.req("EX-3")
def test_repeated_cancel_failures_escalate_to_one_cancel_all_and_an_alert() -> None:
    rig = resting()
    before = len(rig.venue.seen("/cancel-all"))
    rig.venue.cancel_status = 500
    rig.wishes = ()
    rig.run(2_000)
    assert len(rig.venue.seen("/cancel-all")) > before
    assert any(alert.name == "cancel_failing" for alert in rig.published(Alert))
