"""Messages about one account: its open orders, its trades, its balances, its keys.

Shapes only; `parse.py` turns them into facts.
Source: https://docs.polymarket.com/api-reference (CLOB OpenAPI, 2026-09-28) and recorded
production frames.
"""

from typing import Generic, TypeVar

import msgspec

from shared.venue.wire import Unread, Wire, WireNumber

OPEN_ORDERS_PATH = "/data/orders"
BALANCE_PATH = "/balance-allowance"
VERSION_PATH = "/version"

COLLATERAL_ASSET = "COLLATERAL"
TOKENS_ASSET = {"v1": "CONDITIONAL", "v2": "CONDITIONAL-V2"}
"""Asset type of the outcome tokens of each protocol."""

ORDER_VERSIONS_OURS = frozenset({2, 3})
"""Versions of orders with the struct that we sign; which domain, each market says itself.
Source: py-clob-client-v2 1.2.1, whose order builder takes both."""

ORDER_PATH_PREFIX = "/data/order/"
TRADES_PATH = "/data/trades"

CURSOR_FIRST = "MA=="
"""Base64 of 0: the first page."""

CURSOR_END = "LTE="
"""Base64 of -1: there is no further page."""

PAGE_ROWS_MAX = 100
"""Rows in one page; a larger wish is capped without a word."""

Row = TypeVar("Row")


class Page(msgspec.Struct, Generic[Row], frozen=True):
    """One page of a list. A bare array, which older clients expected, is malformed.

    Attributes:
        next_cursor: `CURSOR_END` on the last page.
    """

    data: tuple[Row, ...]
    next_cursor: str
    limit: int | None = None
    count: int | None = None


class OpenOrder(Wire, frozen=True):
    """One order of GET /data/order/{id} and GET /data/orders.

    Attributes:
        status: With or without `ORDER_STATUS_`; free text after `CANCELED`.
        created_at: Seconds.
        associate_trades: The live system tolerates null; a row must hold an array for the
            unified client.
    """

    id: str
    status: str
    market: str
    asset_id: str
    side: str
    original_size: WireNumber
    size_matched: WireNumber
    price: WireNumber
    owner: Unread = ""
    maker_address: Unread = ""
    outcome: Unread = ""
    expiration: Unread = "0"
    order_type: Unread = ""
    associate_trades: tuple[str, ...] | None = ()
    created_at: WireNumber = 0


class MakerOrder(Wire, frozen=True):
    """One maker's part of a trade.

    Attributes:
        side: Missing in older frames; then it follows from the token and the taker's side.
    """

    order_id: str
    matched_amount: WireNumber
    price: WireNumber
    asset_id: str
    owner: Unread = ""
    maker_address: Unread = ""
    fee_rate_bps: Unread = None
    outcome: Unread = ""
    side: str | None = None


class Trade(Wire, frozen=True):
    """One trade of GET /data/trades; its top-level fields are the taker's.

    Attributes:
        status: With or without `TRADE_STATUS_`.
        match_time: Seconds; last_update: seconds.
        bucket_index: Has been an integer and text.
    """

    id: str
    taker_order_id: str
    market: str
    asset_id: str
    side: str
    size: WireNumber
    price: WireNumber
    status: str
    match_time: WireNumber
    last_update: WireNumber = 0
    maker_orders: tuple[MakerOrder, ...] | None = ()
    fee_rate_bps: Unread = None
    outcome: Unread = ""
    bucket_index: Unread = 0
    owner: Unread = ""
    maker_address: Unread = ""
    transaction_hash: Unread = None
    trader_side: Unread = ""


class BalanceAllowance(Wire, frozen=True):
    """Answer of GET /balance-allowance, in integers of 1e-6.

    Attributes:
        allowances: By spender's address.
    """

    balance: WireNumber
    allowances: dict[str, WireNumber] = msgspec.field(default_factory=dict)


def balance_path(asset: str, kind: int, token: str = "", *, is_update: bool = False) -> str:
    """Return the path that asks for a wallet's balance and what exchanges may move of it.

    Args:
        asset: `COLLATERAL_ASSET`, or the outcome tokens of a protocol.
        kind: Signature type of the wallet.
        token: An outcome token, which outcome tokens' approvals are asked by.
        is_update: Whether the venue shall read the chain anew.
    """
    named = f"&token_id={token}" if token else ""
    path = BALANCE_PATH + ("/update" if is_update else "")
    return f"{path}?asset_type={asset}{named}&signature_type={kind}"


class ApiKey(Wire, frozen=True, rename="camel"):
    """Answer of POST /auth/api-key and GET /auth/derive-api-key; never logged."""

    api_key: str
    secret: str
    passphrase: str

    def __repr__(self) -> str:
        """Name the key, hide its secrets."""
        return f"ApiKey(api_key={self.api_key!r}, secrets hidden)"


class ApiKeys(Wire, frozen=True, rename="camel"):
    """Answer of GET /auth/api-keys."""

    api_keys: tuple[str, ...]


class ClosedOnly(Wire, frozen=True):
    """Answer of GET /auth/ban-status/closed-only."""

    closed_only: bool


OPEN_ORDER = msgspec.json.Decoder(OpenOrder)
OPEN_ORDERS = msgspec.json.Decoder(Page[OpenOrder])
TRADES = msgspec.json.Decoder(Page[Trade])
BALANCE_ALLOWANCE = msgspec.json.Decoder(BalanceAllowance)
API_KEY = msgspec.json.Decoder(ApiKey)
API_KEYS = msgspec.json.Decoder(ApiKeys)
CLOSED_ONLY = msgspec.json.Decoder(ClosedOnly)
