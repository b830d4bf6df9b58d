"""A client that folds the frames has the venue's book and proves it by the venue's hash."""

import itertools
from typing import Any

import msgspec
import pytest

from services.simulator.frames import hash_of, price_changes, sides_text, snapshot, traded_book
from services.simulator.markets import MIN_SIZE_E6, Market
from services.simulator.matching import Order
from shared.facts import Level
from shared.units import PriceE4, SizeE6, WallMs
from shared.venue.book_hash import HashedBook, book_hash
from shared.venue.decimals import parse_price, parse_size
from shared.venue.market_wire import BOOK, PriceLevel
from shared.venue.streams_wire import (
    BookFrame,
    LastTradeFrame,
    PriceChangeFrame,
    TickSizeFrame,
    decode_market_frames,
)
from shared.venue.wire import encode
from tests.builders.venue_rig import Client, VenueRig


class Fold:
    """What a careful client knows of one token's book; proves it after every batch."""

    def __init__(self, market: Market, token: str) -> None:
        self.market = market
        self.token = token
        self.bids: dict[PriceE4, SizeE6] = {}
        self.asks: dict[PriceE4, SizeE6] = {}
        self.tick = PriceE4(0)
        self.last = ""
        self.ms = 0
        self.wanted = ""
        self.touch: tuple[Any, Any] = (None, None)

    def take(self, frame: object) -> None:
        match frame:
            case BookFrame() if frame.asset_id == self.token:
                self.bids, self.asks = side_of(frame.bids), side_of(frame.asks)
                self.tick = parse_price(frame.tick_size, "") if frame.tick_size else self.tick
                self.ms, self.wanted = int(frame.timestamp), frame.hash
                if frame.last_trade_price is not None:
                    self.last = frame.last_trade_price
            case PriceChangeFrame():
                for entry in frame.price_changes:
                    if entry.asset_id == self.token:
                        side = self.bids if entry.side == "BUY" else self.asks
                        side[parse_price(entry.price, "")] = parse_size(entry.size, "")
                        self.ms, self.wanted = int(frame.timestamp), entry.hash
                        self.touch = (entry.best_bid, entry.best_ask)
            case TickSizeFrame() if frame.asset_id == self.token:
                self.tick = parse_price(frame.new_tick_size, "")
            case LastTradeFrame():
                price = parse_price(frame.price, "")
                up = price if frame.asset_id == self.market.tokens[0] else 10_000 - price
                self.last = f"{up / 10_000:.3f}"

    def levels(self, *, bids: bool) -> tuple[Level, ...]:
        side = sorted((self.bids if bids else self.asks).items(), reverse=not bids)
        return tuple((price, size) for price, size in side if size)

    @property
    def hash(self) -> str:
        book = HashedBook(
            market=self.market.condition_id,
            token=self.token,  # type: ignore[arg-type]
            venue_ms=WallMs(self.ms),
            bids=self.levels(bids=True),
            asks=self.levels(bids=False),
            min_size_e6=MIN_SIZE_E6,
            tick_e4=self.tick,
            neg_risk=self.market.neg_risk,
            version=self.market.version,
        )
        return book_hash(book, self.last)


def side_of(rows: tuple[PriceLevel, ...]) -> dict[PriceE4, SizeE6]:
    return {parse_price(row.price, ""): parse_size(row.size, "") for row in rows}


def folds_of(rig: VenueRig) -> tuple[Fold, Fold]:
    market = rig.market
    return Fold(market, market.tokens[0]), Fold(market, market.tokens[1])


def feed(rig: VenueRig, folds: tuple[Fold, Fold]) -> None:
    for text in rig.pushed[1]:
        for frame, fold in itertools.product(decode_market_frames(text), folds):
            fold.take(frame)
    rig.pushed[1].clear()


@pytest.mark.parametrize("protocol", ["v1", "neg_risk", "v2"])
def test_folded_books_have_the_hash_of_every_batch(protocol: Any) -> None:
    rig = VenueRig(protocol=protocol, frames_per_second=20, takers_per_second=2.0)
    rig.follow_market(1)
    folds = folds_of(rig)
    feed(rig, folds)
    proven = 0
    for _ in range(400):
        rig.advance(0.1)
        feed(rig, folds)
        # Between a trade's books and its print nobody can know the last price.
        if folds[0].hash == folds[0].wanted:
            proven += 1
            assert folds[1].hash == folds[1].wanted
    assert proven > 250


def test_folded_books_equal_the_rest_books() -> None:
    rig = VenueRig(frames_per_second=20, takers_per_second=2.0)
    rig.follow_market(1)
    folds = folds_of(rig)
    rig.advance(20)
    feed(rig, folds)
    for fold in folds:
        answer = rig.answers[rig.send("GET", "/book", query={"token_id": fold.token}, headers={})]
        book = BOOK.decode(answer.body)
        assert fold.levels(bids=True) == tuple(side_of(book.bids).items())
        assert fold.levels(bids=False) == tuple(side_of(book.asks).items())
        assert book.hash == fold.wanted


def test_tick_change_is_told_with_new_books_that_prove_themselves() -> None:
    rig = VenueRig(rate_limits=False)
    rig.follow_market(1)
    folds = folds_of(rig)
    rig.place(price=9_600, size=10)
    rig.place(outcome=1, price=200, size=10)
    feed(rig, folds)
    assert rig.market.tick == 10
    for fold in folds:
        assert fold.tick == 10
        assert fold.hash == fold.wanted
    order = rig.client.order(rig.market, price=9_655)
    assert rig.post(order)[0] == 400
    rig.place(price=9_650)


def test_tick_goes_back_when_the_price_does() -> None:
    rig = VenueRig(rate_limits=False)
    rig.follow_market(1)
    folds = folds_of(rig)
    rig.place(price=9_600, size=10)
    held = rig.place(outcome=1, price=200, size=10)
    assert rig.market.tick == 10
    rig.place(price=9_450, size=10)
    rig.ask("DELETE", "/order", encode({"orderID": held}))
    rig.place(outcome=1, price=380, size=10)
    assert rig.market.tick == 10
    rig.ask("DELETE", "/cancel-all")
    rig.place(price=9_340, size=10)
    rig.place(outcome=1, price=550, size=10)
    assert rig.market.tick == 100
    feed(rig, folds)
    for fold in folds:
        assert fold.tick == 100
        assert fold.hash == fold.wanted
    assert rig.post(rig.client.order(rig.market, price=9_345))[0] == 400


def test_taker_s_book_comes_first_after_a_trade() -> None:
    rig = VenueRig()
    rig.place(Client(rig.settings.seed, 2), price=6_000)
    rig.follow_market(1)
    rig.frames(1)
    rig.place(outcome=1, price=4_000)
    assert [book["asset_id"] for book in rig.frames(1)] == list(reversed(rig.market.tokens))


def test_post_trade_books_leave_out_tick_and_last_price() -> None:
    rig = VenueRig()
    rig.follow_market(1)
    rig.place(Client(rig.settings.seed, 2), outcome=1, price=4_000)
    rig.frames(1)
    rig.place(price=6_000)
    up, down = rig.frames(1)
    assert [up["asset_id"], down["asset_id"]] == list(rig.market.tokens)
    assert list(up) == ["market", "asset_id", "bids", "asks", "hash", "timestamp", "event_type"]
    rig.advance(0.04)
    (printed,) = rig.frames(1)
    assert printed["event_type"] == "last_trade_price"
    assert (printed["price"], printed["size"], printed["side"]) == ("0.6", "10", "BUY")
    assert printed["asset_id"] == rig.market.tokens[0]
    assert rig.market.last_trade == "0.600"


def test_price_change_names_both_tokens_and_their_touches() -> None:
    rig = VenueRig()
    rig.follow_market(1)
    rig.place(price=4_500, size=10)
    rig.frames(1)
    rig.place(outcome=1, price=4_000, size=20)
    (frame,) = rig.frames(1)
    down, up = frame["price_changes"]
    assert (up["price"], up["size"], up["side"]) == ("0.6", "20", "SELL")
    assert (down["price"], down["size"], down["side"]) == ("0.4", "20", "BUY")
    assert (up["best_bid"], up["best_ask"]) == ("0.45", "0.6")
    assert (down["best_bid"], down["best_ask"]) == ("0.4", "0.55")


def test_batch_cancel_is_several_frames_with_one_hash() -> None:
    rig = VenueRig()
    rig.follow_market(1)
    for price in (1_000, 2_000, 3_000):
        rig.place(price=price)
    rig.frames(1)
    rig.ask("DELETE", "/cancel-all")
    frames = rig.frames(1)
    assert len(frames) == 3
    assert len({frame["price_changes"][0]["hash"] for frame in frames}) == 1
    assert {entry["size"] for frame in frames for entry in frame["price_changes"]} == {"0"}
    assert frames[0]["price_changes"][0]["best_bid"] == ""


def market_with(*orders: tuple[int, Any, int, int]) -> Market:
    """Return a market in whose book these (outcome, side, price, size) rest."""
    rig = VenueRig()
    market = rig.market
    for number, (outcome, side, price, size) in enumerate(orders):
        market.book.rest(
            Order(
                f"order-{number}", "maker", "", market.condition_id,
                outcome, side, PriceE4(price), SizeE6(size),
            )
        )  # fmt: skip
    return market


def test_books_of_both_tokens_mirror_each_other_best_last() -> None:
    market = market_with((0, "BUY", 4_000, 10**6), (0, "BUY", 4_500, 2 * 10**6),
                         (1, "BUY", 3_000, 3 * 10**6), (0, "SELL", 8_000, 5_500_000))  # fmt: skip
    up_bids, up_asks = sides_text(market, 0)
    down_bids, down_asks = sides_text(market, 1)
    assert up_bids == '{"price":"0.4","size":"1"},{"price":"0.45","size":"2"}'
    assert up_asks == '{"price":"0.8","size":"5.5"},{"price":"0.7","size":"3"}'
    assert down_bids == '{"price":"0.2","size":"5.5"},{"price":"0.3","size":"3"}'
    assert down_asks == '{"price":"0.6","size":"1"},{"price":"0.55","size":"2"}'


def test_every_kind_of_frame_is_json_with_the_same_hash() -> None:
    market = market_with((0, "BUY", 4_000, 10**6))
    expected = hash_of(market, 0, *sides_text(market, 0))
    assert msgspec.json.decode(snapshot(market, 0))["hash"] == expected
    assert msgspec.json.decode(traded_book(market, 0))["hash"] == expected
    (change,) = price_changes(market)
    assert msgspec.json.decode(change)["price_changes"][0]["hash"] == expected
