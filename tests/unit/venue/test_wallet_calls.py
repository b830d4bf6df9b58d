"""Approvals, calls, digests and transactions are those of the official client and eth-account."""

from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from polymarket._internal.actions.relayer import calls as theirs
from polymarket._internal.actions.relayer.signing.deposit_wallet import (
    build_deposit_wallet_typed_data,
    sign_deposit_wallet_batch,
)
from polymarket._internal.actions.relayer.signing.proxy import (
    build_proxy_transaction_hash,
    sign_proxy_message,
)
from polymarket._internal.actions.relayer.signing.safe import sign_safe_transaction
from polymarket.environments import PRODUCTION

from ops.keys import Key
from shared.venue import approvals, contracts, relayer_wire, transactions, wallet_calls
from shared.venue.approvals import TRADING, giving_call, reading_data
from shared.venue.relayer_wire import DepositWalletParams
from shared.venue.transactions import Transaction
from shared.venue.wallets import PROXY_FACTORY

SECRET = bytes.fromhex("4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318")
KEY = Key(SECRET)
SIGNER = Account.from_key(SECRET)
WALLET: Any = "0x" + "5a" * 20
RELAY: Any = "0x" + "51" * 20
CALLS = tuple(giving_call(approval) for approval in TRADING)
_PAIRS: Any = [(call.target, call.data) for call in CALLS]
THEIR_CALLS: Any = [theirs.TransactionCall(to=target, data=data) for target, data in _PAIRS]


@pytest.mark.req("VEN-7")
def test_contracts_are_the_official_clients() -> None:
    config = PRODUCTION._config
    assert [address for address, _ in contracts.TRADED] == [
        config.collateral_token,
        config.conditional_tokens,
        config.position_manager,
        config.standard_exchange,
        config.neg_risk_exchange,
        config.exchange_v3,
    ]
    assert config.safe_multisend == contracts.SAFE_MULTISEND
    assert config.relay_hub == contracts.RELAY_HUB
    assert contracts.contract_name(config.exchange_v3.lower()) == "ExchangeV3"
    assert contracts.contract_name(WALLET) == "unknown"


@pytest.mark.req("VEN-7")
@pytest.mark.parametrize("approval", TRADING, ids=lambda approval: approval.words)
def test_calls_of_an_approval_are_the_official_clients(approval: approvals.Approval) -> None:
    token: Any = approval.token
    spender: Any = approval.spender
    if approval.is_operator:
        giving = theirs.erc1155_set_approval_for_all_call(token_address=token, operator=spender)
        reading = theirs.erc1155_is_approved_for_all_call(
            token_address=token, owner=WALLET, operator=spender
        )
    else:
        giving = theirs.erc20_approval_call(
            token_address=token, spender=spender, amount=theirs.MAX_UINT256
        )
        reading = theirs.erc20_allowance_call(token_address=token, owner=WALLET, spender=spender)
    call = giving_call(approval)
    assert (call.target, call.data) == (giving.to, giving.data)
    assert reading_data(approval, WALLET) == reading.data
    amount = 1 if approval.is_operator else approvals.UNLIMITED
    assert approvals.given_by(call) == (spender.lower(), amount, approval.is_operator)


@pytest.mark.parametrize(
    ("amount", "stands"), [(0, False), (10**12 - 1, False), (10**12, True), (2**256 - 1, True)]
)
def test_allowance_stands_from_a_million_dollars_on(amount: int, stands: bool) -> None:
    assert approvals.is_standing(TRADING[0], f"0x{amount:064x}") is stands


@pytest.mark.parametrize("word", ["", "0x", "0x1", "0x" + "g" * 64, "1" * 66, "0x" + "0" * 65])
def test_answer_that_is_no_word_says_nothing_of_an_approval(word: str) -> None:
    assert approvals.is_standing(TRADING[0], word) is None
    assert approvals.is_standing(TRADING[-1], word) is None


def test_operator_stands_for_one_alone() -> None:
    assert approvals.is_standing(TRADING[-1], f"0x{1:064x}") is True
    assert approvals.is_standing(TRADING[-1], f"0x{0:064x}") is False
    assert approvals.is_standing(TRADING[-1], f"0x{2:064x}") is False


@pytest.mark.parametrize("count", [1, 2, len(CALLS)])
def test_several_calls_in_one_are_the_official_clients_and_read_back(count: int) -> None:
    ours, official = CALLS[:count], THEIR_CALLS[:count]
    multisend, proxy = wallet_calls.multisend_data(ours), wallet_calls.proxy_data(ours)
    assert multisend == theirs.encode_safe_multisend_call(official)
    assert proxy == theirs.encode_proxy_call(official)
    for found in (wallet_calls.multisend_calls(multisend), wallet_calls.proxy_calls(proxy)):
        assert [(c.target, c.data) for c in found] == [(c.target.lower(), c.data) for c in ours]


@pytest.mark.parametrize("cut", [1, 30, 70, 140, 300])
def test_calls_that_are_cut_off_are_none(cut: int) -> None:
    multisend, proxy = wallet_calls.multisend_data(CALLS), wallet_calls.proxy_data(CALLS)
    with pytest.raises(wallet_calls.NoCalls):
        wallet_calls.multisend_calls(multisend[: -cut * 2 - 64])
    with pytest.raises(wallet_calls.NoCalls):
        wallet_calls.proxy_calls(proxy[: -cut * 2 - 64])
    with pytest.raises(wallet_calls.NoCalls):
        wallet_calls.proxy_calls(multisend)


@pytest.mark.req("VEN-3")
def test_batch_of_a_deposit_wallet_is_signed_as_the_official_client_does() -> None:
    params = DepositWalletParams(WALLET, "1790000600", CALLS)
    digest = relayer_wire.batch_digest(params, 7, 137)
    more: Any = {"wallet": WALLET, "calls": THEIR_CALLS, "nonce": "7", "deadline": "1790000600"}
    assert KEY.sign(digest) == sign_deposit_wallet_batch(SIGNER, chain_id=137, **more)
    typed = build_deposit_wallet_typed_data(chain_id=137, **more)
    assert encode_typed_data(full_message=typed).version == b"\x01"


@pytest.mark.req("VEN-3")
@pytest.mark.parametrize("operation", [0, 1])
def test_transaction_of_a_safe_is_signed_as_the_official_client_does(operation: int) -> None:
    call = CALLS[0]
    digest = relayer_wire.safe_digest(WALLET, call, str(operation), 7, 137)
    more: Any = {"to": call.target, "data": call.data, "value": 0, "operation": operation}
    official = sign_safe_transaction(SIGNER, safe_address=WALLET, nonce="7", chain_id=137, **more)
    ours = relayer_wire.as_safe_signature(KEY.sign(digest))
    assert ours == official
    assert relayer_wire.from_safe_signature(ours) == KEY.sign(digest)


@pytest.mark.req("VEN-3")
def test_relayed_call_of_a_proxy_is_signed_as_the_official_client_does() -> None:
    data = wallet_calls.proxy_data(CALLS)
    owner: Any = KEY.address
    digest = relayer_wire.proxy_digest(owner, PROXY_FACTORY, data, "200000", 7, RELAY)
    more: Any = {"to": PROXY_FACTORY, "data": data, "relay_hub": contracts.RELAY_HUB}
    hashed = build_proxy_transaction_hash(
        from_address=owner,
        relayer_fee="0",
        gas_price="0",
        gas_limit="200000",
        nonce="7",
        relay=RELAY,
        **more,
    )
    assert KEY.sign(digest) == sign_proxy_message(SIGNER, hashed)


@pytest.mark.req("VEN-3")
@pytest.mark.parametrize("nonce", [0, 1, 127, 128, 70_000])
def test_transaction_of_a_plain_key_is_eth_accounts(nonce: int) -> None:
    call = CALLS[0]
    ours = Transaction(nonce, 30 * 10**9, 60_000, call.target, call.data, 137)
    official = SIGNER.sign_transaction(
        {
            "nonce": nonce,
            "gasPrice": ours.gas_price,
            "gas": ours.gas,
            "to": ours.target,
            "value": 0,
            "data": ours.data,
            "chainId": 137,
        }
    )
    signature = KEY.sign(transactions.signing_digest(ours))
    raw = transactions.raw_transaction(ours, signature)
    assert raw == "0x" + official.raw_transaction.hex()
    assert transactions.transaction_hash(raw) == "0x" + official.hash.hex()
    read, read_signature = transactions.read_transaction(raw, 137)
    assert (read.nonce, read.target, read.data) == (nonce, call.target.lower(), call.data)
    assert read_signature == signature


def test_bytes_that_are_no_transaction_of_this_chain_are_refused() -> None:
    call = CALLS[0]
    ours = Transaction(1, 1, 1, call.target, call.data, 80_002)
    raw = transactions.raw_transaction(ours, KEY.sign(transactions.signing_digest(ours)))
    for text in (raw, raw[:-2], raw + "00", "0x", "0xc0", "0x01", "zz", "0xf8ff"):
        with pytest.raises(transactions.NoTransaction):
            transactions.read_transaction(text, 137)
