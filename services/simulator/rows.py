"""Orders and trades as the venue writes them: rows of REST, frames of the user stream.

Source: https://docs.polymarket.com/api-reference (CLOB OpenAPI and user channel,
2026-09-28) and recorded production frames.
"""

from services.simulator.happenings import OrderChanged, TradeChanged
from services.simulator.markets import Market
from services.simulator.matching import Order
from services.simulator.trades import MakerPart, Trade
from shared.venue.account_wire import MakerOrder, OpenOrder
from shared.venue.account_wire import Trade as TradeRow
from shared.venue.decimals import format_price, format_size
from shared.venue.streams_wire import OrderFrame, TradeFrame

PARTICIPANT_KEY = "00000000-0000-4000-8000-000000000000"
"""Stands for the API key of the simulator's own participants."""

PARTICIPANT_ADDRESS = "0x00000000000000000000000000000000000051b1"

_MS_PER_S = 1000


def _owner(key: str) -> str:
    return key or PARTICIPANT_KEY


def address_of(maker: str) -> str:
    """Return a wallet's address; all of the simulator's own participants share one."""
    return maker if maker.startswith("0x") else PARTICIPANT_ADDRESS


def order_row(order: Order, market: Market) -> OpenOrder:
    """Return an order as `GET /data/order` and `GET /data/orders` do."""
    return OpenOrder(
        id=order.order_id,
        status=order.status,
        owner=order.owner,
        maker_address=order.maker,
        market=order.market,
        asset_id=market.tokens[order.outcome],
        side=order.side,
        original_size=format_size(order.size),
        size_matched=format_size(order.filled),
        price=format_price(order.price),
        outcome=market.names[order.outcome],
        expiration=str(order.expiration_s),
        order_type=order.time_in_force,
        associate_trades=tuple(order.trades),
        created_at=order.created_ms // _MS_PER_S,
    )


def order_frame(change: OrderChanged, market: Market) -> OrderFrame:
    """Return an order event of the user stream; times in seconds, which all clients read."""
    order = change.order
    return OrderFrame(
        id=order.order_id,
        market=order.market,
        asset_id=market.tokens[order.outcome],
        side=order.side,
        price=format_price(order.price),
        original_size=format_size(order.size),
        size_matched=format_size(change.filled),
        type=change.kind,
        timestamp=str(change.at_ms),
        status=change.status,
        owner=order.owner,
        order_owner=order.owner,
        outcome=market.names[order.outcome],
        associate_trades=change.trades or None,
        created_at=str(order.created_ms // _MS_PER_S),
        expiration=str(order.expiration_s),
        order_type=order.time_in_force,
        maker_address=order.maker,
    )


def _maker_order(part: MakerPart, tokens: tuple[str, str], names: tuple[str, str]) -> MakerOrder:
    return MakerOrder(
        order_id=part.order_id,
        matched_amount=format_size(part.size),
        price=format_price(part.price),
        asset_id=tokens[part.outcome],
        owner=_owner(part.owner),
        maker_address=address_of(part.maker),
        fee_rate_bps="0",
        outcome=names[part.outcome],
        side=part.side,
    )


def trade_row(trade: Trade, key: str) -> TradeRow:
    """Return a trade as `GET /data/trades` does, for one of its parties."""
    return TradeRow(
        id=trade.trade_id,
        taker_order_id=trade.taker_order_id,
        market=trade.market,
        asset_id=trade.token,
        side=trade.side,
        size=format_size(trade.size),
        price=format_price(trade.price),
        status=trade.status,
        match_time=str(trade.match_ms // _MS_PER_S),
        last_update=str(trade.updated_ms // _MS_PER_S),
        maker_orders=tuple(_maker_order(part, trade.tokens, trade.names) for part in trade.makers),
        fee_rate_bps="0",
        outcome=trade.names[trade.outcome],
        bucket_index=trade.bucket,
        owner=_owner(trade.owner),
        maker_address=address_of(trade.maker),
        transaction_hash=trade.transaction_hash,
        trader_side="TAKER" if trade.owner == key else "MAKER",
    )


def trade_frame(change: TradeChanged, key: str) -> TradeFrame:
    """Return a trade event of the user stream, for one of its parties."""
    trade = change.trade
    return TradeFrame(
        id=trade.trade_id,
        taker_order_id=trade.taker_order_id,
        market=trade.market,
        asset_id=trade.token,
        side=trade.side,
        size=format_size(trade.size),
        price=format_price(trade.price),
        status=change.status,
        timestamp=str(change.at_ms),
        maker_orders=tuple(_maker_order(part, trade.tokens, trade.names) for part in trade.makers),
        match_time=str(trade.match_ms // _MS_PER_S),
        last_update=str(change.at_ms // _MS_PER_S),
        fee_rate_bps="0",
        outcome=trade.names[trade.outcome],
        owner=_owner(trade.owner),
        trade_owner=key,
        maker_address=address_of(trade.maker),
        transaction_hash=trade.transaction_hash,
        bucket_index=trade.bucket,
        trader_side="TAKER" if trade.owner == key else "MAKER",
    )
