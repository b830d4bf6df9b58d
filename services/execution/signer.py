"""Signatures of orders: the one place where the trading key is used.

Signs the digest that `shared/venue/order_hash.py` computes, by secp256k1 in C; tests compare
every wallet kind with the official client's order builder, byte for byte. Opens no socket,
reads no clock, and shows the key to nobody: no repr, no message, no log.

    KeyFault(Exception)     local: the key file holds no private key
"""

from pathlib import Path

from coincurve import PrivateKey

from shared.venue.order_hash import (
    ORDER_TYPE,
    ExchangeDomain,
    UnsignedOrder,
    exchange_separator,
    order_digest,
    order_struct_hash,
    wallet_digest,
)
from shared.venue.typed_data import keccak256

DEPOSIT_WALLET_TYPE = 3
"""Signature type of a deposit wallet, whose signature nests the order in the wallet's domain."""

KEY_BYTES = 32
KEY_FILE_BYTES_MAX = 256

RECOVERY_BASE = 27
"""Ethereum's offset of the recovery id. Source: EIP-155, for typed data without a chain in v."""


class KeyFault(Exception):
    """The key file holds something else than a private key; the text repeats none of it."""


class OrderSigner:
    """Holds the key.

    Attributes:
        address: Of the key, lower case.
    """

    __slots__ = ("_key", "address")

    def __init__(self, key: bytes) -> None:
        """Take the 32 bytes of a private key.

        Raises:
            KeyFault: They are no private key.
        """
        if len(key) != KEY_BYTES:
            raise KeyFault("a private key has 32 bytes")
        try:
            self._key = PrivateKey(key)
        except ValueError:
            raise KeyFault("not a private key of secp256k1") from None
        public = self._key.public_key.format(compressed=False)[1:]
        self.address = "0x" + keccak256(public)[-20:].hex()

    def __repr__(self) -> str:
        """Name the address, hide the key."""
        return f"OrderSigner({self.address})"

    def sign(self, order: UnsignedOrder, domain: ExchangeDomain) -> str:
        """Return the signature of an order as the venue takes it, 0x and hex."""
        if order.signature_type == DEPOSIT_WALLET_TYPE:
            return self._sign_for_wallet(order, domain)
        return "0x" + self._sign(order_digest(order, domain)).hex()

    def _sign_for_wallet(self, order: UnsignedOrder, domain: ExchangeDomain) -> str:
        """Return a nested signature. Source: https://eips.ethereum.org/EIPS/eip-7739."""
        kind = ORDER_TYPE.encode()
        parts = (
            self._sign(wallet_digest(order, domain)),
            exchange_separator(domain),
            order_struct_hash(order),
            kind,
            len(kind).to_bytes(2, "big"),
        )
        return "0x" + b"".join(parts).hex()

    def _sign(self, digest: bytes) -> bytes:
        """Return r, s and v of a digest; deterministic (RFC 6979), s in its lower half."""
        signature = self._key.sign_recoverable(digest, hasher=None)
        return signature[:64] + bytes((signature[64] + RECOVERY_BASE,))


def read_key(path: Path) -> OrderSigner:
    """Return the signer of a key file: 64 hex digits, with or without 0x.

    Raises:
        KeyFault: The file holds something else.
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        content = file.read(KEY_FILE_BYTES_MAX)
    text = content.decode("ascii", "replace").strip().removeprefix("0x")
    try:
        key = bytes.fromhex(text)
    except ValueError:
        raise KeyFault(f"{path} holds no hex") from None
    return OrderSigner(key)
