"""What the exchange says to an order, and what an order would get if it took now.

Holds no state. Source of the texts:
https://docs.polymarket.com/resources/error-codes (2026-09-28).
"""

import msgspec

from services.simulator.matching import Book, Fill, Order, fills_by_money, fills_by_size

FOK_TEXT = "order couldn't be fully filled. FOK orders are fully filled or killed."
FAK_TEXT = (
    "no orders found to match with FAK order. FAK orders are partially filled or killed if no "
    "match is found."
)
POST_ONLY_TEXT = "invalid post-only order: order crosses book"
CENT_E6 = 10_000
NO_BOOK_TEXT = "No orderbook exists for the requested token id"
NOT_CANCELED_HELD = "order is pending and can not be canceled"
NOT_CANCELED_MATCHED = "order already matched"
NOT_CANCELED_GONE = "Order not found or already canceled"


class Refusal(msgspec.Struct, frozen=True):
    """The venue says no, with its text."""

    text: str
    status: int = 400


class Placed(msgspec.Struct, frozen=True):
    """The venue took an order.

    Attributes:
        status: `live` or `matched`.
        making: What the order gave so far, in 1e-6; taking: what it got.
    """

    order: Order
    status: str
    making: int = 0
    taking: int = 0
    trades: tuple[str, ...] = ()


def fills_of(order: Order, book: Book) -> list[Fill]:
    """Return what an order would match now; nothing for a FOK that would not be filled."""
    if not book.crosses(bid=order.is_bid, price=order.book_price):
        return []
    if order.money:
        fills, left = fills_by_money(
            book, outcome=order.outcome, price=order.price, money=order.money
        )
        return [] if order.time_in_force == "FOK" and left >= CENT_E6 else fills
    fills = fills_by_size(book, bid=order.is_bid, price=order.book_price, size=order.remaining)
    found = sum(fill.size for fill in fills)
    return [] if order.time_in_force == "FOK" and found < order.remaining else fills


def check_killed(order: Order, fills: list[Fill]) -> Refusal | None:
    """Return why an order that may not rest dies, None when it lives or is no such order."""
    if fills or order.time_in_force in ("GTC", "GTD"):
        return None
    return Refusal(FOK_TEXT if order.time_in_force == "FOK" else FAK_TEXT)


def short_of_balance(balance: int, needed: int) -> Refusal:
    """Return the refusal of an order that its wallet cannot cover; amounts in 1e-6."""
    return Refusal(
        "not enough balance / allowance: the balance is not enough -> "
        f"balance: {balance}, order amount: {needed}"
    )


def short_of_allowance(spender: str, allowance: int, needed: int) -> Refusal:
    """Return the refusal of an order that its exchange may not settle; amounts in 1e-6."""
    return Refusal(
        "not enough balance / allowance: the allowance is not enough -> "
        f"spender: {spender}, allowance: {allowance}, order amount: {needed}"
    )
