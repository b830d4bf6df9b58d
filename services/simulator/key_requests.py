"""Requests about API keys: a wallet makes and derives them, their holder lists and ends them.

Source: https://docs.polymarket.com/api-reference/authentication (2026-09-28).
"""

import msgspec

from services.simulator.answers import Answer, error, ok
from services.simulator.edge import Request
from services.simulator.keys import Keys
from shared.units import NS_PER_S, Instant
from shared.venue.account_wire import ApiKey, ApiKeys
from shared.venue.auth import Credentials
from shared.venue.faults import Malformed
from shared.venue.wire import decode

ATTESTATION_TEXT = "Invalid L1 Request headers"
CREATED_TEXT = "Could not create api key"
DERIVE_TEXT = "Could not derive api key!"
UNKNOWN_KEY_TEXT = "Unauthorized/Invalid api key"


class KeyRequests:
    """Handles the key endpoints."""

    def __init__(self, keys: Keys) -> None:
        """Set whose keys they are."""
        self._keys = keys

    def create(self, request: Request, now: Instant) -> Answer:
        """Handle POST /auth/api-key; a wallet's key of one nonce is made once."""
        attested = self._keys.check_attestation(request.headers, now.wall_ns // NS_PER_S)
        if attested is None:
            return error(401, ATTESTATION_TEXT)
        credentials = self._keys.create(attested)
        return error(400, CREATED_TEXT) if credentials is None else ok(_key_row(credentials))

    def derive(self, request: Request, now: Instant) -> Answer:
        """Handle GET /auth/derive-api-key; a deleted key is gone.

        A key that was never made is derived all the same, since no run remembers what an earlier
        one has made.
        """
        attested = self._keys.check_attestation(request.headers, now.wall_ns // NS_PER_S)
        if attested is None:
            return error(401, ATTESTATION_TEXT)
        credentials = self._keys.derive(attested.address, attested.nonce)
        if self._keys.is_revoked(credentials.api_key):
            return error(400, DERIVE_TEXT)
        return ok(_key_row(credentials))

    def ls(self, request: Request, who: Credentials, now: Instant) -> Answer:
        """Handle GET /auth/api-keys."""
        return ok(ApiKeys(api_keys=self._keys.of_wallet(who.address)))

    def delete(self, request: Request, who: Credentials, now: Instant) -> Answer:
        """Handle DELETE /auth/api-key, which ends the key that asks."""
        self._keys.revoke(who.api_key)
        return ok("OK")

    # --- read-only keys -------------------------------------------------------------

    def create_readonly(self, request: Request, who: Credentials, now: Instant) -> Answer:
        """Handle POST /auth/readonly-api-key."""
        key = self._keys.create_readonly(who)
        return (
            error(400, "Could not create readonly api key") if key is None else ok({"apiKey": key})
        )

    def list_readonly(self, request: Request, who: Credentials, now: Instant) -> Answer:
        """Handle GET /auth/readonly-api-keys."""
        return ok({"readonlyApiKeys": self._keys.readonly_of(who.address)})

    def delete_readonly(self, request: Request, who: Credentials, now: Instant) -> Answer:
        """Handle DELETE /auth/readonly-api-key."""
        try:
            key = decode(_READONLY, request.body, "key").key
        except Malformed:
            return error(400, "Invalid payload")
        if key not in self._keys.readonly_of(who.address):
            return error(404, "readonly api key not found")
        self._keys.revoke(key)
        return ok("OK")

    def validate_readonly(self, request: Request, now: Instant) -> Answer:
        """Handle GET /auth/validate-readonly-api-key, which anybody may ask."""
        address, key = request.query.get("address", ""), request.query.get("key", "")
        if key not in self._keys.readonly_of(address):
            return error(401, UNKNOWN_KEY_TEXT)
        return ok("OK")


class _Readonly(msgspec.Struct, frozen=True):
    key: str


_READONLY = msgspec.json.Decoder(_Readonly)


def _key_row(credentials: Credentials) -> ApiKey:
    return ApiKey(
        api_key=credentials.api_key,
        secret=credentials.secret,
        passphrase=credentials.passphrase,
    )
