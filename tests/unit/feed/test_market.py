"""The market feed: subscriptions, facts, evidence, what state doubts."""

import msgspec
import pytest

from services.feed.connection_rules import PING_EVERY_NS
from services.feed.market import (
    RESUBSCRIBE_EVERY_NS,
)
from shared.effects import (
    Exit,
    Log,
    ReachTold,
    Stop,
    StreamClose,
    StreamClosed,
    StreamOpen,
    StreamText,
)
from shared.facts import (
    BookDoubted,
    BookSnapshot,
    TickChanged,
    TradePrinted,
)
from shared.identifiers import TokenId
from shared.reach import HostReach
from shared.topics import STATE
from shared.units import NS_PER_MS, WallMs
from tests.builders.books import fact
from tests.builders.feeds import WALL_START_MS, at, facts, of_type, sent
from tests.builders.market_feed import Rig, frame_of, listed, ready
from tests.builders.markets import DOWN, UP


def test_feed_connects_when_there_is_something_to_subscribe() -> None:
    rig = Rig()
    assert of_type(rig.feed.on_tick(at(0)), StreamOpen) == []
    assert rig.feed.health()[0] == "starting"
    subscription, *_ = sent(rig.open(at(1)))
    assert subscription["assets_ids"] == [UP, DOWN]
    assert (subscription["type"], subscription["initial_dump"]) == ("market", True)


def test_new_session_is_told_before_any_of_its_books() -> None:
    rig = Rig()
    (status,) = facts(rig.open(at(0)), "feed.status")
    assert (status.session, status.connected) == (1, False)


def test_first_books_are_published_with_the_stamp_of_their_arrival() -> None:
    rig = Rig()
    rig.open(at(0))
    effects = rig.dump(at(7))
    books = facts(effects, "feed.market")
    assert [book.token for book in books] == [UP, DOWN]
    assert books[0] == rig.up.snapshot()
    assert {getattr(effect, "input_ns", 0) for effect in effects} == {at(7).monotonic_ns}


def test_frames_of_every_kind_become_facts_in_order() -> None:
    rig = ready()
    market = rig.markets[0].condition_id
    frames = [
        {
            "event_type": "last_trade_price",
            "market": market,
            "asset_id": UP,
            "price": "0.51",
            "size": "20",
            "side": "BUY",
            "timestamp": str(WALL_START_MS),
        },
        {
            "event_type": "tick_size_change",
            "market": market,
            "asset_id": UP,
            "old_tick_size": "0.01",
            "new_tick_size": "0.001",
            "timestamp": str(WALL_START_MS),
        },
        {"event_type": "new_market", "id": "1"},
    ]
    kinds = [type(body) for body in facts(rig.hear(frames, at(1)), "feed.market")]
    assert kinds == [TradePrinted, TickChanged]


@pytest.mark.req("DQ-5")
@pytest.mark.parametrize("text", ["", "{", "[1]", '{"event_type":"book"}', "pong"])
def test_frame_that_cannot_be_read_is_refused_counted_and_shown(text: str) -> None:
    rig = ready()
    effects = rig.hear(text, at(1))
    assert facts(effects, "feed.market") == []
    (log,) = of_type(effects, Log)
    assert log.fields["raw"] == text
    assert rig.status(at(1)).rejected_frames == 1


@pytest.mark.req("DQ-4")
@pytest.mark.parametrize(("ahead_ms", "is_taken"), [(5_000, True), (5_001, False)])
def test_frame_from_the_future_is_refused(ahead_ms: int, *, is_taken: bool) -> None:
    rig = ready()
    body = frame_of(rig.up, timestamp=str(WALL_START_MS + ahead_ms))
    assert bool(facts(rig.hear(body, at(0)), "feed.market")) == is_taken
    assert rig.status(at(0)).rejected_frames == (0 if is_taken else 1)


def test_frame_is_evidence_for_its_token_alone() -> None:
    rig = ready()
    change = rig.up.step("BUY", 4_700, 5)
    body = {
        "event_type": "price_change",
        "market": rig.markets[0].condition_id,
        "timestamp": str(rig.up.venue_ms),
        "price_changes": [
            {
                "asset_id": UP,
                "price": "0.47",
                "size": "5",
                "side": "BUY",
                "hash": change.hash,
                "best_bid": "0.49",
                "best_ask": "0.51",
            }
        ],
    }
    rig.hear(body, at(500))
    assert rig.evident_ms(UP, at(500)) == 500
    assert rig.evident_ms(DOWN, at(500)) == 0


@pytest.mark.req("DQ-4")
def test_frame_whose_stamp_goes_backwards_is_no_evidence() -> None:
    rig = ready()
    rig.hear(frame_of(rig.up, timestamp=str(WALL_START_MS - 1)), at(500))
    assert rig.evident_ms(UP, at(500)) == 0


def test_pong_is_no_evidence() -> None:
    rig = ready()
    rig.hear("PONG", at(500))
    assert rig.evident_ms(UP, at(500)) == 0


def test_late_message_of_an_older_connection_is_ignored() -> None:
    rig = ready()
    old = rig.stream
    rig.feed.on_message(StreamClosed(old, 1006, "gone"), at(1))
    text = StreamText(old, msgspec.json.encode(frame_of(rig.up)).decode(), at(2).monotonic_ns)
    assert rig.feed.on_message(text, at(2)) == []


@pytest.mark.req("NET-1")
def test_loss_of_the_connection_is_told_in_the_same_turn() -> None:
    rig = ready()
    rig.feed.on_tick(at(0))
    rig.feed.on_message(StreamClosed(rig.stream, 1006, "gone"), at(10))
    (status,) = facts(rig.feed.on_tick(at(10)), "feed.status")
    assert (status.connected, status.reconnects) == (False, 1)


@pytest.mark.req("KS-4")
def test_doubt_of_state_leads_to_one_new_subscription_at_a_time() -> None:
    rig = ready()
    doubt = BookDoubted(rig.markets[0].condition_id, UP, "hash disagrees")
    every = RESUBSCRIBE_EVERY_NS / NS_PER_MS
    counts = []
    for milliseconds in (0, every - 1, every):
        now = at(milliseconds)
        effects = rig.feed.on_message(fact(STATE, "state.doubted", doubt, now), now)
        counts.append(len(sent(effects)))
    assert counts == [2, 0, 2]


def test_doubt_about_a_foreign_token_is_ignored() -> None:
    rig = ready()
    doubt = BookDoubted(rig.markets[0].condition_id, TokenId("9"), "test")
    assert rig.feed.on_message(fact(STATE, "state.doubted", doubt, at(0)), at(0)) == []


@pytest.mark.req("MR-1")
def test_next_market_is_subscribed_and_the_ended_one_left() -> None:
    rig = ready()
    following = listed(
        condition_id="0x" + "b2" * 32,
        tokens=(TokenId("333"), TokenId("444")),
        start_ms=WallMs(WALL_START_MS + 60_000),
        end_ms=WallMs(WALL_START_MS + 120_000),
    )
    (added,) = sent(rig.list_markets(at(1), rig.markets[0], following))
    assert (added["operation"], added["assets_ids"]) == ("subscribe", ["333", "444"])
    rig.dump(at(59_998))
    assert sent(rig.feed.on_tick(at(59_999))) == ["PING"]
    (removed,) = [found for found in sent(rig.feed.on_tick(at(60_000))) if found != "PING"]
    assert (removed["operation"], removed["assets_ids"]) == ("unsubscribe", [UP, DOWN])


def test_feed_without_markets_closes_its_socket_and_opens_it_for_the_next() -> None:
    rig = ready()
    assert of_type(rig.list_markets(at(1), listed(closed=True)), StreamClose)
    assert not rig.status(at(1)).connected
    assert of_type(rig.list_markets(at(2), listed()), StreamOpen)


def test_snapshot_retells_the_books_as_folded() -> None:
    rig = ready()
    change = rig.up.step("BUY", 4_700, 5)
    entry = {
        "asset_id": UP,
        "price": "0.47",
        "size": "5",
        "side": "BUY",
        "hash": change.hash,
    }
    body = {
        "event_type": "price_change",
        "market": rig.markets[0].condition_id,
        "timestamp": str(rig.up.venue_ms),
        "price_changes": [entry],
    }
    rig.hear(body, at(1))
    books = facts(list(rig.feed.snapshot(at(2))), "feed.market")
    assert books[0] == rig.up.snapshot(last_trade_price=None)
    assert isinstance(books[1], BookSnapshot)


def test_snapshot_of_a_feed_without_connection_has_no_books() -> None:
    rig = ready()
    rig.feed.on_message(StreamClosed(rig.stream, 1006, "gone"), at(1))
    assert facts(list(rig.feed.snapshot(at(1))), "feed.market") == []


@pytest.mark.req("NET-1")
def test_ping_goes_out_in_the_venues_rhythm() -> None:
    rig = ready()
    times = []
    for step in range(0, 14_000, 500):
        if "PING" in sent(rig.feed.on_tick(at(step))):
            times.append(step)
            rig.hear("PONG", at(step))
    every = PING_EVERY_NS // NS_PER_MS
    assert times == [0, every, 2 * every]
    assert every == 5_000


def test_feed_ends_when_told() -> None:
    assert of_type(ready().feed.on_message(Stop("test"), at(0)), Exit) == [Exit(0, "test")]


@pytest.mark.req("NET-1")
def test_socket_that_only_answers_pings_is_given_up() -> None:
    rig = ready()
    for second in range(30):
        assert not of_type(rig.feed.on_tick(at(second * 1_000)), StreamClose)
        rig.hear("PONG", at(second * 1_000 + 1))
    assert of_type(rig.feed.on_tick(at(30_000)), StreamClose)
    assert rig.status(at(30_000)).cause == "no data at all for 30 s"


@pytest.mark.req("NET-6")
def test_change_of_subscription_is_kept_until_it_has_arrived_or_is_said_anew() -> None:
    rig = ready()
    rig.feed.on_tick(at(0))
    rig.hear("PONG", at(1))
    following = listed(condition_id="0x" + "b2" * 32, tokens=(TokenId("333"), TokenId("444")))
    rig.list_markets(at(2), rig.markets[0], following)
    rig.feed.on_message(StreamClosed(rig.stream, 1006, "gone"), at(3))
    rig.list_markets(at(4), rig.markets[0])
    said = sent(rig.open(at(4)))
    rig.dump(at(4))
    said += [one for one in sent(rig.feed.on_tick(at(5))) if one != "PING"]
    (opening,) = said
    assert opening["assets_ids"] == [UP, DOWN]


def test_status_says_what_the_feed_knows_of_its_names() -> None:
    rig = ready()
    host = HostReach("venue.example", "fallback", at(0).monotonic_ns, 2, 8, 40, "")
    assert rig.feed.on_message(ReachTold((host,)), at(1)) == []
    assert rig.status(at(1)).hosts == (host,)
