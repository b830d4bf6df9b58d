"""The market feed: subscriptions, facts, evidence, witnesses, new subscriptions."""

from typing import Any

import msgspec
import pytest

from services.feed.market import (
    PING_EVERY_NS,
    RECONNECT_EVERY_NS,
    RESUBSCRIBE_EVERY_NS,
    WITNESS_AFTER_NS,
    MarketFeed,
)
from services.feed.witness import DISAGREEMENTS_RECONNECT, DISAGREEMENTS_RESUBSCRIBE
from shared.effects import (
    Effect,
    Exit,
    HttpFailed,
    HttpReply,
    HttpRequest,
    Log,
    Stop,
    StreamClose,
    StreamClosed,
    StreamOpen,
    StreamOpened,
    StreamText,
)
from shared.facts import (
    BookDoubted,
    BookSnapshot,
    Calendar,
    FeedStatus,
    MarketInfo,
    TickChanged,
    TradePrinted,
)
from shared.identifiers import TokenId
from shared.topics import FEED_DISCOVERY, STATE
from shared.units import NS_PER_MS, BootNs, Instant, PriceE4, WallMs
from shared.venue.decimals import format_price, format_size
from tests.builders.books import VenueBook, fact
from tests.builders.feeds import WALL_START_MS, at, config, facts, of_type, sent
from tests.builders.markets import DOWN, UP, market_info


def listed(**spoil: Any) -> MarketInfo:
    fields = {"start_ms": WallMs(WALL_START_MS), "end_ms": WallMs(WALL_START_MS + 60_000)}
    return market_info(**{**fields, **spoil})


def frame_of(book: VenueBook, **spoil: Any) -> dict[str, Any]:
    """Return a book frame as the venue writes it."""
    fields = {
        "event_type": "book",
        "market": book.market.condition_id,
        "asset_id": book.token,
        "timestamp": str(book.venue_ms),
        "hash": book.hash(),
        "bids": [level(*row) for row in book.levels("BUY")],
        "asks": [level(*row) for row in book.levels("SELL")],
        "tick_size": format_price(book.tick),
        "last_trade_price": book.last_trade,
    }
    return {**fields, **spoil}


def level(price: PriceE4, size: Any) -> dict[str, str]:
    return {"price": format_price(price), "size": format_size(size)}


def rest_of(book: VenueBook, **spoil: Any) -> bytes:
    fields = {**frame_of(book), "min_order_size": "5", "neg_risk": False}
    return msgspec.json.encode({**fields, **spoil})


class Rig:
    """A market feed with a fake venue behind its socket."""

    def __init__(self, *markets: MarketInfo) -> None:
        self.feed = MarketFeed(config(), seed=1)
        self.markets = markets or (listed(),)
        self.stream = ""
        self.up = VenueBook(UP, self.markets[0])
        self.down = VenueBook(DOWN, self.markets[0])
        for book in (self.up, self.down):
            book.venue_ms = WALL_START_MS

    def list_markets(self, now: Instant, *markets: MarketInfo) -> list[Effect]:
        self.markets = markets or self.markets
        calendar = Calendar(self.markets, now.monotonic_ns)
        return self.feed.on_message(fact(FEED_DISCOVERY, "feed.calendar", calendar, now), now)

    def open(self, now: Instant) -> list[Effect]:
        effects = self.list_markets(now)
        (opening,) = of_type(effects or self.feed.on_tick(now), StreamOpen)
        self.stream = opening.stream
        return self.feed.on_message(StreamOpened(self.stream), now)

    def hear(self, body: object, now: Instant) -> list[Effect]:
        text = body if isinstance(body, str) else msgspec.json.encode(body).decode()
        return self.feed.on_message(StreamText(self.stream, text, now.monotonic_ns), now)

    def dump(self, now: Instant) -> list[Effect]:
        return self.hear([frame_of(self.up), frame_of(self.down)], now)

    def status(self, now: Instant) -> FeedStatus:
        (found,) = facts(list(self.feed.snapshot(now)), "feed.status")
        assert isinstance(found, FeedStatus)
        return found

    def evident_ms(self, token: TokenId, now: Instant) -> float | None:
        stamps = {entry.key: entry.evident_ns for entry in self.status(now).evidence}
        stamp = stamps[token]
        return None if stamp is None else (stamp - at(0).monotonic_ns) / NS_PER_MS

    def answer(self, request: HttpRequest, body: bytes, now: Instant, status: int = 200) -> Any:
        reply = HttpReply(request.request_id, status, {}, body, BootNs(0))
        return self.feed.on_message(reply, now)

    def asked(self, now: Instant) -> dict[str, HttpRequest]:
        """Tick, and return the reads by token."""
        requests = of_type(self.feed.on_tick(now), HttpRequest)
        return {request.path.partition("token_id=")[2]: request for request in requests}


def ready() -> Rig:
    rig = Rig()
    rig.open(at(0))
    rig.dump(at(0))
    assert rig.status(at(0)).connected
    return rig


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


def test_silent_token_is_asked_about_after_a_second_and_not_before() -> None:
    rig = ready()
    after = WITNESS_AFTER_NS / NS_PER_MS
    assert rig.asked(at(after - 1)) == {}
    requests = rig.asked(at(after))
    assert sorted(requests) == [UP, DOWN]
    assert not requests[UP].authenticated
    assert rig.asked(at(2 * after - 1)) == {}
    assert sorted(rig.asked(at(2 * after))) == [UP, DOWN]


@pytest.mark.req("KS-4")
def test_witness_that_agrees_is_evidence_of_when_it_was_asked() -> None:
    rig = ready()
    requests = rig.asked(at(1_000))
    rig.answer(requests[UP], rest_of(rig.up), at(1_200))
    assert rig.evident_ms(UP, at(1_200)) == 1_000
    assert rig.evident_ms(DOWN, at(1_200)) == 0


def test_witness_with_equal_levels_agrees_whatever_its_stamp_and_hash() -> None:
    rig = ready()
    requests = rig.asked(at(1_000))
    body = rest_of(rig.up, timestamp=str(WALL_START_MS + 900), hash="0" * 40)
    rig.answer(requests[UP], body, at(1_200))
    assert rig.evident_ms(UP, at(1_200)) == 1_000


def disagree(rig: Rig, milliseconds: int) -> list[Effect]:
    """Let the witness see another book; return what the feed does about it."""
    requests = rig.asked(at(milliseconds))
    rig.up.set("BUY", 4_000, milliseconds)
    body = rest_of(rig.up, timestamp=str(WALL_START_MS + milliseconds))
    effects: list[Effect] = rig.answer(requests[UP], body, at(milliseconds))
    rig.answer(requests[DOWN], rest_of(rig.down), at(milliseconds))
    return effects


@pytest.mark.req("KS-4")
def test_witness_that_disagrees_is_never_evidence_and_leads_to_a_new_subscription() -> None:
    rig = ready()
    for number in range(1, DISAGREEMENTS_RESUBSCRIBE + 1):
        operations = sent(disagree(rig, number * 1_000))
        if number < DISAGREEMENTS_RESUBSCRIBE:
            assert operations == []
    assert [(found["operation"], found["assets_ids"]) for found in operations] == [
        ("unsubscribe", [UP]),
        ("subscribe", [UP]),
    ]
    assert rig.evident_ms(UP, at(5_000)) == 0


def test_connection_is_given_up_when_new_subscriptions_do_not_help() -> None:
    rig = ready()
    closed = [
        number
        for number in range(1, DISAGREEMENTS_RECONNECT + 3)
        if rig.status(at(number * 1_000)).connected
        and of_type(disagree(rig, number * 1_000), StreamClose)
    ]
    assert closed == [DISAGREEMENTS_RECONNECT]


def test_connection_is_given_up_for_disagreement_at_a_bounded_rate() -> None:
    rig = ready()
    closes = 0
    for second in range(1, 60):
        rig.hear("PONG", at(second * 1_000))
        if not rig.status(at(second * 1_000)).connected:
            effects = rig.feed.on_tick(at(second * 1_000 + 900))
            rig.stream = of_type(effects, StreamOpen)[0].stream
            rig.feed.on_message(StreamOpened(rig.stream), at(second * 1_000 + 900))
            rig.dump(at(second * 1_000 + 900))
            continue
        requests = rig.asked(at(second * 1_000))
        if UP in requests:
            body = rest_of(rig.up, timestamp=str(WALL_START_MS + second * 1_000), bids=[])
            effects = rig.answer(requests[UP], body, at(second * 1_000))
            closes += bool(of_type(effects, StreamClose))
    assert closes <= 60_000 // (RECONNECT_EVERY_NS // NS_PER_MS)


def test_older_witness_says_nothing() -> None:
    rig = ready()
    for number in range(1, 10):
        requests = rig.asked(at(number * 1_000))
        body = rest_of(rig.up, timestamp=str(WALL_START_MS - 1), bids=[], hash="0" * 40)
        assert rig.answer(requests[UP], body, at(number * 1_000)) == []
    assert rig.evident_ms(UP, at(10_000)) == 0


def test_agreement_forgives_earlier_disagreements() -> None:
    rig = ready()
    disagree(rig, 1_000)
    disagree(rig, 2_000)
    rig.hear(frame_of(rig.up), at(2_500))
    assert sent(disagree(rig, 4_000)) == []


@pytest.mark.parametrize("status", [404, 429, 500, 503])
def test_refused_witness_says_nothing(status: int) -> None:
    rig = ready()
    requests = rig.asked(at(1_000))
    assert rig.answer(requests[UP], b"{}", at(1_100), status) == []
    assert rig.status(at(1_100)).rejected_frames == 0


def test_witness_that_cannot_be_read_is_refused_and_shown() -> None:
    rig = ready()
    requests = rig.asked(at(1_000))
    assert of_type(rig.answer(requests[UP], b"<html>", at(1_100)), Log)
    rig.answer(requests[DOWN], rest_of(rig.up), at(1_100))
    assert rig.status(at(1_100)).rejected_frames == 2
    assert rig.evident_ms(DOWN, at(1_100)) == 0


def test_failed_witness_is_asked_again() -> None:
    rig = ready()
    requests = rig.asked(at(1_000))
    for request in requests.values():
        rig.feed.on_message(HttpFailed(request.request_id, True, "deadline"), at(1_500))
    assert sorted(rig.asked(at(2_000))) == [UP, DOWN]


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


def test_ping_goes_out_in_the_venues_rhythm() -> None:
    rig = ready()
    times = []
    for step in range(0, 25_000, 500):
        if "PING" in sent(rig.feed.on_tick(at(step))):
            times.append(step)
            rig.hear("PONG", at(step))
    every = PING_EVERY_NS // NS_PER_MS
    assert times == [0, every, 2 * every]


def test_feed_ends_when_told() -> None:
    assert of_type(ready().feed.on_message(Stop("test"), at(0)), Exit) == [Exit(0, "test")]
