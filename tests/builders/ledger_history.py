"""Ledgers with a long history, written by the ledger's own appending code.

There are windows of fifteen minutes; in each, orders are intended, rest and are
canceled, one in ten is filled by a trade that settles in three steps, and the market pays.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from services.execution.ledger.appending import ANCHOR_EVENTS, Appender
from services.execution.ledger.opening import connect_file, open_file
from shared.identifiers import ConditionId, OrderHash, TokenId, TradeId
from shared.ledger_schema import (
    FillRecord,
    IdentityRecord,
    OrderRecord,
    PayoutRecord,
)
from shared.profit import DAY_NS
from shared.units import NS_PER_MS, NS_PER_S, Instant, MoneyE6, PriceE4, SizeE6, WallMs, WallNs
from tests.builders.ledger_rows import build_fill_record, build_order_record
from tests.builders.markets import instant

WINDOW_NS_MIN: Final = 900 * NS_PER_S
HISTORY_NS_MIN: Final = 4 * DAY_NS
"""Of a short history too, so that a part of it is too old to be worked with."""

ORDERS_PER_WINDOW: Final = 900
FILL_EVERY: Final = 10
ORDERS_PER_COMMIT: Final = 2_000
Turn = tuple[OrderRecord | FillRecord | PayoutRecord, ...]

IDENTITY: Final = IdentityRecord("main", "0x" + "1" * 40, "key")


def write_history(path: Path, orders: int, first: int = 0, until: int | None = None) -> Instant:
    """Write a ledger of so many orders, or a part of it; return when the last of them is over.

    Args:
        path: A new file, or one that holds the orders before `first`.
        orders: Of the whole history, which ends at the builders' instant.
        first: Number of the first order to write, counted from 0.
        until: Number after the last one to write; all by default.
    """
    end = instant()
    windows = -(-orders // ORDERS_PER_WINDOW)
    window_ns = max(WINDOW_NS_MIN, HISTORY_NS_MIN // windows)
    start_ns = end.wall_ns - windows * window_ns
    database = open_file(path, end, connect_file)
    database.execute("PRAGMA synchronous = OFF")
    database.execute("PRAGMA cache_size = -1048576")
    appender = Appender(database)
    numbers = range(first, orders if until is None else until)
    for place, number in enumerate(numbers):
        if place % ORDERS_PER_COMMIT == 0:
            _fold(database)
        for records in _turns(number, number == orders - 1, start_ns, window_ns):
            now = msgspec.structs.replace(end, wall_ns=records[0].updated_wall_ns)
            if appender.sequence == 0:
                appender.append(IDENTITY, now)
            for record in records:
                appender.append(record, now)
            if appender.events_since_anchor >= ANCHOR_EVENTS:
                appender.append_anchor(now)
    _fold(database)
    database.execute("ROLLBACK")
    database.close()
    return end


def _fold(database: sqlite3.Connection) -> None:
    if database.in_transaction:
        database.execute("COMMIT")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.execute("BEGIN")


def _turns(number: int, is_last: bool, start_ns: int, window_ns: int) -> Iterator[Turn]:
    """An order, and the payout of its window after the last one of it."""
    window, place = divmod(number, ORDERS_PER_WINDOW)
    at_ns = start_ns + window * window_ns + place * (WINDOW_NS_MIN // ORDERS_PER_WINDOW)
    yield from _order(number, window, at_ns)
    if place == ORDERS_PER_WINDOW - 1 or is_last:
        yield (_payout(window, start_ns + window * window_ns + WINDOW_NS_MIN),)


def _order(number: int, window: int, at_ns: int) -> Iterator[tuple[OrderRecord | FillRecord, ...]]:
    """An order is intended, rests, and is filled or canceled, a commit each."""
    intended = build_order_record(
        order_id=OrderHash(f"0x{number * 0x9E3779B97F4A7C15 % 2**64:064x}"),
        market=ConditionId(f"0x{window:064x}"),
        token=TokenId(str(10**70 + window)),
        created_wall_ns=WallNs(at_ns),
        updated_wall_ns=WallNs(at_ns),
    )
    yield (intended,)
    live_ns = WallNs(at_ns + 40 * NS_PER_MS)
    live = msgspec.structs.replace(intended, state="LIVE", updated_wall_ns=live_ns)
    yield (live,)
    over_ns = WallNs(at_ns + 700 * NS_PER_MS)
    if number % FILL_EVERY:
        yield (msgspec.structs.replace(live, state="CANCELED", updated_wall_ns=over_ns),)
        return
    filled = msgspec.structs.replace(
        live, state="FILLED", filled_e6=live.size_e6, updated_wall_ns=over_ns
    )
    fill = build_fill_record(
        trade_id=TradeId(f"trade-{number:032d}"),
        order_id=live.order_id,
        market=live.market,
        token=live.token,
        size_e6=live.size_e6,
        match_ms=WallMs(over_ns // NS_PER_MS),
        updated_wall_ns=over_ns,
    )
    yield filled, fill
    for settlement in ("MINED", "CONFIRMED"):
        yield (msgspec.structs.replace(fill, settlement=settlement),)


def _payout(window: int, at_ns: int) -> PayoutRecord:
    return PayoutRecord(
        market=ConditionId(f"0x{window:064x}"),
        token=TokenId(str(10**70 + window)),
        strategy=build_fill_record().strategy,
        account="main",
        payout_e4=PriceE4(10_000),
        size_e6=SizeE6(540_000_000),
        amount_e6=MoneyE6(540_000_000),
        cost_e6=MoneyE6(264_600_000),
        realised_e6=MoneyE6(275_400_000),
        updated_wall_ns=WallNs(at_ns),
    )
