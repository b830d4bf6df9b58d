"""Whose wallet a request means: that of the key's address and the `signature_type` asked for."""

from services.simulator.edge import Request
from shared.venue.auth import Credentials
from shared.venue.wallets import maker_address


def wallet_of(request: Request, who: Credentials) -> str:
    """Return the lower-case address whose funds a request asks about.

    A missing or unknown signature type means the key's own address.
    """
    text = request.query.get("signature_type", "0")
    kind = int(text) if text in ("0", "1", "2", "3") else 0
    return maker_address(kind, who.address)
