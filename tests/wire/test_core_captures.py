"""Recorded production sessions, frame by frame, through the real feeds' cores and state's core.

The recordings are not part of the project; where they are absent the tests say so.
"""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.feed.market import MarketFeed
from services.feed.messages import CredentialsFound
from services.feed.price import PriceFeed
from services.state.core import StateCore
from shared.config import Config, MarketSettings
from shared.effects import Effect, Publish, StreamOpen, StreamOpened, StreamSend, StreamText
from shared.facts import (
    BookChanged,
    BookDoubted,
    BookSnapshot,
    Calendar,
    FeedStatus,
    MarketInfo,
    MarketView,
    ReferencePrice,
)
from shared.identifiers import Asset, TokenId
from shared.topics import FEED_DISCOVERY, FEED_MARKET
from shared.units import NS_PER_MS, BootNs, Instant, MonotonicNs, WallMs, WallNs
from shared.venue.auth import Credentials
from shared.venue.parse import market_events
from tests.builders.books import fact
from tests.builders.feeds import config, facts, of_type
from tests.builders.markets import market_info

CAPTURES = Path(os.environ.get("INTERLOCK_CAPTURES", "../shared/captures"))
FOLDER = CAPTURES / "adriancova_polymarket-bot-v2"
BTC_15M = FOLDER / "market-ws-btc15m-2026-09-30-first11.jsonl"
CANARY = FOLDER / "ws-market-protocol-v2-2026-10-05.part.jsonl"
POLYBOLT = CAPTURES / "Polymarket_ts-sdk/polybolt-head.json"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="no recordings of production frames")

END_MS = 700
"""After the last frame: state has made up its mind about each hash, and nothing is stale yet."""

Frame = tuple[int, str]
"""When it was received, Unix milliseconds, and its text."""


def session_v1() -> list[Frame]:
    """Return a dump of both books and ten changes."""
    rows = [json.loads(row) for row in BTC_15M.read_text().splitlines()]
    return [(ms_of(row["receivedAt"]), row["payloadUtf8"]) for row in rows]


def session_v2() -> list[Frame]:
    """Return the dump of a canary market of protocol v2, and a pong."""
    rows = [json.loads(row) for row in CANARY.read_text().splitlines()]
    return [(ms_of(row["t"]), row["data"]) for row in rows if row["dir"] == "recv"]


def ms_of(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def instant(wall_ms: float) -> Instant:
    """Return a moment whose clocks are hours apart, as after a long uptime."""
    wall_ns = round(wall_ms * NS_PER_MS)
    passed_ns = wall_ns % 10**15
    return Instant(BootNs(passed_ns + 10**14), MonotonicNs(passed_ns), WallNs(wall_ns))


class Session:
    """Both cores, joined as the bus joins them, fed with what one socket received."""

    def __init__(self, frames: list[Frame], version: str, tokens: tuple[str, str] | None) -> None:
        self.frames = frames
        snapshots = [event for event in market_events(frames[0][1])]
        first, last = snapshots[0], snapshots[-1]
        assert isinstance(first, BookSnapshot)
        assert isinstance(last, BookSnapshot)
        start_ms = frames[0][0] - frames[0][0] % 900_000
        self.market: MarketInfo = msgspec.structs.replace(
            market_info(version=version),
            condition_id=first.market,
            tokens=tokens or (first.token, last.token),
            start_ms=WallMs(start_ms),
            end_ms=WallMs(start_ms + 900_000),
            cutoff_ms=WallMs(start_ms + 890_000),
        )
        self.feed = MarketFeed(config(), seed=1)
        self.state = StateCore(config())
        self.told: list[BookSnapshot | BookChanged] = []
        self.views: list[MarketView] = []
        self.doubts: list[BookDoubted] = []
        self.status: FeedStatus | None = None
        self.sent: list[str] = []
        self._begin(instant(frames[0][0] - 50))

    def _begin(self, now: Instant) -> None:
        calendar = Calendar((self.market,), now.monotonic_ns)
        received = fact(FEED_DISCOVERY, "feed.calendar", calendar, now)
        self.state.on_message(received, now)
        opened = [*self.feed.on_message(received, now), *self.feed.on_tick(now)]
        (opening,) = of_type(opened, StreamOpen)
        self._stream = opening.stream
        self._pass_on(self.feed.on_message(StreamOpened(self._stream), now), now)

    def play(self) -> "Session":
        """Push every frame through, as it was received, with ticks between and after it."""
        for at_ms, text in self.frames:
            now = instant(at_ms)
            self._pass_on(self.feed.on_tick(now), now)
            heard = StreamText(self._stream, text, now.monotonic_ns)
            self._pass_on(self.feed.on_message(heard, now), now)
            self._follow(self.state.on_tick(now))
        for passed_ms in range(10, END_MS + 1, 10):
            now = instant(self.frames[-1][0] + passed_ms)
            self._pass_on(self.feed.on_tick(now), now)
            self._follow(self.state.on_tick(now))
        return self

    def _pass_on(self, effects: list[Effect], now: Instant) -> None:
        """Let state hear what the feed publishes."""
        self.sent += [effect.text for effect in of_type(effects, StreamSend)]
        for effect in of_type(effects, Publish):
            body = effect.body
            if isinstance(body, BookSnapshot | BookChanged):
                self.told.append(body)
            if isinstance(body, FeedStatus):
                self.status = body
            self._follow(self.state.on_message(fact(FEED_MARKET, effect.topic, body, now), now))

    def _follow(self, effects: list[Effect]) -> None:
        self.views += facts(effects, "state.market")
        self.doubts += facts(effects, "state.doubted")

    def view(self) -> MarketView:
        """Return what state says in the end."""
        now = instant(self.frames[-1][0] + END_MS)
        ((view,),) = (
            found.markets for found in facts(list(self.state.snapshot(now)), "state.view")
        )
        assert isinstance(view, MarketView)
        return view


def batches(session: Session) -> dict[WallMs, dict[TokenId, str]]:
    """Return the last hash that the venue told of each book in each of its batches."""
    found: dict[WallMs, dict[TokenId, str]] = {}
    for event in session.told:
        if isinstance(event, BookSnapshot):
            found.setdefault(event.venue_ms, {})[event.token] = event.hash
        else:
            told = {one.token: one.hash for one in event.changes}
            found.setdefault(event.venue_ms, {}).update(told)
    return found


@pytest.mark.req("VEN-4", "DQ-3")
def test_recorded_session_of_v1_is_proven_at_every_batch_by_the_cores_themselves() -> None:
    session = Session(session_v1(), "v1", None).play()
    assert len(session.told) == 12
    told = batches(session)
    assert [len(books) for books in told.values()] == [2, 2, 2, 2], "a dump and three batches"
    shown = [view for view in session.views if view.books is not None]
    assert [view.venue_ms for view in shown] == list(told), "each proven, and nothing between"
    assert session.doubts == []
    status = session.status
    assert status is not None
    assert status.rejected_frames == 0
    assert all(entry.evident_ns is not None for entry in status.evidence)
    view = session.view()
    assert (view.valid, view.reason) == (True, "")
    last = session.told[-1]
    assert isinstance(last, BookChanged)
    assert view.venue_ms == last.venue_ms


def test_touch_that_state_shows_is_the_one_that_the_venue_told_at_each_batch() -> None:
    session = Session(session_v1(), "v1", None).play()
    told: dict[WallMs, dict[TokenId, tuple[Any, Any]]] = {}
    for event in session.told:
        if isinstance(event, BookChanged):
            for one in event.changes:
                told.setdefault(event.venue_ms, {})[one.token] = (one.best_bid, one.best_ask)
    shown = {
        view.venue_ms: {book.token: (book.bids[0][0], book.asks[0][0]) for book in view.books}
        for view in session.views
        if view.books is not None and view.venue_ms in told
    }
    assert shown == told


@pytest.mark.req("VEN-4")
def test_recorded_session_with_one_size_changed_is_doubted() -> None:
    for place in range(1, 11):
        frames = session_v1()
        at_ms, text = frames[place]
        body = json.loads(text)
        changed = body["price_changes"][0]
        changed["size"] = str(float(changed["size"]) + 1)
        frames[place] = (at_ms, json.dumps(body))
        session = Session(frames, "v1", None).play()
        assert not session.view().valid, f"frame {place}"
        assert {doubt.reason for doubt in session.doubts} == {"hash disagrees"}
        assert {doubt.token for doubt in session.doubts} == {changed["asset_id"]}


@pytest.mark.req("VEN-4", "VEN-2")
def test_recorded_canary_of_v2_is_proven_by_the_cores_themselves() -> None:
    frames = session_v2()
    (first,) = market_events(frames[0][1])
    assert isinstance(first, BookSnapshot)
    other = str(int(first.token) | 1)
    session = Session(frames[:1], "v2", (first.token, other)).play()
    up, down = session.state._markets[session.market.condition_id].books()
    assert up.doubt == ""
    assert up.proven is not None
    assert down.proven is None, "its book was not recorded"
    assert session.view().valid is False
    assert session.status is not None
    assert session.status.rejected_frames == 0
    wished = [json.loads(text) for text in session.sent if text != "PING"]
    assert wished[0]["assets_ids"][0] == first.token, "as the recorded client asked"


def test_recorded_pong_after_ten_seconds_is_no_news() -> None:
    frames = session_v2()
    session = Session(frames, "v2", (str(market_token(frames)), str(market_token(frames) | 1)))
    session.play()
    assert "PING" in session.sent
    assert session.status is not None
    assert session.status.rejected_frames == 0


def market_token(frames: list[Frame]) -> int:
    (first,) = market_events(frames[0][1])
    assert isinstance(first, BookSnapshot)
    return int(first.token)


# --- prices -----------------------------------------------------------------------------


@pytest.mark.skipif(not POLYBOLT.is_file(), reason="no recording of the price socket")
def test_recorded_head_of_the_price_socket_passes_through_the_feed() -> None:
    """Its snapshot names no symbol: with one asset subscribed it can only be that one's."""
    error, pong, confirmed, snapshot, other = json.loads(POLYBOLT.read_text())
    settings: Config = msgspec.structs.replace(config(), markets=MarketSettings(assets=("btc",)))
    feed = PriceFeed(settings, seed=1)
    now = instant(snapshot["ts"])
    credentials = Credentials("0x" + "ab" * 20, "key", "c2VjcmV0", "pass")
    started = [*feed.on_message(CredentialsFound(credentials), now), *feed.on_tick(now)]
    (opening,) = of_type(started, StreamOpen)
    feed.on_message(StreamOpened(opening.stream), now)

    def hear(frame: dict[str, Any]) -> list[Effect]:
        text = StreamText(opening.stream, json.dumps(frame), now.monotonic_ns)
        return feed.on_message(text, now)

    hear({"op": "authed", "rid": "auth"})
    for frame in (pong, confirmed, other):
        assert facts(hear(frame), "feed.price") == []
    assert facts(hear(snapshot), "feed.price") == [], "kept until the socket shows what settles"
    average = {"symbol": "btcusd", "source": "chainlink", "window_seconds": 60}
    point = {"timestamp": snapshot["ts"] - 2_000, "value": 78_800.5}
    settles = {"v": 1, "channel": "price.crypto.twap", "seq": 1, "ts": snapshot["ts"]}
    told = facts(hear({**settles, "payload": {**average, **point}}), "feed.price")
    ticks = [tick for tick in told if tick.source == "chainlink"]
    assert len(told) == len(ticks) + 1
    assert [tick.value_e18 for tick in ticks] == [
        78_803_761_731_790_000_000_000,
        78_801_862_877_410_000_000_000,
        78_798_287_032_240_000_000_000,
    ]
    assert all(isinstance(tick, ReferencePrice) and tick.asset == Asset("btc") for tick in ticks)
    (status,) = facts(list(feed.snapshot(now)), "feed.status")
    assert status.rejected_frames == 0
    assert of_type(hear(error), Effect) != [], "what the venue refuses ends the connection"
