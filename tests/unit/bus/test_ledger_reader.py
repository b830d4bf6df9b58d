import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bus.ledger_reader import LedgerReader, LedgerSummary, Rows, Unreadable, is_held
from shared.identifiers import ConditionId, OrderHash, StrategyName, TokenId, TradeId
from shared.ledger_schema import (
    LEDGER_FILE,
    PROJECTIONS,
    FillRecord,
    OrderRecord,
    PayoutRecord,
    Record,
    columns,
    row_values,
)
from shared.ledger_tables import META_ACCOUNT, META_EPOCH, META_SCHEMA, SCHEMA_VERSION, TABLES
from shared.orders import OrderState
from shared.units import MoneyE6, PriceE4, SizeE6, WallMs, WallNs

MARKET = ConditionId("0x" + "a" * 64)


def make_order(
    order_id: str, *, created: int = 1, state: OrderState = "LIVE", post_only: bool = True
) -> OrderRecord:
    return OrderRecord(
        order_id=OrderHash(order_id),
        account="main",
        wallet="0xw",
        api_key_id="key",
        strategy=StrategyName("market_making"),
        leg_group="",
        epoch=3,
        incarnation="00",
        intent="i",
        purpose="quote",
        market=MARKET,
        token=TokenId("7"),
        side="BUY",
        level=0,
        price_e4=PriceE4(5_000),
        size_e6=SizeE6(6_000_000),
        post_only=post_only,
        reduce_only=False,
        state=state,
        filled_e6=SizeE6(0),
        reason="",
        salt=2**53 - 1,
        timestamp_ms=WallMs(1),
        maker_e6=3_000_000,
        taker_e6=6_000_000,
        expiration_s=1,
        lease_until_wall_ns=WallNs(1),
        deadline_wall_ns=WallNs(1),
        created_wall_ns=WallNs(created),
        sent_wall_ns=WallNs(1),
        updated_wall_ns=WallNs(1),
    )


FILL = FillRecord(
    trade_id=TradeId("t"),
    order_id=OrderHash("a"),
    account="main",
    strategy=StrategyName("market_making"),
    market=MARKET,
    token=TokenId("7"),
    side="SELL",
    price_e4=PriceE4(5_000),
    size_e6=SizeE6(1),
    role="MAKER",
    settlement="MATCHED",
    fee_e6=MoneyE6(0),
    match_ms=WallMs(5),
    updated_wall_ns=WallNs(6),
)
PAYOUT = PayoutRecord(
    market=MARKET,
    token=TokenId("7"),
    strategy=StrategyName("market_making"),
    account="main",
    payout_e4=PriceE4(10_000),
    size_e6=SizeE6(5),
    amount_e6=MoneyE6(5),
    cost_e6=MoneyE6(7),
    realised_e6=MoneyE6(-2),
    updated_wall_ns=WallNs(9),
)


class Writer:
    """The least of a ledger's writer."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.executescript(TABLES)
        self.set_meta(META_SCHEMA, str(SCHEMA_VERSION))

    def set_meta(self, name: str, value: str) -> None:
        self.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def put(self, *records: Record) -> None:
        for record in records:
            places = ",".join("?" * len(columns(type(record))))
            table = PROJECTIONS[type(record)]
            names = ", ".join(columns(type(record)))
            self.connection.execute(
                f"INSERT INTO {table} ({names}) VALUES ({places})", row_values(record)
            )

    def event(self, wall_ns: int) -> None:
        self.connection.execute(
            "INSERT INTO events (wall_ns, body, previous, hash) VALUES (?, x'', x'', x'')",
            (wall_ns,),
        )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / LEDGER_FILE


@pytest.fixture
def writer(path: Path) -> Iterator[Writer]:
    made = Writer(path)
    with closing(made.connection):
        yield made


def test_rows_come_back_as_they_were_written_with_their_age(path: Path, writer: Writer) -> None:
    first, second = make_order("a", created=1), make_order("b", created=2, post_only=False)
    writer.put(second, first, FILL, PAYOUT)
    writer.event(77)
    reader = LedgerReader(path)
    assert reader.orders() == Rows((first, second), WallNs(77), is_cut=False)
    assert reader.fills() == Rows((FILL,), WallNs(77), is_cut=False)
    assert reader.payouts() == Rows((PAYOUT,), WallNs(77), is_cut=False)


def test_summary_tells_whose_ledger_it_is(path: Path, writer: Writer) -> None:
    writer.set_meta(META_ACCOUNT, "main")
    writer.set_meta(META_EPOCH, "12")
    writer.event(5)
    writer.event(6)
    assert LedgerReader(path).summary() == LedgerSummary("main", "", "", 12, 2, WallNs(6))


def test_orders_are_chosen_by_state_and_time(path: Path, writer: Writer) -> None:
    writer.put(
        make_order("a", created=1),
        make_order("b", created=2, state="FILLED"),
        make_order("c", created=3, state="UNKNOWN"),
    )
    chosen = LedgerReader(path).orders(states=("LIVE", "UNKNOWN"), since_wall_ns=2)
    assert isinstance(chosen, Rows)
    assert [order.order_id for order in chosen.rows] == ["c"]


@pytest.mark.parametrize(("rows_max", "kept"), [(1, ["b"]), (2, ["a", "b"]), (3, ["a", "b"])])
def test_newest_rows_are_kept_and_a_cut_is_told(
    path: Path, writer: Writer, rows_max: int, kept: list[str]
) -> None:
    writer.put(make_order("a", created=1), make_order("b", created=2))
    chosen = LedgerReader(path).orders(rows_max=rows_max)
    assert isinstance(chosen, Rows)
    assert [order.order_id for order in chosen.rows] == kept
    assert chosen.is_cut == (rows_max < 2)


def test_ledger_is_readable_after_its_writer_has_gone(path: Path) -> None:
    writer = Writer(path)
    writer.put(make_order("a"))
    writer.connection.close()
    chosen = LedgerReader(path).orders()
    assert isinstance(chosen, Rows)
    assert len(chosen.rows) == 1


def test_reader_waits_for_no_open_write_transaction(path: Path, writer: Writer) -> None:
    writer.put(make_order("a"))
    writer.connection.execute("BEGIN IMMEDIATE")
    writer.put(make_order("b"))
    chosen = LedgerReader(path).orders()
    assert isinstance(chosen, Rows)
    assert [order.order_id for order in chosen.rows] == ["a"]
    writer.connection.execute("COMMIT")


@pytest.mark.req("EX-22")
def test_missing_ledger_is_unreadable_and_not_empty(path: Path) -> None:
    missing = LedgerReader(path).orders()
    assert isinstance(missing, Unreadable)
    assert missing.why == "missing"
    assert not path.exists()


@pytest.mark.req("EX-22")
@pytest.mark.parametrize(
    ("code", "held"),
    [
        (sqlite3.SQLITE_BUSY, True),
        (sqlite3.SQLITE_BUSY_RECOVERY, True),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, True),
        (sqlite3.SQLITE_LOCKED_SHAREDCACHE, True),
        (sqlite3.SQLITE_CORRUPT, False),
        (sqlite3.SQLITE_IOERR_READ, False),
        (sqlite3.SQLITE_CANTOPEN, False),
    ],
)
def test_file_that_somebody_holds_for_any_reason_is_not_corrupt(code: int, *, held: bool) -> None:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = code
    assert is_held(error) is held


@pytest.mark.req("EX-22")
def test_locked_ledger_is_unreadable_and_not_empty(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("CREATE TABLE t (x)")
        other.execute("BEGIN EXCLUSIVE")
        locked = LedgerReader(path).orders()
    assert isinstance(locked, Unreadable)
    assert locked.why == "locked"


@pytest.mark.req("EX-22")
@pytest.mark.parametrize("content", [b"", b"not a database, but long enough to be looked at" * 99])
def test_corrupt_ledger_is_unreadable_and_not_empty(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    corrupt = LedgerReader(path).fills()
    assert isinstance(corrupt, Unreadable)
    assert corrupt.why == "corrupt"


def test_row_of_a_wrong_kind_is_corrupt(path: Path, writer: Writer) -> None:
    writer.put(make_order("a"))
    writer.connection.execute("UPDATE orders SET state = 'IMAGINED'")
    corrupt = LedgerReader(path).orders()
    assert isinstance(corrupt, Unreadable)
    assert corrupt.why == "corrupt"


def test_ledger_of_another_schema_is_refused(path: Path, writer: Writer) -> None:
    writer.set_meta(META_SCHEMA, str(SCHEMA_VERSION + 1))
    other = LedgerReader(path).summary()
    assert isinstance(other, Unreadable)
    assert other.why == "schema"
