"""The relayer: which wallets stand, and transactions from their submission to their end."""

from typing import Any

import pytest
from coincurve import PrivateKey

from services.simulator.chain.relayer import SUBMITS_PER_MINUTE
from services.simulator.hosts import RELAYER_PREFIX
from shared.venue.approvals import APPROVE
from shared.venue.order_hash import EXCHANGE_V2
from shared.venue.relayer_wire import DepositWalletParams, batch_digest
from shared.venue.wallet_calls import WalletCall
from shared.venue.wallets import (
    deposit_address,
    legacy_deposit_address,
    proxy_address,
    safe_address,
)
from shared.venue.wire import encode
from tests.builders.venue_rig import Client, VenueRig, sign

KEY_HEADERS = {"RELAYER_API_KEY": "mine", "RELAYER_API_KEY_ADDRESS": "0x1"}
APPROVAL = WalletCall(
    "0x" + "22" * 20, "0", APPROVE + "00" * 12 + EXCHANGE_V2[2:].lower() + f"{7:064x}"
)
TRANSFER = WalletCall("0x" + "22" * 20, "0", "0xa9059cbb" + "00" * 64)


def relay(rig: VenueRig, method: str, path: str, body: object = None, **query: str) -> Any:
    raw = b"" if body is None else encode(body)
    return rig.ask(method, RELAYER_PREFIX + path, raw, query=query, headers=KEY_HEADERS)


def batch(
    rig: VenueRig, client: Client, call: WalletCall = APPROVAL, **spoil: Any
) -> dict[str, Any]:
    params = DepositWalletParams(deposit_address(client.address), str(rig.now_s + 600), (call,))
    nonce = int(spoil.get("nonce", "0"))
    body: dict[str, Any] = {
        "type": "WALLET",
        "from": client.address,
        "nonce": str(nonce),
        "signature": sign(client.key, batch_digest(params, nonce, 137)),
        "depositWalletParams": params,
    }
    return body | spoil


def onboarded() -> VenueRig:
    """Return a venue whose client has made a key."""
    rig = VenueRig(mined_ms=1_000, confirmed_ms=1_000)
    rig.ask("POST", "/auth/api-key", headers=rig.attestation_headers())
    return rig


@pytest.mark.req("VEN-3")
def test_wallets_of_somebody_with_a_key_stand_save_the_legacy_one() -> None:
    rig = VenueRig()
    owner = rig.client.address
    wallets = (deposit_address(owner), proxy_address(owner), safe_address(owner))
    assert [relay(rig, "GET", "/deployed", address=w)[1]["deployed"] for w in wallets] == [
        False
    ] * 3
    rig.ask("POST", "/auth/api-key", headers=rig.attestation_headers())
    assert [relay(rig, "GET", "/deployed", address=w)[1]["deployed"] for w in wallets] == [True] * 3
    legacy = legacy_deposit_address(owner)
    assert relay(rig, "GET", "/deployed", address=legacy) == (200, {"deployed": False})


@pytest.mark.req("VEN-3")
def test_wallet_that_does_not_stand_is_created() -> None:
    rig = onboarded()
    wallet = deposit_address(rig.client.address)
    rig.core.exchange.accounts.standings.note_wallet(wallet, known=False)
    assert relay(rig, "GET", "/deployed", address=wallet)[1] == {"deployed": False}
    create = {"type": "WALLET-CREATE", "from": rig.client.address, "to": "0x", "metadata": ""}
    status, reply = relay(rig, "POST", "/submit", create)
    assert (status, reply["state"]) == (200, "STATE_NEW")
    assert relay(rig, "GET", "/deployed", address=wallet)[1] == {"deployed": True}


def test_transaction_goes_its_way_and_has_a_hash_once_it_is_mined() -> None:
    rig = onboarded()
    _, reply = relay(rig, "POST", "/submit", batch(rig, rig.client))
    path = f"/v1/account/transactions/{reply['transactionID']}"
    seen = []
    for _ in range(5):
        _, row = relay(rig, "GET", path)
        seen.append((row["state"], bool(row["transaction_hash"])))
        rig.advance(0.5)
    assert seen == [
        ("STATE_NEW", False),
        ("STATE_EXECUTED", False),
        ("STATE_MINED", True),
        ("STATE_MINED", True),
        ("STATE_CONFIRMED", True),
    ]
    assert relay(rig, "GET", "/v1/account/transactions/none")[0] == 404


def test_approval_comes_true_once_it_is_mined() -> None:
    rig = onboarded()
    wallet = deposit_address(rig.client.address)
    account = rig.core.exchange.accounts.get(wallet)
    _, reply = relay(rig, "POST", "/submit", batch(rig, rig.client))
    path = f"/v1/account/transactions/{reply['transactionID']}"
    relay(rig, "GET", path)
    assert account.allowances == {}
    rig.advance(1.1)
    relay(rig, "GET", path)
    assert account.allowance(EXCHANGE_V2, conditional=False) == 7
    asked = {"to": "0x", "data": "0xdd62ed3e" + "00" * 12 + wallet[2:] + APPROVAL.data[10:74]}
    call = {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [asked, "latest"]}
    _, body = rig.ask("POST", "/rpc", encode(call), headers={})
    assert int(body["result"], 16) == 7
    _, told = rig.ask("GET", "/v2/approvals", query={"user": wallet}, headers={})
    amounts = {row["spender"]: row.get("amount") for row in told["data"]["contracts"][:7]}
    assert amounts.pop(EXCHANGE_V2) == "7"
    assert set(amounts.values()) == {"max"}


def test_call_that_moves_money_fails_and_says_why() -> None:
    rig = onboarded()
    _, reply = relay(rig, "POST", "/submit", batch(rig, rig.client, TRANSFER))
    rig.advance(1.1)
    _, row = relay(rig, "GET", f"/v1/account/transactions/{reply['transactionID']}")
    assert row["state"] == "STATE_FAILED"
    assert row["error_msg"] == "calls of 0xa9059cbb are not simulated"


def test_wallet_has_one_action_on_its_way_and_counts_them() -> None:
    rig = onboarded()
    address = rig.client.address
    parameters = "/v1/account/transactions/params"
    assert relay(rig, "GET", parameters, address=address)[1]["nonce"] == "0"
    relay(rig, "POST", "/submit", batch(rig, rig.client))
    status, body = relay(rig, "POST", "/submit", batch(rig, rig.client, nonce="1"))
    assert (status, "wallet busy" in body["error"]) == (400, True)
    rig.advance(1.1)
    assert relay(rig, "GET", parameters, address=address)[1]["nonce"] == "1"
    status, body = relay(rig, "POST", "/submit", batch(rig, rig.client))
    assert (status, body["error"]) == (400, "batch nonce 0 does not match on-chain nonce 1")
    assert relay(rig, "POST", "/submit", batch(rig, rig.client, nonce="1"))[0] == 200


def test_batch_must_be_signed_by_the_wallets_owner_in_time() -> None:
    rig = onboarded()
    other = Client(rig.settings.seed, 2)
    stranger = PrivateKey((3).to_bytes(32, "big"))
    params = batch(rig, rig.client)["depositWalletParams"]
    wrong = sign(stranger, batch_digest(params, 0, 137))
    late = DepositWalletParams(params.deposit_wallet, str(rig.now_s - 1), params.calls)
    for spoil in (
        {"signature": wrong},
        {"signature": "0x"},
        {"depositWalletParams": late},
        {"from": other.address},
        {"depositWalletParams": None},
        {"type": 3},
    ):
        assert relay(rig, "POST", "/submit", batch(rig, rig.client, **spoil))[0] == 400, spoil


def test_relayer_wants_a_key_and_no_haste() -> None:
    rig = onboarded()
    body = encode(batch(rig, rig.client))
    assert rig.ask("POST", "/submit", body, headers={})[0] == 401
    statuses = [
        relay(rig, "POST", "/submit", batch(rig, rig.client, nonce="9"))[0]
        for _ in range(SUBMITS_PER_MINUTE + 1)
    ]
    assert statuses == [400] * SUBMITS_PER_MINUTE + [429]


@pytest.mark.parametrize(
    ("method", "params", "member"),
    [
        ("eth_chainId", [], "result"),
        ("eth_getBlockByNumber", ["latest", False], "result"),
        ("eth_call", [{"to": "0x", "data": "0xdd62ed3e" + "00" * 64}, "latest"], "result"),
        ("eth_call", [{"to": "0x", "data": "0x49493a4d"}, "latest"], "error"),
        ("eth_sendRawTransaction", ["0x"], "error"),
    ],
)
def test_chain_answers_what_is_asked_before_trading(
    method: str, params: list[Any], member: str
) -> None:
    call = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
    rig = VenueRig()
    status, body = rig.ask("POST", "/rpc", encode(call), headers={})
    assert (status, body["id"], member in body) == (200, 7, True)
    assert rig.ask("POST", "/rpc", encode([call]), headers={})[1] == [body]
    assert rig.ask("POST", "/rpc", b"{", headers={})[0] == 400
