"""Reads recordings of the real market stream: one market's frames with their receive times.

Two kinds of file: JSON lines with the exact text of each frame, as tools of others write
them, and the recorder's own (`shared/recording.py`), which holds what the feeds have told:
parsed, but with every stamp, size and hash, so that the fold is proven as it was live.
"""

import datetime
from collections import Counter

import msgspec

from services.simulator.clearing import FEE_RATE_E6
from services.simulator.markets import MIN_SIZE_E6, OUTCOMES
from services.simulator.mirror.discovery import unsupported
from shared.facts import (
    BookChanged,
    BookSnapshot,
    Calendar,
    MarketEvent,
    MarketInfo,
    MarketResolved,
    ReferencePrice,
)
from shared.identifiers import Asset, ConditionId
from shared.recording import MAGIC, Damage, FactRecord, read
from shared.settlement import SPOT_SOURCE
from shared.units import MonotonicNs, PriceE4, WallMs, from_wire
from shared.venue.faults import WireFault
from shared.venue.gamma_wire import MARKET
from shared.venue.parse import market_events, parse_tick, parse_token
from shared.venue.parse_market import market_info
from shared.venue.parse_prices import reference_prices
from shared.venue.prices_wire import PriceData, decode_price_frame
from shared.venue.rules import normal_condition_id, normal_version
from shared.venue.streams_wire import PONG, BookFrame, decode_market_frames
from shared.venue.wire import decode

TEXT_KEYS = ("payloadUtf8", "data", "text", "raw")
TIME_KEYS = ("receivedAt", "t")
"""Spellings of the recordings that are at hand; times in ISO 8601."""

_PRICE_MARK = '"channel"'
_EVENT = msgspec.msgpack.Decoder(MarketEvent)
_PRICE = msgspec.msgpack.Decoder(ReferencePrice, dec_hook=from_wire)
_CALENDAR = msgspec.msgpack.Decoder(Calendar)
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)


class Unplayable(Exception):
    """Local fault: the file is no recording that can be played, and why."""


Event = MarketEvent | ReferencePrice


class Take(msgspec.Struct, frozen=True):
    """What was received at one moment of the one market, and of its asset's price."""

    offset_ns: int
    events: tuple[Event, ...]


class Recording(msgspec.Struct, frozen=True):
    """One market's recorded stream.

    Attributes:
        takes: Oldest first, the first with a whole book.
        info: The market as recorded, or as its frames tell.
        winner: Index of the outcome that won, None when nobody recorded it.
        left_out: Records that told nothing of this market, or could not be understood.
    """

    takes: tuple[Take, ...]
    info: MarketInfo
    winner: int | None
    left_out: int

    @property
    def length_ns(self) -> int:
        """Return the time from the first to the last take."""
        return self.takes[-1].offset_ns

    @property
    def has_prices(self) -> bool:
        """Tell whether reference prices were recorded too."""
        return any(
            isinstance(event, ReferencePrice) for take in self.takes for event in take.events
        )


class _Read(msgspec.Struct):
    """A file as it was read, of all markets."""

    told: list[tuple[int, Event]] = msgspec.field(default_factory=list)
    infos: dict[ConditionId, MarketInfo] = msgspec.field(default_factory=dict)
    left_out: int = 0


def read_recording(content: bytes, row: bytes | None, asset: str) -> Recording:
    """Return what a file holds of the one market that most of it is about.

    Args:
        content: The whole file, of either kind.
        row: The market as discovery described it, None when that was not recorded.
        asset: Underlying, for a market that was not described.

    Raises:
        Unplayable: There is no book of a market in it that can be played.
    """
    found = _read_own(content) if content.startswith(MAGIC) else _read_lines(content, asset)
    if row is not None:
        described = _described(row)
        found.infos = {described.condition_id: described}
    counts = Counter(
        event.market
        for _, event in found.told
        if isinstance(event, BookSnapshot | BookChanged) and event.market in found.infos
    )
    if not counts:
        raise Unplayable("holds no book of a market that is described")
    info = found.infos[counts.most_common(1)[0][0]]
    why = unsupported(info)
    if why:
        raise Unplayable(f"is of a market that is not simulated: {why}")
    return _recording(found, info)


def _recording(found: _Read, info: MarketInfo) -> Recording:
    """Return what was told of one market from its first whole book on."""
    takes: list[Take] = []
    winner = info.winner if info.winner in (0, 1) else None
    left_out = found.left_out
    first_ns = 0
    for at_ns, event in found.told:
        mine = (
            event.asset == info.asset and event.source == SPOT_SOURCE
            if isinstance(event, ReferencePrice)
            else event.market == info.condition_id
        )
        if not takes and not (mine and isinstance(event, BookSnapshot)):
            mine = False
        if not mine:
            left_out += 1
            continue
        first_ns = first_ns if takes else at_ns
        takes.append(Take(max(0, at_ns - first_ns), (event,)))
        if isinstance(event, MarketResolved) and event.winning_token in info.tokens:
            winner = info.tokens.index(event.winning_token)
    if not takes:
        raise Unplayable("holds no whole book")
    return Recording(tuple(takes), info, winner, left_out)


def _read_own(content: bytes) -> _Read:
    """Read what the recorder has kept of the feeds, up to the first damage."""
    found = _Read()
    for item in read(content):
        if isinstance(item, Damage):
            found.left_out += 1
            break
        record = item[1]
        if not isinstance(record, FactRecord):
            continue
        try:
            if record.topic == "feed.market":
                found.told.append((record.received_ns, _EVENT.decode(record.body)))
            elif record.topic == "feed.price":
                found.told.append((record.received_ns, _PRICE.decode(record.body)))
            elif record.topic == "feed.calendar":
                infos = _CALENDAR.decode(record.body).markets
                found.infos.update((info.condition_id, info) for info in infos)
        except msgspec.DecodeError:
            found.left_out += 1
    return found


def _read_lines(content: bytes, asset: str) -> _Read:
    """Read JSON lines with exact texts of market frames, and of price frames between them."""
    found = _Read()
    for line in content.splitlines():
        read_line = _read_line(line) if line.strip() else None
        if read_line is None:
            continue
        at_ns, text = read_line
        try:
            if _PRICE_MARK in text:
                events: tuple[Event, ...] = _price_events(text, at_ns)
            else:
                events = market_events(text)
                info = _told(text, asset)
                if info is not None:
                    found.infos.setdefault(info.condition_id, info)
        except WireFault:
            found.left_out += 1
            continue
        found.told += [(at_ns, event) for event in events]
    return found


def _price_events(text: str, at_ns: int) -> tuple[ReferencePrice, ...]:
    frame = decode_price_frame(text)
    # A snapshot tells the past: its ticks would all be due at once.
    if not isinstance(frame, PriceData) or frame.snapshot:
        return ()
    return reference_prices(frame, MonotonicNs(at_ns))


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


def _described(row: bytes) -> MarketInfo:
    try:
        return market_info(decode(MARKET, row, "market"), 0)
    except WireFault as fault:
        raise Unplayable(f"is described by something else than a market: {fault}") from fault


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
