"""Calls that a wallet makes of other contracts, and how several travel in one.

A Safe makes several through MultiSend, an e-mail account's proxy through the proxies' factory;
both are written and read here. Source: https://docs.safe.global (MultiSend),
polymarket-client 0.14.0, `relayer/calls.py` (2026-11), with which tests compare every byte.
"""

from typing import Final

import msgspec

from shared.venue.typed_data import address_word, hex_bytes, uint_word

MULTISEND: Final = "0x8d80ff0a"
"""Selector of `multiSend(bytes)`."""

PROXY_CALLS: Final = "0x34ee9791"
"""Selector of `proxy((uint8,address,uint256,bytes)[])`."""

CALLS_MAX: Final = 64
"""Far more than all approvals at once; bounds what a hostile text costs to read."""

_WORD = 32
_ADDRESS = 20
_SELECTOR = 4
_PLAIN_CALL = 0
_PROXY_CALL = 1
_HEAD_WORDS = 4


class WalletCall(msgspec.Struct, frozen=True):
    """One call that a wallet shall make.

    Attributes:
        value: Of the chain's own coin, decimal.
        data: Selector and arguments, 0x and hex.
    """

    target: str
    value: str
    data: str

    @property
    def selector(self) -> str:
        """Return the first four bytes of the data, as 0x and lower-case hex."""
        return self.data[: 2 + 2 * _SELECTOR].lower()


class NoCalls(ValueError):
    """The data are not several calls."""


def multisend_data(calls: tuple[WalletCall, ...]) -> str:
    """Return the data of MultiSend for calls, packed one behind the other.

    Raises:
        ValueError: A call is malformed; so for every writing function here.
    """
    packed = b"".join(
        bytes((_PLAIN_CALL,))
        + hex_bytes(call.target, _ADDRESS)
        + uint_word(int(call.value))
        + uint_word(len(_raw(call.data)))
        + _raw(call.data)
        for call in calls
    )
    return MULTISEND + (uint_word(_WORD) + uint_word(len(packed)) + _padded(packed)).hex()


def proxy_data(calls: tuple[WalletCall, ...]) -> str:
    """Return the data by which the factory lets an owner's proxy make calls."""
    parts = [_proxy_part(call) for call in calls]
    offsets, at = [], _WORD * len(parts)
    for part in parts:
        offsets.append(uint_word(at))
        at += len(part)
    body = uint_word(_WORD) + uint_word(len(parts)) + b"".join(offsets) + b"".join(parts)
    return PROXY_CALLS + body.hex()


def multisend_calls(data: str) -> tuple[WalletCall, ...]:
    """Return the calls in the data of MultiSend.

    Raises:
        NoCalls: They are none, or do something else than calling.
    """
    raw = _body(data, MULTISEND)
    packed = _take(raw, 2 * _WORD, _number(raw, _WORD))
    calls: list[WalletCall] = []
    at = 0
    while at < len(packed):
        if packed[at] != _PLAIN_CALL or len(calls) == CALLS_MAX:
            raise NoCalls("something else than calls, or too many")
        head = _take(packed, at + 1, _ADDRESS + 2 * _WORD)
        length = int.from_bytes(head[-_WORD:], "big")
        inner = _take(packed, at + 1 + len(head), length)
        value = int.from_bytes(head[_ADDRESS : _ADDRESS + _WORD], "big")
        calls.append(WalletCall("0x" + head[:_ADDRESS].hex(), str(value), "0x" + inner.hex()))
        at += 1 + len(head) + length
    return tuple(calls)


def proxy_calls(data: str) -> tuple[WalletCall, ...]:
    """Return the calls in the data for the proxies' factory.

    Raises:
        NoCalls: They are none, or do something else than calling.
    """
    raw = _body(data, PROXY_CALLS)
    count = _number(raw, _WORD)
    if _number(raw, 0) != _WORD or count > CALLS_MAX:
        raise NoCalls("another layout, or too many calls")
    base = 2 * _WORD
    return tuple(_read_part(raw, base + _number(raw, base + _WORD * at)) for at in range(count))


def _proxy_part(call: WalletCall) -> bytes:
    data = _raw(call.data)
    head = uint_word(_PROXY_CALL) + address_word(call.target) + uint_word(int(call.value))
    return head + uint_word(_HEAD_WORDS * _WORD) + uint_word(len(data)) + _padded(data)


def _read_part(raw: bytes, at: int) -> WalletCall:
    if _number(raw, at) != _PROXY_CALL:
        raise NoCalls("something else than a call")
    target = _take(raw, at + _WORD, _WORD)[-_ADDRESS:]
    place = at + _number(raw, at + 3 * _WORD)
    data = _take(raw, place + _WORD, _number(raw, place))
    value = str(_number(raw, at + 2 * _WORD))
    return WalletCall("0x" + target.hex(), value, "0x" + data.hex())


def _body(data: str, selector: str) -> bytes:
    if not data.lower().startswith(selector):
        raise NoCalls("another function")
    try:
        return _raw(data)[_SELECTOR:]
    except ValueError:
        raise NoCalls("no hex") from None


def _number(raw: bytes, at: int) -> int:
    return int.from_bytes(_take(raw, at, _WORD), "big")


def _take(raw: bytes, at: int, length: int) -> bytes:
    if at + length > len(raw):
        raise NoCalls("cut off")
    return raw[at : at + length]


def _padded(raw: bytes) -> bytes:
    return raw + bytes(-len(raw) % _WORD)


def _raw(data: str) -> bytes:
    return hex_bytes(data, (len(data) - 2) // 2)
