from typing import Any

import msgspec
import pytest

from services.simulator.edge import Persist
from services.simulator.matching import Order
from services.simulator.mirror.core import MirrorCore
from services.simulator.mirror.follow import PAUSES_NS
from services.simulator.saved import fold
from shared.effects import (
    Effect,
    HttpReply,
    HttpRequest,
    Log,
    StreamClose,
    StreamClosed,
    StreamOpen,
    StreamOpened,
    StreamSend,
    StreamText,
)
from shared.facts import MarketInfo
from shared.units import NS_PER_MS, BootNs, PriceE4, SizeE6, WallMs
from tests.builders.books import VenueBook
from tests.builders.feeds import WALL_START_MS, at, config
from tests.builders.market_feed import frame_of, rest_of
from tests.builders.markets import UP, market_info

INFO = market_info(
    slug=f"btc-updown-60s-{WALL_START_MS // 1_000}",
    start_ms=WallMs(WALL_START_MS),
    end_ms=WallMs(WALL_START_MS + 60_000),
)


class Rig:
    """A mirror that follows one market over a socket played by hand."""

    def __init__(self, info: MarketInfo = INFO, lines: list[bytes] | None = None) -> None:
        self.core = MirrorCore(config(), fold(lines or []))
        self.core.exchange.barred = None
        self.book = VenueBook(UP, info)
        self.book.venue_ms = WALL_START_MS
        self.ms = 0
        self.stream = ""
        self.effects: list[Effect] = []
        self.take(self.core.on_tick(at(0)))
        self.core.mirror.follow(info, "1", at(0))
        self.tick(0)

    def tick(self, ms: int) -> list[Effect]:
        """Let time pass in hundredths of a second."""
        out: list[Effect] = []
        for _ in range(max(1, ms // 10)):
            self.ms += 10 if ms else 0
            out += self.take(self.core.on_tick(at(self.ms)))
        return out

    def take(self, effects: list[Effect]) -> list[Effect]:
        self.effects += effects
        for effect in effects:
            if isinstance(effect, StreamOpen):
                self.stream = effect.stream
        return effects

    def hear(self, frame: Any) -> list[Effect]:
        text = frame if isinstance(frame, str) else msgspec.json.encode(frame).decode()
        now = at(self.ms)
        return self.take(self.core.on_message(StreamText(self.stream, text, now.monotonic_ns), now))

    def open(self) -> None:
        self.take(self.core.on_message(StreamOpened(self.stream), at(self.ms)))

    def dump(self) -> None:
        self.hear([frame_of(self.book)])

    def sent(self) -> list[str]:
        return [effect.text for effect in self.effects if isinstance(effect, StreamSend)]

    @property
    def doubt(self) -> str:
        return next(iter(self.core.mirror.followed.values())).book.doubt

    def shown(self) -> tuple[str, int | None]:
        """Why nothing matches, and the best bid that can be taken."""
        return self.doubt, next(iter(self.core.exchange.calendar)).book.bids.best()


@pytest.fixture
def rig() -> Rig:
    rig = Rig()
    rig.open()
    rig.dump()
    assert rig.shown() == ("", 4_900)
    return rig


def test_both_tokens_are_subscribed_at_once() -> None:
    rig = Rig()
    assert rig.doubt
    rig.open()
    (frame,) = rig.sent()
    assert msgspec.json.decode(frame)["assets_ids"] == list(INFO.tokens)


def test_change_is_shown_when_its_hash_agrees(rig: Rig) -> None:
    rig.book.step("BUY", 5_000, 4)
    rig.hear(frame_of(rig.book, tick_size=None, last_trade_price=None))
    assert rig.shown()[1] == 5_000


@pytest.mark.req("EX-21")
def test_hash_that_disagrees_empties_the_book_until_a_new_one(rig: Rig) -> None:
    rig.tick(2_000)
    rig.book.step("BUY", 5_000, 4)
    wrong = frame_of(rig.book, hash="0" * 40)
    rig.hear([wrong])
    rig.tick(310)
    assert rig.shown() == ("hash disagrees", None)
    asked = [msgspec.json.decode(text).get("operation") for text in rig.sent() if text != "PING"]
    assert asked[1:] == ["unsubscribe", "subscribe"]
    rig.dump()
    assert rig.shown() == ("", 5_000)


@pytest.mark.req("EX-21")
def test_silence_without_a_second_opinion_empties_the_book(rig: Rig) -> None:
    rig.tick(2_000)
    assert rig.doubt == ""
    rig.tick(20)
    assert rig.shown() == ("the stream is silent", None)


def witness(rig: Rig, body: bytes) -> None:
    asked = [
        effect
        for effect in rig.effects
        if isinstance(effect, HttpRequest) and effect.path.startswith("/book?")
    ]
    reply = HttpReply(asked[-1].request_id, 200, {}, body, BootNs(0))
    rig.take(rig.core.on_message(reply, at(rig.ms)))


def test_equal_book_by_request_vouches_for_a_quiet_one(rig: Rig) -> None:
    rig.tick(800)
    witness(rig, rest_of(rig.book))
    rig.tick(1_900)
    assert rig.doubt == ""


def test_other_book_by_request_vouches_for_nothing(rig: Rig) -> None:
    rig.tick(800)
    rig.book.step("BUY", 5_000, 4)
    witness(rig, rest_of(rig.book))
    rig.tick(1_300)
    assert rig.doubt == "the stream is silent"


def test_lost_connection_empties_the_book_and_is_opened_again(rig: Rig) -> None:
    rig.take(rig.core.on_message(StreamClosed(rig.stream, 1006, "gone"), at(rig.ms)))
    assert rig.shown() == ("closed: 1006 gone", None)
    lost = rig.stream
    rig.tick(10)
    assert rig.stream != lost
    rig.open()
    assert rig.shown()[1] is None
    rig.dump()
    assert rig.shown() == ("", 4_900)


def test_attempts_back_off(rig: Rig) -> None:
    opened = []
    for _ in range(4):
        before = len([effect for effect in rig.effects if isinstance(effect, StreamOpen)])
        rig.take(rig.core.on_message(StreamClosed(rig.stream, 1006, ""), at(rig.ms)))
        start = rig.ms
        while len([e for e in rig.effects if isinstance(e, StreamOpen)]) == before:
            rig.tick(10)
        opened.append((rig.ms - start) * NS_PER_MS)
    assert all(
        pause <= waited <= pause + 20 * NS_PER_MS
        for pause, waited in zip(PAUSES_NS, opened, strict=False)
    )


def test_missing_pongs_give_the_connection_up(rig: Rig) -> None:
    for _ in range(45):
        rig.tick(1_000)
        rig.book.venue_ms += 1_000
        rig.dump()
    assert any(isinstance(effect, StreamClose) for effect in rig.effects)


def test_pongs_keep_it(rig: Rig) -> None:
    for _ in range(45):
        rig.tick(1_000)
        rig.hear("PONG")
        rig.book.venue_ms += 1_000
        rig.dump()
    assert not any(isinstance(effect, StreamClose) for effect in rig.effects)


def test_frame_that_cannot_be_understood_gives_the_connection_up(rig: Rig) -> None:
    out = rig.hear('{"event_type":"price_change","market":"0x1"}')
    assert [type(effect) for effect in out if isinstance(effect, StreamClose)] == [StreamClose]
    assert any(isinstance(effect, Log) and effect.event == "mirror.rejected" for effect in out)
    assert rig.shown()[1] is None


def test_new_tick_is_taken_over_with_its_book(rig: Rig) -> None:
    rig.tick(2_100)
    rig.book.tick = rig.book.market.tick_e4.__class__(10)
    change = {
        "event_type": "tick_size_change",
        "market": INFO.condition_id,
        "asset_id": UP,
        "old_tick_size": "0.01",
        "new_tick_size": "0.001",
        "timestamp": str(rig.book.venue_ms),
    }
    rig.hear(change)
    assert rig.shown()[1] is None
    rig.dump()
    assert rig.shown()[1] == 4_900
    assert next(iter(rig.core.exchange.calendar)).tick == 10


def test_orders_and_money_outlive_the_process(rig: Rig) -> None:
    market = next(iter(rig.core.exchange.calendar))
    order = Order(
        order_id="0x1",
        maker="0xclient",
        owner="key",
        market=market.condition_id,
        outcome=0,
        side="BUY",
        price=PriceE4(5_100),
        size=SizeE6(40_000_000),
    )
    rig.core.exchange.place(order, at(rig.ms))
    assert order.filled == 25_000_000
    rig.tick(10)
    later = Rig(lines=[e.line for e in rig.effects if isinstance(e, Persist)])
    (kept,) = later.core.exchange.resting(next(iter(later.core.exchange.calendar)))
    assert (kept.order_id, kept.remaining) == ("0x1", 15_000_000)
    assert later.core.exchange.accounts.get("0xclient").collateral < 1_000_000_000
    assert later.shown() == ("no book yet", 5_100)
    later.open()
    later.book.bids[5_000] = 3_000_000
    later.book.asks = {5_200: 10_000_000}
    later.dump()
    assert later.shown() == ("", 5_100)
    followed = next(iter(later.core.mirror.followed.values()))
    assert followed.book.ahead_of(kept) == 0, "nothing is displayed at its price"


def test_closed_market_is_followed_no_more(rig: Rig) -> None:
    rig.tick(60_100)
    assert not rig.core.mirror.followed
    assert next(iter(rig.core.exchange.calendar)).state == "CLOSED"
