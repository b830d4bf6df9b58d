import pytest

from shared.venue import account_wire
from shared.venue.faults import Malformed
from shared.venue.streams_wire import StreamAuth
from shared.venue.wire import decode, encode

ORDER = (
    '{"id":"0x01","status":"LIVE","owner":"k","maker_address":"0xm","market":"0xc","asset_id":"1",'
    '"side":"BUY","original_size":"10","size_matched":"0","price":"0.52","outcome":"Yes",'
    '"expiration":"0","order_type":"GTC","associate_trades":[],"created_at":1748779200}'
)


def test_page_of_open_orders_is_read() -> None:
    text = f'{{"limit":100,"count":1,"next_cursor":"LTE=","data":[{ORDER}]}}'
    page = decode(account_wire.OPEN_ORDERS, text, "open orders")
    assert page.next_cursor == account_wire.CURSOR_END
    assert page.data[0].original_size == "10"


@pytest.mark.parametrize(
    "text", [f"[{ORDER}]", "[]", "null", '{"next_cursor":"LTE="}', '{"data":null}', '{"data":[]}']
)
def test_answer_that_is_no_page_is_malformed_and_not_an_empty_list(text: str) -> None:
    """Clients that expected a bare array silently saw no orders."""
    with pytest.raises(Malformed):
        decode(account_wire.OPEN_ORDERS, text, "open orders")


def test_page_survives_the_round_trip() -> None:
    order = decode(account_wire.OPEN_ORDER, ORDER, "open order")
    page = account_wire.Page((order,), "MTAw", limit=100, count=1)
    assert decode(account_wire.OPEN_ORDERS, encode(page), "open orders") == page


def test_trade_with_null_hash_and_text_bucket_is_read() -> None:
    text = (
        '{"id":"t","taker_order_id":"0x1","market":"0xc","asset_id":"1","side":"BUY","size":"10",'
        '"price":"0.52","status":"TRADE_STATUS_MINED","match_time":"1782753357",'
        '"bucket_index":"3","transaction_hash":null,"maker_orders":[{"order_id":"0x2",'
        '"matched_amount":"10","price":"0.52","asset_id":"1"}]}'
    )
    page = f'{{"next_cursor":"LTE=","data":[{text}]}}'
    (trade,) = decode(account_wire.TRADES, page, "trades").data
    assert trade.bucket_index == "3"
    assert trade.maker_orders is not None
    assert trade.maker_orders[0].side is None


def test_keys_show_no_secret_in_their_repr() -> None:
    key = account_wire.ApiKey("id", "hush", "hush")
    assert "hush" not in repr(key)
    assert "hush" not in repr(StreamAuth("id", "hush", "hush"))
    assert encode(key) == b'{"apiKey":"id","secret":"hush","passphrase":"hush"}'
