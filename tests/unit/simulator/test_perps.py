"""Perpetual futures of the simulated venue: dialect, numbers, and what faults do to them."""

from typing import Any

import msgspec
import pytest

from shared.facts import PerpBook, PerpContext, PerpTrade
from shared.identifiers import Asset
from shared.perps.parse import perp_book, perp_context, perp_trade
from shared.perps.wire import (
    BookFrame,
    ContextFrame,
    PerpBookData,
    TradesFrame,
    decode_contexts,
    decode_perp_frame,
)
from shared.units import MonotonicNs
from shared.venue.faults import WireFault
from tests.builders.venue_rig import VenueRig

SOCKET = 9
AT = MonotonicNs(1)
PERIODS_S = 12


def subscription(channel: str, coin: str = "BTC", **more: Any) -> dict[str, Any]:
    return {"method": "subscribe", "subscription": {"type": channel, "coin": coin, **more}}


def follow(rig: VenueRig, *channels: str, **more: Any) -> None:
    rig.open(SOCKET, "perp")
    for channel in channels:
        rig.say(SOCKET, subscription(channel, **more))


def heard(rig: VenueRig) -> list[PerpContext | PerpBook | PerpTrade]:
    """Return what a socket was told since the last call, as our own feed reads it."""
    found: list[PerpContext | PerpBook | PerpTrade] = []
    texts, rig.pushed[SOCKET] = rig.pushed[SOCKET], []
    for text in texts:
        match decode_perp_frame(text):
            case ContextFrame(data=data):
                found.append(perp_context(Asset("btc"), data.ctx, "socket", AT))
            case BookFrame(data=book):
                found.append(perp_book(Asset("btc"), book, "socket", AT))
            case TradesFrame(data=rows):
                found += [
                    perp_trade(Asset("btc"), row, replayed=False, received_ns=AT) for row in rows
                ]
            case _:
                pass
    return found


def context_of(rig: VenueRig) -> PerpContext:
    """Return the next context of a socket that follows them."""
    rig.frames(SOCKET)
    rig.advance(1)
    (found,) = [one for one in heard(rig) if isinstance(one, PerpContext)]
    return found


def asked(rig: VenueRig) -> PerpContext:
    """Return what the venue answers about the contexts."""
    number = rig.send("POST", "/info", b'{"type":"metaAndAssetCtxs"}')
    known = decode_contexts(rig.answers[number].body)
    return perp_context(Asset("btc"), known["BTC"], "rest", AT)


def depth(book: PerpBook) -> int:
    return sum(size for _, size in (*book.bids, *book.asks))


def book_of(rig: VenueRig) -> PerpBook:
    number = rig.send("POST", "/info", b'{"type":"l2Book","coin":"BTC"}')
    data = msgspec.json.decode(rig.answers[number].body, type=PerpBookData)
    return perp_book(Asset("btc"), data, "rest", AT)


def test_subscription_is_answered_and_followed_by_the_present_state() -> None:
    rig = VenueRig()
    follow(rig, "activeAssetCtx", "l2Book")
    frames = rig.frames(SOCKET)
    assert [frame["channel"] for frame in frames] == [
        "subscriptionResponse",
        "activeAssetCtx",
        "subscriptionResponse",
        "l2Book",
    ]
    assert frames[0]["data"]["subscription"] == {"type": "activeAssetCtx", "coin": "BTC"}


def test_contexts_come_each_second_deep_books_each_five_and_fast_ones_each_half() -> None:
    rig = VenueRig()
    follow(rig, "activeAssetCtx", "l2Book")
    rig.say(SOCKET, subscription("l2Book", fast=True))
    rig.frames(SOCKET)
    rig.advance(10)
    told = heard(rig)
    books = [one for one in told if isinstance(one, PerpBook)]
    assert len([one for one in told if isinstance(one, PerpContext)]) == 10
    assert len([one for one in books if len(one.bids) == 20]) == 2
    assert len([one for one in books if len(one.bids) == 5]) == 20


def test_trades_are_replayed_to_a_subscriber_and_then_told_once() -> None:
    rig = VenueRig()
    rig.advance(5)
    follow(rig, "trades")
    before = [one for one in heard(rig) if isinstance(one, PerpTrade)]
    rig.advance(PERIODS_S)
    after = [one for one in heard(rig) if isinstance(one, PerpTrade)]
    ids = [one.trade_id for one in (*before, *after)]
    assert before
    assert after
    assert len(ids) == len(set(ids))
    rig.leave(SOCKET)
    follow(rig, "trades")
    again = [one for one in heard(rig) if isinstance(one, PerpTrade)]
    known = {one.trade_id: (one.price_e18, one.size_e8, one.side) for one in after}
    assert all(
        known[one.trade_id] == (one.price_e18, one.size_e8, one.side)
        for one in again
        if one.trade_id in known
    )
    assert set(known) & {one.trade_id for one in again}


def test_what_it_says_of_itself_is_sound_for_a_long_time() -> None:
    rig = VenueRig()
    follow(rig, "activeAssetCtx", "l2Book", "trades")
    rig.advance(120)
    told = heard(rig)
    contexts = [one for one in told if isinstance(one, PerpContext)]
    assert len(contexts) > 100
    for one in contexts:
        assert abs(one.mark_e18 - one.oracle_e18) * 1_000 < one.oracle_e18, "a tenth of a percent"
        assert one.open_interest_e8 > 0
        assert 0 < one.funding_e12 < 50_000_000


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ("{", "Error parsing JSON"),
        ({"method": "subscribe"}, "Error parsing JSON"),
        ({"method": "sing"}, "Error parsing JSON"),
        (subscription("activeAssetCtx", "NOPE"), "Invalid subscription"),
        (subscription("candle"), "Invalid subscription"),
        (subscription("trades"), "Already subscribed"),
        (
            {"method": "unsubscribe", "subscription": {"type": "l2Book", "coin": "BTC"}},
            "Already unsubscribed",
        ),
    ],
)
def test_what_is_refused_is_told_in_prose(frame: object, words: str) -> None:
    rig = VenueRig()
    follow(rig, "trades")
    rig.frames(SOCKET)
    rig.say(SOCKET, frame)
    (answer,) = rig.frames(SOCKET)
    assert answer["channel"] == "error"
    assert words in answer["data"]


def test_client_that_says_nothing_for_a_minute_is_closed() -> None:
    rig = VenueRig()
    follow(rig, "activeAssetCtx")
    rig.advance(30)
    rig.say(SOCKET, {"method": "ping"})
    assert {"channel": "pong"} in rig.frames(SOCKET)
    rig.advance(59)
    assert not rig.closed
    rig.advance(2)
    assert [one.connection for one in rig.closed] == [SOCKET]
    rig.frames(SOCKET)
    rig.advance(2)
    assert not rig.pushed[SOCKET]


def test_answer_agrees_with_the_socket() -> None:
    rig = VenueRig()
    follow(rig, "activeAssetCtx")
    told = context_of(rig)
    known = asked(rig)
    assert (told.mark_e18, told.open_interest_e8) == (known.mark_e18, known.open_interest_e8)


def test_question_that_nobody_knows_is_no_answer() -> None:
    rig = VenueRig()
    number = rig.send("POST", "/info", b'{"type":"l2Book","coin":"NOPE"}')
    assert rig.answers[number].body == b"null"
    number = rig.send("POST", "/info", b'{"kind":"meta"}')
    assert rig.answers[number].status == 422


def test_same_seed_tells_the_same_after_a_restart() -> None:
    first, second = VenueRig(), VenueRig()
    first.advance(20)
    second.advance(20)
    assert book_of(first) == book_of(second)
    assert asked(first) == asked(second)


# --- faults -----------------------------------------------------------------------------


@pytest.mark.req("TST-9")
@pytest.mark.parametrize(
    ("channel", "left"), [("activeAssetCtx", PerpBook), ("l2Book", PerpContext)]
)
def test_one_channel_falls_silent_while_pongs_come(channel: str, left: type) -> None:
    rig = VenueRig()
    follow(rig, "activeAssetCtx", "l2Book")
    rig.frames(SOCKET)
    rig.fault("silence", stream="perp", asset=channel)
    rig.advance(10)
    rig.say(SOCKET, {"method": "ping"})
    assert '{"channel":"pong"}' in rig.pushed[SOCKET]
    assert {type(one) for one in heard(rig)} == {left}


@pytest.mark.req("TST-9", "DQ-7")
def test_negative_open_interest_comes_by_the_way_that_is_named() -> None:
    rig = VenueRig()
    follow(rig, "activeAssetCtx")
    rig.frames(SOCKET)
    rig.fault("negate_interest", stream="perp")
    rig.advance(1)
    with pytest.raises(WireFault, match="openInterest"):
        heard(rig)
    assert asked(rig).open_interest_e8 > 0


@pytest.mark.req("TST-9", "CB-3")
@pytest.mark.parametrize("way", ["", "perp", "perp_rest"])
def test_funding_and_depth_are_scaled_by_the_way_that_is_named(way: str) -> None:
    rig = VenueRig()
    follow(rig, "activeAssetCtx")
    rig.say(SOCKET, subscription("l2Book", fast=True))
    usual, deep = asked(rig).funding_e12, depth(book_of(rig))
    rig.fault("scale_perp", stream=way, event="funding", percent=1_500)
    rig.fault("scale_perp", stream=way, event="depth", percent=-98)
    rig.frames(SOCKET)
    rig.advance(1)
    told = heard(rig)
    context = next(one for one in told if isinstance(one, PerpContext))
    book = next(one for one in told if isinstance(one, PerpBook))
    assert (context.funding_e12 > 10 * usual) is (way != "perp_rest")
    assert (asked(rig).funding_e12 > 10 * usual) is (way != "perp")
    assert (depth(book) * 25 < deep // 4) is (way != "perp_rest")
    assert (depth(book_of(rig)) * 25 < deep) is (way != "perp")


@pytest.mark.req("TST-9", "DQ-6")
@pytest.mark.parametrize(
    ("event", "moves"),
    [("", (True, True, True)), ("perp", (True, False, False)), ("perp_rest", (False, True, False))],
)
def test_price_jumps_for_everybody_or_by_one_way_alone(
    event: str, moves: tuple[bool, bool, bool]
) -> None:
    rig = VenueRig()
    follow(rig, "activeAssetCtx")
    before = asked(rig).mark_e18
    rig.fault("move_price", event=event, percent=25)
    told, known = context_of(rig), asked(rig)
    found = tuple(
        price * 100 > before * 120 for price in (told.mark_e18, known.mark_e18, told.oracle_e18)
    )
    assert found == moves


def test_dropped_sockets_are_told_nothing_more() -> None:
    rig = VenueRig()
    follow(rig, "activeAssetCtx")
    rig.ask("POST", "/admin/drop", b'{"stream":"perp","code":1006}')
    assert [one.connection for one in rig.closed] == [SOCKET]
    rig.frames(SOCKET)
    rig.advance(3)
    assert not rig.pushed[SOCKET]
