"""What a line of the journal holds, and how it is written.

The journal is what a simulator's next life begins with: one line a turn that changed
something of a client, a market or a reference price. A row is the whole of its thing as it
was at the end of the turn, so that the newest row of each thing is all there is to know.
Each line carries its number and a checksum, so that no damage passes for a market.
"""

import zlib
from typing import Any

import msgspec

from services.simulator.markets import Market, MarketState
from services.simulator.matching import Book, Order
from services.simulator.oracles.oracle import Tick
from services.simulator.trades import Trade
from shared.facts import MarketVersion
from shared.identifiers import Asset, ConditionId, TokenId
from shared.units import PriceE4, WallMs


class AccountRow(msgspec.Struct, frozen=True):
    """Money and tokens of one address, in 1e-6; what is reserved follows from its orders."""

    address: str
    collateral: int
    deposited: int
    tokens: dict[str, int]
    allowances: dict[str, int] = {}


class MarketRow(msgspec.Struct, frozen=True):
    """A market without its book; fields as those of `Market`."""

    number: str
    slug: str
    asset: Asset
    condition_id: ConditionId
    tokens: tuple[TokenId, TokenId]
    version: MarketVersion
    listed_ms: WallMs
    start_ms: WallMs
    end_ms: WallMs
    lookback_ms: int
    tick: PriceE4
    state: MarketState
    strike_e8: int | None
    final_e8: int | None
    winner: int | None
    last_trade: str
    changed_ms: WallMs
    neg_risk: bool = False
    range_number: int | None = None


class Turn(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one turn of the core changed.

    Attributes:
        seed: Of the venue; keys and ids follow from it.
        trade_count: Number of trades so far, so that no trade id is given twice.
        whole: Whether this is all there is, and what was before is void.
        prices: Name of the recording that is played, with `whole`; empty for walks alone.
        walks: What each oracle needs, beside its ticks, to go on after the newest of them.
        armed: API keys whose dead-man switch is armed; None for no change.
        forgotten: Conditions that left the calendar, with their orders and trades.
        stamps: Records of the wire log of the same turn, in case it was not written any more.
    """

    seed: int
    trade_count: int
    whole: bool = False
    prices: str = ""
    accounts: tuple[AccountRow, ...] = ()
    markets: tuple[MarketRow, ...] = ()
    orders: tuple[Order, ...] = ()
    trades: tuple[Trade, ...] = ()
    ticks: tuple[Tick, ...] = ()
    walks: dict[Asset, int] = {}
    armed: tuple[str, ...] | None = None
    forgotten: tuple[str, ...] = ()
    stamps: tuple[msgspec.Raw, ...] = ()


class Line(msgspec.Struct, frozen=True):
    """A turn with its dense number within the file and the CRC-32 of both."""

    number: int
    crc: int
    turn: msgspec.Raw


class Damaged(Exception):
    """Local fault: the journal is not what was written, beyond a torn last line.

    Attributes:
        line: Number of the line in the file, from 1.
    """

    def __init__(self, line: int, what: str) -> None:
        """Take the line and what is wrong with it."""
        super().__init__(f"line {line} {what}")
        self.line = line


_LINE = msgspec.json.Decoder(Line)
_TURN = msgspec.json.Decoder(Turn)


def encode_line(number: int, turn: Turn) -> bytes:
    """Return a line without its end."""
    raw = msgspec.json.encode(turn)
    return msgspec.json.encode(Line(number, _checksum(number, raw), msgspec.Raw(raw)))


def decode_line(place: int, text: bytes) -> tuple[int, Turn]:
    """Return number and turn of the line at a place of the file, from 1.

    Raises:
        Damaged: It is no line of a journal, or not the one that was written.
    """
    try:
        line = _LINE.decode(text)
        raw = bytes(line.turn)
        if line.crc != _checksum(line.number, raw):
            raise Damaged(place, "does not match its checksum")
        return line.number, _TURN.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Damaged(place, f"cannot be read: {error}") from error


def _checksum(number: int, raw: bytes) -> int:
    return zlib.crc32(raw, number & 0xFFFFFFFF)


def market_row(market: Market) -> MarketRow:
    """Return a market as it is now."""
    fields: dict[str, Any] = {name: getattr(market, name) for name in MarketRow.__struct_fields__}
    return MarketRow(**fields)


def market_of(row: MarketRow) -> Market:
    """Return the market of a row, with an empty book."""
    return Market(**msgspec.structs.asdict(row), book=Book())
