"""The feed of perpetual futures: evidence by stream, replays, refusals, silence, doubts."""

from itertools import pairwise
from typing import Any

import msgspec
import pytest

from services.feed.perp import FUTURE_MS_MAX, PING_EVERY_NS, PerpFeed
from shared.config import Config, PerpSettings
from shared.effects import (
    Effect,
    HttpFailed,
    HttpReply,
    HttpRequest,
    Received,
    StreamClose,
    StreamClosed,
    StreamOpen,
    StreamOpened,
    StreamText,
)
from shared.facts import FeedStatus, PerpBook, PerpContext, PerpDoubted, PerpTrade
from shared.identifiers import Asset, Incarnation
from shared.topics import RISK
from shared.units import NS_PER_MS, Instant
from tests.builders import perps
from tests.builders.feeds import at, config, facts, of_type, sent

URL = "ws://127.0.0.1:1/perp/ws"
INFO = "http://127.0.0.1:1"
STALE_MS = PerpSettings().context_stale_ms


def settings(**perp: Any) -> Config:
    wanted = PerpSettings(**{"enabled": True, "socket_url": URL, **perp})
    return msgspec.structs.replace(config(), perp=wanted)


class Rig:
    """A feed with a fake venue behind its socket and its requests."""

    def __init__(self, **perp: Any) -> None:
        self.feed = PerpFeed(settings(**perp), seed=1)
        self.stream = ""
        self.asked: list[HttpRequest] = []

    def open(self, now: Instant) -> list[Effect]:
        effects = self.feed.on_tick(now)
        (opening,) = of_type(effects, StreamOpen)
        self.asked = of_type(effects, HttpRequest)
        assert opening.url == URL
        self.stream = opening.stream
        return self.feed.on_message(StreamOpened(self.stream), now)

    def hear(self, body: object, now: Instant) -> list[Effect]:
        text = body if isinstance(body, str) else msgspec.json.encode(body).decode()
        return self.feed.on_message(StreamText(self.stream, text, now.monotonic_ns), now)

    def speak(self, now: Instant, milliseconds: int = 0) -> None:
        """Let the venue tell a context and a book."""
        self.hear(perps.context(), now)
        self.hear(perps.book(milliseconds=milliseconds), now)

    def answer(self, request: HttpRequest, body: object, now: Instant, status: int = 200) -> Any:
        raw = msgspec.json.encode(body)
        return self.feed.on_message(
            HttpReply(request.request_id, status, {}, raw, now.boot_ns), now
        )

    def status(self, now: Instant) -> FeedStatus:
        (found,) = facts(list(self.feed.snapshot(now)), "feed.status")
        assert isinstance(found, FeedStatus)
        return found

    def evident_ms(self, now: Instant) -> dict[str, float | None]:
        return {
            entry.key: None
            if entry.evident_ns is None
            else (entry.evident_ns - at(0).monotonic_ns) / NS_PER_MS
            for entry in self.status(now).evidence
        }


def connected(**perp: Any) -> Rig:
    rig = Rig(**perp)
    rig.open(at(0))
    rig.speak(at(10))
    assert rig.status(at(10)).connected
    return rig


def told(effects: list[Effect]) -> list[Any]:
    return facts(effects, "feed.perp")


def test_three_channels_of_each_asset_are_subscribed() -> None:
    frames = sent(Rig().open(at(0)))
    assert [frame["subscription"] for frame in frames] == [
        {"type": "activeAssetCtx", "coin": "BTC"},
        {"type": "l2Book", "coin": "BTC"},
        {"type": "trades", "coin": "BTC"},
    ]


def test_fast_book_is_asked_for_where_it_is_wanted() -> None:
    frames = sent(Rig(book="fast").open(at(0)))
    assert frames[1]["subscription"] == {"type": "l2Book", "coin": "BTC", "fast": True}


@pytest.mark.req("NET-1")
def test_connection_counts_once_context_and_book_have_come() -> None:
    rig = Rig()
    rig.open(at(0))
    rig.hear(perps.context(), at(5))
    assert not rig.status(at(5)).connected, "a subscription alone shows nothing"
    rig.hear(perps.book(), at(6))
    assert rig.status(at(6)).connected


@pytest.mark.req("DQ-1")
def test_each_stream_has_evidence_of_its_own() -> None:
    rig = connected()
    rig.hear(perps.context(), at(900))
    rig.feed.on_tick(at(900))
    assert rig.evident_ms(at(900)) == {"btc.context": 900, "btc.book": 10}


@pytest.mark.req("NET-1")
@pytest.mark.parametrize("silent", ["context", "book"])
def test_one_silent_stream_gives_the_connection_up_though_pongs_come(silent: str) -> None:
    rig = connected()
    for ms in range(500, STALE_MS + 10, 500):
        rig.hear({"channel": "pong"}, at(ms))
        if silent == "context":
            rig.hear(perps.book(milliseconds=ms), at(ms))
        else:
            rig.hear(perps.context(), at(ms))
        assert not of_type(rig.feed.on_tick(at(ms)), StreamClose)
    effects = rig.feed.on_tick(at(STALE_MS + 10))
    assert of_type(effects, StreamClose)
    status = rig.status(at(STALE_MS + 10))
    assert status.cause == f"btc.{silent} is silent"
    assert not status.connected


def test_ping_is_the_venues_own() -> None:
    rig = connected()
    frames = sent(rig.feed.on_tick(at(PING_EVERY_NS / NS_PER_MS + 20)))
    assert frames == [{"method": "ping"}]


def test_trades_without_anybody_trading_are_no_silence() -> None:
    rig = connected()
    for ms in range(1_000, 4 * STALE_MS, 1_000):
        rig.speak(at(ms), ms)
        rig.hear({"channel": "pong"}, at(ms))
        assert not of_type(rig.feed.on_tick(at(ms)), StreamClose)


@pytest.mark.req("DQ-2")
def test_trade_is_told_once_over_a_reconnect_and_the_missed_one_is_filled() -> None:
    rig = connected()
    first = told(rig.hear(perps.trades(perps.trade(1)), at(20)))
    assert [one.replayed for one in first] == [True]
    second = told(rig.hear(perps.trades(perps.trade(1), perps.trade(2)), at(30)))
    assert [(one.trade_id, one.replayed) for one in second] == [(2, False)]
    rig.feed.on_message(StreamClosed(rig.stream, 1006, "lost"), at(40))
    rig.open(at(2_000))
    rows = [perps.trade(number) for number in (1, 2, 3)]
    again = told(rig.hear(perps.trades(*rows), at(2_010)))
    assert [(one.trade_id, one.replayed) for one in again] == [(3, True)]


@pytest.mark.req("DQ-4")
@pytest.mark.parametrize(
    ("ahead_ms", "is_taken"), [(FUTURE_MS_MAX, True), (FUTURE_MS_MAX + 1, False)]
)
def test_stamp_of_the_future_is_refused(ahead_ms: int, is_taken: bool) -> None:
    rig = connected()
    book = rig.hear(perps.book(milliseconds=1_000 + ahead_ms), at(1_000))
    trade = rig.hear(perps.trades(perps.trade(1, 1_000 + ahead_ms)), at(1_000))
    assert [bool(told(effects)) for effects in (book, trade)] == [is_taken, is_taken]
    status = rig.status(at(1_000))
    assert (status.rejected_frames, status.future_stamps) == ((0, 0) if is_taken else (2, 2))


@pytest.mark.req("DQ-4")
def test_book_older_than_the_known_one_is_refused_until_the_next_connection() -> None:
    rig = connected()
    rig.hear(perps.book(milliseconds=800), at(800))
    assert not told(rig.hear(perps.book(milliseconds=799), at(900)))
    assert told(rig.hear(perps.book(milliseconds=800), at(900)))
    rig.feed.on_message(StreamClosed(rig.stream, 1006, "lost"), at(1_000))
    rig.open(at(3_000))
    assert told(rig.hear(perps.book(milliseconds=0), at(3_010)))


@pytest.mark.req("DQ-7", "DQ-5")
def test_negative_open_interest_is_refused_counted_and_no_evidence() -> None:
    rig = connected()
    assert not told(rig.hear(perps.context(openInterest="-36100.2"), at(700)))
    rig.feed.on_tick(at(700))
    assert rig.status(at(700)).rejected_frames == 1
    assert rig.evident_ms(at(700))["btc.context"] == 10
    assert (rig.status(at(700)).window_frames, rig.status(at(700)).window_rejected) == (3, 1)


@pytest.mark.parametrize("coin", ["ETH", "btc", "#17"])
def test_coin_that_nobody_asked_for_is_refused(coin: str) -> None:
    rig = connected()
    assert not told(rig.hear(perps.context(coin), at(20)))
    assert rig.status(at(20)).rejected_frames == 1


def test_greeting_and_unknown_channels_are_passed_over() -> None:
    rig = connected()
    rig.hear("Websocket connection established.", at(20))
    rig.hear({"channel": "notification", "data": {}}, at(20))
    assert rig.status(at(20)).rejected_frames == 0


def test_refused_subscription_is_not_called_again_soon() -> None:
    rig = connected()
    rig.hear({"channel": "error", "data": 'Invalid subscription {"coin":"NOPE"}'}, at(20))
    status = rig.status(at(20))
    assert (status.connected, status.state) == (False, "barred")
    assert "Invalid subscription" in status.cause
    assert not of_type(rig.feed.on_tick(at(5_000)), StreamOpen)


@pytest.mark.req("CB-3")
def test_doubt_of_risk_reads_everything_anew_once() -> None:
    rig = connected()
    assert len(told(list(rig.feed.snapshot(at(20))))) == 2
    doubt = PerpDoubted(Asset("btc"), 1, "contradicted")
    sent_by_risk = Received(
        RISK,
        Incarnation(3),
        "risk.perp_doubted",
        1,
        at(30).monotonic_ns,
        at(30).monotonic_ns,
        0,
        doubt,
    )
    assert of_type(rig.feed.on_message(sent_by_risk, at(30)), StreamClose)
    assert not told(list(rig.feed.snapshot(at(30))))
    rig.open(at(2_000))
    assert not rig.feed.on_message(sent_by_risk, at(2_010)), "repeated until the next"


# --- second opinion ---------------------------------------------------------------------


def asked(rig: Rig, now: Instant) -> list[HttpRequest]:
    return of_type(rig.feed.on_tick(now), HttpRequest)


def test_second_opinion_is_asked_in_rounds_and_told_with_the_time_of_asking() -> None:
    rig = Rig(info_url=INFO, sample_ms=5_000)
    contexts, book = asked(rig, at(0))
    assert [one.path for one in (contexts, book)] == ["/info", "/info"]
    assert msgspec.json.decode(contexts.body) == {"type": "metaAndAssetCtxs"}
    assert msgspec.json.decode(book.body) == {"type": "l2Book", "coin": "BTC"}
    (context,) = told(rig.answer(contexts, perps.contexts("ETH", "BTC"), at(80)))
    assert isinstance(context, PerpContext)
    assert (context.source, context.received_ns) == ("rest", at(0).monotonic_ns)
    (known,) = told(rig.answer(book, perps.book_data(), at(90)))
    assert isinstance(known, PerpBook)
    assert known.source == "rest"
    assert not asked(rig, at(4_999))
    assert len(asked(rig, at(5_000))) == 2


def test_second_opinion_never_vouches_for_the_socket() -> None:
    rig = connected(info_url=INFO)
    for request in rig.asked:
        body = perps.contexts("BTC") if b"meta" in request.body else perps.book_data()
        rig.answer(request, body, at(700))
    rig.feed.on_tick(at(700))
    assert rig.evident_ms(at(700)) == {"btc.context": 10, "btc.book": 10, "btc.sample": 0}


@pytest.mark.req("DQ-5")
@pytest.mark.parametrize(
    "body",
    [{}, None, perps.contexts("ETH"), perps.contexts("BTC", openInterest="-1"), [[], []]],
)
def test_answer_that_cannot_be_used_is_refused(body: object) -> None:
    rig = Rig(info_url=INFO)
    contexts, _ = asked(rig, at(0))
    assert not told(rig.answer(contexts, body, at(50)))
    assert rig.status(at(50)).rejected_frames == 1


@pytest.mark.req("NET-8")
def test_refused_question_is_repeated_ever_later_and_returns_to_its_pace() -> None:
    rig = Rig(info_url=INFO, sample_ms=5_000)
    moments: list[int] = []
    now_ms = 0
    while len(moments) < 6:
        requests = asked(rig, at(now_ms))
        if requests:
            moments.append(now_ms)
            for request in requests:
                rig.answer(request, "too many requests", at(now_ms), status=429)
        now_ms += 1_000
    waits = [after - before for before, after in pairwise(moments)]
    assert waits == [10_000, 20_000, 40_000, 60_000, 60_000]
    while not (requests := asked(rig, at(now_ms))):
        now_ms += 1_000
    for request in requests:
        body = perps.contexts("BTC") if b"meta" in request.body else perps.book_data()
        rig.answer(request, body, at(now_ms))
    assert not asked(rig, at(now_ms + 59_000))
    assert asked(rig, at(now_ms + 60_000))


def test_unanswered_question_is_asked_again_at_its_time() -> None:
    rig = Rig(info_url=INFO, sample_ms=5_000)
    for request in asked(rig, at(0)):
        rig.feed.on_message(HttpFailed(request.request_id, True, "deadline"), at(2_000))
    assert len(asked(rig, at(5_000))) == 2


def test_newest_of_both_ways_is_told_to_whoever_joins() -> None:
    rig = connected(info_url=INFO)
    rig.answer(rig.asked[0], perps.contexts("BTC"), at(40))
    rig.hear(perps.trades(perps.trade(1)), at(50))
    found = told(list(rig.feed.snapshot(at(60))))
    assert [(type(one), one.source) for one in found] == [
        (PerpBook, "socket"),
        (PerpContext, "rest"),
        (PerpContext, "socket"),
    ]
    assert not [one for one in found if isinstance(one, PerpTrade)]
