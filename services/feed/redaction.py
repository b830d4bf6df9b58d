"""Blots secrets out of a refused frame before anybody keeps or logs it.

A refused frame is often no JSON, so that text is searched and not fields. What follows the name of
a secret is blotted on every feed. On the own-order feed, whose frames name the API key as owner of
every order, whatever looks like a key is blotted besides, wherever it stands.

Source of the fields: https://docs.polymarket.com/api-reference/wss/user (2026-09-28), `owner`,
`trade_owner`, and `auth` with `apiKey`, `secret`, `passphrase`.
"""

import re
from typing import Final

from shared.identifiers import Component
from shared.topics import FEED_USER

BLOT: Final = "[redacted]"

_NAMES = "api_?key|secret|passphrase|owner|trade_owner|maker_owner|token_secret|authorization"
_NAMED: Final = re.compile(
    r"((?:" + _NAMES + r""")["'\\]*\s*[:=]\s*)(?:\\*["'][^"']*["']?|[^\s,}\]]+)""",
    re.IGNORECASE,
)
_KEY_LIKE: Final = re.compile(
    r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}|(?<![0-9A-Za-z_/+-])[A-Za-z0-9_/+-]{40,}=*",
    re.IGNORECASE,
)
"""UUIDs, as API keys are, and long base64 or hex, as secrets and passphrases are."""


def redact(feed: Component, text: str) -> str:
    """Return a frame's text without what might be a secret."""
    blotted = _NAMED.sub(lambda found: f'{found[1]}"{BLOT}"', text)
    return _KEY_LIKE.sub(BLOT, blotted) if feed == FEED_USER else blotted
