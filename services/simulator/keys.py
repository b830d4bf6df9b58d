"""API keys and who may use them: wallet attestations, HMACs, stream credentials.

A key follows from seed, address and nonce, and its secrets from the key itself, so that
credentials outlive a restart of the simulator without being stored anywhere.
"""

import base64
from collections.abc import Mapping

import msgspec
from coincurve import PublicKey

from services.simulator.chance import derive
from shared.venue.auth import (
    ADDRESS_HEADER,
    API_KEY_HEADER,
    NONCE_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    Credentials,
    attestation_digest,
    check_request,
    parse_timestamp,
)
from shared.venue.typed_data import hex_bytes, keccak256

NONCES_MAX = 16
"""Keys of one wallet that are recognised without having been created in this run."""

LESSER_KEYS_MAX = 1_000
"""Read-only keys of all wallets, and builder keys of all; gone after a restart."""

READONLY_HEADER = "POLY_READONLY_API_KEY"
"""Goes with the address alone. Source: clob-client examples, `getOpenOrdersWithReadonlyApiKey`."""

_SIGNATURE_BYTES = 65
_RECOVERY_OFFSET = 27


class Attested(msgspec.Struct, frozen=True):
    """A wallet has proven itself: its address and which of its keys it means."""

    address: str
    nonce: int


def recover_address(digest: bytes, signature: str) -> str | None:
    """Return the lower-case address that signed a digest, None for no valid signature."""
    try:
        raw = hex_bytes(signature, _SIGNATURE_BYTES)
    except ValueError:
        return None
    recovery = raw[64] - _RECOVERY_OFFSET if raw[64] >= _RECOVERY_OFFSET else raw[64]
    if recovery > 1:
        return None
    try:
        public = PublicKey.from_signature_and_message(
            raw[:64] + bytes((recovery,)), digest, hasher=None
        )
    except ValueError:
        return None
    return "0x" + keccak256(public.format(compressed=False)[1:])[12:].hex()


class Keys:
    """Makes and checks credentials.

    Attributes:
        created: Address of every key seen in this run, by key.
    """

    def __init__(self, seed: int, window_s: int) -> None:
        """Set the seed and how far a timestamp may be off, either way."""
        self._seed = seed
        self._window_s = window_s
        self._created: dict[tuple[str, int], str] = {}
        self._revoked: set[str] = set()
        self._known: dict[str, Credentials] = {}
        self._readonly: dict[str, Credentials] = {}
        self._builders: dict[str, str] = {}

    def derive(self, address: str, nonce: int) -> Credentials:
        """Return the credentials of a wallet's key."""
        digits = f"{derive(self._seed, 'api key', address.lower(), str(nonce)):064x}"
        key = f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:32]}"
        return self._credentials(address, key)

    def _credentials(self, address: str, key: str) -> Credentials:
        secret = derive(self._seed, "secret", key).to_bytes(32, "big")
        passphrase = f"{derive(self._seed, 'passphrase', key):064x}"
        return Credentials(address, key, base64.urlsafe_b64encode(secret).decode(), passphrase)

    def create(self, attested: Attested) -> Credentials | None:
        """Return a wallet's new key, None when it has it already."""
        slot = (attested.address, attested.nonce)
        if slot in self._created:
            return None
        credentials = self.derive(attested.address, attested.nonce)
        self._created[slot] = credentials.api_key
        self._revoked.discard(credentials.api_key)
        return credentials

    def of_wallet(self, address: str) -> tuple[str, ...]:
        """Return the keys that a wallet has created in this run and not revoked."""
        return tuple(
            key
            for (owner, _), key in self._created.items()
            if owner == address.lower() and key not in self._revoked
        )

    def owners(self) -> tuple[str, ...]:
        """Return the lower-case addresses that have made or used a key in this run."""
        made = (owner for owner, _ in self._created)
        used = (credentials.address.lower() for credentials in self._known.values())
        return tuple(dict.fromkeys((*made, *used)))

    def is_revoked(self, key: str) -> bool:
        """Tell whether a key was ended in this run."""
        return key in self._revoked

    def revoke(self, key: str) -> None:
        """End a key for this run."""
        self._revoked.add(key)

    def check_attestation(self, headers: Mapping[str, str], now_s: int) -> Attested | None:
        """Return who a request with L1 headers is from, None when they prove nobody."""
        address = headers.get(ADDRESS_HEADER, "").lower()
        timestamp_s = parse_timestamp(headers.get(TIMESTAMP_HEADER))
        nonce = parse_timestamp(headers.get(NONCE_HEADER, "0"))
        if timestamp_s is None or nonce is None or abs(now_s - timestamp_s) > self._window_s:
            return None
        try:
            digest = attestation_digest(address, timestamp_s, nonce)
        except ValueError:
            return None
        if recover_address(digest, headers.get(SIGNATURE_HEADER, "")) != address:
            return None
        return Attested(address, nonce)

    def check_request(
        self, headers: Mapping[str, str], method: str, path: str, body: bytes, now_s: int
    ) -> Credentials | None:
        """Return whose request with L2 headers this is, None when they authenticate nobody."""
        key = headers.get(API_KEY_HEADER, "")
        credentials = self._find(headers.get(ADDRESS_HEADER, ""), key)
        if credentials is None or key in self._revoked:
            return None
        problem = check_request(
            credentials, headers, method, path, body, now_s=now_s, window_s=self._window_s
        )
        return credentials if problem is None else None

    # --- lesser keys ----------------------------------------------------------------

    def create_readonly(self, who: Credentials) -> str | None:
        """Return a new key that reads what another one may, None when there are too many."""
        if len(self._readonly) >= LESSER_KEYS_MAX:
            return None
        key = self._lesser_key("read only", who.address, len(self._readonly))
        self._readonly[key] = who
        return key

    def readonly_of(self, address: str) -> tuple[str, ...]:
        """Return a wallet's read-only keys that are not revoked."""
        return tuple(
            key
            for key, who in self._readonly.items()
            if who.address.lower() == address.lower() and key not in self._revoked
        )

    def check_readonly(self, headers: Mapping[str, str]) -> Credentials | None:
        """Return whose things a request with a read-only key may read, None for nobody's."""
        key, address = headers.get(READONLY_HEADER, ""), headers.get(ADDRESS_HEADER, "")
        return self._readonly.get(key) if key in self.readonly_of(address) else None

    def create_builder(self, address: str) -> Credentials | None:
        """Return a wallet's new builder key, None when there are too many."""
        if len(self._builders) >= LESSER_KEYS_MAX:
            return None
        key = self._lesser_key("builder", address, len(self._builders))
        self._builders[key] = address.lower()
        return self._credentials(address, key)

    def builders_of(self, address: str) -> tuple[str, ...]:
        """Return a wallet's builder keys that are not revoked."""
        return tuple(
            key
            for key, owner in self._builders.items()
            if owner == address.lower() and key not in self._revoked
        )

    def _lesser_key(self, kind: str, address: str, number: int) -> str:
        digits = f"{derive(self._seed, kind, address.lower(), str(number)):064x}"
        return f"{digits[:8]}-{digits[8:12]}-7{digits[13:16]}-9{digits[17:20]}-{digits[20:32]}"

    def _find(self, address: str, key: str) -> Credentials | None:
        known = self._known.get(key)
        if known is not None:
            return known
        for nonce in range(NONCES_MAX):
            candidate = self.derive(address, nonce)
            if candidate.api_key == key:
                self._known[key] = candidate
                return candidate
        return None

    def is_stream_auth(self, key: str, secret: str, passphrase: str) -> bool:
        """Tell whether a stream's credentials belong together."""
        expected = self._credentials("", key)
        return (
            key not in self._revoked
            and secret == expected.secret
            and passphrase == expected.passphrase
        )
