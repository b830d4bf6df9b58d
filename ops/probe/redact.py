"""Takes secrets out of what is kept of a session. Pure.

By value, wherever a secret stands, and by name, where a value is new with every request.
"""

import re
from collections.abc import Iterable, Mapping

from shared.venue.auth import (
    API_KEY_HEADER,
    PASSPHRASE_HEADER,
    SIGNATURE_HEADER,
    Credentials,
)

HIDDEN = "<hidden>"

_SECRET_HEADERS = frozenset(
    name.lower() for name in (API_KEY_HEADER, PASSPHRASE_HEADER, SIGNATURE_HEADER)
) | {"authorization", "cookie", "set-cookie"}

_SECRET_MEMBER = re.compile(
    r'("(?:apiKey|api_key|secret|passphrase|signature|privateKey)"\s*:\s*")[^"]*(")', re.IGNORECASE
)


class Redactor:
    """Knows the secrets of a session."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = {text for text in secrets if text}

    def know(self, credentials: Credentials) -> None:
        """Hide an API key with its two secrets, from now on."""
        self._secrets |= {credentials.api_key, credentials.secret, credentials.passphrase}

    def text(self, text: str) -> str:
        """Return a body or a frame without secrets."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return _SECRET_MEMBER.sub(rf"\g<1>{HIDDEN}\g<2>", text)

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return headers without secrets, their names in lower case."""
        return {
            name.lower(): HIDDEN if name.lower() in _SECRET_HEADERS else self.text(value)
            for name, value in headers.items()
        }
