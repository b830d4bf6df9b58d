"""Messages of public market data by REST: books, ticks, fees, the compact market record.

Source: https://docs.polymarket.com/api-reference (CLOB OpenAPI, 2026-09-28); the compact
record and the key `version` from recorded production answers (2026-10-05).
"""

import msgspec

from shared.venue.wire import Wire, WireNumber

BOOK_PATH = "/book"
BOOKS_PATH = "/books"
TIME_PATH = "/time"
CLOB_MARKET_PATH_PREFIX = "/clob-markets/"

BOOKS_MAX = 500
"""Token ids in one POST /books."""


class PriceLevel(Wire, frozen=True):
    """One level of a book: a price and the total size at it."""

    price: WireNumber
    size: WireNumber


class Book(Wire, frozen=True, omit_defaults=True):
    """Answer of GET /book and element of POST /books. Best is last on both sides.

    Attributes:
        timestamp: Milliseconds.
        version: Present on markets of Protocol V2 only.
    """

    market: str
    asset_id: str
    timestamp: WireNumber
    hash: str
    bids: tuple[PriceLevel, ...]
    asks: tuple[PriceLevel, ...]
    min_order_size: WireNumber
    tick_size: WireNumber
    neg_risk: bool
    last_trade_price: str
    version: str | None = None


class BookRequest(Wire, frozen=True):
    """Element of the body of POST /books."""

    token_id: str


class TickSize(Wire, frozen=True):
    """Answer of GET /tick-size: a JSON number."""

    minimum_tick_size: WireNumber


class NegRisk(Wire, frozen=True):
    """Answer of GET /neg-risk."""

    neg_risk: bool


class FeeRate(Wire, frozen=True):
    """Answer of GET /fee-rate: a ceiling in basis points, not the fee charged."""

    base_fee: int


class Version(Wire, frozen=True):
    """Answer of GET /version."""

    version: int


class ClobToken(Wire, frozen=True):
    """One outcome of the compact record."""

    token_id: str = msgspec.field(name="t")
    outcome: str = msgspec.field(name="o")


class ClobFees(Wire, frozen=True):
    """Fee schedule of the compact record."""

    rate: WireNumber = msgspec.field(name="r")
    exponent: WireNumber = msgspec.field(name="e")
    taker_only: bool = msgspec.field(name="to", default=True)


class ClobRewards(Wire, frozen=True):
    """What a resting order needs to earn rewards, in the compact record.

    Attributes:
        max_spread: From the midpoint, in cents.
        min_age: Seconds.
    """

    min_size: WireNumber = msgspec.field(name="mi")
    max_spread: WireNumber = msgspec.field(name="ma")
    min_age: WireNumber = msgspec.field(name="moas", default=0)


class ClobMarket(Wire, frozen=True):
    """Answer of GET /clob-markets/{condition id}: the compact record."""

    condition_id: str = msgspec.field(name="c")
    tokens: tuple[ClobToken, ...] = msgspec.field(name="t")
    version: str = msgspec.field(name="v")
    min_order_size: WireNumber = msgspec.field(name="mos")
    min_tick_size: WireNumber = msgspec.field(name="mts")
    neg_risk: bool = msgspec.field(name="nr", default=False)
    fees: ClobFees | None = msgspec.field(name="fd", default=None)
    accepting_orders: bool = msgspec.field(name="ao", default=False)
    taker_order_delay: bool = msgspec.field(name="itode", default=False)
    maker_base_fee: WireNumber = msgspec.field(name="mbf", default=0)
    taker_base_fee: WireNumber = msgspec.field(name="tbf", default=0)
    rewards: ClobRewards | None = msgspec.field(name="r", default=None)


BOOK = msgspec.json.Decoder(Book)
BOOKS = msgspec.json.Decoder(tuple[Book, ...])
BOOK_REQUESTS = msgspec.json.Decoder(tuple[BookRequest, ...])
TICK_SIZE = msgspec.json.Decoder(TickSize)
NEG_RISK = msgspec.json.Decoder(NegRisk)
FEE_RATE = msgspec.json.Decoder(FeeRate)
CLOB_MARKET = msgspec.json.Decoder(ClobMarket)
VERSION = msgspec.json.Decoder(Version)
SERVER_TIME = msgspec.json.Decoder(int)
