"""What is sent to the relayer, and whether a deposit wallet's owner has signed it.

Source: polymarket-client 0.14.0, relayer payloads and the typed data of a batch;
https://docs.polymarket.com/api-reference (relayer, 2026-09-28).
"""

import re

import msgspec

from services.simulator.accounts import UNLIMITED
from services.simulator.keys import recover_address
from shared.venue.typed_data import (
    address_word,
    digest,
    domain_separator,
    hex_bytes,
    keccak256,
    uint_word,
)

CHAIN_ID = 137
_CALL_TYPE = "Call(address target,uint256 value,bytes data)"
_CALL_HASH = keccak256(_CALL_TYPE.encode())
_BATCH_HASH = keccak256(
    f"Batch(address wallet,uint256 nonce,uint256 deadline,Call[] calls){_CALL_TYPE}".encode()
)
_WORD_BYTES = 32
_SELECTOR_CHARACTERS = 10

APPROVE = "0x095ea7b3"
"""Selector of `approve(address,uint256)`, of a contract that holds money."""

APPROVE_ALL = "0xa22cb465"
"""Selector of `setApprovalForAll(address,bool)`, of a contract that holds positions."""

_APPROVAL = re.compile(rf"({APPROVE}|{APPROVE_ALL})0{{24}}([0-9a-f]{{40}})([0-9a-f]{{64}})")


class Approval(msgspec.Struct, frozen=True):
    """What a contract may move from now on, in 1e-6."""

    spender: str
    amount: int
    conditional: bool


class WalletCall(msgspec.Struct, frozen=True):
    """One call that a wallet shall make."""

    target: str
    value: str
    data: str

    @property
    def selector(self) -> str:
        """Return the first four bytes of the data, as 0x and lower-case hex."""
        return self.data[:_SELECTOR_CHARACTERS].lower()


class DepositWalletParams(msgspec.Struct, frozen=True, rename="camel"):
    """A batch of calls of a deposit wallet."""

    deposit_wallet: str
    deadline: str
    calls: tuple[WalletCall, ...]


class Submission(
    msgspec.Struct, frozen=True, rename={"sender": "from", "params": "depositWalletParams"}
):
    """The body of `POST /submit`.

    Attributes:
        type: `WALLET-CREATE`, `WALLET`, or a kind that needs a chain.
        sender: The owner's address.
    """

    type: str
    sender: str
    nonce: str = ""
    signature: str = ""
    params: DepositWalletParams | None = None


SUBMISSION = msgspec.json.Decoder(Submission)


def batch_digest(params: DepositWalletParams, nonce: int) -> bytes:
    """Return the 32 bytes that the owner signs for a batch.

    Raises:
        ValueError: A member is malformed; OverflowError: or too large.
    """
    wallet = params.deposit_wallet
    separator = domain_separator("DepositWallet", "1", CHAIN_ID, wallet)
    calls = b"".join(_call_hash(call) for call in params.calls)
    return digest(
        separator,
        keccak256(
            _BATCH_HASH
            + address_word(wallet)
            + uint_word(nonce)
            + uint_word(int(params.deadline))
            + keccak256(calls)
        ),
    )


def _call_hash(call: WalletCall) -> bytes:
    data = hex_bytes(call.data, (len(call.data) - 2) // 2)
    return keccak256(
        _CALL_HASH + address_word(call.target) + uint_word(int(call.value)) + keccak256(data)
    )


def approval_of(call: WalletCall) -> Approval | None:
    """Return what a call approves, None when it does anything else."""
    found = _APPROVAL.fullmatch(call.data.lower())
    if found is None:
        return None
    selector, spender, word = found.groups()
    amount = int(word, 16)
    if selector == APPROVE_ALL:
        return Approval("0x" + spender, UNLIMITED if amount else 0, conditional=True)
    return Approval("0x" + spender, amount, conditional=False)


def approvals_of(params: DepositWalletParams) -> tuple[Approval, ...]:
    """Return what a batch approves."""
    found = (approval_of(call) for call in params.calls)
    return tuple(approval for approval in found if approval is not None)


def is_signed(submission: Submission, nonce: int) -> bool:
    """Tell whether the owner has signed a batch with this nonce."""
    if submission.params is None:
        return False
    try:
        signed = batch_digest(submission.params, nonce)
    except (ValueError, OverflowError):
        return False
    return recover_address(signed, submission.signature) == submission.sender.lower()
