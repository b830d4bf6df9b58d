"""Recorded production frames, through the market feed's parser, folded and proven by hash.

The recordings are not part of the project; where they are absent the tests say so.
"""

import json
import os
from pathlib import Path

import msgspec
import pytest

from shared.facts import BookChanged, BookSnapshot, MarketInfo
from shared.units import MonotonicNs, WallMs
from shared.venue.gamma_wire import MARKET
from shared.venue.parse import market_events
from shared.venue.parse_market import market_info as parse_market_info
from shared.venue.token_book import TokenBook
from tests.builders.feeds import at
from tests.builders.markets import market_info

CAPTURES = Path(os.environ.get("INTERLOCK_CAPTURES", "../shared/captures"))
FOLDER = CAPTURES / "adriancova_polymarket-bot-v2"
BTC_15M = FOLDER / "market-ws-btc15m-2026-09-30-first11.jsonl"
CANARY = FOLDER / "ws-market-protocol-v2-2026-10-05.part.jsonl"
GAMMA = FOLDER / "gamma-market-v1-btc15m-2026-10-05.json"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="no recordings of production frames")


def texts() -> list[str]:
    return [json.loads(row)["payloadUtf8"] for row in BTC_15M.read_text().splitlines()]


def market_of(dump: tuple[BookSnapshot, ...], version: str = "v1") -> MarketInfo:
    """Return the market of a first frame; the stream does not tell size and kind."""
    first = dump[0].token
    second = dump[-1].token
    return msgspec.structs.replace(
        market_info(version=version), condition_id=dump[0].market, tokens=(first, second)
    )


def test_recorded_session_is_proven_after_its_dump_and_after_every_batch() -> None:
    dump, *frames = [market_events(text) for text in texts()]
    snapshots = tuple(event for event in dump if isinstance(event, BookSnapshot))
    market = market_of(snapshots)
    books = {token: TokenBook(market, token) for token in market.tokens}
    for snapshot in snapshots:
        books[snapshot.token].apply_snapshot(snapshot, MonotonicNs(0), at(0))
        assert books[snapshot.token].settle(at(0))
    proofs: dict[WallMs, int] = {}
    for (event,) in frames:
        assert isinstance(event, BookChanged)
        for change in event.changes:
            books[change.token].apply_change(change, event.venue_ms, MonotonicNs(0), at(1))
        proven = [book.settle(at(1)) for book in books.values() if book.is_open]
        proofs[event.venue_ms] = proofs.get(event.venue_ms, 0) + sum(proven)
    assert list(proofs.values()) == [2, 2, 2], "eight frames of one batch, then two of one each"
    for book in books.values():
        assert book.doubt == ""
        assert book.proven is not None
        assert not book.proven.is_crossed


def test_folded_touch_is_the_one_that_the_venue_told() -> None:
    dump, *frames = [market_events(text) for text in texts()]
    snapshots = tuple(event for event in dump if isinstance(event, BookSnapshot))
    market = market_of(snapshots)
    books = {token: TokenBook(market, token) for token in market.tokens}
    for snapshot in snapshots:
        books[snapshot.token].apply_snapshot(snapshot, MonotonicNs(0), at(0))
        books[snapshot.token].settle(at(0))
    for (event,) in frames:
        assert isinstance(event, BookChanged)
        for change in event.changes:
            book = books[change.token]
            book.apply_change(change, event.venue_ms, MonotonicNs(0), at(1))
            if book.settle(at(1)):
                assert book.proven is not None
                touch = (book.proven.bids[0][0], book.proven.asks[0][0])
                assert touch == (change.best_bid, change.best_ask)


@pytest.mark.req("DQ-3")
def test_recorded_session_with_one_frame_lost_is_never_called_right() -> None:
    for lost in range(1, 9):
        dump, *frames = [market_events(text) for place, text in enumerate(texts()) if place != lost]
        snapshots = tuple(event for event in dump if isinstance(event, BookSnapshot))
        market = market_of(snapshots)
        books = {token: TokenBook(market, token) for token in market.tokens}
        for snapshot in snapshots:
            books[snapshot.token].apply_snapshot(snapshot, MonotonicNs(0), at(0))
            assert books[snapshot.token].settle(at(0))
        for (event,) in frames:
            assert isinstance(event, BookChanged)
            for change in event.changes:
                book = books[change.token]
                book.apply_change(change, event.venue_ms, MonotonicNs(0), at(1))
                assert not book.settle(at(1))
        for book in books.values():
            book.settle(at(1_000))
            assert book.doubt == "hash disagrees"


def test_recorded_canary_of_protocol_v2_is_proven() -> None:
    rows = [json.loads(row) for row in CANARY.read_text().splitlines()]
    (text,) = (row["data"] for row in rows if row["dir"] == "recv" and row["data"][0] == "[")
    (snapshot,) = market_events(text)
    assert isinstance(snapshot, BookSnapshot)
    market = market_of((snapshot,), "v2")
    book = TokenBook(market, snapshot.token)
    book.apply_snapshot(snapshot, MonotonicNs(0), at(0))
    assert book.settle(at(0))


@pytest.mark.req("MR-1")
def test_recorded_description_of_a_market_gives_what_folding_needs() -> None:
    info = parse_market_info(MARKET.decode(GAMMA.read_bytes()), 10_000)
    assert (info.tick_e4, info.min_size_e6, info.neg_risk) == (100, 5_000_000, False)
    assert info.end_ms - info.start_ms == 900_000
