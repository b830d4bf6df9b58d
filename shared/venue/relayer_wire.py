"""What is sent to the relayer for a wallet that is a contract, and what its owner signs for it.

Three kinds, three digests: a deposit wallet's batch (EIP-712), a Safe's transaction (EIP-712, and
then signed as a message), a proxy's relayed call (a packed hash, signed as a message). Holds no
key. Source: https://docs.polymarket.com/api-reference (relayer, 2026-09-28); digests agree with
polymarket-client 0.14.0, `relayer/signing` (2026-11).
"""

from typing import Final

import msgspec

from shared.venue.contracts import RELAY_HUB
from shared.venue.typed_data import (
    address_word,
    digest,
    domain_separator,
    hex_bytes,
    keccak256,
    text_word,
    uint_word,
)
from shared.venue.wallet_calls import WalletCall

SUBMIT_PATH: Final = "/submit"
PARAMETERS_PATH: Final = "/v1/account/transactions/params"
TRANSACTION_PATH: Final = "/v1/account/transactions/"
DEPLOYED_PATH: Final = "/deployed"

DONE: Final = "STATE_CONFIRMED"
OVER: Final = frozenset({"STATE_FAILED", "STATE_INVALID"})
"""States that a transaction does not leave."""

ZERO_ADDRESS: Final = "0x" + "0" * 40

PLAIN_CALL: Final = "0"
DELEGATE_CALL: Final = "1"
"""How a Safe calls: itself, or MultiSend in its own name."""

_CALL_TYPE = "Call(address target,uint256 value,bytes data)"
_CALL_HASH = text_word(_CALL_TYPE)
_BATCH_HASH = text_word(
    f"Batch(address wallet,uint256 nonce,uint256 deadline,Call[] calls){_CALL_TYPE}"
)
_SAFE_DOMAIN_HASH = text_word("EIP712Domain(uint256 chainId,address verifyingContract)")
_SAFE_HASH = text_word(
    "SafeTx(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 baseGas,"
    "uint256 gasPrice,address gasToken,address refundReceiver,uint256 nonce)"
)
_MESSAGE_PREFIX = b"\x19Ethereum Signed Message:\n32"
_RELAY_PREFIX = b"rlx:"
_ADDRESS_BYTES = 20
_SAFE_V_OFFSET = 4
_SIGNATURE_DIGITS = 130


class DepositWalletParams(msgspec.Struct, frozen=True, rename="camel"):
    """A batch of calls of a deposit wallet."""

    deposit_wallet: str
    deadline: str
    calls: tuple[WalletCall, ...]


class SignatureParams(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What a Safe's or a proxy's owner has signed beside the call; the other kind's are empty."""

    base_gas: str = ""
    gas_price: str = ""
    gas_token: str = ""
    operation: str = ""
    refund_receiver: str = ""
    safe_txn_gas: str = ""
    gas_limit: str = ""
    relay: str = ""
    relay_hub: str = ""
    relayer_fee: str = ""


class Submission(
    msgspec.Struct,
    frozen=True,
    omit_defaults=True,
    rename={
        "sender": "from",
        "target": "to",
        "proxy_wallet": "proxyWallet",
        "signature_params": "signatureParams",
        "params": "depositWalletParams",
    },
):
    """The body of `POST /submit`.

    Attributes:
        type: `WALLET`, `SAFE`, `PROXY`, or `WALLET-CREATE`.
        sender: The owner's address.
        target: Contract that is called; a factory for deposit wallets and proxies.
        proxy_wallet: A Safe or a proxy that calls.
    """

    type: str
    sender: str
    target: str = ""
    proxy_wallet: str = ""
    data: str = ""
    nonce: str = ""
    signature: str = ""
    metadata: str = ""
    signature_params: SignatureParams | None = None
    params: DepositWalletParams | None = None


class Parameters(msgspec.Struct, frozen=True):
    """Answer of `PARAMETERS_PATH`: who relays, and the next number of the wallet."""

    address: str
    nonce: str


class Accepted(msgspec.Struct, frozen=True, rename={"transaction_id": "transactionID"}):
    """Answer of `SUBMIT_PATH`."""

    transaction_id: str
    state: str


class Progress(msgspec.Struct, frozen=True):
    """Answer of `TRANSACTION_PATH`."""

    state: str
    transaction_hash: str | None = ""
    error_msg: str | None = ""


class Deployed(msgspec.Struct, frozen=True):
    """Answer of `DEPLOYED_PATH`."""

    deployed: bool


def batch_digest(params: DepositWalletParams, nonce: int, chain_id: int) -> bytes:
    """Return the 32 bytes that the owner of a deposit wallet signs for a batch.

    Raises:
        ValueError: A member is malformed; so for every digest here.
        OverflowError: Or too large.
    """
    wallet = params.deposit_wallet
    calls = b"".join(_call_hash(call) for call in params.calls)
    return digest(
        domain_separator("DepositWallet", "1", chain_id, wallet),
        keccak256(
            _BATCH_HASH
            + address_word(wallet)
            + uint_word(nonce)
            + uint_word(int(params.deadline))
            + keccak256(calls)
        ),
    )


def safe_digest(wallet: str, call: WalletCall, operation: str, nonce: int, chain_id: int) -> bytes:
    """Return the 32 bytes that a Safe's owner signs, without gas that anybody pays back."""
    separator = keccak256(_SAFE_DOMAIN_HASH + uint_word(chain_id) + address_word(wallet))
    zero = uint_word(0)
    inner = digest(
        separator,
        keccak256(
            _SAFE_HASH
            + address_word(call.target)
            + uint_word(int(call.value))
            + keccak256(_raw(call.data))
            + uint_word(int(operation))
            + zero * 3
            + address_word(ZERO_ADDRESS) * 2
            + uint_word(nonce)
        ),
    )
    return message_digest(inner)


def proxy_digest(
    owner: str, factory: str, data: str, gas_limit: str, nonce: int, relay: str
) -> bytes:
    """Return the 32 bytes that a proxy's owner signs for a relayed call without a fee."""
    packed = (
        _RELAY_PREFIX
        + hex_bytes(owner, _ADDRESS_BYTES)
        + hex_bytes(factory, _ADDRESS_BYTES)
        + _raw(data)
        + uint_word(0)
        + uint_word(0)
        + uint_word(int(gas_limit))
        + uint_word(nonce)
        + hex_bytes(RELAY_HUB, _ADDRESS_BYTES)
        + hex_bytes(relay, _ADDRESS_BYTES)
    )
    return message_digest(keccak256(packed))


def message_digest(inner: bytes) -> bytes:
    """Return what is signed for 32 bytes that a wallet shows as a message (EIP-191)."""
    return keccak256(_MESSAGE_PREFIX + inner)


def as_safe_signature(signature: str) -> str:
    """Return a message's signature as a Safe reads it: v four higher. Source: Safe contracts."""
    return _shift_v(signature, _SAFE_V_OFFSET)


def from_safe_signature(signature: str) -> str:
    """Return the plain signature in a Safe's.

    Raises:
        ValueError: It is none.
    """
    return _shift_v(signature, -_SAFE_V_OFFSET)


def _shift_v(signature: str, by: int) -> str:
    digits = signature.removeprefix("0x")
    if len(digits) != _SIGNATURE_DIGITS:
        raise ValueError("a signature has 65 bytes")
    v = int(digits[128:], 16) + by
    if not 0 <= v <= 255:
        raise ValueError("v is one byte")
    return f"0x{digits[:128]}{v:02x}"


def _call_hash(call: WalletCall) -> bytes:
    return keccak256(
        _CALL_HASH
        + address_word(call.target)
        + uint_word(int(call.value))
        + keccak256(_raw(call.data))
    )


def _raw(data: str) -> bytes:
    return hex_bytes(data, (len(data) - 2) // 2)
