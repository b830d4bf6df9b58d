import json
import os
from pathlib import Path

import pytest

from services.simulator.edge import Push, StreamOpened, StreamText
from services.simulator.markets import Market
from services.simulator.matching import Order
from services.simulator.mirror.core import MirrorCore
from services.simulator.mirror.recording import Recording, read_recording
from services.simulator.saved import fold
from shared.config import Config, parse
from shared.effects import Effect, Log
from shared.units import NS_PER_MS, BootNs, Instant, MonotonicNs, PriceE4, SizeE6, WallNs
from tests.architecture.tree import ROOT
from tests.builders.market_sessions import RecordedSession
from tests.builders.markets import DOWN, UP

CAPTURES = Path(os.environ.get("INTERLOCK_CAPTURES", "../shared/captures"))
BTC_15M = CAPTURES / "adriancova_polymarket-bot-v2" / "market-ws-btc15m-2026-09-30-first11.jsonl"

WALL_MS = 1_790_000_000_000
PAUSE_MS = 1_000


def at(ms: int) -> Instant:
    ns = ms * NS_PER_MS
    return Instant(BootNs(ns), MonotonicNs(ns), WallNs(WALL_MS * NS_PER_MS + ns))


class Replayed:
    """A mirror that plays, and one reader of its books."""

    def __init__(self, recording: Recording, *, speed: float = 1.0) -> None:
        text = (ROOT / "ops" / "replay.toml").read_text(encoding="utf-8")
        text = text.replace("speed = 1.0", f"speed = {speed}\nstart_after_ms = {PAUSE_MS}")
        config = parse(text)
        assert isinstance(config, Config)
        self.core = MirrorCore(config, fold([]), recording)
        self.now_ms = 0
        self.effects: list[Effect] = []
        self.run(10)

    @property
    def market(self) -> Market:
        return next(iter(self.core.exchange.calendar))

    def run(self, ms: int) -> None:
        for _ in range(0, ms, 10):
            self.now_ms += 10
            self.effects += self.core.on_tick(at(self.now_ms))

    def watch(self) -> None:
        self.core.on_message(StreamOpened(1, "market"), at(self.now_ms))
        text = json.dumps({"type": "market", "assets_ids": list(self.market.tokens)})
        self.effects += self.core.on_message(StreamText(1, text), at(self.now_ms))

    def logged(self) -> list[str]:
        return [effect.event for effect in self.effects if isinstance(effect, Log)]

    def frames(self) -> list[str]:
        return [effect.text for effect in self.effects if isinstance(effect, Push)]

    def buy(self, cents: int, shares: int) -> Order:
        order = Order(
            order_id=f"0x{self.now_ms:x}{cents:x}",
            maker="0xclient",
            owner="key",
            market=self.market.condition_id,
            outcome=0,
            side="BUY",
            price=PriceE4(cents * 100),
            size=SizeE6(shares * 1_000_000),
        )
        self.core.exchange.place(order, at(self.now_ms))
        return order


def recorded(session: RecordedSession) -> Recording:
    return read_recording(session.content, None, "btc")


def test_first_book_stands_until_somebody_reads_it() -> None:
    session = RecordedSession()
    session.change(500, "BUY", 5_000, 7)
    replayed = Replayed(recorded(session))
    replayed.run(5_000)
    assert replayed.market.book.bids.best() == 4_900
    assert not replayed.core.exchange.doubt_of(replayed.market)
    replayed.watch()
    replayed.run(PAUSE_MS + 480)
    assert replayed.market.book.bids.best() == 4_900
    replayed.run(40)
    assert any("5" in frame and "price_change" in frame for frame in replayed.frames())


def test_speed_shortens_the_distances_and_not_the_pause() -> None:
    session = RecordedSession()
    session.change(10_000, "BUY", 5_000, 7)
    session.change(11_000, "BUY", 5_000, 8)
    replayed = Replayed(recorded(session), speed=10.0)
    replayed.watch()
    replayed.run(PAUSE_MS + 1_010)
    assert replayed.market.book.bids.best() == 5_000


@pytest.mark.req("EX-21")
def test_orders_match_against_the_recorded_book() -> None:
    session = RecordedSession()
    session.trade(400, "0.49", "22", "SELL")
    session.change(600, "SELL", 5_000, 4)
    session.change(5_000, "BUY", 4_700, 1)
    replayed = Replayed(recorded(session))
    replayed.watch()
    taker, maker, higher = replayed.buy(51, 30), replayed.buy(49, 10), replayed.buy(50, 10)
    assert taker.filled == 25_000_000
    replayed.run(PAUSE_MS + 300)
    assert (maker.filled, higher.filled) == (0, 0)
    replayed.run(200)
    # The trade went through 0.51 and 0.50; what was left of it met what was ahead at 0.49.
    assert (taker.filled, higher.filled, maker.filled) == (30_000_000, 10_000_000, 0)
    replayed.run(200)
    assert maker.filled == 0


def test_market_resolves_by_the_recorded_outcome() -> None:
    session = RecordedSession()
    session.resolved(300, DOWN)
    replayed = Replayed(recorded(session))
    order = replayed.buy(51, 10)
    assert order.filled == 10_000_000
    replayed.watch()
    replayed.run(PAUSE_MS + 400)
    assert (replayed.market.state, replayed.market.winner) == ("RESOLVED", 1)
    assert "mirror.recording_ended" in replayed.logged()
    assert replayed.core.exchange.accounts.get("0xclient").tokens == {}


def test_market_without_recorded_outcome_closes_and_says_so() -> None:
    replayed = Replayed(recorded(RecordedSession()))
    resting = replayed.buy(40, 10)
    replayed.watch()
    replayed.run(PAUSE_MS + 100)
    assert (replayed.market.state, replayed.market.winner) == ("CLOSED", None)
    assert resting.status.startswith("CANCELED")
    assert "mirror.recording_ended_unresolved" in replayed.logged()
    assert UP in replayed.market.tokens


def test_frame_that_leads_to_another_hash_stops_the_matching() -> None:
    session = RecordedSession()
    session.change(200, "BUY", 5_000, 7)
    spoiled = session.lines[-1].replace(b'\\"7\\"', b'\\"9\\"')
    assert spoiled != session.lines[-1]
    session.lines[-1] = spoiled
    session.change(2_000, "BUY", 4_700, 1)
    replayed = Replayed(recorded(session))
    replayed.watch()
    replayed.run(PAUSE_MS + 600)
    assert replayed.core.exchange.doubt_of(replayed.market) == "hash disagrees"
    assert replayed.market.book.bids.best() is None
    assert "mirror.doubted" in replayed.logged()


@pytest.mark.req("EX-21", "DQ-3")
@pytest.mark.skipif(not BTC_15M.is_file(), reason="no recordings of production frames")
def test_recorded_production_session_is_proven_and_traded_on() -> None:
    recording = read_recording(BTC_15M.read_bytes(), None, "btc")
    replayed = Replayed(recording)
    assert replayed.market.book.asks.best() == 5_000
    taker = replayed.buy(50, 10)
    assert taker.filled == 10_000_000
    replayed.watch()
    replayed.run(PAUSE_MS + 1_510)
    assert not replayed.core.exchange.doubt_of(replayed.market)
    assert "mirror.doubted" not in replayed.logged()
    replayed.run(100)
    assert replayed.market.state == "CLOSED"
