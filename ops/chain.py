"""A node of the chain and the relayer, as `interlock approve` and `doctor` speak to them.

Slow and simple, like `ops/venue.py`: no retries, no redirects, no proxy variables. What cannot be
understood is `Unanswered`, never a yes or a no.

Source: https://ethereum.org/developers/docs/apis/json-rpc (2026-11-20);
https://docs.polymarket.com/api-reference (relayer, 2026-09-28).
"""

from collections.abc import Mapping
from typing import TypeVar

import msgspec
import requests

from ops.keys import Key
from ops.venue import ANSWER_S, BODY_SHOWN_MAX, CONNECT_S, Unanswered
from shared.venue.approvals import Approval, is_standing, reading_data
from shared.venue.faults import WireFault
from shared.venue.relayer_wire import (
    DEPLOYED_PATH,
    PARAMETERS_PATH,
    SUBMIT_PATH,
    TRANSACTION_PATH,
    Accepted,
    Deployed,
    Parameters,
    Progress,
    Submission,
)
from shared.venue.rpc_wire import RPC_REPLY, RpcRequest, as_number, is_code
from shared.venue.transactions import Transaction, raw_transaction, signing_digest
from shared.venue.wallet_calls import WalletCall
from shared.venue.wire import decode

GAS_SPARE_PARTS = 4
"""A quarter more gas than estimated: the state may change before the call is mined."""

T = TypeVar("T")

_PARAMETERS = msgspec.json.Decoder(Parameters)
_ACCEPTED = msgspec.json.Decoder(Accepted)
_PROGRESS = msgspec.json.Decoder(Progress)
_DEPLOYED = msgspec.json.Decoder(Deployed)


class Node:
    """One node. Holds a connection; not for threads."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = _session()

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def chain_id(self) -> int | Unanswered:
        """Return which chain it is on."""
        return self._number("eth_chainId")

    def has_code(self, address: str) -> bool | Unanswered:
        """Tell whether a contract stands at an address."""
        found = self._ask("eth_getCode", address, "latest")
        if isinstance(found, Unanswered):
            return found
        known = is_code(found)
        return Unanswered("eth_getCode: no bytes") if known is None else known

    def has_approved(self, approval: Approval, owner: str) -> bool | Unanswered:
        """Tell whether a wallet has given an approval."""
        call = {"to": approval.token, "data": reading_data(approval, owner)}
        found = self._ask("eth_call", call, "latest")
        if isinstance(found, Unanswered):
            return found
        stands = is_standing(approval, found) if isinstance(found, str) else None
        return Unanswered("eth_call: no word") if stands is None else stands

    def send(self, key: Key, call: WalletCall, chain_id: int) -> str | Unanswered:
        """Sign and send a call of a plain key; return its transaction's hash."""
        nonce = self._number("eth_getTransactionCount", key.address, "pending")
        price = self._number("eth_gasPrice")
        wish = {"from": key.address, "to": call.target, "data": call.data}
        gas = self._number("eth_estimateGas", wish)
        for number in (nonce, price, gas):
            if isinstance(number, Unanswered):
                return number
        assert isinstance(nonce, int)
        assert isinstance(price, int)
        assert isinstance(gas, int)
        spared = gas + gas // GAS_SPARE_PARTS
        transaction = Transaction(nonce, price, spared, call.target, call.data, chain_id)
        raw = raw_transaction(transaction, key.sign(signing_digest(transaction)))
        found = self._ask("eth_sendRawTransaction", raw)
        if isinstance(found, Unanswered):
            return found
        return found if isinstance(found, str) else Unanswered("eth_sendRawTransaction: no hash")

    def outcome(self, transaction_hash: str) -> bool | Unanswered | None:
        """Tell whether a transaction did what it should, None while it is not mined."""
        found = self._ask("eth_getTransactionReceipt", transaction_hash)
        if found is None or isinstance(found, Unanswered):
            return found
        status = as_number(found.get("status")) if isinstance(found, dict) else None
        return Unanswered("eth_getTransactionReceipt: no status") if status is None else status == 1

    def _number(self, method: str, *params: object) -> int | Unanswered:
        found = self._ask(method, *params)
        if isinstance(found, Unanswered):
            return found
        number = as_number(found)
        return Unanswered(f"{method}: no number") if number is None else number

    def _ask(self, method: str, *params: object) -> object | Unanswered:
        body = msgspec.json.encode(RpcRequest(method, params))
        answer = _send(self._session, "POST", self._url, body, {})
        if isinstance(answer, Unanswered):
            return answer
        reply = _read(RPC_REPLY, answer, method)
        if isinstance(reply, Unanswered):
            return reply
        if reply.error is not None:
            return Unanswered(f"{method}: {reply.error.message[:BODY_SHOWN_MAX]}")
        return reply.result


class Relayer:
    """The relayer, with a key of it."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._url = url.rstrip("/")
        self._headers = dict(headers)
        self._session = _session()

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def is_deployed(self, wallet: str) -> bool | Unanswered:
        """Tell whether a wallet stands on the chain."""
        found = self._get(f"{DEPLOYED_PATH}?address={wallet}&type=WALLET", _DEPLOYED)
        return found if isinstance(found, Unanswered) else found.deployed

    def parameters(self, owner: str, kind: str) -> Parameters | Unanswered:
        """Return who relays, and the wallet's next number."""
        return self._get(f"{PARAMETERS_PATH}?address={owner}&type={kind}", _PARAMETERS)

    def submit(self, submission: Submission) -> Accepted | Unanswered:
        """Hand a signed submission over."""
        body = msgspec.json.encode(submission)
        answer = _send(self._session, "POST", self._url + SUBMIT_PATH, body, self._headers)
        if isinstance(answer, Unanswered):
            return answer
        return _read(_ACCEPTED, answer, SUBMIT_PATH)

    def progress(self, transaction_id: str) -> Progress | Unanswered:
        """Return how far a transaction has come."""
        return self._get(TRANSACTION_PATH + transaction_id, _PROGRESS)

    def _get(self, path: str, decoder: msgspec.json.Decoder[T]) -> T | Unanswered:
        answer = _send(self._session, "GET", self._url + path, b"", self._headers)
        if isinstance(answer, Unanswered):
            return answer
        return _read(decoder, answer, path.partition("?")[0])


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session


def _read(decoder: msgspec.json.Decoder[T], content: bytes, what: str) -> T | Unanswered:
    try:
        return decode(decoder, content, what)
    except WireFault as fault:
        return Unanswered(str(fault)[:BODY_SHOWN_MAX])


def _send(
    session: requests.Session, method: str, url: str, body: bytes, headers: Mapping[str, str]
) -> bytes | Unanswered:
    try:
        answer = session.request(
            method,
            url,
            data=body or None,
            headers={"Content-Type": "application/json", **headers},
            timeout=(CONNECT_S, ANSWER_S),
            allow_redirects=False,
        )
    except requests.RequestException as error:
        # Without the address: a node's may hold its key.
        return Unanswered(f"{method}: {type(error).__name__}")
    if answer.status_code != requests.codes.ok:
        return Unanswered(f"{method}: {answer.status_code} {answer.text[:BODY_SHOWN_MAX]}")
    return answer.content
