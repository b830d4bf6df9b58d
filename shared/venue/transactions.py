"""A plain key's own transaction: what is signed, and the bytes that go to a node.

Legacy form with the chain's id (EIP-155), which every node of Polygon takes; RLP as the yellow
paper has it. Holds no key; tests compare with eth-account, byte for byte.
Source: https://eips.ethereum.org/EIPS/eip-155.
"""

import msgspec

from shared.venue.typed_data import hex_bytes, keccak256

_ADDRESS_BYTES = 20
_SIGNATURE_BYTES = 65
_ETHEREUM_V = 27
_EIP155_V = 35
_SHORT_MAX = 55
_BYTES_BASE = 0x80
_LIST_BASE = 0xC0
_FIELDS = 9


class Transaction(msgspec.Struct, frozen=True):
    """A call that a plain key pays for.

    Attributes:
        nonce: How many the key has sent before.
        gas_price: In 1e-18 of the chain's coin.
        gas: Most that it may use.
        data: 0x and hex.
    """

    nonce: int
    gas_price: int
    gas: int
    target: str
    data: str
    chain_id: int


class NoTransaction(ValueError):
    """The bytes are no such transaction."""


def signing_digest(transaction: Transaction) -> bytes:
    """Return the 32 bytes that the key signs.

    Raises:
        ValueError: Target or data are malformed.
    """
    return keccak256(_encode_list([*_members(transaction), _int(transaction.chain_id), b"", b""]))


def raw_transaction(transaction: Transaction, signature: str) -> str:
    """Return what is sent to a node, 0x and hex.

    Args:
        transaction: As signed.
        signature: Its digest's r, s and v of 27 or 28, 0x and hex.

    Raises:
        ValueError: The signature is none.
    """
    raw = hex_bytes(signature, _SIGNATURE_BYTES)
    v = raw[64] - _ETHEREUM_V + _EIP155_V + 2 * transaction.chain_id
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big")
    return "0x" + _encode_list([*_members(transaction), _int(v), _int(r), _int(s)]).hex()


def transaction_hash(raw: str) -> str:
    """Return the id of a raw transaction, 0x and 64 hex digits."""
    return "0x" + keccak256(bytes.fromhex(raw.removeprefix("0x"))).hex()


def read_transaction(raw: str, chain_id: int) -> tuple[Transaction, str]:
    """Return a transaction and its signature with v of 27 or 28.

    Raises:
        NoTransaction: It is none of this form, or of another chain.
    """
    try:
        fields = _decode_list(bytes.fromhex(raw.removeprefix("0x")))
    except (ValueError, IndexError):
        raise NoTransaction("no list of bytes") from None
    if len(fields) != _FIELDS or len(fields[3]) != _ADDRESS_BYTES:
        raise NoTransaction("not nine fields, or no target")
    nonce, price, gas, value, v, r, s = (int.from_bytes(fields[at], "big") for at in _NUMBERS)
    parity = v - _EIP155_V - 2 * chain_id
    if value or parity not in (0, 1) or max(r, s).bit_length() > 256:
        raise NoTransaction("it moves coins, or is of another chain")
    target, data = "0x" + fields[3].hex(), "0x" + fields[5].hex()
    found = Transaction(nonce, price, gas, target, data, chain_id)
    return found, f"0x{r:064x}{s:064x}{parity + _ETHEREUM_V:02x}"


_NUMBERS = (0, 1, 2, 4, 6, 7, 8)


def _members(transaction: Transaction) -> list[bytes]:
    data = transaction.data
    return [
        _int(transaction.nonce),
        _int(transaction.gas_price),
        _int(transaction.gas),
        hex_bytes(transaction.target, _ADDRESS_BYTES),
        b"",
        hex_bytes(data, (len(data) - 2) // 2),
    ]


def _int(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _encode_list(items: list[bytes]) -> bytes:
    body = b"".join(_encode(item) for item in items)
    return _head(_LIST_BASE, len(body)) + body


def _encode(item: bytes) -> bytes:
    if len(item) == 1 and item[0] < _BYTES_BASE:
        return item
    return _head(_BYTES_BASE, len(item)) + item


def _head(base: int, length: int) -> bytes:
    if length <= _SHORT_MAX:
        return bytes((base + length,))
    size = _int(length)
    return bytes((base + _SHORT_MAX + len(size),)) + size


def _decode_list(raw: bytes) -> list[bytes]:
    """Return the byte strings of one list of byte strings that fills all bytes."""
    at, end = _span(raw, 0, _LIST_BASE)
    if end != len(raw):
        raise ValueError("more than one list")
    items: list[bytes] = []
    while at < end:
        if raw[at] < _BYTES_BASE:
            items.append(raw[at : at + 1])
            at += 1
            continue
        first, last = _span(raw, at, _BYTES_BASE)
        items.append(raw[first:last])
        at = last
    return items


def _span(raw: bytes, at: int, base: int) -> tuple[int, int]:
    """Return where the content begins and ends whose head is at a place."""
    length = raw[at] - base
    first = at + 1
    if not 0 <= length <= _SHORT_MAX + 8:
        raise ValueError("another kind of item")
    if length > _SHORT_MAX:
        first += length - _SHORT_MAX
        length = int.from_bytes(raw[at + 1 : first], "big")
    if first + length > len(raw):
        raise ValueError("cut off")
    return first, first + length
