"""The ledger: what is written about every order, fill and payout, and how rows are chained.

Holds the tables, the records that execution writes, and the hash that chains them; opens
no file (`services/execution/ledger.py` writes, `bus/ledger_reader.py` reads). The events
table is the truth: append-only, each row hashed over the one before. The other tables are
projections of it, written in the same transaction, so that a reader needs no replay.

A record is the whole row after a change; projecting is "last one wins" by primary key.
Wall times stand in rows because a ledger outlives a boot; nothing is decided by them but
whether an order's deadline has passed while no process was there.
"""

import hashlib
from typing import Final

import msgspec

from shared.effects import Durable
from shared.facts import Side
from shared.identifiers import ConditionId, OrderHash, StrategyName, TokenId, TradeId
from shared.orders import OrderState
from shared.units import MoneyE6, PriceE4, SizeE6, WallMs, WallNs

SCHEMA_VERSION: Final = 2
"""Grows with every change of a table; a ledger of another version is refused."""

CHAIN_START: Final = bytes(32)
"""What the first event names as the one before it."""

LEDGER_FILE: Final = "ledger.db"
"""Name inside the data directory."""


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    """One row after a change, as the events table keeps it."""


class IdentityRecord(Record, frozen=True):
    """Whose ledger this is. Another API key needs the old key's orders proven dead first.

    Attributes:
        account: Name of the configuration.
        wallet: Maker address, lower case.
        api_key_id: Public id of the API key; never its secret.
    """

    account: str
    wallet: str
    api_key_id: str


class EpochRecord(Record, frozen=True):
    """Newest epoch that execution has seen: risk's next one must be above it."""

    epoch: int


class OrderRecord(Record, frozen=True):
    """One order, written as INTENDED before it is sent and again at each change.

    Attributes:
        order_id: EIP-712 hash, known before the sending: the idempotency key.
        account: Of the identity; wallet and api_key_id likewise.
        intent: `market/token/side/level`: at most one order of an intent may be live.
        purpose: quote, complete, unwind, flatten, stop; `adopted` for an order that was found.
        leg_group: Name of a multi-leg group, empty for none.
        epoch: Under which it was decided.
        incarnation: Of the execution that decided it, 16 hex digits.
        salt: Of the signed struct; timestamp_ms, maker_e6 and taker_e6 likewise.
        expiration_s: Wall seconds as posted; the venue drops the order 60 s before it.
        lease_until_wall_ns: End of the lease under which it was decided; 0 for one that was found.
        deadline_wall_ns: Last moment at which the venue could take it.
        sent_wall_ns: When its first byte was written; 0 while none was, or nobody knows.
        filled_e6: Cumulative, by trades or by the venue's own count, whichever is larger.
        reason: Why it left the market or never reached it.
    """

    order_id: OrderHash
    account: str
    wallet: str
    api_key_id: str
    strategy: StrategyName
    leg_group: str
    epoch: int
    incarnation: str
    intent: str
    purpose: str
    market: ConditionId
    token: TokenId
    side: Side
    level: int
    price_e4: PriceE4
    size_e6: SizeE6
    post_only: bool
    reduce_only: bool
    state: OrderState
    filled_e6: SizeE6
    reason: str
    salt: int
    timestamp_ms: WallMs
    maker_e6: int
    taker_e6: int
    expiration_s: int
    lease_until_wall_ns: WallNs
    deadline_wall_ns: WallNs
    created_wall_ns: WallNs
    sent_wall_ns: WallNs
    updated_wall_ns: WallNs


class FillRecord(Record, frozen=True):
    """One leg of one trade: (trade_id, order_id) counts once, whoever reports it.

    Attributes:
        settlement: `MATCHED`, `MINED`, `CONFIRMED`, `RETRYING` or `FAILED`.
        fee_e6: What the venue takes for it, 0 for a maker.
        match_ms: The venue's time of the match.
    """

    trade_id: TradeId
    order_id: OrderHash
    account: str
    strategy: StrategyName
    market: ConditionId
    token: TokenId
    side: Side
    price_e4: PriceE4
    size_e6: SizeE6
    role: str
    settlement: str
    fee_e6: MoneyE6
    match_ms: WallMs
    updated_wall_ns: WallNs


class PayoutRecord(Record, frozen=True):
    """What a resolved market paid for one strategy's shares of one token.

    Attributes:
        payout_e4: Per share, 0..10_000: 10_000 for the winner, 5_000 each for a split.
        size_e6: Shares held when it was settled.
        amount_e6: Paid for them.
        cost_e6: Paid less received for them before, fees included.
        realised_e6: amount less cost: the profit or loss that closes the position.
    """

    market: ConditionId
    token: TokenId
    strategy: StrategyName
    account: str
    payout_e4: PriceE4
    size_e6: SizeE6
    amount_e6: MoneyE6
    cost_e6: MoneyE6
    realised_e6: MoneyE6
    updated_wall_ns: WallNs


AnyRecord = IdentityRecord | EpochRecord | OrderRecord | FillRecord | PayoutRecord


class Journal(Durable, frozen=True):
    """Records that are on disk before any other effect of their turn is applied."""

    records: tuple[AnyRecord, ...]


TABLES: Final = """
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    sequence INTEGER PRIMARY KEY,
    wall_ns INTEGER NOT NULL,
    body BLOB NOT NULL,
    previous BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;

CREATE TABLE orders (
    order_id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    wallet TEXT NOT NULL,
    api_key_id TEXT NOT NULL,
    strategy TEXT NOT NULL,
    leg_group TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    incarnation TEXT NOT NULL,
    intent TEXT NOT NULL,
    purpose TEXT NOT NULL,
    market TEXT NOT NULL,
    token TEXT NOT NULL,
    side TEXT NOT NULL,
    level INTEGER NOT NULL,
    price_e4 INTEGER NOT NULL,
    size_e6 INTEGER NOT NULL,
    post_only INTEGER NOT NULL,
    reduce_only INTEGER NOT NULL,
    state TEXT NOT NULL,
    filled_e6 INTEGER NOT NULL,
    reason TEXT NOT NULL,
    salt INTEGER NOT NULL,
    timestamp_ms INTEGER NOT NULL,
    maker_e6 INTEGER NOT NULL,
    taker_e6 INTEGER NOT NULL,
    expiration_s INTEGER NOT NULL,
    lease_until_wall_ns INTEGER NOT NULL,
    deadline_wall_ns INTEGER NOT NULL,
    created_wall_ns INTEGER NOT NULL,
    sent_wall_ns INTEGER NOT NULL,
    updated_wall_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX orders_by_state ON orders (state);
CREATE INDEX orders_by_time ON orders (created_wall_ns);

CREATE TABLE fills (
    trade_id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    account TEXT NOT NULL,
    strategy TEXT NOT NULL,
    market TEXT NOT NULL,
    token TEXT NOT NULL,
    side TEXT NOT NULL,
    price_e4 INTEGER NOT NULL,
    size_e6 INTEGER NOT NULL,
    role TEXT NOT NULL,
    settlement TEXT NOT NULL,
    fee_e6 INTEGER NOT NULL,
    match_ms INTEGER NOT NULL,
    updated_wall_ns INTEGER NOT NULL,
    PRIMARY KEY (trade_id, order_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX fills_by_market ON fills (market);
CREATE INDEX fills_by_time ON fills (match_ms);

CREATE TABLE payouts (
    market TEXT NOT NULL,
    token TEXT NOT NULL,
    strategy TEXT NOT NULL,
    account TEXT NOT NULL,
    payout_e4 INTEGER NOT NULL,
    size_e6 INTEGER NOT NULL,
    amount_e6 INTEGER NOT NULL,
    cost_e6 INTEGER NOT NULL,
    realised_e6 INTEGER NOT NULL,
    updated_wall_ns INTEGER NOT NULL,
    PRIMARY KEY (market, token, strategy)
) STRICT, WITHOUT ROWID;
"""
"""Every table. A projection's columns are the fields of its record, in order."""

PROJECTIONS: Final[dict[type[Record], str]] = {
    OrderRecord: "orders",
    FillRecord: "fills",
    PayoutRecord: "payouts",
}
"""Which table a record is the row of. Identity and epoch go to `meta`."""

META_SCHEMA: Final = "schema_version"
META_ACCOUNT: Final = "account"
META_WALLET: Final = "wallet"
META_API_KEY: Final = "api_key_id"
META_EPOCH: Final = "epoch"

_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[AnyRecord] = msgspec.json.Decoder(AnyRecord)


def encode_record(record: AnyRecord) -> bytes:
    """Return a record as the events table keeps it: JSON, readable without this program."""
    return _ENCODER.encode(record)


def decode_record(body: bytes) -> AnyRecord:
    """Return the record of an event.

    Raises:
        msgspec.ValidationError: The body is no record of this schema version.
        msgspec.DecodeError: The body is not JSON.
    """
    return _DECODER.decode(body)


def event_hash(previous: bytes, sequence: int, wall_ns: int, body: bytes) -> bytes:
    """Return the hash that chains an event to the one before it, 32 bytes."""
    head = previous + sequence.to_bytes(8, "big") + wall_ns.to_bytes(8, "big")
    return hashlib.sha256(head + body).digest()


def columns(record_type: type[Record]) -> tuple[str, ...]:
    """Return the columns of a record's projection, in order."""
    return record_type.__struct_fields__


def row_values(record: Record) -> tuple[str | int, ...]:
    """Return the values of a record's projection row, in the order of its columns."""
    values = (getattr(record, name) for name in record.__struct_fields__)
    return tuple(int(value) if isinstance(value, bool) else value for value in values)


def meta_values(record: IdentityRecord | EpochRecord) -> tuple[tuple[str, str], ...]:
    """Return the rows of `meta` that a record sets."""
    if isinstance(record, EpochRecord):
        return ((META_EPOCH, str(record.epoch)),)
    return (
        (META_ACCOUNT, record.account),
        (META_WALLET, record.wallet),
        (META_API_KEY, record.api_key_id),
    )
