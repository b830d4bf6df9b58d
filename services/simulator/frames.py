"""Frames of the market stream, and the books' hashes in them.

Both tokens' books are read off the one logical book: the second token's bids are the
first one's asks at one dollar less. Level texts are kept at the level until it changes,
because every frame needs the whole book for its hash.

Source of keys, order of keys and hash: recorded production frames (2026-09-30, 10-05).
"""

import hashlib
from collections.abc import Iterator

from services.simulator.markets import MIN_SIZE_E6, Market
from services.simulator.matching import Ladder, Level
from shared.units import PRICE_ONE_E4, PriceE4, SizeE6
from shared.venue.decimals import format_price, format_size

_MIN_SIZE = format_size(MIN_SIZE_E6)


def _word(flag: bool) -> str:
    return "true" if flag else "false"


def _texts(price: int, level: Level) -> tuple[str, str]:
    size = format_size(SizeE6(level.total))
    up, down = format_price(PriceE4(price)), format_price(PriceE4(PRICE_ONE_E4 - price))
    texts = (f'{{"price":"{up}","size":"{size}"}}', f'{{"price":"{down}","size":"{size}"}}')
    level.texts = texts
    return texts


def _join(ladder: Ladder, outcome: int, *, ascending: bool) -> str:
    prices = ladder.prices if ascending else reversed(ladder.prices)
    levels = ladder.levels
    return ",".join(
        [
            (level.texts or _texts(price, level))[outcome]
            for price in prices
            for level in (levels[price],)
        ]
    )


def sides_text(market: Market, outcome: int) -> tuple[str, str]:
    """Return the bids, ascending, and the asks, descending, of one token's book."""
    book = market.book
    if outcome == 0:
        return _join(book.bids, 0, ascending=True), _join(book.asks, 0, ascending=False)
    return _join(book.asks, 1, ascending=False), _join(book.bids, 1, ascending=True)


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
        f'{{"market": "{market.condition_id}", "asset_id": "{market.tokens[outcome]}", '
        f'"bids": [{bids}], "asks": [{asks}], '
        f'"hash": "{hash_of(market, outcome, bids, asks)}", '
        f'"timestamp": "{market.changed_ms}", "event_type": "book"}}'
    )


def price_changes(market: Market) -> Iterator[str]:
    """Return one frame for each level that changed, all with the hash after the whole batch."""
    book = market.book
    hashes = [hash_of(market, outcome, *sides_text(market, outcome)) for outcome in (0, 1)]
    bid, ask = book.bids.best(), book.asks.best()
    touch_up = f'"best_bid":"{_price(bid)}","best_ask":"{_price(ask)}"'
    touch_down = f'"best_bid":"{_mirror(ask)}","best_ask":"{_mirror(bid)}"'
    up, down = market.tokens
    for is_bid, price in book.touched:
        size = format_size(SizeE6(book.side(bid=is_bid).total(price)))
        side, mirrored = ("BUY", "SELL") if is_bid else ("SELL", "BUY")
        yield (
            f'{{"market":"{market.condition_id}","price_changes":['
            f'{{"asset_id":"{up}","price":"{_price(price)}","size":"{size}","side":"{side}",'
            f'"hash":"{hashes[0]}",{touch_up}}},'
            f'{{"asset_id":"{down}","price":"{_mirror(price)}","size":"{size}",'
            f'"side":"{mirrored}","hash":"{hashes[1]}",{touch_down}}}],'
            f'"timestamp":"{market.changed_ms}","event_type":"price_change"}}'
        )


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
