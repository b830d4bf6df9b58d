import json

import msgspec
import pytest
from py_clob_client_v2.order_utils import Side, SignatureTypeV2
from py_clob_client_v2.order_utils.model.order_data_v2 import SignedOrderV2, order_to_json_v2

from shared.identifiers import OrderHash
from shared.venue import orders_wire
from shared.venue.faults import Malformed
from shared.venue.order_hash import BYTES32_ZERO, UnsignedOrder
from shared.venue.wire import decode, encode

ADDRESS = "0x1111111111111111111111111111111111111111"
UNSIGNED = UnsignedOrder(
    salt=479_249_096_354,
    maker=ADDRESS,
    signer=ADDRESS,
    token_id="1234",
    maker_amount=5_200_000,
    taker_amount=10_000_000,
    side_code=0,
    signature_type=0,
    timestamp_ms=1_790_000_000_000,
)


def make_post() -> orders_wire.PostOrder:
    signed = orders_wire.to_signed_order(UNSIGNED, 1_790_000_200, "0xab")
    return orders_wire.PostOrder(signed, "key-1", order_type="GTD", post_only=True)


def test_posted_body_equals_the_official_clients() -> None:
    theirs = order_to_json_v2(
        SignedOrderV2(
            salt="479249096354",
            maker=ADDRESS,
            signer=ADDRESS,
            tokenId="1234",
            makerAmount="5200000",
            takerAmount="10000000",
            side=Side.BUY,
            signatureType=SignatureTypeV2.EOA,
            timestamp="1790000000000",
            metadata=BYTES32_ZERO,
            builder=BYTES32_ZERO,
            expiration="1790000200",
            signature="0xab",
        ),
        owner="key-1",
        order_type="GTD",
        post_only=True,
    )
    assert encode(make_post()).decode() == json.dumps(theirs, separators=(",", ":"))


def test_posted_body_reads_back_to_the_order_that_was_signed() -> None:
    post = decode(orders_wire.POST_ORDER, encode(make_post()), "post")
    assert orders_wire.to_unsigned_order(post.order) == UNSIGNED
    assert post.post_only
    assert post.order.expiration == "1790000200"


@pytest.mark.parametrize("field", ["maker_amount", "taker_amount", "timestamp"])
@pytest.mark.parametrize("text", ["", "-1", "1.5", "1e6", "\u0661"])
def test_amount_that_is_not_a_whole_number_is_an_error(field: str, text: str) -> None:
    signed = msgspec.structs.replace(make_post().order, **{field: text})
    with pytest.raises(ValueError, match="whole number"):
        orders_wire.to_unsigned_order(signed)


@pytest.mark.parametrize("key", ["salt", "tokenId", "signature", "makerAmount"])
def test_posted_body_without_a_needed_key_is_malformed_with_its_path(key: str) -> None:
    body = json.loads(encode(make_post()))
    del body["order"][key]
    with pytest.raises(Malformed) as caught:
        decode(orders_wire.POST_ORDER, json.dumps(body), "post")
    assert key in caught.value.reason
    assert "$.order" in caught.value.reason


def test_accepted_reply_is_written_with_the_venues_keys() -> None:
    reply = orders_wire.accepted_reply(OrderHash("0x01"), "live")
    assert json.loads(encode(reply)) == {
        "success": True,
        "errorMsg": "",
        "orderID": "0x01",
        "status": "live",
        "makingAmount": "",
        "takingAmount": "",
        "tradeIDs": [],
        "transactionsHashes": [],
    }


def test_reply_with_nulls_and_new_keys_is_still_read() -> None:
    text = '{"success":true,"errorMsg":null,"orderID":"0x01","tradeIDs":null,"brandNew":[1]}'
    reply = decode(orders_wire.POST_REPLY, text, "reply")
    assert reply.order_id == "0x01"
    assert reply.trade_ids is None
    assert reply.status is None


def test_cancel_bodies_are_written_as_the_venue_wants_them() -> None:
    assert encode(orders_wire.CancelOrder("0x01")) == b'{"orderID":"0x01"}'
    assert encode(("0x01", "0x02")) == b'["0x01","0x02"]'
    assert encode(orders_wire.CancelMarketOrders(market="0xm")) == b'{"market":"0xm"}'


def test_cancel_reply_without_its_keys_is_malformed() -> None:
    with pytest.raises(Malformed):
        decode(orders_wire.CANCEL_REPLY, b"{}", "cancel reply")
    with pytest.raises(Malformed):
        decode(orders_wire.CANCEL_REPLY, b'{"canceled":["0x01"]}', "cancel reply")
