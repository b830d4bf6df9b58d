"""Valid sessions of every feed, from which wrong ones are made."""

from typing import Any

from shared.venue.account_wire import CURSOR_END
from shared.venue.wire import encode
from tests.builders import perps
from tests.builders.books import VenueBook
from tests.builders.feeds import WALL_START_MS
from tests.builders.market_feed import frame_of, listed
from tests.builders.markets import DOWN, MARKET, UP
from tests.builders.user_feed import SECOND, order_frame, order_row, trade_frame, trade_row

Source = str
"""`market`, `user`, `price`, `discovery` or `perp`."""

STAMP = str(WALL_START_MS)


def change_frame(book: VenueBook, side: Any, price: int, shares: int) -> dict[str, Any]:
    """Change a level; return the frame that tells it, with its right hash."""
    entry = book.step(side, price, shares)
    row = {
        "asset_id": book.token,
        "price": f"{price / 10_000:g}",
        "size": f"{shares:g}",
        "side": side,
        "hash": entry.hash,
        "best_bid": f"{max(book.bids) / 10_000:g}",
        "best_ask": f"{min(book.asks) / 10_000:g}",
    }
    return {
        "event_type": "price_change",
        "market": MARKET,
        "price_changes": [row],
        "timestamp": str(book.venue_ms),
    }


def market_session() -> list[Any]:
    """Return a dump, changes, a print with its books, a new step, and what nobody reads."""
    up, down = (VenueBook(token, listed()) for token in (UP, DOWN))
    dump = [frame_of(up), frame_of(down)]
    changes = [
        change_frame(up, "BUY", 4_700, 5),
        change_frame(down, "SELL", 5_300, 7),
        change_frame(up, "BUY", 4_700, 0),
        change_frame(up, "SELL", 5_200, 11),
    ]
    up.last_trade = "0.510"
    up.venue_ms += 10
    after = frame_of(up)
    del after["tick_size"], after["last_trade_price"]
    common = {"market": MARKET, "asset_id": UP, "timestamp": str(up.venue_ms)}
    printed = {"event_type": "last_trade_price", "price": "0.51", "size": "20", "side": "BUY"}
    step = {"event_type": "tick_size_change", "old_tick_size": "0.01", "new_tick_size": "0.001"}
    touch = {"event_type": "best_bid_ask", "best_bid": "0.49", "best_ask": "", "spread": "0.02"}
    won = {"event_type": "market_resolved", "winning_asset_id": UP, "winning_outcome": "Up"}
    rest = [common | each for each in (printed, step, touch, won)]
    return [dump, *changes, after, *rest, {"event_type": "new_market", "id": "7"}]


def user_session() -> list[Any]:
    """Return the life of an order and of a trade."""
    killed = order_frame(SECOND, type="CANCELLATION", status="CANCELED_killed", size_matched="")
    return [
        order_frame(),
        trade_frame(),
        order_frame(type="UPDATE", size_matched="3"),
        trade_frame(status="MINED", timestamp=str(WALL_START_MS // 1_000)),
        trade_frame(status="FAILED", transaction_hash="0x" + "ab" * 32),
        killed,
        order_frame(type="CANCELLATION", status="CANCELED", size_matched="3"),
    ]


def price_session() -> list[Any]:
    """Return the answers to authentication and subscription, a snapshot, and updates."""
    point = {"timestamp": WALL_START_MS, "value": 5.5, "full_accuracy_value": "5.5"}
    known = {"symbol": "btcusd", "source": "chainlink"}
    data = {"v": 1, "channel": "price.crypto", "seq": 1, "ts": WALL_START_MS}
    average = {"channel": "price.crypto.twap", "seq": 1}
    return [
        {"op": "authed", "rid": "auth"},
        {"op": "subscribed", "channel": "price.crypto", "rid": "subscribe"},
        {"op": "subscribed", "channel": "price.crypto.twap", "rid": "subscribe"},
        {"op": "pong", "rid": "ping"},
        data | {"snapshot": True, "payload": known | {"data": [point]}},
        data | {"seq": 2, "payload": known | point | {"timestamp": WALL_START_MS + 1_000}},
        data | average | {"payload": known | point | {"window_seconds": 60}},
        {"op": "error", "code": "rate_limited", "rid": "ping"},
    ]


def described(start: int, **spoil: Any) -> dict[str, Any]:
    """Return a window's market as discovery describes it; it starts in the built minute."""
    fields = {
        "id": str(start),
        "slug": f"btc-updown-60s-{start}",
        "conditionId": f"0x{start:064x}",
        "version": "v1",
        "clobTokenIds": f'["{start}1", "{start}2"]',
        "outcomes": '["Up", "Down"]',
        "outcomePrices": '["0.5", "0.5"]',
        "active": True,
        "closed": False,
        "restricted": True,
        "acceptingOrders": True,
        "enableOrderBook": True,
        "eventStartTime": "2026-09-21T14:14:00Z",
        "endDate": "2026-09-21T14:15:00Z",
        "orderPriceMinTickSize": 0.01,
        "orderMinSize": 5,
        "negRisk": False,
        "feesEnabled": True,
        "feeSchedule": {"exponent": 1, "rate": 0.07, "takerOnly": True, "rebateRate": 0.2},
    }
    return fields | spoil


def discovery_session() -> list[Any]:
    """Return a market, its end, and a listing."""
    start = WALL_START_MS // 1_000
    prices = '["1", "0"]'
    ended = described(start, closed=True, umaResolutionStatus="resolved", outcomePrices=prices)
    return [described(start), ended, {"markets": [described(start)], "next_cursor": ""}, {}]


def perp_session() -> list[Any]:
    """Return what another venue tells of perpetual futures, and its answers."""
    confirmed = {"method": "subscribe", "subscription": {"type": "trades", "coin": "BTC"}}
    return [
        {"channel": "subscriptionResponse", "data": confirmed},
        {"channel": "pong"},
        perps.context(),
        perps.book(),
        perps.trades(perps.trade(1), perps.trade(2, milliseconds=5)),
        perps.book(milliseconds=500, bids=("80639.5",)),
        {"channel": "error", "data": "Already subscribed"},
    ]


SESSIONS = {
    "market": market_session(),
    "user": user_session(),
    "price": price_session(),
    "discovery": discovery_session(),
    "perp": perp_session(),
}

BODIES: dict[Source, list[Any]] = {
    "market": [frame_of(VenueBook(UP, listed()), min_order_size="5", neg_risk=False)],
    "user": [
        {"data": [order_row()], "next_cursor": CURSOR_END},
        {"data": [trade_row()], "next_cursor": CURSOR_END},
        {"data": [], "next_cursor": "Mg=="},
    ],
    "price": [],
    "discovery": SESSIONS["discovery"],
    "perp": [perps.contexts("BTC"), perps.book_data()],
}
"""Answers to what each feed reads by request."""


def texts(source: Source) -> list[str]:
    """Return a session as it is sent."""
    return [encode(frame).decode() for frame in SESSIONS[source]]
