"""Each fault of single frames and answers makes exactly what it says."""

from typing import Any

import msgspec
import pytest

from services.simulator.edge import Push
from shared.facts import OwnOrder
from shared.venue.faults import WireFault
from shared.venue.parse_user import user_events
from shared.venue.wire import encode
from tests.builders.venue_rig import VenueRig


def followed(kind: str, **terms: Any) -> VenueRig:
    """Return a venue with both sockets open and one fault on."""
    rig = VenueRig()
    rig.follow_market(1)
    rig.follow_user(2)
    rig.frames(1)
    rig.fault(kind, **terms)
    return rig


def ended(rig: VenueRig) -> dict[str, Any]:
    """Return the frame of the end of an order that was placed and cancelled."""
    rig.place()
    rig.frames(2)
    rig.send("DELETE", "/cancel-all")
    (frame,) = rig.frames(2)
    assert isinstance(frame, dict)
    return frame


def traded(rig: VenueRig) -> list[dict[str, Any]]:
    """Return the user's frames of a match."""
    rig.place(outcome=1, price=4_000, size=10)
    rig.frames(2)
    rig.place(outcome=0, price=6_000, size=10)
    return rig.frames(2)


def test_mute_socket_answers_no_ping_either() -> None:
    rig = followed("mute", stream="user")
    for connection in (1, 2):
        rig.say(connection, "PING")
    rig.place()
    assert rig.pushed[2] == []
    assert rig.pushed[1][0] == "PONG"
    assert len(rig.pushed[1]) == 2


def test_frames_of_one_event_are_lost_and_no_others() -> None:
    rig = followed("lose_frames", stream="user", event="PLACEMENT", count=1)
    assert ended(rig)["type"] == "CANCELLATION"
    rig.place()
    assert [frame["type"] for frame in rig.frames(2)] == ["PLACEMENT"]


def test_first_book_is_lost_and_the_stream_goes_on() -> None:
    rig = VenueRig()
    rig.fault("lose_frames", stream="market", event="dump")
    rig.follow_market(1)
    assert rig.pushed[1] == []
    rig.place()
    assert [frame["event_type"] for frame in rig.frames(1)] == ["price_change"]


def test_frames_of_another_asset_are_not_met() -> None:
    rig = followed("lose_frames", asset="eth")
    rig.place()
    assert len(rig.frames(1)) == len(rig.frames(2)) == 1
    rig.fault("lose_frames", asset="btc")
    rig.place(price=200)
    assert rig.frames(1) == rig.frames(2) == []


def test_doubled_frame_is_sent_twice() -> None:
    rig = followed("double_frames", stream="user")
    rig.place()
    first, second = rig.frames(2)
    assert first == second


def test_delayed_frame_comes_after_what_came_later() -> None:
    rig = followed("delay_frames", stream="user", event="PLACEMENT", delay_ms=200)
    rig.place()
    rig.send("DELETE", "/cancel-all")
    rig.advance(0.199)
    assert [frame["type"] for frame in rig.frames(2)] == ["CANCELLATION"]
    rig.advance(0.002)
    assert [frame["type"] for frame in rig.frames(2)] == ["PLACEMENT"]


@pytest.mark.req("TST-9")
def test_frame_that_is_cut_goes_out_as_half_of_itself_once() -> None:
    """What half of a frame does to a reader is seen in the process tests of feeds."""
    rig = followed("cut_frames", stream="user", count=1)
    rig.place()
    rig.send("DELETE", "/cancel-all")
    pushed = [one for one in rig.trace if isinstance(one, Push) and one.connection == 2]
    assert [one.is_cut for one in pushed] == [True, False]


def test_stamps_become_seconds() -> None:
    rig = followed("stamp_seconds", stream="user")
    assert ended(rig)["timestamp"] == str(rig.now_s)


def test_bucket_becomes_text() -> None:
    frames = traded(followed("text_bucket", stream="user"))
    buckets = [frame["bucket_index"] for frame in frames if frame["event_type"] == "trade"]
    assert buckets
    assert set(buckets) == {"0"}


def test_end_is_told_in_prose_with_empty_members() -> None:
    frame = ended(followed("prose_status"))
    assert frame["status"].startswith("CANCELED_order couldn't be fully filled")
    assert (frame["size_matched"], frame["outcome"], frame["created_at"]) == ("", "", "")


def test_end_is_told_as_an_update() -> None:
    frame = ended(followed("update_canceled"))
    assert (frame["type"], frame["status"]) == ("UPDATE", "CANCELED")


def test_own_events_are_spelt_loosely_and_are_the_same_events() -> None:
    loose, right = followed("loose_fields", stream="user"), followed("silence", stream="market")
    for rig in (loose, right):
        rig.place()
    (frame,), (same,) = loose.frames(2), right.frames(2)
    assert "original_size" not in frame
    assert (frame["side"], frame["id"].lower()) == (same["side"].lower(), same["id"])
    (told,), (true,) = (user_events(encode(one)) for one in (frame, same))
    assert isinstance(told, OwnOrder)
    assert isinstance(true, OwnOrder)
    assert (told.order_id, told.status, told.price) == (true.order_id, true.status, true.price)


def test_own_events_cannot_be_read() -> None:
    rig = followed("garble_own", stream="user")
    rig.place()
    (text,) = rig.pushed[2]
    with pytest.raises(WireFault):
        user_events(text)


@pytest.mark.parametrize(
    ("kind", "member"), [("lie_touch", "best_bid"), ("lie_level", "size"), ("corrupt_hash", "hash")]
)
def test_change_tells_one_thing_wrongly(kind: str, member: str) -> None:
    wrong = followed(kind, stream="market")
    right = followed("silence", stream="user")
    frames = []
    for rig in (wrong, right):
        rig.place(price=300)
        frames.append(rig.frames(1)[0]["price_changes"])
    for told, true in zip(*frames, strict=True):
        different = {name for name in told if told[name] != true[name]}
        assert member in different
        assert different <= {member, "best_ask", "best_bid"}


@pytest.mark.parametrize("kind", ["cross_book", "empty_side"])
def test_wrong_levels_stand_in_changes_and_in_first_books(kind: str) -> None:
    rig = followed(kind, stream="market")
    rig.place(price=300)
    (change,) = (one for one in rig.frames(1)[0]["price_changes"] if one["side"] == "BUY")
    rig.follow_market(3)
    (books,) = rig.frames(3)
    if kind == "cross_book":
        assert (change["price"], change["size"]) == ("0.99", "7777")
        assert all(book["bids"][-1]["price"] == "0.99" for book in books)
        assert all(book["asks"][-1]["price"] == "0.01" for book in books)
    else:
        assert (change["size"], change["best_bid"]) == ("0", "")
        assert all(book["bids"] == [] for book in books)


def test_tick_that_does_not_change_is_told() -> None:
    rig = followed("repeat_tick", count=1)
    rig.place()
    change, tick = rig.frames(1)
    assert change["event_type"] == "price_change"
    assert tick["event_type"] == "tick_size_change"
    assert tick["old_tick_size"] == tick["new_tick_size"] == "0.01"


def test_lost_tick_of_the_price_socket_leaves_a_gap_in_its_numbers() -> None:
    rig = VenueRig()
    rig.open(3, "price")
    rig.say(3, {"op": "auth", "v": 1, "rid": "a", "auth": rig.auth()})
    wish = {"channel": "price.crypto", "filter": {"symbol": "btcusd", "provider": "pyth"}}
    rig.say(3, {"op": "subscribe", "v": 1, "rid": "s", "subscriptions": [wish]})
    rig.advance(3)
    before = [frame["seq"] for frame in rig.frames(3) if "seq" in frame]
    assert before
    rig.fault("lose_frames", stream="price", count=1)
    rig.advance(3)
    after = [frame["seq"] for frame in rig.frames(3) if "seq" in frame]
    assert after[0] == before[-1] + 2


# --- answers --------------------------------------------------------------------------


def test_answer_is_replaced_though_the_order_was_taken() -> None:
    rig = VenueRig()
    rig.fault("replace_reply", path="/order", status=500, text="could not run the execution")
    assert rig.post(rig.client.order(rig.market))[0] == 500
    assert len(rig.open_ids()) == 1


def test_answer_is_cut_in_the_middle() -> None:
    rig = VenueRig()
    whole = rig.answers[rig.send("GET", "/data/orders")].body
    rig.fault("truncate_reply")
    cut = rig.answers[rig.send("GET", "/data/orders")].body
    assert cut == whole[: len(whole) // 2]


def test_page_loses_its_envelope() -> None:
    rig = VenueRig()
    order_id = rig.place()
    rig.fault("bare_list", path="/data/orders")
    body = rig.ask("GET", "/data/orders")[1]
    assert [row["id"] for row in body] == [order_id]


def test_ended_order_is_hidden_and_a_live_one_is_not() -> None:
    rig = VenueRig()
    gone, live = rig.place(), rig.place(price=200)
    rig.ask("DELETE", "/order", encode({"orderID": gone}))
    rig.fault("hide_ended")
    assert rig.ask("GET", f"/data/order/{gone}") == (200, None)
    assert rig.ask("GET", f"/data/order/{live}")[1]["id"] == live


def test_list_of_markets_ends_early_and_does_not_say_so() -> None:
    rig = VenueRig()
    whole = rig.ask("GET", "/markets/keyset")[1]["markets"]
    assert len(whole) > 1
    rig.fault("cap_list", path="/markets", rows=1)
    capped = rig.ask("GET", "/markets/keyset")[1]
    assert capped["markets"] == whole[:1]
    assert capped.get("next_cursor") is None


def test_book_by_request_is_as_old_as_the_fault_says() -> None:
    rig = VenueRig()
    query = {"token_id": rig.market.tokens[0]}
    rig.fault("lag_book", path="/book", delay_ms=2_000)
    first = rig.ask("GET", "/book", query=query)[1]
    rig.place()
    rig.advance(1.9)
    assert rig.ask("GET", "/book", query=query)[1] == first
    rig.advance(0.2)
    assert rig.ask("GET", "/book", query=query)[1]["bids"] != first["bids"]


def test_refusal_meets_requests_by_query_and_body() -> None:
    rig = VenueRig()
    rig.fault("refuse", path="/order", body='"side":"SELL"', text="no")
    rig.fault("refuse", query="asset_type=CONDITIONAL", status=200, text='{"balance":"0"}')
    assert rig.post(rig.client.order(rig.market))[0] == 200
    assert rig.post(rig.client.order(rig.market, side="SELL"))[1] == {"error": "no"}
    path = "/balance-allowance"
    collateral = rig.ask("GET", path, query={"asset_type": "COLLATERAL"})[1]
    assert int(collateral["balance"]) > 0
    tokens = rig.ask("GET", path, query={"asset_type": "CONDITIONAL", "token_id": "1"})[1]
    assert tokens == {"balance": "0"}


# --- heartbeats and sockets -----------------------------------------------------------


def test_beat_of_another_session_makes_ours_wrong() -> None:
    rig = VenueRig()
    first = rig.ask("POST", "/v1/heartbeats", b'{"heartbeat_id":""}')[1]["heartbeat_id"]
    rig.fault("fight_beats", count=1)
    status, body = rig.ask("POST", "/v1/heartbeats", encode({"heartbeat_id": first}))
    assert status == 400
    assert body["heartbeat_id"] != first
    beat = encode({"heartbeat_id": body["heartbeat_id"]})
    assert rig.ask("POST", "/v1/heartbeats", beat)[0] == 200


def test_sockets_are_reset_at_a_moment() -> None:
    rig = followed("drop_streams", after_ms=500, count=1)
    rig.advance(0.4)
    assert rig.closed == []
    rig.advance(0.6)
    assert {closed.connection for closed in rig.closed} == {1, 2}


def test_strictest_mode_counts() -> None:
    rig = VenueRig()
    rig.fault("post_only")
    rig.fault("disabled")
    assert "disabled" in rig.post(rig.client.order(rig.market))[1]["error"]
    rig.fault("restarting")
    assert rig.post(rig.client.order(rig.market))[0] == 425


def test_untouched_frames_are_the_very_same_texts() -> None:
    rig = followed("lose_frames", stream="user")
    rig.place()
    (text,) = rig.pushed[1]
    assert msgspec.json.decode(text)["event_type"] == "price_change"
