"""Submissions to the relayer, signed as each kind of wallet wants it.

Source: https://docs.polymarket.com/api-reference (relayer, 2026-09-28); bodies and signatures agree
with polymarket-client 0.14.0, `relayer/gasless.py` (2026-11).
"""

from ops.keys import Key
from shared.venue.contracts import RELAY_HUB, SAFE_MULTISEND
from shared.venue.relayer_wire import (
    DELEGATE_CALL,
    PLAIN_CALL,
    ZERO_ADDRESS,
    DepositWalletParams,
    Parameters,
    SignatureParams,
    Submission,
    as_safe_signature,
    batch_digest,
    proxy_digest,
    safe_digest,
)
from shared.venue.wallet_calls import WalletCall, multisend_data, proxy_data
from shared.venue.wallets import DEPOSIT_FACTORY, DEPOSIT_WALLET, PROXY_FACTORY, SAFE

BATCH_VALID_S = 600
"""How long a deposit wallet's batch may be mined after its signature."""

PROXY_GAS_BASE = 150_000
PROXY_GAS_EACH = 100_000
"""Generous: an approval costs about half; the relayer pays."""

METADATA = "approvals for trading"


def wallet_creation(owner: str) -> Submission:
    """Return the wish that an owner's deposit wallet be created."""
    return Submission(
        type="WALLET-CREATE", sender=owner, target=DEPOSIT_FACTORY, metadata="deposit wallet"
    )


def submission_of(
    kind: int,
    key: Key,
    wallet: str,
    calls: tuple[WalletCall, ...],
    parameters: Parameters,
    now_s: int,
    chain_id: int,
) -> Submission:
    """Return signed calls of a wallet.

    Args:
        kind: Signature type of the wallet, a contract.
        key: Of its owner.
        wallet: Its address.
        calls: At least one.
        parameters: What the relayer said of this wallet just now.
        now_s: Wall seconds.
        chain_id: Of the venue's chain.
    """
    assert calls, "something is to be called"
    if kind == DEPOSIT_WALLET:
        return _deposit(key, wallet, calls, parameters, now_s, chain_id)
    if kind == SAFE:
        return _safe(key, wallet, calls, parameters, chain_id)
    return _proxy(key, wallet, calls, parameters)


def _deposit(
    key: Key,
    wallet: str,
    calls: tuple[WalletCall, ...],
    parameters: Parameters,
    now_s: int,
    chain_id: int,
) -> Submission:
    params = DepositWalletParams(wallet, str(now_s + BATCH_VALID_S), calls)
    return Submission(
        type="WALLET",
        sender=key.address,
        target=DEPOSIT_FACTORY,
        nonce=parameters.nonce,
        signature=key.sign(batch_digest(params, int(parameters.nonce), chain_id)),
        metadata=METADATA,
        params=params,
    )


def _safe(
    key: Key, wallet: str, calls: tuple[WalletCall, ...], parameters: Parameters, chain_id: int
) -> Submission:
    call, operation = calls[0], PLAIN_CALL
    if len(calls) > 1:
        call, operation = WalletCall(SAFE_MULTISEND, "0", multisend_data(calls)), DELEGATE_CALL
    digest = safe_digest(wallet, call, operation, int(parameters.nonce), chain_id)
    return Submission(
        type="SAFE",
        sender=key.address,
        target=call.target,
        proxy_wallet=wallet,
        data=call.data,
        nonce=parameters.nonce,
        signature=as_safe_signature(key.sign(digest)),
        metadata=METADATA,
        signature_params=SignatureParams(
            base_gas="0",
            gas_price="0",
            gas_token=ZERO_ADDRESS,
            operation=operation,
            refund_receiver=ZERO_ADDRESS,
            safe_txn_gas="0",
        ),
    )


def _proxy(
    key: Key, wallet: str, calls: tuple[WalletCall, ...], parameters: Parameters
) -> Submission:
    data = proxy_data(calls)
    gas = str(PROXY_GAS_BASE + PROXY_GAS_EACH * len(calls))
    relay, nonce = parameters.address, int(parameters.nonce)
    digest = proxy_digest(key.address, PROXY_FACTORY, data, gas, nonce, relay)
    return Submission(
        type="PROXY",
        sender=key.address,
        target=PROXY_FACTORY,
        proxy_wallet=wallet,
        data=data,
        nonce=parameters.nonce,
        signature=key.sign(digest),
        metadata=METADATA,
        signature_params=SignatureParams(
            gas_limit=gas, gas_price="0", relay=relay, relay_hub=RELAY_HUB, relayer_fee="0"
        ),
    )
