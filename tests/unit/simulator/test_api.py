"""Reads, keys, discovery and the admin endpoints, as a client sees them."""

from typing import Any

import pytest

from services.simulator.keys import Keys, recover_address
from shared.venue.auth import request_headers
from shared.venue.gamma_wire import MARKET, decode_texts
from shared.venue.slugs import parse_window_slug
from shared.venue.wire import encode
from tests.builders.venue_rig import START_S, Client, VenueRig


def get(rig: VenueRig, path: str, **query: str) -> tuple[int, Any]:
    return rig.ask("GET", path, query=query, headers={})


# --- keys -----------------------------------------------------------------------------


def test_key_is_created_once_and_derived_ever_after() -> None:
    rig = VenueRig()
    headers = rig.attestation_headers()
    status, created = rig.ask("POST", "/auth/api-key", headers=headers)
    assert status == 200
    assert created["apiKey"] == rig.client.api_key
    assert rig.ask("POST", "/auth/api-key", headers=headers)[0] == 400
    assert rig.ask("GET", "/auth/derive-api-key", headers=headers) == (200, created)
    assert rig.ask("GET", "/auth/api-keys") == (200, {"apiKeys": [created["apiKey"]]})


def test_keys_of_other_nonces_and_seeds_differ() -> None:
    one = Keys(1, 60).derive("0x" + "1" * 40, 0)
    assert one.api_key == Keys(1, 60).derive("0x" + "1" * 40, 0).api_key
    assert one.api_key != Keys(1, 60).derive("0x" + "1" * 40, 1).api_key
    assert one.api_key != Keys(2, 60).derive("0x" + "1" * 40, 0).api_key


@pytest.mark.parametrize(
    "spoiled",
    [{"POLY_ADDRESS": "0x" + "2" * 40}, {"POLY_NONCE": "1"}, {"POLY_TIMESTAMP": str(START_S - 61)},
     {"POLY_TIMESTAMP": "x"}, {"POLY_SIGNATURE": "0x" + "1" * 130}, {"POLY_ADDRESS": "nobody"}],
)  # fmt: skip
def test_attestation_that_does_not_hold_is_refused(spoiled: dict[str, str]) -> None:
    rig = VenueRig()
    headers = rig.attestation_headers() | spoiled
    status, body = rig.ask("POST", "/auth/api-key", headers=headers)
    assert (status, body["error"]) == (401, "Invalid L1 Request headers")


@pytest.mark.parametrize(
    "spoiled",
    [{"POLY_SIGNATURE": "wrong"}, {"POLY_PASSPHRASE": "wrong"}, {"POLY_API_KEY": "wrong"},
     {"POLY_ADDRESS": "0x" + "2" * 40}, {"POLY_TIMESTAMP": str(START_S + 1)}],
    ids=lambda spoiled: next(iter(spoiled)),
)  # fmt: skip
def test_request_that_is_not_authenticated_is_refused(spoiled: dict[str, str]) -> None:
    rig = VenueRig()
    good = request_headers(rig.client.credentials, rig.now_s, "GET", "/data/orders", b"")
    assert rig.ask("GET", "/data/orders", headers=good)[0] == 200
    status, body = rig.ask("GET", "/data/orders", headers=good | spoiled)
    assert (status, body["error"]) == (401, "Unauthorized/Invalid api key")


def test_signature_covers_method_path_and_body() -> None:
    rig = VenueRig()
    body = encode({"orderID": "0x1"})
    headers = request_headers(rig.client.credentials, rig.now_s, "DELETE", "/order", body)
    assert rig.ask("DELETE", "/order", body, headers=headers)[0] == 200
    assert rig.ask("DELETE", "/order", encode({"orderID": "0x2"}), headers=headers)[0] == 401
    assert rig.ask("DELETE", "/orders", body, headers=headers)[0] == 401


@pytest.mark.parametrize(("late_s", "status"), [(60, 200), (61, 401)])
def test_old_timestamp_is_refused(late_s: int, status: int) -> None:
    rig = VenueRig()
    headers = request_headers(rig.client.credentials, rig.now_s, "GET", "/data/orders", b"")
    rig.advance(late_s)
    assert rig.ask("GET", "/data/orders", headers=headers)[0] == status


def test_deleted_key_is_refused() -> None:
    rig = VenueRig()
    assert rig.ask("DELETE", "/auth/api-key") == (200, "OK")
    assert rig.ask("GET", "/data/orders")[0] == 401


@pytest.mark.parametrize("signature", ["", "0x", "0x" + "00" * 65, "0x" + "11" * 64 + "1f"])
def test_garbage_recovers_no_address(signature: str) -> None:
    assert recover_address(b"\x01" * 32, signature) is None


# --- reads ----------------------------------------------------------------------------


def test_small_public_answers() -> None:
    rig = VenueRig()
    assert get(rig, "/ok") == (200, "OK")
    assert get(rig, "/time") == (200, START_S)
    assert get(rig, "/version") == (200, {"version": 2})
    token = rig.market.tokens[0]
    assert get(rig, "/tick-size", token_id=token) == (200, {"minimum_tick_size": 0.01})
    assert get(rig, "/neg-risk", token_id=token) == (200, {"neg_risk": False})
    assert get(rig, "/fee-rate", token_id=token) == (200, {"base_fee": 1000})
    assert get(rig, "/api/geoblock")[1]["blocked"] is False
    assert rig.ask("GET", "/auth/ban-status/closed-only") == (200, {"closed_only": False})
    assert get(rig, "/nonsense")[0] == 404
    assert rig.ask("POST", "/nonsense")[0] == 404


def test_book_of_an_unknown_token_is_not_found() -> None:
    status, body = get(VenueRig(), "/book", token_id="1")
    assert (status, body["error"]) == (404, "No orderbook exists for the requested token id")


def test_books_leave_out_unknown_tokens() -> None:
    rig = VenueRig()
    wanted = [{"token_id": token} for token in (*rig.market.tokens, "1")]
    _, books = rig.ask("POST", "/books", encode(wanted), headers={})
    assert sorted(book["asset_id"] for book in books) == sorted(rig.market.tokens)
    too_many = encode([{"token_id": "1"}] * 501)
    assert rig.ask("POST", "/books", too_many, headers={})[0] == 400


def test_compact_market_record_has_the_venues_short_names() -> None:
    rig = VenueRig()
    _, record = get(rig, f"/clob-markets/{rig.market.condition_id}")
    assert [token["t"] for token in record["t"]] == list(rig.market.tokens)
    assert (record["mos"], record["mts"], record["itode"], record["v"]) == (5, 0.01, True, "v1")
    assert record["fd"] == {"r": 0.07, "e": 1, "to": True}
    assert get(rig, "/clob-markets/0x1")[0] == 404
    _, record = get(rig, f"/markets-by-token/{rig.market.tokens[1]}")
    assert record["secondary_token_id"] == rig.market.tokens[1]
    assert get(rig, "/markets-by-token/1")[0] == 404


def test_open_orders_come_in_pages_and_by_market_token_and_id() -> None:
    rig = VenueRig(rate_limits=False, collateral_usd=10_000)
    ids = [rig.place(price=100, size=5, outcome=number % 2) for number in range(205)]
    seen: list[str] = []
    cursor = "MA=="
    while cursor != "LTE=":
        _, page = rig.ask("GET", "/data/orders", query={"next_cursor": cursor})
        assert page["limit"] == 100
        assert page["count"] == len(page["data"])
        seen += [row["id"] for row in page["data"]]
        cursor = page["next_cursor"]
    assert seen == ids
    _, page = rig.ask("GET", "/data/orders", query={"asset_id": rig.market.tokens[1]})
    assert page["data"][0]["id"] == ids[1]
    _, page = rig.ask("GET", "/data/orders", query={"market": "0x1"})
    assert page["data"] == []
    _, page = rig.ask("GET", "/data/orders", query={"id": ids[7]})
    assert [row["id"] for row in page["data"]] == [ids[7]]
    assert rig.ask("GET", "/data/orders", query={"next_cursor": "?"})[0] == 400


def test_terminal_order_is_still_read_by_its_id() -> None:
    rig = VenueRig()
    order_id = rig.place()
    rig.ask("DELETE", "/cancel-all")
    assert rig.ask("GET", f"/data/order/{order_id}")[1]["status"] == "CANCELED"
    assert rig.ask("GET", "/data/orders", query={"id": order_id})[1]["count"] == 1
    stranger = Client(rig.settings.seed, 2)
    assert rig.ask("GET", f"/data/order/{order_id}", client=stranger)[0] == 404
    assert rig.ask("GET", "/data/orders", query={"id": order_id}, client=stranger)[1]["count"] == 0


def test_trades_are_read_newest_first_with_filters() -> None:
    rig = VenueRig()
    other = Client(rig.settings.seed, 2)
    for _ in range(2):
        rig.place(other, outcome=1, price=4_000, size=10)
        rig.place(price=6_000, size=10)
        rig.advance(2)
    _, page = rig.ask("GET", "/data/trades")
    newest, oldest = page["data"]
    assert int(newest["match_time"]) == int(oldest["match_time"]) + 2
    assert newest["trader_side"] == "TAKER"
    assert newest["status"] == "MINED"
    for query, found in [
        ({"id": oldest["id"]}, [oldest]),
        ({"after": newest["match_time"]}, [newest]),
        ({"before": oldest["match_time"]}, [oldest]),
        ({"market": "0x1"}, []),
        ({"asset_id": rig.market.tokens[1]}, [newest, oldest]),
    ]:
        assert rig.ask("GET", "/data/trades", query=query)[1]["data"] == found
    _, page = rig.ask("GET", "/data/trades", client=Client(rig.settings.seed, 3))
    assert page["data"] == []


def test_balances_are_integers_of_a_millionth() -> None:
    rig = VenueRig()
    rig.place(Client(rig.settings.seed, 2), outcome=1, price=4_000, size=10)
    rig.place(price=6_000, size=10)
    rig.advance(0.1)
    _, money = rig.ask("GET", "/balance-allowance", query={"asset_type": "COLLATERAL"})
    assert money["balance"] == str(1_000_000_000 - 6_168_000)
    query = {"asset_type": "CONDITIONAL", "token_id": rig.market.tokens[0]}
    _, shares = rig.ask("GET", "/balance-allowance/update", query=query)
    assert shares["balance"] == "10000000"
    assert rig.ask("GET", "/balance-allowance", query={"asset_type": "CONDITIONAL"})[0] == 400


# --- discovery ------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["v1", "v2"])
def test_market_is_found_by_its_computed_slug(protocol: Any) -> None:
    rig = VenueRig(protocol=protocol)
    slug = f"btc-updown-5m-{START_S - START_S % 300}"
    answer = rig.answers[rig.send("GET", f"/markets/slug/{slug}", headers={})]
    market = MARKET.decode(answer.body)
    assert market.version == protocol
    assert market.condition_id == rig.market.condition_id
    if protocol == "v1":
        assert decode_texts(market.clob_token_ids, "") == rig.market.tokens
    else:
        assert market.position_ids == rig.market.tokens
        assert market.clob_token_ids is None
    assert decode_texts(market.outcomes, "") == ("Up", "Down")
    assert (market.accepting_orders, market.closed) == (True, False)
    assert parse_window_slug(market.slug).interval_s == 300
    status, event = get(rig, f"/events/slug/{slug}")
    assert status == 200
    assert event["markets"][0]["conditionId"] == market.condition_id
    assert get(rig, "/markets/slug/none")[0] == 404
    assert get(rig, "/events/slug/none")[0] == 404


def test_resolved_market_tells_its_winner_by_the_prices() -> None:
    rig = VenueRig(interval_s=60)
    market = rig.market
    rig.advance(65)
    _, row = get(rig, f"/markets/slug/{market.slug}")
    assert row["closed"] is True
    assert row["outcomePrices"] == ('["1", "0"]' if market.winner == 0 else '["0", "1"]')


def test_listing_leaves_out_resolved_markets_unless_asked() -> None:
    rig = VenueRig(interval_s=60)
    rig.advance(130)
    _, page = get(rig, "/markets/keyset", limit="100")
    assert all(market["closed"] is False for market in page["markets"])
    _, page = get(rig, "/markets/keyset", closed="true", limit="1")
    assert len(page["markets"]) == 1
    _, page = get(rig, "/markets/keyset", closed="true", after_cursor=page["next_cursor"])
    assert len(page["markets"]) == 1
    token = rig.market.tokens[0]
    _, page = get(rig, "/markets/keyset", clob_token_ids=token)
    assert page["markets"][0]["events"][0]["slug"] == rig.market.slug


# --- admin ----------------------------------------------------------------------------


def test_log_is_dense_and_read_in_pieces() -> None:
    rig = VenueRig()
    rig.place()
    _, first = get(rig, "/admin/log", since="0", limit="2")
    _, rest = get(rig, "/admin/log", since=str(first["next"]))
    numbers = [record["n"] for record in first["records"] + rest["records"]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert [record["kind"] for record in first["records"]] == ["start", "market"]
    _, again = get(rig, "/admin/log", since=str(rest["next"]))
    assert again["records"] == []


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [("GET", "/admin/log", "since"), ("DELETE", "/admin/faults", "id")],
)
def test_number_that_is_none_is_refused(method: str, path: str, name: str) -> None:
    rig = VenueRig()
    rig.fault("silence")
    assert rig.ask(method, path, query={name: "x"})[0] == 400
    assert len(rig.ask("GET", "/admin/faults")[1]) == 1


def test_received_order_is_stamped_before_its_outcome() -> None:
    rig = VenueRig()
    order_id = rig.place(price=100, size=5)
    kinds = [record["kind"] for record in rig.records[-4:]]
    assert kinds == ["request", "post", "order", "response"]
    (post,) = rig.kinds("post")
    assert post["order_id"] == order_id
    assert post["at_ns"] == rig.ns


def test_state_tells_open_orders_by_key_and_armed_beats() -> None:
    rig = VenueRig()
    order_id = rig.place(order_type="GTD", expiration_s=rig.now_s + 200)
    rig.ask("POST", "/v1/heartbeats", b'{"heartbeat_id":""}')
    _, state = get(rig, "/admin/state")
    (row,) = state["open"][rig.client.api_key]
    assert row["order_id"] == order_id
    assert row["expires_ms"] == (START_S + 140) * 1000
    assert state["beats"] == {rig.client.api_key: rig.ns}


def test_account_and_deposit() -> None:
    rig = VenueRig()
    deposit = encode({"account": rig.client.address, "amount": "12.5"})
    assert rig.ask("POST", "/admin/deposit", deposit)[0] == 200
    _, account = get(rig, "/admin/account", address=rig.client.address)
    assert (account["collateral"], account["deposited"]) == ("1012.5", "1012.5")
    for amount in ("-1", "x", "0"):
        body = encode({"account": rig.client.address, "amount": amount})
        assert rig.ask("POST", "/admin/deposit", body)[0] == 400


def test_participants_stand_still_on_demand() -> None:
    rig = VenueRig(frames_per_second=20)
    rig.follow_market(1)
    rig.advance(2)
    assert rig.frames(1) != []
    rig.ask("POST", "/admin/participants", encode({"paused": True}))
    rig.frames(1)
    rig.advance(2)
    assert rig.frames(1) == []
    rig.ask("POST", "/admin/participants", encode({"paused": False}))
    rig.advance(2)
    assert rig.frames(1) != []


def test_markets_are_listed_with_their_states() -> None:
    rig = VenueRig()
    _, rows = get(rig, "/admin/markets")
    assert [row["state"] for row in rows] == ["OPEN", "LISTED", "LISTED"]
    assert get(rig, "/admin/nonsense")[0] == 404
