"""The ledger: the records of what happened to every order, fill and payout.

Holds the records that execution writes and how they are spelled; opens no file. Tables and
versions are `ledger_tables.py`, the chain is `ledger_chain.py`; `services/execution/ledger/`
writes, `bus/ledger_reader.py` reads.

A record is the whole row after a change; projecting is "last one wins" by primary key.
Wall times stand in rows because a ledger outlives a boot; nothing is decided by them but
whether an order's deadline has passed while no process was there.

To add a field to a record: append it here with a default, add the column to `TABLES` and to
the newest step of `MIGRATIONS` (`ledger_tables.py`) with the same default, and name it in the
CHANGELOG under Schema. Bodies written before decode to the default;
`tests/unit/shared/test_ledger_tables.py` fails while a step is missing. A field that is renamed
or means something else needs a function in `UPGRADES` instead of a default.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec.structs import astuple

from shared.effects import Durable
from shared.facts import Side
from shared.identifiers import ConditionId, OrderHash, StrategyName, TokenId, TradeId
from shared.ledger_tables import (
    META_ACCOUNT,
    META_API_KEY,
    META_EPOCH,
    META_WALLET,
    SCHEMA_VERSION,
)
from shared.orders import OrderState
from shared.units import MoneyE6, PriceE4, SizeE6, WallMs, WallNs

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
        role: `MAKER`, `TAKER`, or `ADOPTED` for shares that were found, or missing, at the venue;
            such a leg names no order of ours.
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


class AnchorRecord(Record, frozen=True):
    """The place from which a start verifies, and what is old enough to leave its working set.

    The ledger writes it by itself, now and then. It retires terminal orders without a fill, and
    positions that are paid out, with their fills and the orders of these; the oldest first.

    Attributes:
        orders_before_wall_ns: Orders created before it.
        payouts_before_wall_ns: Payouts written before it, none of whose fills changed since.
        rows_max: So many orders and so many payouts at most, so that a commit stays short.
    """

    orders_before_wall_ns: WallNs
    payouts_before_wall_ns: WallNs
    rows_max: int


AnyRecord = IdentityRecord | EpochRecord | OrderRecord | FillRecord | PayoutRecord | AnchorRecord


class Journal(Durable, frozen=True):
    """Records that are on disk before any other effect of their turn is applied."""

    records: tuple[AnyRecord, ...]


PROJECTIONS: Final[dict[type[Record], str]] = {
    OrderRecord: "orders",
    FillRecord: "fills",
    PayoutRecord: "payouts",
}
"""Which table a record is the row of. Identity and epoch go to `meta`."""

KEYS: Final[dict[type[Record], tuple[str, ...]]] = {
    OrderRecord: ("order_id",),
    FillRecord: ("trade_id", "order_id"),
    PayoutRecord: ("market", "token", "strategy"),
}
"""The primary key of each projection."""

UPGRADES: Final[dict[int, Callable[[dict[str, Any]], dict[str, Any]]]] = {}
"""By version: what makes the fields of a body of that version those of the next.

Empty while every field that was added has a default. A body is never rewritten: the chain is
over what was written, and only its reading is upgraded.
"""

_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[AnyRecord] = msgspec.json.Decoder(AnyRecord)


def encode_record(record: AnyRecord) -> bytes:
    """Return a record as the events table keeps it: JSON, readable without this program."""
    return _ENCODER.encode(record)


def decode_record(body: bytes, version: int = SCHEMA_VERSION) -> AnyRecord:
    """Return the record of an event, as the newest version has it.

    Args:
        body: As it was written.
        version: Of the schema under which it was written.

    Raises:
        msgspec.ValidationError: The body is no record of that version.
        msgspec.DecodeError: The body is not JSON.
    """
    steps = [UPGRADES[step] for step in range(version, SCHEMA_VERSION) if step in UPGRADES]
    if not steps:
        return _DECODER.decode(body)
    fields: dict[str, Any] = msgspec.json.decode(body)
    for step in steps:
        fields = step(fields)
    return _DECODER.decode(_ENCODER.encode(fields))


def columns(record_type: type[Record]) -> tuple[str, ...]:
    """Return the columns of a record's projection, in order."""
    return record_type.__struct_fields__


def row_values(record: Record) -> tuple[str | int, ...]:
    """Return the values of a record's projection row, in the order of its columns."""
    return tuple([int(v) if v is True or v is False else v for v in astuple(record)])


def meta_values(record: IdentityRecord | EpochRecord) -> tuple[tuple[str, str], ...]:
    """Return the rows of `meta` that a record sets."""
    if isinstance(record, EpochRecord):
        return ((META_EPOCH, str(record.epoch)),)
    return (
        (META_ACCOUNT, record.account),
        (META_WALLET, record.wallet),
        (META_API_KEY, record.api_key_id),
    )
