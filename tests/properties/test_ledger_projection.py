"""Whatever is written in whatever order: the state is that of the rows, and a replay agrees."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing, nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.ledger_projection import working_state
from bus.ledger_proof import prove
from services.execution.ledger import appending
from services.execution.ledger.appending import RECENT_NS, Appender
from services.execution.ledger.start import open_verified
from shared.identifiers import ConditionId, OrderHash, TradeId
from shared.ledger_chain import pack_state
from shared.ledger_schema import (
    AnyRecord,
    EpochRecord,
    FillRecord,
    IdentityRecord,
    OrderRecord,
    PayoutRecord,
)
from shared.ledger_tables import META_SCHEMA, SCHEMA_VERSION, TABLES
from shared.orders import TERMINAL, OrderState
from shared.units import NS_PER_S, MoneyE6, PriceE4, SizeE6, WallNs
from tests.builders.ledger_rows import build_fill_record, build_order_record
from tests.builders.markets import instant

NOW = instant()
STATES: list[OrderState] = ["INTENDED", "LIVE", "CANCELED", "FILLED", "NOT_SENT"]

ages = st.sampled_from([0, 1, RECENT_NS // 2, RECENT_NS + NS_PER_S, 3 * RECENT_NS])
markets = st.sampled_from([ConditionId("0xa"), ConditionId("0xb")])
orders = st.integers(0, 4)


@st.composite
def order_rows(draw: st.DrawFn) -> OrderRecord:
    number, age_ns = draw(orders), draw(ages)
    return build_order_record(
        order_id=OrderHash(f"o{number}"),
        market=ConditionId("0xa" if number % 2 else "0xb"),
        state=draw(st.sampled_from(STATES)),
        filled_e6=SizeE6(draw(st.sampled_from([0, 1_000_000]))),
        created_wall_ns=WallNs(NOW.wall_ns - age_ns),
    )


@st.composite
def fill_rows(draw: st.DrawFn) -> FillRecord:
    number = draw(orders)
    return build_fill_record(
        trade_id=TradeId(f"t{draw(st.integers(0, 2))}"),
        order_id=OrderHash(f"o{number}"),
        market=ConditionId("0xa" if number % 2 else "0xb"),
        settlement=draw(st.sampled_from(["MATCHED", "CONFIRMED"])),
        updated_wall_ns=WallNs(NOW.wall_ns - draw(ages)),
    )


@st.composite
def payout_rows(draw: st.DrawFn) -> PayoutRecord:
    fill = build_fill_record()
    return PayoutRecord(
        market=draw(markets),
        token=fill.token,
        strategy=fill.strategy,
        account="main",
        payout_e4=PriceE4(10_000),
        size_e6=SizeE6(2_000_000),
        amount_e6=MoneyE6(2_000_000),
        cost_e6=MoneyE6(980_000),
        realised_e6=MoneyE6(1_020_000),
        updated_wall_ns=WallNs(NOW.wall_ns - draw(ages)),
    )


ANCHOR = None
steps = st.lists(
    st.one_of(
        st.just(ANCHOR),
        order_rows(),
        fill_rows(),
        payout_rows(),
        st.builds(EpochRecord, st.integers(1, 9)),
        st.just(IdentityRecord("main", "0x1", "key")),
    ),
    max_size=30,
)


def new_ledger() -> sqlite3.Connection:
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.executescript(TABLES)
    database.execute("INSERT INTO meta VALUES (?, ?)", (META_SCHEMA, str(SCHEMA_VERSION)))
    return database


def write(database: sqlite3.Connection, written: Sequence[AnyRecord | None]) -> Appender:
    appender = Appender(database)
    for record in written:
        if record is None:
            appender.append_anchor(NOW)
        else:
            appender.append(record, NOW)
    return appender


@given(steps)
def test_state_is_that_of_the_rows_and_a_replay_agrees(
    written: list[AnyRecord | None],
) -> None:
    with closing(new_ledger()) as database:
        appender = write(database, written)
        assert pack_state(appender._state) == pack_state(working_state(database))
        proven = prove(lambda: nullcontext(database))
        assert proven.events == len(written)
        assert proven.anchors == written.count(None)


@given(steps)
def test_start_reads_what_the_whole_history_says(written: list[AnyRecord | None]) -> None:
    """Nothing that a start needs is ever retired, and nothing comes back changed."""
    with closing(new_ledger()) as database:
        write(database, written)
        opened = open_verified(database, NOW)
    newest: dict[tuple[str, ...], AnyRecord] = {}
    for record in written:
        if isinstance(record, OrderRecord):
            newest["order", record.order_id] = record
        if isinstance(record, FillRecord):
            newest["fill", record.trade_id, record.order_id] = record
        if isinstance(record, PayoutRecord):
            newest["payout", record.market] = record
    since_ns = NOW.wall_ns - RECENT_NS
    rows = list(newest.values())
    paid = {row.market for row in rows if isinstance(row, PayoutRecord)}
    fills = {
        row
        for row in rows
        if isinstance(row, FillRecord)
        and (row.market not in paid or row.updated_wall_ns > since_ns)
    }
    filled = {fill.order_id for fill in fills}
    held = {fill.market for fill in fills}
    assert set(opened.fills) == fills
    assert set(opened.payouts) == {
        row
        for row in rows
        if isinstance(row, PayoutRecord) and (row.updated_wall_ns > since_ns or row.market in held)
    }
    assert set(opened.orders) == {
        row
        for row in rows
        if isinstance(row, OrderRecord)
        and (row.state not in TERMINAL or row.created_wall_ns > since_ns or row.order_id in filled)
    }


@pytest.mark.parametrize("kept", [1, 7, 39])
def test_anchor_keeps_the_newest_orders_up_to_the_bound(
    kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(appending, "ORDERS_RECENT_MAX", kept)
    written = [
        build_order_record(
            order_id=OrderHash(f"o{number}"),
            state="CANCELED",
            created_wall_ns=WallNs(NOW.wall_ns + number),
        )
        for number in range(40)
    ]
    with closing(new_ledger()) as database:
        write(database, [*written, ANCHOR])
        assert set(open_verified(database, NOW).orders) == set(written[-kept:])
