"""From the body of a post to an order that the exchange may take, or to the venue's no.

Checks everything that needs no book: shape, owner, signer, signature, amounts, tick,
size, expiry, duplicates. The texts are the venue's.

Source: https://docs.polymarket.com/resources/error-codes (2026-09-28) and the issues
named beside the texts.
"""

from services.simulator.exchange import Exchange
from services.simulator.identity import (
    PAYLOAD_TEXT,
    VERSION_TEXT,
    check_identity,
    check_signature,
)
from services.simulator.markets import MIN_SIZE_E6, Market
from services.simulator.matching import Order
from services.simulator.verdicts import NO_BOOK_TEXT, Refusal
from shared.units import Instant, PriceE4, SizeE6, notional_e6
from shared.venue.amounts import (
    SIZE_STEP_E6,
    Amounts,
    Uneven,
    implied_price,
    is_market_precision,
    is_marketable_value,
    is_price_on_grid,
    order_money,
    order_size,
    worst_price,
)
from shared.venue.auth import Credentials
from shared.venue.decimals import format_money, format_price, format_size
from shared.venue.order_hash import (
    BYTES32_ZERO,
    UnsignedOrder,
    exchange_domain,
    order_digest,
    order_hash,
)
from shared.venue.orders_wire import PostOrder, to_unsigned_order
from shared.venue.rules import is_expiration_taken, order_end_ms

EXPIRATION_TEXT = "invalid expiration"
PRECISION_TEXT = (
    "invalid amounts, the market {side} orders maker amount supports a max accuracy of 2 "
    "decimals, taker amount a max of 4 decimals"
)


def read_order(
    post: PostOrder, exchange: Exchange, credentials: Credentials, now: Instant
) -> Order | Refusal:
    """Return the order that a post asks for, or why the venue refuses it."""
    try:
        unsigned = to_unsigned_order(post.order)
        market = exchange.calendar.by_token.get(unsigned.token_id)
        if market is None or not market.is_trading:
            return Refusal(NO_BOOK_TEXT, 404)
        digest = order_digest(unsigned, market.domain)
    except (ValueError, OverflowError):
        return Refusal(PAYLOAD_TEXT)
    owner = credentials.address.lower()
    refusal = check_identity(
        post, unsigned, credentials, exchange.accounts.standings
    ) or check_signature(unsigned, post.order.signature, market, owner)
    if refusal is not None:
        return refusal
    order_id = "0x" + digest.hex()
    if order_id in exchange.orders:
        return Refusal(f"order {order_id} is invalid. Duplicated.")
    return _read_terms(post, unsigned, market, order_id, now)


def payload_text(body: bytes) -> str:
    """Return the venue's text for a body that is no post of today's orders.

    Orders of the time before April 2026 have a nonce where today's have a timestamp.
    """
    is_old = b'"nonce"' in body and b'"timestamp"' not in body
    return VERSION_TEXT if is_old else PAYLOAD_TEXT


def order_id_of(post: PostOrder, exchange: Exchange) -> str:
    """Return the id of a posted order, for the log; empty when it has none."""
    try:
        unsigned = to_unsigned_order(post.order)
        market = exchange.calendar.by_token.get(unsigned.token_id)
        domain = exchange_domain("v1", neg_risk=False) if market is None else market.domain
        return order_hash(unsigned, domain)
    except (ValueError, OverflowError):
        return ""


def _read_terms(
    post: PostOrder, unsigned: UnsignedOrder, market: Market, order_id: str, now: Instant
) -> Order | Refusal:
    side = post.order.side
    amounts = Amounts(unsigned.maker_amount, unsigned.taker_amount)
    is_market = post.order_type in ("FOK", "FAK")
    if post.post_only and is_market:
        return Refusal(PAYLOAD_TEXT)
    try:
        price = (
            worst_price(side, amounts, market.tick) if is_market else implied_price(side, amounts)
        )
    except Uneven:
        return Refusal(PAYLOAD_TEXT)
    size = order_size(side, amounts)
    refusal = _check_terms(post, amounts, market, order_id, price)
    if refusal is not None:
        return refusal
    expiration_s = _read_expiration(post, now)
    if expiration_s is None:
        return Refusal(EXPIRATION_TEXT)
    return Order(
        order_id=order_id,
        maker=unsigned.maker.lower(),
        owner=post.owner,
        market=market.condition_id,
        outcome=market.outcome_of(unsigned.token_id),
        side=side,
        price=price,
        size=size,
        time_in_force=post.order_type,
        post_only=post.post_only,
        money=order_money(side, amounts) if is_market and side == "BUY" else 0,
        expiration_s=expiration_s,
        expires_ms=order_end_ms(expiration_s) if expiration_s else None,
        created_ms=now.wall_ms,
        builder="" if unsigned.builder == BYTES32_ZERO else unsigned.builder.lower(),
    )


def _check_terms(
    post: PostOrder, amounts: Amounts, market: Market, order_id: str, price: PriceE4
) -> Refusal | None:
    side = post.order.side
    size = order_size(side, amounts)
    if post.order_type in ("FOK", "FAK"):
        if not is_market_precision(side, amounts):
            return Refusal(PRECISION_TEXT.format(side=side.lower()))
    elif size < MIN_SIZE_E6:
        return Refusal(
            f"order {order_id} is invalid. Size ({format_size(SizeE6(size))}) lower than the "
            f"minimum: {format_size(MIN_SIZE_E6)}"
        )
    elif size % SIZE_STEP_E6:
        return Refusal(PAYLOAD_TEXT)
    if not is_price_on_grid(price, market.tick):
        return Refusal(
            f"order {order_id} is invalid. Price ({format_price(price)}) breaks minimum tick "
            f"size rule: {format_price(market.tick)}"
        )
    return None


def check_value(order: Order) -> Refusal | None:
    """Return the venue's refusal of a buy that takes and is worth less than a dollar.

    Source: https://github.com/nautechsystems/nautilus_trader/issues/3874.
    """
    if is_marketable_value(order.side, order.price, order.size) or order.money >= 1_000_000:
        return None
    value = format_money(notional_e6(order.price, order.size))
    return Refusal(f"invalid amount for a marketable BUY order (${value}), min size: $1")


def _read_expiration(post: PostOrder, now: Instant) -> int | None:
    """Return the expiration of a post, 0 for an order without one, None when it is invalid."""
    text = post.order.expiration or "0"
    if not (text.isascii() and text.isdigit()):
        return None
    expiration_s = int(text)
    if post.order_type != "GTD":
        return 0 if expiration_s == 0 else None
    return expiration_s if is_expiration_taken(expiration_s, now.wall_ms) else None
