"""Frames of the market stream, and the books' hashes in them.

Both tokens' books are read off the one logical book: the second token's bids are the
first one's asks at one dollar less. Level texts are kept at the level until it changes,
because every frame needs the whole book for its hash; so is the text of a side.

Source of keys, their order, spaces and hash: recorded production frames (2026-09-30, 10-05).
Dumps and prints are compact; changes and the books after a trade have a space after commas.
"""

import hashlib
from collections.abc import Iterator

from services.simulator.markets import MIN_SIZE_E6, Market
from services.simulator.matching import Ladder, Level
from shared.units import PRICE_ONE_E4, PriceE4, SizeE6
from shared.venue.decimals import format_price, format_size
from shared.venue.wire import encode

_MIN_SIZE = format_size(MIN_SIZE_E6)


def _word(flag: bool) -> str:
    return "true" if flag else "false"


def _texts(price: int, level: Level) -> tuple[str, str]:
    size = format_size(SizeE6(level.total))
    up, down = format_price(PriceE4(price)), format_price(PriceE4(PRICE_ONE_E4 - price))
    texts = (f'{{"price":"{up}","size":"{size}"}}', f'{{"price":"{down}","size":"{size}"}}')
    level.texts = texts
    return texts


def _joined(ladder: Ladder, *, ascending: bool) -> tuple[str, str]:
    """Return one side as both outcomes' books write it, from what was kept if it may be."""
    if ladder.joined is None:
        levels = ladder.levels
        prices = ladder.prices if ascending else reversed(ladder.prices)
        texts = [levels[price].texts or _texts(price, levels[price]) for price in prices]
        ladder.joined = (
            ",".join([up for up, _ in texts]),
            ",".join([down for _, down in texts]),
        )
    return ladder.joined


def sides_text(market: Market, outcome: int) -> tuple[str, str]:
    """Return the bids, ascending, and the asks, descending, of one token's book."""
    bids = _joined(market.book.bids, ascending=True)
    asks = _joined(market.book.asks, ascending=False)
    return (bids[0], asks[0]) if outcome == 0 else (asks[1], bids[1])


def hash_of(market: Market, outcome: int, bids: str, asks: str) -> str:
    """Return the hash of one token's book at the market's last change."""
    version = "" if market.version == "v1" else f',"version":"{market.version}"'
    text = (
        f'{{"market":"{market.condition_id}","asset_id":"{market.tokens[outcome]}",'
        f'"timestamp":"{market.changed_ms}","hash":"","bids":[{bids}],"asks":[{asks}],'
        f'"min_order_size":"{_MIN_SIZE}","tick_size":"{format_price(market.tick)}",'
        f'"neg_risk":{_word(market.neg_risk)},"last_trade_price":"{market.last_trade}"{version}}}'
    )
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def snapshot(market: Market, outcome: int) -> str:
    """Return one book as in the dump that answers a subscription."""
    bids, asks = sides_text(market, outcome)
    version = "" if market.version == "v1" else f',"version":"{market.version}"'
    return (
        f'{{"market":"{market.condition_id}","asset_id":"{market.tokens[outcome]}",'
        f'"timestamp":"{market.changed_ms}","hash":"{hash_of(market, outcome, bids, asks)}",'
        f'"bids":[{bids}],"asks":[{asks}],"tick_size":"{format_price(market.tick)}",'
        f'"event_type":"book","last_trade_price":"{market.last_trade}"{version}}}'
    )


def rest_book(market: Market, outcome: int) -> str:
    """Return one book as `GET /book` does."""
    bids, asks = sides_text(market, outcome)
    version = "" if market.version == "v1" else f',"version":"{market.version}"'
    return (
        f'{{"market":"{market.condition_id}","asset_id":"{market.tokens[outcome]}",'
        f'"timestamp":"{market.changed_ms}","hash":"{hash_of(market, outcome, bids, asks)}",'
        f'"bids":[{bids}],"asks":[{asks}],"min_order_size":"{_MIN_SIZE}",'
        f'"tick_size":"{format_price(market.tick)}","neg_risk":{_word(market.neg_risk)},'
        f'"last_trade_price":"{market.last_trade}"{version}}}'
    )


def traded_book(market: Market, outcome: int) -> str:
    """Return one book as it is sent after a trade, without tick and last price."""
    bids, asks = sides_text(market, outcome)
    return (
        f'{{"market":"{market.condition_id}", "asset_id":"{market.tokens[outcome]}", '
        f'"bids":[{_spaced(bids)}], "asks":[{_spaced(asks)}], '
        f'"hash":"{hash_of(market, outcome, bids, asks)}", '
        f'"timestamp":"{market.changed_ms}", "event_type":"book"}}'
    )


def _spaced(levels: str) -> str:
    return levels.replace(",", ", ")


def price_changes(market: Market) -> Iterator[str]:
    """Return one frame for each level that changed, all with the hash after the whole batch.

    The token whose order changed comes first, then the same level in the other's book.
    """
    book = market.book
    bid, ask = book.bids.best(), book.asks.best()
    hashes = [hash_of(market, outcome, *sides_text(market, outcome)) for outcome in (0, 1)]
    ends = (
        f'"hash":"{hashes[0]}", "best_bid":"{_price(bid)}", "best_ask":"{_price(ask)}"}}',
        f'"hash":"{hashes[1]}", "best_bid":"{_mirror(ask)}", "best_ask":"{_mirror(bid)}"}}',
    )
    head = f'{{"market":"{market.condition_id}", "price_changes":['
    tail = f'], "timestamp":"{market.changed_ms}", "event_type":"price_change"}}'
    up, down = market.tokens
    for (is_bid, price), outcome in book.touched.items():
        size = format_size(SizeE6(book.side(bid=is_bid).total(price)))
        side, mirrored = ("BUY", "SELL") if is_bid else ("SELL", "BUY")
        first = (
            f'{{"asset_id":"{up}", "price":"{_price(price)}", "size":"{size}", '
            f'"side":"{side}", {ends[0]}'
        )
        second = (
            f'{{"asset_id":"{down}", "price":"{_mirror(price)}", "size":"{size}", '
            f'"side":"{mirrored}", {ends[1]}'
        )
        entries = f"{first}, {second}" if outcome == 0 else f"{second}, {first}"
        yield f"{head}{entries}{tail}"


def _price(price: int | None) -> str:
    return "" if price is None else format_price(PriceE4(price))


def _mirror(price: int | None) -> str:
    return "" if price is None else format_price(PriceE4(PRICE_ONE_E4 - price))


def last_trade_price(
    market: Market, outcome: int, price: PriceE4, size: SizeE6, side: str, at_ms: int, tx: str
) -> str:
    """Return the print of a trade, in the taker's token."""
    return (
        f'{{"market":"{market.condition_id}","asset_id":"{market.tokens[outcome]}",'
        f'"price":"{format_price(price)}","size":"{format_size(size)}","fee_rate_bps":"0",'
        f'"side":"{side}","timestamp":"{at_ms}","event_type":"last_trade_price",'
        f'"transaction_hash":"{tx}"}}'
    )


def tick_size_change(market: Market, outcome: int, old: PriceE4, new: PriceE4, at_ms: int) -> str:
    """Return the news of a changed tick, of one token."""
    return (
        f'{{"market":"{market.condition_id}","asset_id":"{market.tokens[outcome]}",'
        f'"old_tick_size":"{format_price(old)}","new_tick_size":"{format_price(new)}",'
        f'"timestamp":"{at_ms}","event_type":"tick_size_change"}}'
    )


def best_bid_ask(market: Market, outcome: int) -> str:
    """Return the touch of one token's book, for subscribers of custom features.

    An empty side is empty text, and then the spread is, too: the venue's own way is unknown.
    """
    bid, ask = market.book.bids.best(), market.book.asks.best()
    spread = "" if bid is None or ask is None else format_price(PriceE4(ask - bid))
    low, high = (_price(bid), _price(ask)) if outcome == 0 else (_mirror(ask), _mirror(bid))
    return (
        f'{{"market":"{market.condition_id}","asset_id":"{market.tokens[outcome]}",'
        f'"best_bid":"{low}","best_ask":"{high}","spread":"{spread}",'
        f'"timestamp":"{market.changed_ms}","event_type":"best_bid_ask"}}'
    )


def new_market(market: Market, at_ms: int) -> str:
    """Return the news of a market that was listed, for subscribers of custom features.

    Source of the keys: a recorded production frame (2026-10-05).
    """
    title = f"{market.asset.upper()} Up or Down"
    description = f"Resolves to Up if {market.asset.upper()} ends at or above its start."
    event = {
        "id": market.number,
        "ticker": market.slug,
        "slug": market.slug,
        "title": title,
        "description": description,
    }
    frame = {
        "id": market.number,
        "question": title,
        "market": market.condition_id,
        "slug": market.slug,
        "description": description,
        "assets_ids": market.tokens,
        "outcomes": market.names,
        "event_message": event,
        "timestamp": str(at_ms),
        "tags": ("crypto", "up-or-down"),
        "condition_id": market.condition_id,
        "active": True,
        "clob_token_ids": market.tokens,
        "sports_market_type": "",
        "line": "",
        "game_start_time": "",
        "order_price_min_tick_size": format_price(market.tick),
        "group_item_title": "",
        "taker_base_fee": "1000",
        "fees_enabled": True,
        "fee_schedule": {"exponent": "1", "rate": "0.07", "taker_only": True, "rebate_rate": "0.2"},
        "event_type": "new_market",
    }
    return encode(frame).decode()


def market_resolved(market: Market, at_ms: int) -> str:
    """Return the news of a resolution, for subscribers of custom features."""
    assert market.winner is not None
    up, down = market.tokens
    winner = "Up" if market.winner == 0 else "Down"
    return (
        f'{{"id":"{market.number}","market":"{market.condition_id}",'
        f'"assets_ids":["{up}","{down}"],"winning_asset_id":"{market.tokens[market.winner]}",'
        f'"winning_outcome":"{winner}","timestamp":"{at_ms}","tags":[],'
        f'"event_type":"market_resolved"}}'
    )
