import json

import pytest

from shared.identifiers import TokenId
from shared.venue.balances import balance_query, chain_call, parse_balance, parse_chain
from shared.venue.contracts import CONDITIONAL_TOKENS, POSITION_MANAGER
from shared.venue.faults import WireFault

WALLET = "0x" + "Ab" * 20


def test_query_names_the_token_its_protocol_and_the_wallets_kind() -> None:
    assert balance_query(TokenId("12"), "v1", 2) == (
        "?asset_type=CONDITIONAL&token_id=12&signature_type=2"
    )
    assert "asset_type=CONDITIONAL-V2&" in balance_query(TokenId("12"), "v2", 0)


@pytest.mark.req("EX-23")
def test_chain_is_asked_for_balance_of_a_wallet_and_a_token() -> None:
    asked = json.loads(chain_call(TokenId("255"), "v1", WALLET))
    assert asked["method"] == "eth_call"
    assert asked["params"][0]["to"] == CONDITIONAL_TOKENS
    data = asked["params"][0]["data"]
    assert data == "0x00fdd58e" + "0" * 24 + "ab" * 20 + "0" * 62 + "ff"
    asked = json.loads(chain_call(TokenId("255"), "v2", WALLET))
    assert asked["params"][0]["to"] == POSITION_MANAGER


def test_balance_is_read_as_text_or_number() -> None:
    assert parse_balance(b'{"balance":"7000000","allowances":{}}') == 7_000_000
    assert parse_balance(b'{"balance":0}') == 0
    assert parse_chain(b'{"result":"0x' + b"0" * 62 + b'ff"}') == 255


@pytest.mark.req("EX-22")
@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"null", b"[]", b'{"balance":null}', b'{"balance":""}', b'{"balance":"-1"}',
     b'{"balance":"1.5"}', b'{"error":"no"}', b'{"balance":"1e9"}', b"<html>"],
)  # fmt: skip
def test_answer_of_the_venue_that_is_no_balance_is_an_error_and_never_zero(body: bytes) -> None:
    with pytest.raises(WireFault):
        parse_balance(body)


@pytest.mark.req("EX-22")
@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b'{"result":null}', b'{"result":"0x"}', b'{"result":"0x00"}', b'{"result":0}',
     b'{"result":"0x' + b"f" * 64 + b'"}', b'{"result":"' + b"z" * 66 + b'"}',
     b'{"result":"0x' + b"0" * 64 + b'","error":{"code":3,"message":"execution reverted"}}'],
)  # fmt: skip
def test_answer_of_a_node_that_is_no_balance_is_an_error_and_never_zero(body: bytes) -> None:
    with pytest.raises(WireFault):
        parse_chain(body)
