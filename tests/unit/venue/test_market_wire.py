import json

import pytest

from shared.venue import market_wire
from shared.venue.faults import Malformed
from shared.venue.wire import decode, encode

BOOK = market_wire.Book(
    market="0xc",
    asset_id="1",
    timestamp="1790766966313",
    hash="e341",
    bids=(market_wire.PriceLevel("0.5", "1"),),
    asks=(),
    min_order_size="5",
    tick_size="0.01",
    neg_risk=False,
    last_trade_price="",
)


def test_book_survives_the_round_trip_and_shows_a_version_only_when_it_has_one() -> None:
    assert decode(market_wire.BOOK, encode(BOOK), "book") == BOOK
    assert "version" not in json.loads(encode(BOOK))
    assert json.loads(encode(BOOK))["asks"] == []


@pytest.mark.parametrize("key", ["min_order_size", "tick_size", "neg_risk", "last_trade_price"])
def test_book_without_what_its_hash_needs_is_malformed(key: str) -> None:
    value = json.loads(encode(BOOK))
    del value[key]
    with pytest.raises(Malformed) as caught:
        decode(market_wire.BOOK, json.dumps(value), "book")
    assert key in caught.value.reason


def test_compact_market_record_is_read_by_its_short_keys() -> None:
    text = (
        '{"c":"0xc","t":[{"t":"1","o":"Up"},{"t":"2","o":"Down"}],"v":"v1","mos":5,"mts":0.01,'
        '"mbf":1000,"tbf":1000,"itode":true,"fd":{"r":0.07,"e":1,"to":true},"nr":false,"ao":true,'
        '"r":{"mi":50,"ma":4.5,"moas":30}}'
    )
    market = decode(market_wire.CLOB_MARKET, text, "market")
    assert [token.outcome for token in market.tokens] == ["Up", "Down"]
    assert market.taker_order_delay
    assert market.fees is not None
    assert market.fees.rate == 0.07


def test_server_time_is_a_bare_number() -> None:
    assert decode(market_wire.SERVER_TIME, b"1790000000", "time") == 1_790_000_000
    with pytest.raises(Malformed):
        decode(market_wire.SERVER_TIME, b'"1790000000"', "time")
