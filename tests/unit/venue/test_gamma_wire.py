import pytest

from shared.venue import gamma_wire
from shared.venue.faults import Malformed
from shared.venue.wire import decode, encode


def test_lists_inside_text_are_read_and_written() -> None:
    assert gamma_wire.decode_texts('["Up", "Down"]', "outcomes") == ("Up", "Down")
    assert gamma_wire.encode_texts(("1", "2")) == '["1","2"]'


@pytest.mark.parametrize("raw", [None, "", "[]"])
def test_list_that_is_not_there_yet_is_empty(raw: str | None) -> None:
    assert gamma_wire.decode_texts(raw, "clobTokenIds") == ()


@pytest.mark.parametrize("raw", ["Up", "[1]", "{}"])
def test_list_of_something_else_is_malformed_naming_the_field(raw: str) -> None:
    with pytest.raises(Malformed) as caught:
        gamma_wire.decode_texts(raw, "clobTokenIds")
    assert caught.value.what == "clobTokenIds"


def test_market_keeps_what_was_not_sent_as_none() -> None:
    market = decode(gamma_wire.MARKET, '{"id":"1","slug":"s","conditionId":"0xc"}', "market")
    assert market.version is None
    assert market.accepting_orders is None
    assert market.order_min_size is None


def test_event_survives_the_round_trip() -> None:
    market = gamma_wire.GammaMarket(
        id="1", slug="s", condition_id="0xc", clob_token_ids='["1","2"]', fees_enabled=True
    )
    event = gamma_wire.GammaEvent(id="2", slug="s", markets=(market,))
    assert b'"clobTokenIds":"[\\"1\\",\\"2\\"]"' in encode(event)
    assert decode(gamma_wire.EVENT, encode(event), "event") == event
