"""Asking the venue what it believes a wallet holds of a token.

The venue keeps what it has read from the chain; a reader learns what was believed, not
what is, until it has asked for the chain to be read anew.
Source: https://docs.polymarket.com/api-reference (CLOB OpenAPI, 2026-09-28); that what was
just bought reads 0: https://github.com/Polymarket/py-clob-client/issues/274.
"""

from typing import Final
from urllib.parse import urlencode

from shared.facts import MarketVersion
from shared.identifiers import TokenId
from shared.units import SizeE6
from shared.venue.account_wire import BALANCE_ALLOWANCE
from shared.venue.decimals import SIZE_E6_MAX, parse_scaled
from shared.venue.faults import Unparseable
from shared.venue.wire import decode

BALANCE_PATH: Final = "/balance-allowance"
UPDATE_PATH: Final = "/balance-allowance/update"
"""Lets the venue read the chain anew; needed after whatever it has not done itself."""

_ASSET_TYPES: Final[dict[MarketVersion, str]] = {"v1": "CONDITIONAL", "v2": "CONDITIONAL-V2"}


def balance_query(token: TokenId, version: MarketVersion, signature_type: int) -> str:
    """Return the query of a read, or of an update, of one token."""
    return "?" + urlencode(
        {
            "asset_type": _ASSET_TYPES[version],
            "token_id": token,
            "signature_type": signature_type,
        }
    )


def version_of(token: TokenId) -> MarketVersion:
    """Return which protocol a token is of, by its bits, for markets that left the calendar.

    Source: polymarket-client 0.14.0, which tells them apart so.
    """
    if not (token.isascii() and token.isdigit()):
        return "v1"
    return "v1" if int(token) >> _BITS_FROM & _BITS_MASK else "v2"


def parse_balance(body: bytes) -> SizeE6:
    """Return the balance in an answer.

    Raises:
        WireFault: The answer is no balance, or one that nobody can hold.
    """
    raw = decode(BALANCE_ALLOWANCE, body, "balance").balance
    balance = parse_scaled(raw, 0, "balance")
    if not 0 <= balance <= SIZE_E6_MAX:
        raise Unparseable("balance", raw)
    return SizeE6(balance)


_BITS_FROM = 40
_BITS_MASK = (1 << 64) - 1
