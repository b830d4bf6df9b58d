"""What a submission to the relayer would do on the chain, and whether its owner has signed it.

Source: https://docs.polymarket.com/api-reference (relayer, 2026-09-28); shapes and digests stand
in `shared/venue/relayer_wire.py`.
"""

import msgspec

from services.simulator.keys import recover_address
from shared.venue.approvals import UNLIMITED, given_by
from shared.venue.contracts import RELAY_HUB, SAFE_MULTISEND
from shared.venue.relayer_wire import (
    DELEGATE_CALL,
    PLAIN_CALL,
    Submission,
    batch_digest,
    from_safe_signature,
    proxy_digest,
    safe_digest,
)
from shared.venue.typed_data import POLYGON_CHAIN_ID
from shared.venue.wallet_calls import MULTISEND, WalletCall, multisend_calls, proxy_calls
from shared.venue.wallets import (
    PROXY_FACTORY,
    deposit_address,
    proxy_address,
    safe_address,
)

CHAIN_ID = POLYGON_CHAIN_ID

SUBMISSION = msgspec.json.Decoder(Submission)


class Approval(msgspec.Struct, frozen=True):
    """What a contract may move from now on, in 1e-6."""

    spender: str
    amount: int
    conditional: bool


def approval_of(call: WalletCall) -> Approval | None:
    """Return what a call approves, None when it does anything else."""
    found = given_by(call)
    if found is None:
        return None
    spender, amount, is_operator = found
    if is_operator:
        return Approval(spender, UNLIMITED if amount else 0, conditional=True)
    return Approval(spender, amount, conditional=False)


def wallet_of(submission: Submission) -> str:
    """Return the lower-case address of the wallet that shall call.

    Raises:
        ValueError: The sender is no address.
    """
    owner = submission.sender.lower()
    if submission.type == "SAFE":
        return safe_address(owner)
    return proxy_address(owner) if submission.type == "PROXY" else deposit_address(owner)


def calls_of(submission: Submission) -> tuple[WalletCall, ...]:
    """Return the calls that a submission makes its wallet do.

    Raises:
        ValueError: They cannot be read.
    """
    match submission.type:
        case "WALLET" if submission.params is not None:
            return submission.params.calls
        case "PROXY" if submission.target.lower() == PROXY_FACTORY.lower():
            return proxy_calls(submission.data)
        case "SAFE" if submission.data.startswith(MULTISEND):
            is_multisend = submission.target.lower() == SAFE_MULTISEND.lower()
            if not is_multisend or _operation(submission) != DELEGATE_CALL:
                raise ValueError("MultiSend is called in the wallet's own name")
            return multisend_calls(submission.data)
        case "SAFE" if _operation(submission) == PLAIN_CALL:
            return (WalletCall(submission.target, "0", submission.data),)
        case _:
            raise ValueError(f"a {submission.type} without what it needs")


def is_signed(submission: Submission, nonce: int, relay: str) -> bool:
    """Tell whether the owner has signed a submission with this nonce, for this relay."""
    try:
        signed, signature = _digest(submission, nonce, relay), submission.signature
        if submission.type == "SAFE":
            signature = from_safe_signature(signature)
    except (ValueError, OverflowError):
        return False
    return recover_address(signed, signature) == submission.sender.lower()


def _digest(submission: Submission, nonce: int, relay: str) -> bytes:
    if submission.type == "WALLET":
        if submission.params is None:
            raise ValueError("no batch")
        return batch_digest(submission.params, nonce, CHAIN_ID)
    signed = submission.signature_params
    if signed is None:
        raise ValueError("no members of the signature")
    if submission.type == "SAFE":
        call = WalletCall(submission.target, "0", submission.data)
        wallet = safe_address(submission.sender.lower())
        return safe_digest(wallet, call, signed.operation, nonce, CHAIN_ID)
    is_free = signed.relayer_fee == signed.gas_price == "0"
    if not is_free or signed.relay_hub.lower() != RELAY_HUB.lower():
        raise ValueError("a fee, or another hub")
    return proxy_digest(
        submission.sender, submission.target, submission.data, signed.gas_limit, nonce, relay
    )


def _operation(submission: Submission) -> str:
    return "" if submission.signature_params is None else submission.signature_params.operation
