from typing import Any

import pytest

from services.simulator.chance import Chance
from services.simulator.edge import Request
from services.simulator.faults.orders import FaultOrder
from services.simulator.faults.switches import FAULTS_MAX, Faults
from shared.units import NS_PER_MS
from shared.venue.wire import encode
from tests.builders.venue_rig import VenueRig


def post_of(rig: VenueRig) -> bytes:
    return encode(rig.client.order(rig.market))


def test_lost_reply_loses_only_the_reply() -> None:
    rig = VenueRig()
    rig.fault("lose_reply", path="/order", method="POST", count=1)
    number = rig.send("POST", "/order", post_of(rig))
    rig.advance(5)
    assert number not in rig.answers
    assert len(rig.open_ids()) == 1
    assert rig.kinds("no_response") != []
    assert rig.post(rig.client.order(rig.market))[0] == 200


def test_reset_reply_takes_the_order_and_resets_the_connection() -> None:
    rig = VenueRig()
    rig.fault("reset_reply", path="/order", count=1)
    number = rig.send("POST", "/order", post_of(rig))
    assert rig.aborted == [number]
    assert len(rig.open_ids()) == 1


@pytest.mark.parametrize(("kind", "reset"), [("lose_request", False), ("reset_request", True)])
def test_lost_request_is_never_taken_in(kind: str, reset: bool) -> None:
    rig = VenueRig()
    rig.fault(kind, path="/order", count=1)
    number = rig.send("POST", "/order", post_of(rig))
    assert rig.aborted == ([number] if reset else [])
    assert rig.open_ids() == []


def test_delayed_reply_tells_late_of_an_order_that_rests_at_once() -> None:
    rig = VenueRig()
    rig.fault("delay_reply", path="/order", delay_ms=800, count=1)
    number = rig.send("POST", "/order", post_of(rig))
    assert len(rig.open_ids()) == 1
    rig.advance(0.799)
    assert number not in rig.answers
    rig.advance(0.001)
    assert rig.answers[number].status == 200


def test_delayed_request_lets_the_order_rest_late() -> None:
    rig = VenueRig()
    rig.fault("delay_request", path="/order", delay_ms=800, count=1)
    number = rig.send("POST", "/order", post_of(rig))
    rig.advance(0.799)
    assert rig.open_ids() == []
    rig.advance(0.001)
    assert len(rig.open_ids()) == 1
    assert rig.answers[number].status == 200


def test_delayed_gtd_order_is_judged_when_it_is_taken_in() -> None:
    rig = VenueRig()
    rig.fault("delay_request", path="/order", delay_ms=2_500, count=1)
    order = rig.client.order(rig.market, order_type="GTD", expiration_s=rig.now_s + 182)
    number = rig.send("POST", "/order", encode(order))
    rig.advance(2.5)
    assert b"invalid expiration" in rig.answers[number].body


@pytest.mark.parametrize(
    ("status", "text"),
    [(400, "could not insert order"), (425, "Service is not ready"), (429, "Too Many Requests"),
     (500, "could not run the execution"), (503, "trading is disabled")],
)  # fmt: skip
def test_refusal_answers_without_taking_in(status: int, text: str) -> None:
    rig = VenueRig()
    rig.fault("refuse", path="/order", status=status, text=text, retry_after_s=3)
    number = rig.send("POST", "/order", post_of(rig))
    answer = rig.answers[number]
    assert (answer.status, answer.headers["Retry-After"]) == (status, "3")
    assert answer.body == encode({"error": text})
    assert rig.open_ids() == []


def test_blocked_region_answers_with_html() -> None:
    rig = VenueRig()
    rig.fault("refuse", status=403, text="<html>blocked</html>")
    answer = rig.answers[rig.send("POST", "/order", post_of(rig))]
    assert (answer.status, answer.content_type) == (403, "text/html")
    assert answer.body == b"<html>blocked</html>"


def test_fault_ends_after_its_count() -> None:
    rig = VenueRig()
    rig.fault("refuse", path="/order", count=2)
    statuses = [rig.post(rig.client.order(rig.market))[0] for _ in range(3)]
    assert statuses == [400, 400, 200]


def test_fault_ends_after_its_duration_and_begins_after_its_wait() -> None:
    rig = VenueRig()
    rig.fault("refuse", path="/order", after_ms=1_000, duration_ms=1_000)
    statuses = []
    for _ in range(4):
        statuses.append(rig.post(rig.client.order(rig.market))[0])
        rig.advance(0.7)
    assert statuses == [200, 200, 400, 200]


def test_probability_strikes_that_often_and_the_same_way_each_time() -> None:
    def strikes(seed: int) -> list[bool]:
        faults = Faults(Chance(seed))
        faults.set(FaultOrder("lose_reply", probability=0.3), 0)
        request = Request(1, "GET", "/ok", {}, {}, b"")
        return [faults.judge(request, 0).reply == "lose" for _ in range(1_000)]

    assert 250 < sum(strikes(1)) < 350
    assert strikes(1) == strikes(1)
    assert strikes(1) != strikes(2)


def test_number_of_faults_is_bounded() -> None:
    faults = Faults(Chance(1))
    for _ in range(FAULTS_MAX):
        assert faults.set(FaultOrder("silence"), 0) is not None
    assert faults.set(FaultOrder("silence"), 0) is None
    assert faults.clear(None) == FAULTS_MAX


def test_fault_is_switched_off_by_its_number() -> None:
    rig = VenueRig()
    number = rig.fault("refuse", path="/order")
    assert [row["id"] for row in rig.ask("GET", "/admin/faults")[1]] == [number]
    rig.ask("DELETE", "/admin/faults", query={"id": str(number)})
    assert rig.ask("GET", "/admin/faults")[1] == []
    assert rig.post(rig.client.order(rig.market))[0] == 200


@pytest.mark.parametrize("body", [{"kind": "nonsense"}, {"kind": "silence", "streams": "x"}, {}])
def test_malformed_fault_is_refused(body: dict[str, Any]) -> None:
    assert VenueRig().ask("POST", "/admin/faults", encode(body))[0] == 400


# --- modes ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "post", "post_only", "cancel", "code"),
    [("restarting", 425, 425, 425, 425), ("disabled", 503, 503, 503, 200),
     ("cancel_only", 503, 503, 200, 200), ("post_only", 503, 200, 200, 200)],
)  # fmt: skip
def test_each_mode_takes_what_the_venue_takes(
    mode: str, post: int, post_only: int, cancel: int, code: int
) -> None:
    rig = VenueRig()
    rig.fault(mode)
    assert rig.post(rig.client.order(rig.market))[0] == post
    assert rig.post(rig.client.order(rig.market, post_only=True))[0] == post_only
    assert rig.ask("DELETE", "/cancel-all")[0] == cancel
    assert rig.ask("POST", "/v1/heartbeats", b'{"heartbeat_id":""}')[0] == code
    assert rig.ask("GET", "/data/orders")[0] == 200


def test_batch_in_post_only_mode_says_success_of_what_it_refuses() -> None:
    rig = VenueRig()
    rig.fault("post_only", duration_ms=79_000)
    posts = [rig.client.order(rig.market), rig.client.order(rig.market, post_only=True)]
    status, (refused, taken) = rig.ask("POST", "/orders", encode(posts))
    assert status == 200
    assert (refused["success"], refused["orderID"], refused["status"]) == (True, "", "")
    assert refused["errorMsg"].startswith("post-only mode")
    assert taken["status"] == "live"
    answer = rig.answers[rig.send("POST", "/order", post_of(rig))]
    assert answer.headers["Retry-After"] == "79"


def test_restart_drops_sockets_then_refuses_then_is_post_only() -> None:
    rig = VenueRig()
    order_id = rig.place()
    rig.follow_market(1)
    rig.follow_user(2)
    rig.ask("POST", "/admin/restart", encode({"down_ms": 2_000, "post_only_ms": 3_000}))
    assert {closed.connection for closed in rig.closed} == {1, 2}
    rig.open(3, "market")
    assert rig.closed[-1].connection == 3
    assert rig.post(rig.client.order(rig.market))[0] == 425
    rig.advance(2)
    assert rig.post(rig.client.order(rig.market))[0] == 503
    rig.open(4, "market")
    assert rig.closed[-1].connection == 3
    rig.advance(3)
    assert rig.post(rig.client.order(rig.market))[0] == 200
    assert order_id in rig.open_ids()


# --- streams --------------------------------------------------------------------------


def test_silenced_stream_still_answers_pings() -> None:
    rig = VenueRig()
    rig.follow_market(1)
    rig.frames(1)
    rig.fault("silence", stream="market", duration_ms=1_000)
    rig.place()
    rig.say(1, "PING")
    assert rig.pushed[1] == ["PONG"]
    rig.pushed[1].clear()
    rig.advance(1)
    rig.place(price=200)
    assert len(rig.frames(1)) == 1


def test_silence_of_one_asset_leaves_the_other_alone() -> None:
    rig = VenueRig(assets=("btc", "eth"))
    markets = [market for market in rig.core.exchange.calendar if market.state == "OPEN"]
    rig.open(1, "market")
    rig.say(1, {"type": "market", "assets_ids": [market.tokens[0] for market in markets]})
    rig.frames(1)
    rig.fault("silence", asset="eth")
    for market in markets:
        assert rig.post(rig.client.order(market))[0] == 200
    assert [frame["market"] for frame in rig.frames(1)] == [markets[0].condition_id]


def test_user_stream_may_be_silent_alone() -> None:
    rig = VenueRig()
    rig.follow_market(1)
    rig.follow_user(2)
    rig.frames(1)
    rig.fault("silence", stream="user")
    rig.place()
    assert len(rig.frames(1)) == 1
    assert rig.frames(2) == []


def test_sockets_are_dropped_on_demand_by_kind() -> None:
    rig = VenueRig()
    rig.follow_market(1)
    rig.follow_user(2)
    _, body = rig.ask("POST", "/admin/drop", encode({"stream": "user", "code": 1006}))
    assert body == {"dropped": 1}
    assert [(closed.connection, closed.code) for closed in rig.closed] == [(2, 1006)]
    rig.place()
    assert rig.frames(2) == []


def test_market_socket_is_dropped_by_a_token_that_it_follows() -> None:
    rig = VenueRig()
    rig.follow_market(1)
    market = next(iter(rig.core.exchange.calendar))
    order = {"stream": "market", "asset": "123"}
    assert rig.ask("POST", "/admin/drop", encode(order))[1] == {"dropped": 0}
    order["asset"] = market.tokens[1]
    assert rig.ask("POST", "/admin/drop", encode(order))[1] == {"dropped": 1}
    assert [closed.connection for closed in rig.closed] == [1]


def test_trade_fails_to_settle_and_everything_goes_back() -> None:
    rig = VenueRig(mined_ms=1_000)
    accounts = rig.core.exchange.accounts
    rig.fault("fail_settlement", count=1)
    rig.place(outcome=1, price=4_000, size=10)
    rig.place(outcome=0, price=6_000, size=10)
    before = accounts.get(rig.client.address).collateral
    assert before == 1_000_000_000 - 10_000_000 - 168_000
    rig.advance(1)
    assert accounts.get(rig.client.address).collateral == 1_000_000_000
    assert accounts.get(rig.client.address).tokens == {}
    assert [record["status"] for record in rig.kinds("trade")] == ["FAILED"]


def test_fate_counts_delays_of_several_faults_together() -> None:
    faults = Faults(Chance(1))
    faults.set(FaultOrder("delay_request", delay_ms=10), 0)
    faults.set(FaultOrder("delay_request", delay_ms=5), 0)
    fate = faults.judge(Request(1, "GET", "/ok", {}, {}, b""), 0)
    assert fate.hold_ns == 15 * NS_PER_MS
