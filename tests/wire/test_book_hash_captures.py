"""The book hash recomputed on recorded production frames.

The recordings are not part of the project; where they are absent the tests say so.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from shared.facts import Level, MarketVersion
from shared.identifiers import ConditionId, TokenId
from shared.units import PriceE4, SizeE6, WallMs
from shared.venue.book_hash import HashedBook, book_hash, find_last_trade_price
from shared.venue.decimals import parse_price, parse_size

CAPTURES = Path(os.environ.get("INTERLOCK_CAPTURES", "../shared/captures"))
FOLDER = CAPTURES / "adriancova_polymarket-bot-v2"
BTC_15M = FOLDER / "market-ws-btc15m-2026-09-30-first11.jsonl"
CANARY = FOLDER / "ws-market-protocol-v2-2026-10-05.part.jsonl"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="no recordings of production frames")


def make_book(frame: dict[str, Any], version: MarketVersion) -> HashedBook:
    return HashedBook(
        market=ConditionId(frame["market"]),
        token=TokenId(frame["asset_id"]),
        venue_ms=WallMs(int(frame["timestamp"])),
        bids=levels(frame["bids"]),
        asks=levels(frame["asks"]),
        min_size_e6=SizeE6(5_000_000),
        tick_e4=PriceE4(100),
        neg_risk=False,
        version=version,
    )


def levels(rows: list[dict[str, str]]) -> list[Level]:
    return [(parse_price(row["price"], "price"), parse_size(row["size"], "size")) for row in rows]


def fold(sides: dict[str, dict[PriceE4, SizeE6]], change: dict[str, str]) -> None:
    side = sides["bids" if change["side"] == "BUY" else "asks"]
    price, size = parse_price(change["price"], "price"), parse_size(change["size"], "size")
    side[price] = size
    if size == 0:
        del side[price]


def recorded_frames() -> list[Any]:
    rows = [json.loads(row) for row in BTC_15M.read_text().splitlines()]
    return [json.loads(row["payloadUtf8"]) for row in rows]


def test_hash_of_a_v2_canary_book_is_the_recorded_one() -> None:
    rows = [json.loads(row) for row in CANARY.read_text().splitlines()]
    (dump,) = (row["data"] for row in rows if row["dir"] == "recv" and row["data"][0] == "[")
    (frame,) = json.loads(dump)
    assert frame["version"] == "v2"
    assert book_hash(make_book(frame, "v2"), frame["last_trade_price"]) == frame["hash"]
    assert book_hash(make_book(frame, "v1"), frame["last_trade_price"]) != frame["hash"]


def test_hashes_of_both_books_of_an_initial_dump_are_the_recorded_ones() -> None:
    dump = recorded_frames()[0]
    assert len(dump) == 2
    for frame in dump:
        assert book_hash(make_book(frame, "v1"), frame["last_trade_price"]) == frame["hash"]


@pytest.mark.req("VEN-4")
def test_folded_books_have_the_recorded_hash_at_the_end_of_every_batch() -> None:
    dump, *changes = recorded_frames()
    books = {
        frame["asset_id"]: {
            "bids": dict(levels(frame["bids"])),
            "asks": dict(levels(frame["asks"])),
        }
        for frame in dump
    }
    proven = 0
    for number, frame in enumerate(changes):
        assert frame["event_type"] == "price_change"
        for change in frame["price_changes"]:
            fold(books[change["asset_id"]], change)
        following = changes[number + 1]["timestamp"] if number + 1 < len(changes) else ""
        if following == frame["timestamp"]:
            continue  # the hash tells of the whole batch
        for change in frame["price_changes"]:
            sides = books[change["asset_id"]]
            book = HashedBook(
                market=ConditionId(frame["market"]),
                token=TokenId(change["asset_id"]),
                venue_ms=WallMs(int(frame["timestamp"])),
                bids=sorted(sides["bids"].items()),
                asks=sorted(sides["asks"].items(), reverse=True),
                min_size_e6=SizeE6(5_000_000),
                tick_e4=PriceE4(100),
                neg_risk=False,
                version="v1",
            )
            assert find_last_trade_price(book, change["hash"], ("",)) == ""
            proven += 1
    assert proven >= 6
