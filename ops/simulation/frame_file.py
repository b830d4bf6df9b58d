"""Frames of the market socket as somebody recorded them, one a line.

A line is the frame itself, or an object that holds it as text under one of the names that
recorders use. Lines with one stamp are taken as one read, as a batch comes. The first books
tell which markets there are; what no frame tells (the minimum size, whether a market is of the
neg-risk kind) is taken as the venue's usual.
"""

import json
from pathlib import Path
from typing import Any

import msgspec

from ops.simulation.market_frames import Frames, Read, make_market
from shared.facts import BookChanged, BookSnapshot, MarketInfo
from shared.identifiers import TokenId
from shared.units import WallMs
from shared.venue.faults import WireFault
from shared.venue.parse import market_events

NAMES = ("payloadUtf8", "data", "raw", "frame", "text")
BYTES_MAX = 1 << 30
AHEAD_MS = 3_600_000
"""How long after its last frame a recorded market is taken to run on."""


class FramesUnreadable(Exception):
    """A file that holds no run: says what is missing."""


def read_frames(file: Path) -> Frames:
    """Return what a file holds.

    Raises:
        FramesUnreadable: It cannot be read, is no JSON, or begins with no book.
    """
    try:
        if file.stat().st_size > BYTES_MAX:
            raise FramesUnreadable(f"{file} is larger than {BYTES_MAX} bytes")
        lines = file.read_text(encoding="utf-8").splitlines()
        reads = _joined([read for line in lines if (read := _read(line)) is not None])
    except (OSError, ValueError, WireFault) as fault:
        raise FramesUnreadable(f"{file}: {fault}") from fault
    texts = [text for read in reads for text in read.texts]
    events = [event for text in texts for event in market_events(text)]
    books = [event for event in events if isinstance(event, BookSnapshot)]
    if not reads or not books:
        raise FramesUnreadable(f"{file} begins with no book")
    changes = [event for event in events if isinstance(event, BookChanged)]
    return Frames(
        markets=_markets(books, WallMs(reads[-1].venue_ms + AHEAD_MS)),
        dump=reads[0],
        reads=tuple(reads[1:]),
        changes=sum(len(event.changes) for event in changes),
        batches=len({(event.market, event.venue_ms) for event in changes}),
    )


def _read(line: str) -> Read | None:
    """Return the frame of a line, None for one that tells of no market."""
    held: Any = json.loads(line) if line.strip() else {}
    text = line
    if isinstance(held, dict) and "event_type" not in held:
        found = [held[name] for name in NAMES if isinstance(held.get(name), str)]
        if not found or not found[0].startswith(("{", "[")):
            return None
        text = found[0]
    events = market_events(text)
    return Read(max(event.venue_ms for event in events), (text,)) if events else None


def _joined(reads: list[Read]) -> list[Read]:
    """Return the first books alone, and what follows with the lines of one stamp together."""
    joined = reads[:1]
    for read in reads[1:]:
        if len(joined) > 1 and joined[-1].venue_ms == read.venue_ms:
            joined[-1] = Read(read.venue_ms, (*joined[-1].texts, *read.texts))
        else:
            joined.append(read)
    return joined


def _markets(books: list[BookSnapshot], end_ms: WallMs) -> tuple[MarketInfo, ...]:
    tokens: dict[str, dict[TokenId, BookSnapshot]] = {}
    for book in books:
        tokens.setdefault(book.market, {}).setdefault(book.token, book)
    found: list[MarketInfo] = []
    for number, held in enumerate(tokens.values()):
        first, *others = held.values()
        usual = make_market(number)
        found.append(
            msgspec.structs.replace(
                usual,
                condition_id=first.market,
                tokens=(first.token, others[0].token if others else usual.tokens[1]),
                tick_e4=first.tick_e4 or usual.tick_e4,
                end_ms=end_ms,
                cutoff_ms=end_ms,
            )
        )
    return tuple(found)
