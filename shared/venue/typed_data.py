"""EIP-712: the 32-byte words, domain separators and digests that are signed.

Holds no venue rule: which struct is signed under which domain stands beside the struct
(`order_hash.py`, `auth.py`). Source: https://eips.ethereum.org/EIPS/eip-712.
"""

from Crypto.Hash import keccak

POLYGON_CHAIN_ID = 137
"""Polygon PoS, the chain on which the venue settles."""

_WORD_BYTES = 32
_ADDRESS_BYTES = 20

_DOMAIN_TYPE_WITH_CONTRACT = (
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
_DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId)"


def keccak256(data: bytes) -> bytes:
    """Return the 32-byte Keccak-256 digest, as Ethereum pads it (not NIST SHA-3)."""
    return keccak.new(digest_bits=256, data=data).digest()


def text_word(text: str) -> bytes:
    """Encode a string member: the digest of its UTF-8 bytes."""
    return keccak256(text.encode())


def uint_word(number: int) -> bytes:
    """Encode an unsigned integer member, 0..2**256-1.

    Raises:
        OverflowError: The number is negative or too large.
    """
    return number.to_bytes(_WORD_BYTES, "big")


def address_word(address: str) -> bytes:
    """Encode an address member from 0x and 40 hex digits of either case.

    Raises:
        ValueError: It is not an address.
    """
    return bytes(_WORD_BYTES - _ADDRESS_BYTES) + hex_bytes(address, _ADDRESS_BYTES)


def bytes32_word(text: str) -> bytes:
    """Encode a bytes32 member from 0x and 64 hex digits.

    Raises:
        ValueError: It is not 32 bytes of hex.
    """
    return hex_bytes(text, _WORD_BYTES)


def hex_bytes(text: str, length: int) -> bytes:
    """Return the bytes of 0x-prefixed hex of exactly this many bytes.

    Raises:
        ValueError: Prefix, digits or length are wrong.
    """
    if not text.startswith("0x") or len(text) != 2 + 2 * length:
        raise ValueError(f"expected 0x and {2 * length} hex digits")
    return bytes.fromhex(text[2:])


def domain_separator(name: str, version: str, chain_id: int, contract: str | None) -> bytes:
    """Return the separator of a domain; a contract of None leaves that member out.

    Raises:
        ValueError: The contract is not an address.
    """
    if contract is None:
        head, tail = text_word(_DOMAIN_TYPE), b""
    else:
        head, tail = text_word(_DOMAIN_TYPE_WITH_CONTRACT), address_word(contract)
    return keccak256(head + text_word(name) + text_word(version) + uint_word(chain_id) + tail)


def digest(separator: bytes, struct_hash: bytes) -> bytes:
    """Return the 32 bytes that are signed for a struct under a domain."""
    return keccak256(b"\x19\x01" + separator + struct_hash)
