"""Asking what a wallet holds of a token: the venue for what it believes, a node for what is.

The venue keeps what it has read from the chain; a reader learns what was believed until it
has asked for the chain to be read anew.
Source: https://docs.polymarket.com/api-reference (CLOB OpenAPI, 2026-09-28); that what was
just bought reads 0: https://github.com/Polymarket/py-clob-client/issues/274; the call of a
node: ERC-1155, `balanceOf(address,uint256)`.
"""

from typing import Final
from urllib.parse import urlencode

from shared.facts import MarketVersion
from shared.identifiers import TokenId
from shared.units import SizeE6
from shared.venue.account_wire import BALANCE_ALLOWANCE
from shared.venue.contracts import CONDITIONAL_TOKENS, POSITION_MANAGER
from shared.venue.decimals import SIZE_E6_MAX, parse_scaled
from shared.venue.faults import Unparseable
from shared.venue.rpc_wire import RPC_REPLY, RpcRequest, as_number
from shared.venue.wire import decode, encode

BALANCE_PATH: Final = "/balance-allowance"
UPDATE_PATH: Final = "/balance-allowance/update"
"""Lets the venue read the chain anew; needed after whatever it has not done itself."""

BALANCE_OF: Final = "0x00fdd58e"
"""First four bytes of the hash of `balanceOf(address,uint256)`."""

_ASSET_TYPES: Final[dict[MarketVersion, str]] = {"v1": "CONDITIONAL", "v2": "CONDITIONAL-V2"}


def balance_query(token: TokenId, version: MarketVersion, signature_type: int) -> str:
    """Return the query of a read, or of an update, of one token."""
    return "?" + urlencode(
        {
            "asset_type": _ASSET_TYPES[version],
            "token_id": token,
            "signature_type": signature_type,
        }
    )


def chain_call(token: TokenId, version: MarketVersion, wallet: str) -> bytes:
    """Return the JSON-RPC request for a wallet's balance of one token."""
    contract = CONDITIONAL_TOKENS if version == "v1" else POSITION_MANAGER
    owner = wallet.lower().removeprefix("0x")
    data = f"{BALANCE_OF}{owner:0>64}{int(token):064x}"
    return encode(RpcRequest("eth_call", ({"to": contract, "data": data}, "latest")))


def parse_chain(body: bytes) -> SizeE6:
    """Return the balance in a node's answer.

    Raises:
        WireFault: The answer is a fault, no word, or a balance that nobody can hold.
    """
    reply = decode(RPC_REPLY, body, "balance of the chain")
    if reply.error is not None:
        raise Unparseable("error", reply.error.message)
    is_word = isinstance(reply.result, str) and len(reply.result) == _WORD_CHARS
    balance = as_number(reply.result) if is_word else None
    if balance is None or not 0 <= balance <= SIZE_E6_MAX:
        raise Unparseable("result", reply.result)
    return SizeE6(balance)


def parse_balance(body: bytes) -> SizeE6:
    """Return the balance in an answer.

    Raises:
        WireFault: The answer is no balance, or one that nobody can hold.
    """
    raw = decode(BALANCE_ALLOWANCE, body, "balance").balance
    balance = parse_scaled(raw, 0, "balance")
    if not 0 <= balance <= SIZE_E6_MAX:
        raise Unparseable("balance", raw)
    return SizeE6(balance)


_WORD_CHARS = len("0x") + 64
