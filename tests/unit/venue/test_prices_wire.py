import json

import pytest

from shared.venue import prices_wire
from shared.venue.faults import Malformed
from shared.venue.streams_wire import StreamAuth
from shared.venue.wire import decode, encode

UPDATE = {
    "v": 1,
    "channel": "price.crypto",
    "seq": 7,
    "ts": 1_788_886_176_000,
    "payload": {"symbol": "btcusd", "timestamp": 1_788_886_175_000, "full_accuracy_value": "1.5"},
}


def test_operations_are_written_as_documented() -> None:
    auth = prices_wire.PriceAuth(StreamAuth("k", "s", "p"), "a1")
    assert json.loads(encode(auth)) == {
        "op": "auth",
        "rid": "a1",
        "auth": {"apiKey": "k", "secret": "s", "passphrase": "p"},
    }
    subscribe = prices_wire.PriceSubscribe(
        (
            prices_wire.PriceSubscription(
                prices_wire.CRYPTO_TWAP_CHANNEL,
                prices_wire.PriceFilter("btcusd", window_seconds=prices_wire.TWAP_WINDOW_S),
            ),
        ),
        "1",
    )
    assert json.loads(encode(subscribe)) == {
        "op": "subscribe",
        "rid": "1",
        "subscriptions": [
            {
                "channel": "price.crypto.twap",
                "filter": {"symbol": "btcusd", "window_seconds": 60},
            }
        ],
    }
    for operation in (auth, subscribe):
        assert decode(prices_wire.PRICE_OPERATION, encode(operation), "operation") == operation


def test_data_frame_and_answers_are_told_apart() -> None:
    data = prices_wire.decode_price_frame(json.dumps(UPDATE))
    assert isinstance(data, prices_wire.PriceData)
    assert (data.seq, data.dropped, data.snapshot) == (7, 0, False)
    answer = prices_wire.decode_price_frame('{"op":"authed","rid":"a1"}')
    assert answer == prices_wire.PriceAuthed("a1")
    error = prices_wire.decode_price_frame('{"op":"error","code":"bad_op"}')
    assert error == prices_wire.PriceError("bad_op")


@pytest.mark.parametrize("key", ["v", "channel", "seq", "ts", "payload"])
def test_data_frame_without_a_needed_key_is_malformed(key: str) -> None:
    frame = {name: value for name, value in UPDATE.items() if name != key}
    with pytest.raises(Malformed):
        prices_wire.decode_price_frame(json.dumps(frame))


@pytest.mark.parametrize(
    "text", [json.dumps(UPDATE | {"v": 2}), '{"op":"dance"}', "PONG", "[]", '{"op":1}']
)
def test_frame_of_another_protocol_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        prices_wire.decode_price_frame(text)
