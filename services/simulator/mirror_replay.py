"""Plays a recording of the real market stream: one market, at its recorded distances.

Reads frames with their receive times, shows the market under a window of the present, since
readers look for markets by the clock, and folds the frames as recorded, hashes and all. The
market ends with the file: it resolves if the outcome was recorded, and stays unresolved,
which the log says, if it was not. Played from the start again by a process that is started
again. Without recorded prices the reference price stands still.
"""

import datetime
from collections.abc import Callable, Iterable

import msgspec

from services.simulator.clearing import FEE_RATE_E6
from services.simulator.markets import MIN_SIZE_E6, OUTCOMES, Market
from services.simulator.mirror_discovery import unsupported
from services.simulator.mirror_venue import MirrorVenue
from shared.config import Config
from shared.effects import Effect, Log
from shared.facts import MarketEvent, MarketInfo, MarketResolved
from shared.identifiers import Asset
from shared.units import NS_PER_MS, NS_PER_S, Instant, PriceE4, WallMs
from shared.venue.faults import WireFault
from shared.venue.gamma_wire import MARKET
from shared.venue.parse import market_events, parse_tick, parse_token
from shared.venue.parse_market import market_info
from shared.venue.rules import normal_condition_id, normal_version
from shared.venue.slugs import Window, window_slug
from shared.venue.streams_wire import PONG, BookFrame, decode_market_frames
from shared.venue.wire import decode

MARGIN_NS = 60 * NS_PER_S
"""What of the window should be left when the recording ends."""

TEXT_KEYS = ("payloadUtf8", "data", "text", "raw")
TIME_KEYS = ("receivedAt", "t")
"""Spellings of the recordings that are at hand; times in ISO 8601."""

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)
_NUMBER = "1"


class Unplayable(Exception):
    """Local fault: the file is no recording that can be played, and why."""


class Take(msgspec.Struct, frozen=True):
    """One recorded text: when after the first, and what it told of the one market."""

    offset_ns: int
    events: tuple[MarketEvent, ...]


class Recording(msgspec.Struct, frozen=True):
    """One market's recorded stream.

    Attributes:
        takes: Oldest first, the first with a whole book.
        info: The market as recorded, or as its frames tell.
        winner: Index of the outcome that won, None when nobody recorded it.
        left_out: Texts that told nothing of this market, or could not be understood.
    """

    takes: tuple[Take, ...]
    info: MarketInfo
    winner: int | None
    left_out: int

    @property
    def length_ns(self) -> int:
        """Return the time from the first to the last text."""
        return self.takes[-1].offset_ns


def read_recording(lines: Iterable[bytes], row: bytes | None, asset: str) -> Recording:
    """Return what a file of recorded frames holds of its first market.

    Args:
        lines: JSON objects with a receive time and the exact text of a frame.
        row: The market as discovery described it, None when that was not recorded.
        asset: Underlying, for a market that was not described.

    Raises:
        Unplayable: There is no book in it, or it contradicts the description.
    """
    texts = [read for line in lines if line.strip() and (read := _read_line(line)) is not None]
    info, winner = (None, None) if row is None else _described(row)
    takes: list[Take] = []
    left_out = 0
    for at_ns, text in texts:
        try:
            events = market_events(text)
            if info is None:
                info = _told(text, asset)
        except WireFault:
            left_out += 1
            continue
        mine = tuple(
            event for event in events if info is not None and event.market == info.condition_id
        )
        if not mine or info is None:
            left_out += 1
            continue
        takes.append(Take(max(0, at_ns - texts[0][0]), mine))
        for event in mine:
            if isinstance(event, MarketResolved):
                winner = info.tokens.index(event.winning_token)
    if info is None or not takes:
        raise Unplayable("holds no book of the market")
    why = unsupported(info)
    if why:
        raise Unplayable(f"is of a market that is not simulated: {why}")
    first_ns = takes[0].offset_ns
    shifted = tuple(Take(take.offset_ns - first_ns, take.events) for take in takes)
    return Recording(shifted, info, winner, left_out)


def _read_line(line: bytes) -> tuple[int, str] | None:
    """Return receive time and text of a line, None when it holds no received frame."""
    try:
        record = msgspec.json.decode(line, type=dict[str, object])
    except msgspec.DecodeError as error:
        raise Unplayable(f"holds a line that is no JSON object: {error}") from error
    if record.get("dir", "recv") != "recv":
        return None
    text = next((record[key] for key in TEXT_KEYS if isinstance(record.get(key), str)), None)
    at = next((record[key] for key in TIME_KEYS if isinstance(record.get(key), str)), None)
    if not isinstance(text, str) or not isinstance(at, str):
        raise Unplayable("holds a line without receive time or text")
    if text.startswith(PONG):
        return None
    try:
        moment = datetime.datetime.fromisoformat(at)
    except ValueError:
        raise Unplayable(f"holds the receive time {at!r}") from None
    if moment.tzinfo is None:
        raise Unplayable(f"holds the receive time {at!r} without an offset")
    return (moment - _EPOCH) // _MICROSECOND * 1_000, text


def _described(row: bytes) -> tuple[MarketInfo, int | None]:
    try:
        info = market_info(decode(MARKET, row, "market"), 0)
    except WireFault as fault:
        raise Unplayable(f"is described by something else than a market: {fault}") from fault
    return info, info.winner if info.winner in (0, 1) else None


def _told(text: str, asset: str) -> MarketInfo | None:
    """Return the market that an array of two whole books tells of, None for another text.

    The order of the two books is taken for that of the outcomes.
    """
    books = [frame for frame in decode_market_frames(text) if isinstance(frame, BookFrame)]
    if len(books) < 2 or books[0].market != books[1].market:
        return None
    first, second = books[:2]
    tick = first.tick_size
    return MarketInfo(
        condition_id=normal_condition_id(first.market, "market"),
        slug="",
        asset=Asset(asset),
        version=normal_version(first.version or "v1", "version"),
        tokens=(parse_token(first.asset_id, "asset_id"), parse_token(second.asset_id, "asset_id")),
        outcomes=OUTCOMES,
        tick_e4=PriceE4(100) if tick is None else parse_tick(tick, "tick_size"),
        min_size_e6=MIN_SIZE_E6,
        neg_risk=False,
        start_ms=WallMs(0),
        end_ms=WallMs(0),
        cutoff_ms=WallMs(0),
        active=True,
        closed=False,
        accepting_orders=True,
        restricted=True,
        fee_rate_e6=FEE_RATE_E6,
        taker_delay=True,
    )


class Player:
    """Gives the mirror one recorded text after the other.

    Attributes:
        state: `standing` on the first book, `playing`, or `ended`.
    """

    def __init__(
        self,
        venue: MirrorVenue,
        recording: Recording,
        config: Config,
        is_watched: Callable[[Market], bool],
    ) -> None:
        """Set what to play, and how to tell whether anybody reads the market's books."""
        self._venue = venue
        self._recording = recording
        self._config = config
        self._is_watched = is_watched
        self._market: Market | None = None
        self._next = 0
        self._begin_ns: int | None = None
        self.state = "standing"

    def on_tick(self, now: Instant) -> list[Effect]:
        """Play what is due."""
        if self.state == "ended":
            return []
        if self._market is None:
            return self._list(now)
        if self._begin_ns is None:
            if not self._is_watched(self._market):
                return []
            pause_ns = self._config.mirror.start_after_ms * NS_PER_MS
            self._begin_ns = now.monotonic_ns + pause_ns
            self.state = "playing"
        takes = self._recording.takes
        while self._next < len(takes) and self._due_ns(self._next) <= now.monotonic_ns:
            self._play(takes[self._next], now)
            self._next += 1
        self._judge(now)
        if self._next < len(takes) and self._market.is_trading:
            return []
        return self._end()

    def next_ns(self) -> int | None:
        """Return when the next text is due."""
        if self._begin_ns is None or self.state == "ended":
            return None
        return self._due_ns(min(self._next, len(self._recording.takes) - 1))

    def _due_ns(self, number: int) -> int:
        assert self._begin_ns is not None
        offset_ns = self._recording.takes[number].offset_ns
        return self._begin_ns + round(offset_ns / self._config.mirror.speed)

    def _list(self, now: Instant) -> list[Effect]:
        """List the market under a window of the present, and stand on its first book."""
        info = self._shown_info(now)
        self._venue.follow(info, _NUMBER, now)
        self._market = self._venue.market_of(info.condition_id)
        assert self._market is not None
        if not self._market.is_trading:
            self.state = "ended"  # it had ended in the life before
            return []
        self._play(self._recording.takes[0], now)
        self._judge(now)
        self._next = 1
        fields = {
            "slug": self._market.slug,
            "texts": len(self._recording.takes),
            "seconds": self._recording.length_ns / NS_PER_S,
            "left_out": self._recording.left_out,
        }
        return [Log("mirror.recording", fields)]

    def _shown_info(self, now: Instant) -> MarketInfo:
        """Return the market in the running window, or in the next if it would end too soon."""
        interval_s = self._config.markets.interval_s
        length_ns = round(self._recording.length_ns / self._config.mirror.speed) + MARGIN_NS
        length_ns += self._config.mirror.start_after_ms * NS_PER_MS
        start_s = now.wall_ns // NS_PER_S // interval_s * interval_s
        if (start_s + interval_s) * NS_PER_S - now.wall_ns < length_ns:
            start_s += interval_s
        asset = Asset(self._config.markets.assets[0])
        return msgspec.structs.replace(
            self._recording.info,
            slug=window_slug(Window(asset, interval_s, start_s)),
            asset=asset,
            start_ms=WallMs(start_s * 1_000),
            end_ms=WallMs((start_s + interval_s) * 1_000),
            active=True,
            closed=False,
            accepting_orders=True,
            winner=None,
        )

    def _play(self, take: Take, now: Instant) -> None:
        for event in take.events:
            self._venue.take(event, now.monotonic_ns, now)
        self._judge(now)

    def _judge(self, now: Instant) -> None:
        for followed in list(self._venue.followed.values()):
            self._venue.judge(followed, "", now)

    def _end(self) -> list[Effect]:
        assert self._market is not None
        self.state = "ended"
        winner = self._recording.winner
        fields = {"slug": self._market.slug, "winner": winner}
        if winner is not None:
            self._venue.resolve(self._market, winner)
            return [Log("mirror.recording_ended", fields)]
        self._venue.end(self._market)
        # Nobody recorded who won: its shares stay what they are.
        return [Log("mirror.recording_ended_unresolved", fields, "warning")]
