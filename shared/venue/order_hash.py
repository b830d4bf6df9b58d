"""The EIP-712 hash of an order, which is its id at the venue before it is even sent.

Chooses the exchange by the market's protocol version, never by the shape of a token id.
Holds no key and signs nothing; the signature comes from `services/execution/signer.py`.

Source: https://docs.polymarket.com/trading/place-orders and
https://docs.polymarket.com/resources/contracts (2026-09-28); struct and domain agree with
py-clob-client-v2 1.2.1, `order_utils/exchange_order_builder_v2.py`.
"""

import functools

import msgspec

from shared.identifiers import OrderHash
from shared.venue.typed_data import (
    POLYGON_CHAIN_ID,
    address_word,
    bytes32_word,
    digest,
    domain_separator,
    keccak256,
    text_word,
    uint_word,
)

EXCHANGE_NAME = "Polymarket CTF Exchange"
EXCHANGE_V2 = "0xE111180000d2663C0091e4f400237545B87B996B"
EXCHANGE_V2_NEG_RISK = "0xe2222d279d744050d28e00520010520000310F59"
EXCHANGE_V3 = "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa"

BUY_CODE = 0
SELL_CODE = 1

BYTES32_ZERO = "0x" + "0" * 64

ORDER_TYPE = (
    "Order(uint256 salt,address maker,address signer,uint256 tokenId,uint256 makerAmount,"
    "uint256 takerAmount,uint8 side,uint8 signatureType,uint256 timestamp,bytes32 metadata,"
    "bytes32 builder)"
)
_WALLET_TYPE = (
    "TypedDataSign(Order contents,string name,string version,uint256 chainId,"
    "address verifyingContract,bytes32 salt)" + ORDER_TYPE
)
_ORDER_TYPE_HASH = text_word(ORDER_TYPE)
_WALLET_TYPE_HASH = text_word(_WALLET_TYPE)
_WALLET_NAME_HASH = text_word("DepositWallet")
_WALLET_VERSION_HASH = text_word("1")
_UINT8_MAX = 255


class ExchangeDomain(msgspec.Struct, frozen=True):
    """The contract, and the version of its signing domain, under which an order is signed.

    Attributes:
        version: `2` for CTF markets, `3` for markets of Protocol V2.
        contract: Address of the verifying exchange.
        chain_id: Chain of that contract.
    """

    version: str
    contract: str
    chain_id: int = POLYGON_CHAIN_ID


class UnsignedOrder(msgspec.Struct, frozen=True):
    """The signed members of an order; expiration and order type are not among them.

    Attributes:
        salt: Chance that makes two equal orders distinct, 0..2**256-1.
        maker: Address that holds the funds.
        signer: Address whose signature counts.
        token_id: Token or position id, decimal.
        maker_amount: What the maker gives, in 1e-6.
        taker_amount: What the maker wants, in 1e-6.
        side_code: `BUY_CODE` or `SELL_CODE`.
        signature_type: 0 EOA, 1 proxy, 2 Safe, 3 deposit wallet.
        timestamp_ms: Wall milliseconds.
        metadata: 0x and 64 hex digits.
        builder: Builder code, 0x and 64 hex digits.
    """

    salt: int
    maker: str
    signer: str
    token_id: str
    maker_amount: int
    taker_amount: int
    side_code: int
    signature_type: int
    timestamp_ms: int
    metadata: str = BYTES32_ZERO
    builder: str = BYTES32_ZERO


def exchange_domain(
    market_version: str, neg_risk: bool, chain_id: int = POLYGON_CHAIN_ID
) -> ExchangeDomain:
    """Return where an order of a market is signed to.

    Args:
        market_version: `v1` or `v2`, as the venue names the market's protocol.
        neg_risk: Whether a v1 market is settled by the neg-risk exchange; a v2 market has one
            exchange for both kinds.
        chain_id: Of the venue's chain.

    Raises:
        ValueError: The version is unknown; such a market must not be traded.
    """
    if market_version == "v2":
        return ExchangeDomain("3", EXCHANGE_V3, chain_id)
    if market_version == "v1":
        contract = EXCHANGE_V2_NEG_RISK if neg_risk else EXCHANGE_V2
        return ExchangeDomain("2", contract, chain_id)
    raise ValueError(f"unknown market version {market_version!r}")


@functools.lru_cache(maxsize=16)  # three exchanges, and a few of a test chain
def exchange_separator(domain: ExchangeDomain) -> bytes:
    """Return the domain separator of an exchange."""
    return domain_separator(EXCHANGE_NAME, domain.version, domain.chain_id, domain.contract)


def order_struct_hash(order: UnsignedOrder) -> bytes:
    """Return the 32-byte hash of the order's members, without a domain.

    Raises:
        ValueError: An address, a bytes32 or the token id is malformed, or a uint8 too large.
        OverflowError: A number does not fit 256 bits.
    """
    if not 0 <= order.side_code <= _UINT8_MAX or not 0 <= order.signature_type <= _UINT8_MAX:
        raise ValueError("side and signature type are one byte each")
    if not (order.token_id.isascii() and order.token_id.isdigit()):
        raise ValueError("token id is a decimal number")
    return keccak256(
        _ORDER_TYPE_HASH
        + uint_word(order.salt)
        + address_word(order.maker)
        + address_word(order.signer)
        + uint_word(int(order.token_id))
        + uint_word(order.maker_amount)
        + uint_word(order.taker_amount)
        + uint_word(order.side_code)
        + uint_word(order.signature_type)
        + uint_word(order.timestamp_ms)
        + bytes32_word(order.metadata)
        + bytes32_word(order.builder)
    )


def order_digest(order: UnsignedOrder, domain: ExchangeDomain) -> bytes:
    """Return the 32 bytes signed for signature types 0, 1 and 2.

    Raises:
        ValueError: See `order_struct_hash`.
        OverflowError: See `order_struct_hash`.
    """
    return digest(exchange_separator(domain), order_struct_hash(order))


def order_hash(order: UnsignedOrder, domain: ExchangeDomain) -> OrderHash:
    """Return the order's id at the venue: its digest as text, whatever the signature type.

    Raises:
        ValueError: See `order_struct_hash`.
        OverflowError: See `order_struct_hash`.
    """
    return OrderHash("0x" + order_digest(order, domain).hex())


def wallet_digest(order: UnsignedOrder, domain: ExchangeDomain) -> bytes:
    """Return the 32 bytes signed for signature type 3, the deposit wallet.

    The wallet's own domain is nested in the exchange's.
    Source: https://eips.ethereum.org/EIPS/eip-7739.

    Raises:
        ValueError: See `order_struct_hash`.
        OverflowError: See `order_struct_hash`.
    """
    nested = keccak256(
        _WALLET_TYPE_HASH
        + order_struct_hash(order)
        + _WALLET_NAME_HASH
        + _WALLET_VERSION_HASH
        + uint_word(domain.chain_id)
        + address_word(order.signer)
        + bytes32_word(BYTES32_ZERO)
    )
    return digest(exchange_separator(domain), nested)
