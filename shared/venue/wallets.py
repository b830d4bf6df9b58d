"""Wallet kinds: which address holds an owner's funds, and whether a deposit wallet has signed.

Every kind but the plain key is a contract whose address follows from the owner's by CREATE2, so
that nothing needs to be asked of a chain. Holds no key and recovers no signature: who signed a
digest is asked of a function that is passed in.

Source: addresses and init codes agree with polymarket-client 0.14.0, `_internal/wallet.py`
(2026-11), the contracts with https://docs.polymarket.com/resources/contracts (2026-09-28).
"""

from collections.abc import Callable

import msgspec

from shared.venue.order_hash import (
    ORDER_TYPE,
    ExchangeDomain,
    UnsignedOrder,
    exchange_separator,
    order_struct_hash,
    wallet_digest,
)
from shared.venue.typed_data import address_word, hex_bytes, keccak256

EOA = 0
PROXY = 1
SAFE = 2
DEPOSIT_WALLET = 3

PROXY_FACTORY = "0xaB45c5A4B0c941a2F231C04C3f49182e1A254052"
PROXY_IMPLEMENTATION = "0x44e999d5c2F66Ef0861317f9A4805AC2e90aEB4f"
SAFE_FACTORY = "0xaacFeEa03eb1561C4e67d661e40682Bd20E3541b"
SAFE_INIT_CODE_HASH = "0x2bce2127ff07fb632d16c8347c4ebf501f4841168bed00d9e6ef715ddb6fcecf"
DEPOSIT_FACTORY = "0x00000000000Fb5C9ADea0298D729A0CB3823Cc07"
DEPOSIT_BEACON = "0x7A18EDfe055488A3128f01F563e5B479D92ffc3a"
DEPOSIT_LEGACY_IMPLEMENTATION = "0x58CA52ebe0DadfdF531Cde7062e76746de4Db1eB"

_ADDRESS_BYTES = 20
_DIGEST_BYTES = 32
_SIGNATURE_BYTES = 65
_LENGTH_BYTES = 2

# A proxy's constructor, the minimal proxy of ERC-1167, and the call that sets it up with no data.
_PROXY_HEAD = "3d3d606380380380913d393d73"
_PROXY_MIDDLE = "5af4602a57600080fd5b602d8060366000396000f3363d3d373d3d3d363d73"
_PROXY_TAIL = "5af43d82803e903d91602b57fd5bf352e831dd" + f"{32:064x}" + f"{0:064x}"

# Both forms of a deposit wallet carry 64 bytes of immutable arguments, which the second and third
# byte of the code count in.
_BEACON_HEAD = "6100923d8160233d3973"
_BEACON_TAIL = (
    "60195155f3363d3d373d3d363d602036600436635c60da"
    "1b60e01b36527fa3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6c"
    "b3582b35133d50545afa5036515af43d6000803e604d573d6000fd5b3d6000f3"
)
_LEGACY_HEAD = "61007d3d8160233d3973"
_LEGACY_TAIL = (
    "60095155f3363d3d373d3d363d7f360894a13ba1a3210667c828492db98dca3e2076"
    "cc3735a920a3ca505d382bbc545af43d6000803e6038573d6000fd5b3d6000f3"
)

Recover = Callable[[bytes, str], str | None]
"""Returns the lower-case address that signed a digest with r, s and v as 0x and hex."""


class WalletSignature(msgspec.Struct, frozen=True):
    """The parts of a deposit wallet's signature.

    Attributes:
        inner: The key's own, 0x and hex of r, s and v.
        separator: Of the exchange that it was made for.
        struct_hash: Of the order that it was made for.
        kind: Type string of what was signed.
    """

    inner: str
    separator: bytes
    struct_hash: bytes
    kind: bytes


def proxy_address(owner: str) -> str:
    """Return the lower-case address of an owner's proxy, the wallet of e-mail accounts.

    Raises:
        ValueError: The owner is not an address; so for every function here.
    """
    code = (
        _PROXY_HEAD + _bare(PROXY_FACTORY) + _PROXY_MIDDLE + _bare(PROXY_IMPLEMENTATION)
    ) + _PROXY_TAIL
    salt = keccak256(hex_bytes(owner, _ADDRESS_BYTES))
    return _create2(PROXY_FACTORY, salt, keccak256(bytes.fromhex(code)))


def safe_address(owner: str) -> str:
    """Return the lower-case address of an owner's Safe of one signature."""
    salt = keccak256(address_word(owner))
    return _create2(SAFE_FACTORY, salt, hex_bytes(SAFE_INIT_CODE_HASH, _DIGEST_BYTES))


def deposit_address(owner: str) -> str:
    """Return the lower-case address of an owner's deposit wallet, whose code a beacon names."""
    arguments = _deposit_arguments(owner)
    code = bytes.fromhex(_BEACON_HEAD + _bare(DEPOSIT_BEACON) + _BEACON_TAIL) + arguments
    return _create2(DEPOSIT_FACTORY, keccak256(arguments), keccak256(code))


def legacy_deposit_address(owner: str) -> str:
    """Return where an owner's deposit wallet stood before beacons: a UUPS proxy (ERC-1967)."""
    arguments = _deposit_arguments(owner)
    head = _LEGACY_HEAD + _bare(DEPOSIT_LEGACY_IMPLEMENTATION)
    code = bytes.fromhex(head + _LEGACY_TAIL) + arguments
    return _create2(DEPOSIT_FACTORY, keccak256(arguments), keccak256(code))


def maker_address(signature_type: int, owner: str) -> str:
    """Return the lower-case address that holds the funds behind a signature type.

    Raises:
        ValueError: The venue has no such signature type.
    """
    match signature_type:
        case 0:
            return owner.lower()
        case 1:
            return proxy_address(owner)
        case 2:
            return safe_address(owner)
        case 3:
            return deposit_address(owner)
        case _:
            raise ValueError(f"no signature type {signature_type}")


def split_wallet_signature(signature: str) -> WalletSignature | None:
    """Return the parts of a deposit wallet's signature, None when it is none.

    The layout is that of ERC-7739: the inner signature, the exchange's domain separator, the
    order's struct hash, the type string, and its length in two bytes.
    Source: https://eips.ethereum.org/EIPS/eip-7739.
    """
    try:
        raw = bytes.fromhex(signature.removeprefix("0x"))
    except ValueError:
        return None
    head = _SIGNATURE_BYTES + 2 * _DIGEST_BYTES
    kind_bytes = int.from_bytes(raw[-_LENGTH_BYTES:], "big")
    if len(raw) != head + kind_bytes + _LENGTH_BYTES or not signature.startswith("0x"):
        return None
    return WalletSignature(
        inner="0x" + raw[:_SIGNATURE_BYTES].hex(),
        separator=raw[_SIGNATURE_BYTES : _SIGNATURE_BYTES + _DIGEST_BYTES],
        struct_hash=raw[_SIGNATURE_BYTES + _DIGEST_BYTES : head],
        kind=raw[head:-_LENGTH_BYTES],
    )


def is_signed_by_wallet(
    order: UnsignedOrder, domain: ExchangeDomain, signature: str, owner: str, recover: Recover
) -> bool:
    """Tell whether the owner of a deposit wallet has signed an order for an exchange.

    As the wallet's contract does, it takes separator and struct hash from the signature only to
    compare them with the order's own.

    Args:
        order: With the wallet as its signer.
        domain: Exchange of the order's market.
        signature: As posted.
        owner: Lower-case address of the key behind the wallet.
        recover: Who signed a digest.

    Raises:
        ValueError: A member of the order is malformed; OverflowError: or too large.
    """
    parts = split_wallet_signature(signature)
    if parts is None:
        return False
    return (
        parts.kind == ORDER_TYPE.encode()
        and parts.separator == exchange_separator(domain)
        and parts.struct_hash == order_struct_hash(order)
        and recover(wallet_digest(order, domain), parts.inner) == owner
    )


def _deposit_arguments(owner: str) -> bytes:
    return address_word(DEPOSIT_FACTORY) + address_word(owner)


def _create2(factory: str, salt: bytes, code_hash: bytes) -> str:
    """Return a contract's address. Source: https://eips.ethereum.org/EIPS/eip-1014."""
    raw = b"\xff" + hex_bytes(factory, _ADDRESS_BYTES) + salt + code_hash
    return "0x" + keccak256(raw)[-_ADDRESS_BYTES:].hex()


def _bare(address: str) -> str:
    return address.removeprefix("0x").lower()
