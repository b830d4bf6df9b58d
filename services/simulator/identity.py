"""Whose order a post is: owner, signer, maker, standing and signature, all truly checked.

Which address is the maker follows from the signature type and the key's address; a deposit
wallet signs by its owner's key, nested in the wallet's own domain. Signatures of session keys,
which wrap that once more and are in beta, are refused.

Source of the texts: https://docs.polymarket.com/resources/error-codes (2026-09-28); of the rules
https://docs.polymarket.com/trading/wallets-auth (2026-09-28). An order signed for a domain of
another version is told so (https://github.com/Polymarket/polymarket-cli/issues/69), one signed for
another exchange of the same version only that its signature is wrong
(https://github.com/Polymarket/py-clob-client/issues/79).
"""

from services.simulator.keys import recover_address
from services.simulator.markets import Market
from services.simulator.standings import Standings
from services.simulator.verdicts import Refusal
from shared.venue.auth import Credentials
from shared.venue.order_hash import (
    ExchangeDomain,
    UnsignedOrder,
    exchange_domain,
    order_digest,
)
from shared.venue.orders_wire import PostOrder
from shared.venue.wallets import DEPOSIT_WALLET, is_signed_by_wallet, maker_address

PAYLOAD_TEXT = "Invalid order payload"
OWNER_TEXT = "the order owner has to be the owner of the API KEY"
SIGNER_TEXT = "the order signer address has to be the address of the API KEY"
MAKER_TEXT = "maker address not allowed, please use the deposit wallet flow"
SIGNATURE_TEXT = "invalid signature"
VERSION_TEXT = "order_version_mismatch"
BANNED_TEXT = "'{address}' address banned"
CLOSED_ONLY_TEXT = "'{address}' address in closed only mode"
BUILDER_TEXT = "invalid builder code"
"""Our wording: that unknown codes are refused is documented, how is not."""

_DOMAINS = (
    exchange_domain("v1", neg_risk=False),
    exchange_domain("v1", neg_risk=True),
    exchange_domain("v2", neg_risk=False),
)


def check_identity(
    post: PostOrder, unsigned: UnsignedOrder, credentials: Credentials, standings: Standings
) -> Refusal | None:
    """Return why the venue refuses the people behind an order, None when they may trade."""
    owner = credentials.address.lower()
    if post.owner != credentials.api_key:
        return Refusal(OWNER_TEXT)
    refusal = _check_wallet(unsigned, owner, standings)
    if refusal is not None:
        return refusal
    standing, address = standings.of(owner, unsigned.maker)
    if standing == "banned":
        return Refusal(BANNED_TEXT.format(address=address))
    if standing == "closed_only" and post.order.side == "BUY":
        return Refusal(CLOSED_ONLY_TEXT.format(address=address))
    return None if standings.takes_builder(unsigned.builder) else Refusal(BUILDER_TEXT)


def _check_wallet(unsigned: UnsignedOrder, owner: str, standings: Standings) -> Refusal | None:
    kind, maker, signer = unsigned.signature_type, unsigned.maker.lower(), unsigned.signer.lower()
    try:
        wallet = maker_address(kind, owner)
    except ValueError:
        return Refusal(PAYLOAD_TEXT)
    is_known = standings.knows(kind, wallet)
    if signer != (wallet if kind == DEPOSIT_WALLET else owner):
        return Refusal(SIGNER_TEXT)
    if kind == DEPOSIT_WALLET and not is_known:
        return Refusal(SIGNER_TEXT)
    return None if maker == wallet and is_known else Refusal(MAKER_TEXT)


def check_signature(
    unsigned: UnsignedOrder, signature: str, market: Market, owner: str
) -> Refusal | None:
    """Return the venue's refusal of an order that its owner has not signed for its exchange."""
    right = market.domain
    if is_signed(unsigned, signature, right, owner):
        return None
    others = (other for other in _DOMAINS if other.version != right.version)
    if any(is_signed(unsigned, signature, other, owner) for other in others):
        return Refusal(VERSION_TEXT)
    return Refusal(SIGNATURE_TEXT)


def is_signed(unsigned: UnsignedOrder, signature: str, domain: ExchangeDomain, owner: str) -> bool:
    """Tell whether a key has signed an order for an exchange, as its signature type wants it."""
    if unsigned.signature_type == DEPOSIT_WALLET:
        return is_signed_by_wallet(unsigned, domain, signature, owner, recover_address)
    return recover_address(order_digest(unsigned, domain), signature) == owner
