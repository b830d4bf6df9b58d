"""The venue's two levels of authentication: a wallet's attestation, a key's HMAC.

Makes and verifies both; signs no attestation, since that needs the wallet's key. Reads no
clock: the timestamp arrives as an argument.

Source: https://docs.polymarket.com/api-reference/authentication (2026-09-28); bytes agree with
py-clob-client-v2 1.2.1, `signing/hmac.py` and `signing/eip712.py`.
"""

import base64
import binascii
import enum
import functools
import hashlib
import hmac
from collections.abc import Mapping

from shared.venue.typed_data import (
    POLYGON_CHAIN_ID,
    address_word,
    digest,
    domain_separator,
    keccak256,
    text_word,
    uint_word,
)

ADDRESS_HEADER = "POLY_ADDRESS"
API_KEY_HEADER = "POLY_API_KEY"
NONCE_HEADER = "POLY_NONCE"
PASSPHRASE_HEADER = "POLY_PASSPHRASE"  # noqa: S105  (a name, not a secret)
SIGNATURE_HEADER = "POLY_SIGNATURE"
TIMESTAMP_HEADER = "POLY_TIMESTAMP"

ATTESTATION = "This message attests that I control the given wallet"

_ATTESTATION_TYPE_HASH = text_word(
    "ClobAuth(address address,string timestamp,uint256 nonce,string message)"
)


class Credentials:
    """An API key with its secrets, which no repr and no encoder of messages shows.

    A plain class on purpose: msgspec refuses to encode it, so that it cannot slip into a
    message or a recording.

    Attributes:
        address: The signing EOA, to which the key belongs.
        api_key: Public id of the key; `owner` in the bodies of orders.
        passphrase: Second secret, sent as it is.
        secret: First secret, base64url.
        hmac_key: The secret's bytes.
    """

    __slots__ = ("address", "api_key", "hmac_key", "passphrase", "secret")

    def __init__(self, address: str, api_key: str, secret: str, passphrase: str) -> None:
        """Take the venue's four texts.

        Raises:
            ValueError: The secret is not base64; the text is not repeated in the error.
        """
        self.address = address
        self.api_key = api_key
        self.secret = secret
        self.passphrase = passphrase
        try:
            self.hmac_key = base64.b64decode(secret.translate(_URL_SAFE), validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("the secret of an API key must be base64url") from None

    def __repr__(self) -> str:
        """Name the key, hide its secrets."""
        return f"Credentials(address={self.address!r}, api_key={self.api_key!r}, secrets hidden)"

    def __reduce__(self) -> str:
        """Refuse to be pickled or copied.

        Raises:
            TypeError: Always.
        """
        raise TypeError("credentials are not serialised")


_URL_SAFE = str.maketrans("-_", "+/")


class AuthProblem(enum.Enum):
    """Why a request is not authenticated; the value is a word for logs."""

    HEADER_MISSING = "header_missing"
    KEY_UNKNOWN = "key_unknown"
    PASSPHRASE_WRONG = "passphrase_wrong"  # noqa: S105  (a reason, not a secret)
    TIMESTAMP_INVALID = "timestamp_invalid"
    TIMESTAMP_EXPIRED = "timestamp_expired"
    SIGNATURE_WRONG = "signature_wrong"


def request_signature(
    hmac_key: bytes, timestamp_s: int, method: str, path: str, body: bytes
) -> str:
    """Return the HMAC of one request, base64url with padding.

    Args:
        hmac_key: Decoded secret.
        timestamp_s: Unix seconds, as in the header.
        method: Upper case.
        path: With or without a query, which is not signed.
        body: Exactly the bytes that are sent, empty for none. The official clients sign
            single quotes as double ones; so does this.
    """
    head = f"{timestamp_s}{method}{path.partition('?')[0]}".encode()
    mac = hmac.digest(hmac_key, head + body.replace(b"'", b'"'), hashlib.sha256)
    return base64.urlsafe_b64encode(mac).decode()


def request_headers(
    credentials: Credentials, timestamp_s: int, method: str, path: str, body: bytes
) -> dict[str, str]:
    """Return the five L2 headers of one request; arguments as in `request_signature`."""
    return {
        ADDRESS_HEADER: credentials.address,
        API_KEY_HEADER: credentials.api_key,
        PASSPHRASE_HEADER: credentials.passphrase,
        TIMESTAMP_HEADER: str(timestamp_s),
        SIGNATURE_HEADER: request_signature(credentials.hmac_key, timestamp_s, method, path, body),
    }


def check_request(
    credentials: Credentials,
    headers: Mapping[str, str],
    method: str,
    path: str,
    body: bytes,
    *,
    now_s: int,
    window_s: int,
) -> AuthProblem | None:
    """Return what is wrong with a request's L2 headers, None when they authenticate it.

    Args:
        credentials: Of the key that the request names.
        headers: Names as the venue writes them, in upper or in lower case.
        method: Upper case.
        path: With or without a query.
        body: Bytes received.
        now_s: Verifier's unix seconds.
        window_s: How far the timestamp may lie from that, either way; the venue's own is not
            documented.
    """
    found = {name: _header(headers, name) for name in _L2_HEADERS}
    if None in found.values():
        return AuthProblem.HEADER_MISSING
    if found[API_KEY_HEADER] != credentials.api_key or not _is_same_address(
        found[ADDRESS_HEADER], credentials.address
    ):
        return AuthProblem.KEY_UNKNOWN
    if not _is_equal(found[PASSPHRASE_HEADER], credentials.passphrase):
        return AuthProblem.PASSPHRASE_WRONG
    timestamp_s = parse_timestamp(found[TIMESTAMP_HEADER])
    if timestamp_s is None:
        return AuthProblem.TIMESTAMP_INVALID
    if abs(now_s - timestamp_s) > window_s:
        return AuthProblem.TIMESTAMP_EXPIRED
    expected = request_signature(credentials.hmac_key, timestamp_s, method, path, body)
    return None if _is_equal(found[SIGNATURE_HEADER], expected) else AuthProblem.SIGNATURE_WRONG


def attestation_digest(
    address: str, timestamp_s: int, nonce: int, chain_id: int = POLYGON_CHAIN_ID
) -> bytes:
    """Return the 32 bytes that a wallet signs to create or derive an API key.

    Args:
        address: Of the signing EOA.
        timestamp_s: Unix seconds; signed as text.
        nonce: Which of the wallet's keys, usually 0.
        chain_id: Of the venue's chain.

    Raises:
        ValueError: The address is malformed.
        OverflowError: The nonce is negative or too large.
    """
    struct_hash = keccak256(
        _ATTESTATION_TYPE_HASH
        + address_word(address)
        + text_word(str(timestamp_s))
        + uint_word(nonce)
        + text_word(ATTESTATION)
    )
    return digest(_attestation_separator(chain_id), struct_hash)


@functools.lru_cache(maxsize=4)  # one chain, and those of tests
def _attestation_separator(chain_id: int) -> bytes:
    return domain_separator("ClobAuthDomain", "1", chain_id, None)


_L2_HEADERS = (
    ADDRESS_HEADER,
    API_KEY_HEADER,
    PASSPHRASE_HEADER,
    TIMESTAMP_HEADER,
    SIGNATURE_HEADER,
)

_TIMESTAMP_DIGITS_MAX = 12
"""Unix seconds have ten digits until the year 2286; more is no timestamp."""


def parse_timestamp(text: str | None) -> int | None:
    """Return the unix seconds of a timestamp header, None when it is none."""
    if text is None or not (text.isascii() and text.isdigit()):
        return None
    return int(text) if len(text) <= _TIMESTAMP_DIGITS_MAX else None


def _header(headers: Mapping[str, str], name: str) -> str | None:
    found = headers.get(name)
    return headers.get(name.lower()) if found is None else found


def _is_same_address(found: str | None, expected: str) -> bool:
    return found is not None and found.lower() == expected.lower()


def _is_equal(found: str | None, expected: str) -> bool:
    return found is not None and hmac.compare_digest(found.encode(), expected.encode())
