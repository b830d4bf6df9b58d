"""Every oddity of the own-order stream that users have reported, as a frame through the feed.

Some of what is reported cannot reach this feed: public books, prints, ticks and resolutions are
the market feed's (silent assets, more than 500 tokens, hashes); orders that are refused, priced or
signed wrongly are told in the answer to a post; what concerns listings and reference prices is
told by other hosts. What an account makes of a report (ghost fills, sells that come too early,
orders without a terminal report) is execution's, and tried there with the same facts.
"""

from typing import Any

import pytest

from shared.effects import HttpFailed, HttpRequest, StreamClose
from shared.facts import OwnOrder, OwnTrade
from shared.venue.faults import Unparseable
from shared.venue.parse_user import parse_trade_id
from tests.builders.feeds import WALL_START_MS, at, facts, of_type
from tests.builders.markets import DOWN, MARKET, UP
from tests.builders.user_feed import (
    FIRST,
    SECOND,
    Rig,
    order_frame,
    order_row,
    page,
    ready,
    trade_frame,
    trade_row,
    witness,
)

SECONDS = str(WALL_START_MS // 1_000)
KILLED = "CANCELED_order couldn't be fully filled. FOK orders are fully filled or killed."


def told(frame: object) -> list[Any]:
    """Return what the feed tells of one frame."""
    return facts(ready().hear(frame, at(1)), "feed.user")


def without(frame: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in frame.items() if key not in keys}


ORDERS: dict[str, tuple[dict[str, Any], tuple[str, int | None, int | None]]] = {
    "placement": (order_frame(), ("LIVE", 10_000_000, 0)),
    "stamp in seconds": (order_frame(timestamp=SECONDS), ("LIVE", 10_000_000, 0)),
    "stamp as a number": (order_frame(timestamp=WALL_START_MS), ("LIVE", 10_000_000, 0)),
    "stamp only of its making": (
        without(order_frame(created_at=SECONDS), "timestamp"),
        ("LIVE", 10_000_000, 0),
    ),
    "made in milliseconds": (
        order_frame(created_at=str(WALL_START_MS)),
        ("LIVE", 10_000_000, 0),
    ),
    "killed, with prose for a status": (
        order_frame(type="CANCELLATION", status=KILLED, size_matched="", outcome="", created_at=""),
        ("CANCELED", 10_000_000, None),
    ),
    "invalidated": (order_frame(type="CANCELLATION", status="INVALID"), ("INVALID", 10_000_000, 0)),
    "update that cancels": (
        order_frame(
            type="UPDATE", status="CANCELED", size_matched="1.219511", associate_trades=["t1"]
        ),
        ("CANCELED", 10_000_000, 1_219_511),
    ),
    "cancelled though wholly matched": (
        order_frame(type="CANCELLATION", status="CANCELED", size_matched="10"),
        ("CANCELED", 10_000_000, 10_000_000),
    ),
    "update of a part": (
        order_frame(type="UPDATE", status="MATCHED", size_matched="4"),
        ("MATCHED", 10_000_000, 4_000_000),
    ),
    "without a status": (
        without(order_frame(type="CANCELLATION"), "status"),
        ("CANCELED", 10_000_000, 0),
    ),
    "with null for a status": (order_frame(status=None), ("LIVE", 10_000_000, 0)),
    "prefixed status in small letters": (
        order_frame(status="order_status_live"),
        ("LIVE", 10_000_000, 0),
    ),
    "without sizes": (
        without(order_frame(), "original_size", "size_matched"),
        ("LIVE", None, None),
    ),
    "sizes null": (order_frame(original_size=None, size_matched=None), ("LIVE", None, None)),
    "side in small letters": (order_frame(side="buy"), ("LIVE", 10_000_000, 0)),
    "what nobody reads is of other types": (
        order_frame(owner=None, outcome=7, order_type=None, expiration=[], maker_address={}),
        ("LIVE", 10_000_000, 0),
    ),
}


@pytest.mark.parametrize("name", ORDERS)
def test_order_is_told_however_it_is_written(name: str) -> None:
    frame, (status, original, matched) = ORDERS[name]
    (order,) = told(frame)
    assert isinstance(order, OwnOrder)
    assert (order.order_id, order.side, order.price, order.token) == (FIRST, "BUY", 4_900, UP)
    assert (order.status, order.original_size_e6, order.size_matched_e6) == (
        status,
        original,
        matched,
    )
    assert order.venue_ms // 1_000 == WALL_START_MS // 1_000


TRADES: dict[str, dict[str, Any]] = {
    "all there": trade_frame(),
    "stamp in seconds": trade_frame(timestamp=SECONDS),
    "another spelling": without(trade_frame(matchtime=SECONDS), "match_time"),
    "only the stamp of its last change": without(
        trade_frame(last_update=SECONDS), "match_time", "timestamp"
    ),
    "only its own stamp": without(trade_frame(), "match_time"),
    "no hash yet": trade_frame(transaction_hash=None),
    "an empty hash": trade_frame(transaction_hash=""),
    "bucket as text": trade_frame(bucket_index="3"),
    "bucket as null": trade_frame(bucket_index=None),
    "ids in capital letters": trade_frame("T1", taker_order_id="0x" + SECOND[2:].upper()),
    "side in small letters": trade_frame(side="sell"),
    "what nobody reads is of other types": trade_frame(
        owner=None, outcome=None, fee_rate_bps=[], maker_address=0, trader_side=None, type=None
    ),
}


@pytest.mark.req("VEN-6")
@pytest.mark.parametrize("name", TRADES)
def test_trade_is_told_however_it_is_written(name: str) -> None:
    (trade,) = told(TRADES[name])
    assert isinstance(trade, OwnTrade)
    assert (trade.trade_id, trade.market, trade.status) == ("t1", MARKET, "MATCHED")
    assert trade.match_ms // 1_000 == trade.venue_ms // 1_000 == WALL_START_MS // 1_000
    taker, maker = trade.legs
    assert (taker.order_id, taker.side, taker.role) == (SECOND, "SELL", "TAKER")
    assert (maker.order_id, maker.side, maker.size) == (FIRST, "BUY", 3_000_000)


@pytest.mark.req("VEN-6")
def test_maker_of_the_complement_is_told_in_its_own_token_side_and_price() -> None:
    """Two buyers of opposite outcomes: the pair is minted, and no side is inverted."""
    maker = {"order_id": FIRST, "matched_amount": "3", "price": "0.51", "asset_id": DOWN}
    (trade,) = told(trade_frame(side="BUY", maker_orders=[{**maker, "side": "BUY"}]))
    (unsided,) = told(trade_frame(side="BUY", maker_orders=[maker]))
    assert trade == unsided
    leg = trade.legs[1]
    assert (leg.token, leg.side, leg.price, leg.size) == (DOWN, "BUY", 5_100, 3_000_000)


@pytest.mark.parametrize("makers", [None, []])
def test_trade_that_names_no_maker_is_the_takers_alone(makers: object) -> None:
    (trade,) = told(trade_frame(maker_orders=makers))
    (leg,) = trade.legs
    assert (leg.role, leg.size) == ("TAKER", 3_000_000)


@pytest.mark.req("EX-10")
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("MATCHED", "MATCHED"),
        ("MATCHED_NOT_BROADCASTED", "MATCHED"),
        ("TRADE_STATUS_MINED", "MINED"),
        ("CONFIRMED", "CONFIRMED"),
        ("RETRYING", "RETRYING"),
        ("trade_status_failed", "FAILED"),
    ],
)
def test_first_news_of_a_trade_may_be_any_of_its_states(sent: str, status: str) -> None:
    (trade,) = told(trade_frame(status=sent))
    assert trade.status == status


def test_reports_are_told_in_the_order_in_which_they_came() -> None:
    """A trade before its order, an update before the placement: execution sorts them out."""
    rig = ready()
    update = order_frame(type="UPDATE", size_matched="3")
    seen = [
        facts(rig.hear(frame, at(1)), "feed.user")
        for frame in (trade_frame(), update, order_frame())
    ]
    assert [type(one).__name__ for (one,) in seen] == ["OwnTrade", "OwnOrder", "OwnOrder"]
    assert [order.size_matched_e6 for order in (seen[1][0], seen[2][0])] == [3_000_000, 0]
    witness(rig, 1_000, order_row(size_matched="3"))
    assert rig.evident_ms(at(1_000)) == 1_000, "the late placement took no matched size away"


def test_array_and_newline_are_read_as_one_object_is() -> None:
    assert len(told([order_frame(), trade_frame()])) == 2
    rig = ready()
    assert rig.hear("PONG\n", at(1)) == []
    assert rig.status(at(1)).rejected_frames == 0


def test_pong_with_something_behind_it_is_no_pong() -> None:
    rig = ready()
    rig.hear('PONG{"event_type":"order"}', at(1))
    assert rig.status(at(1)).rejected_frames == 1


@pytest.mark.req("DQ-5")
def test_kind_that_is_not_known_is_counted_and_shown_and_loses_nothing_else() -> None:
    rig = ready()
    effects = rig.hear([{"event_type": "position"}, trade_frame()], at(1))
    assert len(facts(effects, "feed.user")) == 1
    assert rig.status(at(1)).rejected_frames == 1


@pytest.mark.req("KS-2")
def test_socket_that_only_answers_pings_is_known_by_the_orders_that_it_never_told() -> None:
    rig = ready()
    dropped = []
    for second in range(1, 5):
        rig.hear("PONG", at(second * 1_000 - 500))
        dropped += of_type(witness(rig, second * 1_000, order_row()), StreamClose)
        if dropped:
            break
    assert dropped
    assert rig.evident_ms(at(5_000)) is None


@pytest.mark.parametrize("text", ["", "t" * 129])
def test_trade_id_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Unparseable):
        parse_trade_id(text, "id")


# --- what was missed is read -------------------------------------------------------------


@pytest.mark.req("NET-3", "KS-2")
def test_frame_that_cannot_be_read_is_a_gap_which_is_read() -> None:
    rig = ready(order_row())
    witness(rig, 1_000, order_row())
    rig.hear(trade_frame(size="three"), at(1_100))
    rig.hear(order_frame(), at(1_200))
    assert rig.evident_ms(at(1_300)) == 1_000, "nothing counts before the gap is read"
    reads = rig.reads(at(2_000))
    (trade,) = facts(rig.answer(reads["/data/trades"], page(trade_row()), at(2_010)), "feed.user")
    assert trade.status == "MINED"
    rig.answer(reads["/data/orders"], page(order_row(size_matched="3")), at(2_020))
    witness(rig, 3_000, order_row(size_matched="3"))
    assert rig.evident_ms(at(3_000)) == 3_000
    assert rig.status(at(3_000)).connected


def test_list_that_was_asked_for_before_a_gap_does_not_end_it() -> None:
    rig = Rig()
    rig.open(at(0))
    rig.hear("PONG", at(0))
    early = rig.reads(at(0))
    rig.hear("{", at(5))
    rig.answer(early["/data/orders"], page(), at(10))
    rig.answer(early["/data/trades"], page(), at(10))
    rig.hear(order_frame(), at(20))
    assert rig.evident_ms(at(20)) is None
    late = rig.reads(at(1_000))
    rig.answer(late["/data/orders"], page(order_row()), at(1_010))
    rig.answer(late["/data/trades"], page(), at(1_010))
    rig.hear(order_frame(), at(1_020))
    assert rig.evident_ms(at(1_020)) == 1_020


@pytest.mark.req("NET-3")
def test_trades_of_a_gap_over_several_pages_are_handed_on_once() -> None:
    rig = ready()
    rig.hear(trade_frame("t1", status="MINED"), at(100))
    rig.close(at(200))
    rig.open(at(200))
    rig.hear("PONG", at(200))
    request = rig.reads(at(200))["/data/trades"]
    first = rig.answer(request, page(trade_row("T1"), trade_row("t2"), cursor="Mg=="), at(210))
    (second,) = of_type(first, HttpRequest)
    last = rig.answer(second, page(trade_row("t2"), trade_row("t3")), at(220))
    assert [trade.trade_id for trade in facts([*first, *last], "feed.user")] == ["t2", "t3"]


def test_trade_whose_end_came_in_the_gap_is_told_again() -> None:
    rig = ready()
    rig.hear(trade_frame("t1"), at(100))
    rig.close(at(200))
    rig.open(at(200))
    rig.hear("PONG", at(200))
    request = rig.reads(at(200))["/data/trades"]
    (trade,) = facts(
        rig.answer(request, page(trade_row("t1", status="FAILED")), at(210)), "feed.user"
    )
    assert trade.status == "FAILED"


@pytest.mark.req("NET-3")
def test_trades_are_read_once_more_after_the_stream_has_surely_begun() -> None:
    rig = ready()
    asked = [second for second in range(1, 20) if "/data/trades" in read_all(rig, second)]
    assert asked == [6]


def test_second_look_that_nobody_answered_is_made_again() -> None:
    rig = ready()
    for second in range(1, 6):
        read_all(rig, second)
    lost = rig.reads(at(6_000))["/data/trades"]
    rig.feed.on_message(HttpFailed(lost.request_id, True, "deadline"), at(6_900))
    again = rig.reads(at(7_000))["/data/trades"]
    (trade,) = facts(rig.answer(again, page(trade_row()), at(7_010)), "feed.user")
    assert trade.trade_id == "t1"
    assert rig.status(at(7_010)).connected


def read_all(rig: Rig, second: int) -> dict[str, HttpRequest]:
    """Let a second pass, and answer that nothing is open and nothing was traded."""
    reads = rig.reads(at(second * 1_000))
    for request in reads.values():
        rig.answer(request, page(), at(second * 1_000 + 10))
    return reads


@pytest.mark.parametrize("cursor", ["a b\r\nX: 1", "&after=0", "ß"])
def test_cursor_cannot_change_the_request_that_it_goes_into(cursor: str) -> None:
    rig = ready()
    (following,) = of_type(
        rig.answer(rig.reads(at(1_000))["/data/orders"], page(cursor=cursor), at(1_010)),
        HttpRequest,
    )
    place = following.path.removeprefix("/data/orders?next_cursor=")
    assert place.isascii()
    assert not set(place) & set(" \r\n&#")


def test_cursor_beyond_all_bounds_is_refused() -> None:
    rig = ready()
    request = rig.reads(at(1_000))["/data/orders"]
    assert of_type(rig.answer(request, page(cursor="M" * 257), at(1_010)), HttpRequest) == []
    assert rig.status(at(1_010)).rejected_frames == 1
