"""Every recorded frame of the market socket, through the feed's core and through state's.

What carries a hash that can be recomputed is proven by it; what cannot be is never called right.
"""

import hashlib
import json
from collections import Counter
from typing import Any

import msgspec
import pytest

from services.feed.market import MarketFeed
from services.state.core import StateCore
from shared.effects import Effect, Publish, StreamOpen, StreamOpened, StreamText
from shared.facts import BookSnapshot, Calendar, MarketInfo, StateView
from shared.identifiers import ConditionId, TokenId
from shared.topics import FEED_DISCOVERY, FEED_MARKET
from shared.units import Instant
from shared.venue.faults import Malformed
from shared.venue.market_wire import BOOK
from shared.venue.parse import market_events
from shared.venue.streams_wire import UnknownFrame, decode_market_frames
from shared.venue.wire import decode
from tests.builders.books import fact
from tests.builders.captures import (
    ABSENT,
    ANSWERS,
    CAPTURES,
    DOCUMENTED,
    MESSAGES,
    NOT_DATA,
    READ,
    REFUSED,
    every_file,
    frames_of,
    of_kind,
    session_texts,
    text_of,
)
from tests.builders.feeds import at, config, facts, of_type
from tests.builders.markets import market_info

pytestmark = pytest.mark.skipif(not CAPTURES.is_dir(), reason=ABSENT)

NOW = at(0)


class Reading:
    """The cores of feed and state, with a calendar of whatever a file is about."""

    def __init__(self, pairs: dict[str, tuple[str, str]], version: str = "v1") -> None:
        self.feed = MarketFeed(config(), seed=1)
        self.state = StateCore(config())
        calendar = Calendar(
            tuple(described(market, tokens, version) for market, tokens in pairs.items()),
            NOW.monotonic_ns,
        )
        told = fact(FEED_DISCOVERY, "feed.calendar", calendar, NOW)
        self.state.on_message(told, NOW)
        (opening,) = of_type(
            [*self.feed.on_message(told, NOW), *self.feed.on_tick(NOW)], StreamOpen
        )
        self.stream = opening.stream
        self._pass_on(self.feed.on_message(StreamOpened(self.stream), NOW), NOW)
        self.kinds: Counter[str] = Counter()
        self.valid_views = 0

    def hear(self, text: str, now: Instant) -> None:
        heard = StreamText(self.stream, text, now.monotonic_ns)
        self._pass_on(self.feed.on_message(heard, now), now)

    def end(self) -> StateView:
        """Let every doubt become one; return what state says then."""
        now = at(800)
        self._pass_on(self.feed.on_tick(now), now)
        self.state.on_tick(now)
        (view,) = facts(list(self.state.snapshot(now)), "state.view")
        assert isinstance(view, StateView)
        return view

    def rejected(self) -> int:
        (status,) = facts(list(self.feed.snapshot(NOW)), "feed.status")
        return int(status.rejected_frames)

    def _pass_on(self, effects: list[Effect], now: Instant) -> None:
        for effect in of_type(effects, Publish):
            if effect.topic == "feed.market":
                self.kinds[type(effect.body).__name__] += 1
            self.state.on_message(fact(FEED_MARKET, effect.topic, effect.body, now), now)


def described(market: str, tokens: tuple[str, str], version: str) -> MarketInfo:
    first, second = tokens
    return msgspec.structs.replace(
        market_info(version=version),
        condition_id=ConditionId(market),
        tokens=(TokenId(first), TokenId(second)),
    )


def pairs_of(frames: list[dict[str, Any]]) -> dict[str, tuple[str, str]]:
    """Return a made-up pair of tokens for every market in frames, the first of them real."""
    found: dict[str, tuple[str, str]] = {}
    for frame in frames:
        parts = frame.get("price_changes") or [frame]
        tokens = list(dict.fromkeys(part.get("asset_id", "1") for part in parts))
        found.setdefault(frame["market"], (tokens[0], tokens[1] if len(tokens) > 1 else "2"))
    return found


def market_frames(name: str) -> list[dict[str, Any]]:
    kinds = ("order", "trade")
    return [frame for frame in frames_of(name) if frame.get("event_type") not in kinds]


def test_every_recording_is_read_or_refused_for_a_reason() -> None:
    assert set(every_file()) == {*READ, *REFUSED, *NOT_DATA}


@pytest.mark.req("VEN-4", "DQ-5")
@pytest.mark.parametrize("name", [*of_kind("market"), DOCUMENTED])
def test_single_frames_of_earlier_years_are_read_and_never_called_proven(name: str) -> None:
    frames = market_frames(name)
    assert frames
    reading = Reading(pairs_of(frames))
    for frame in frames:
        reading.hear(json.dumps(frame), at(1))
    assert reading.rejected() == 0
    used = [frame for frame in frames if frame["event_type"] != "best_bid_ask"]
    assert sum(reading.kinds.values()) == len(used)
    for view in reading.end().markets:
        assert not view.valid
        for book in view.books or ():
            assert not book.bids
            assert not book.asks


@pytest.mark.req("VEN-4")
@pytest.mark.parametrize("name", of_kind("session"))
def test_recorded_sessions_are_proven_by_every_hash_that_they_carry(name: str) -> None:
    texts = [text for text in session_texts(name) if text != "PONG"]
    assert texts
    first = market_events(texts[0])
    snapshots = [event for event in first if isinstance(event, BookSnapshot)]
    version = "v2" if "protocol-v2" in name else "v1"
    tokens = (snapshots[0].token, snapshots[-1].token if len(snapshots) > 1 else TokenId("2"))
    reading = Reading({snapshots[0].market: tokens}, version)
    hashes = 0
    books = reading.state._markets[snapshots[0].market].books()
    for text in texts:
        hashes += text.count('"hash"')
        # Recorded stamps are of other days than the settings' window.
        for event in market_events(text):
            now = at(1)
            reading.state.on_message(fact(FEED_MARKET, "feed.market", event, now), now)
    proven = [book for book in books if book.proven is not None]
    assert hashes >= len(snapshots)
    assert [book.token for book in proven] == [one.token for one in snapshots]
    assert all(book.doubt == "" and not book.is_open for book in proven)


def test_hash_of_a_book_of_2024_is_of_a_form_that_no_longer_exists() -> None:
    """Its frame tells no step and no last price: the present form cannot be filled in."""
    (frame,) = frames_of(f"{MESSAGES}/book.json")
    plain = {key: frame[key] for key in ("market", "asset_id", "timestamp")} | {"hash": ""}
    plain |= {"bids": frame["bids"], "asks": frame["asks"]}
    text = json.dumps(plain, separators=(",", ":"))
    assert hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest() != frame["hash"]


def test_frames_of_retired_forms_are_refused_and_not_taken_for_others() -> None:
    with pytest.raises(Malformed, match="price_changes"):
        decode_market_frames(text_of(f"{MESSAGES}/price_change.json"))
    assert decode_market_frames(text_of(f"{MESSAGES}/trades.json")) == (UnknownFrame(""),)
    with pytest.raises(Malformed, match="min_order_size"):
        decode(BOOK, text_of(f"{ANSWERS}/book.json"), "book")
