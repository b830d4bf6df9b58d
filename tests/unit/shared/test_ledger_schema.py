"""The schema agrees with its records, and the chain shows every change."""

import sqlite3

import msgspec
import pytest

from shared.ledger_schema import (
    PROJECTIONS,
    EpochRecord,
    IdentityRecord,
    OrderRecord,
    Record,
    columns,
    decode_record,
    encode_record,
    meta_values,
    row_values,
)
from shared.ledger_tables import TABLES
from tests.builders.ledger_rows import build_order_record


@pytest.mark.parametrize("record_type", list(PROJECTIONS))
def test_projection_has_the_columns_of_its_record_and_its_mark(record_type: type[Record]) -> None:
    database = sqlite3.connect(":memory:")
    database.executescript(TABLES)
    table = PROJECTIONS[record_type]
    names = tuple(row[1] for row in database.execute(f"PRAGMA table_info({table})"))
    database.close()
    assert names == (*columns(record_type), "retired")


def test_order_row_fits_its_strict_table() -> None:
    record = build_order_record()
    database = sqlite3.connect(":memory:")
    database.executescript(TABLES)
    names, marks = ",".join(columns(OrderRecord)), ",".join("?" * len(columns(OrderRecord)))
    database.execute(f"INSERT INTO orders ({names}) VALUES ({marks})", row_values(record))
    row = database.execute(f"SELECT {names} FROM orders").fetchone()
    database.close()
    assert (
        msgspec.convert(
            dict(zip(columns(OrderRecord), row, strict=True)) | {"type": "OrderRecord"},
            OrderRecord,
            strict=False,
        )
        == record
    )


def test_record_survives_its_encoding() -> None:
    record = build_order_record()
    assert decode_record(encode_record(record)) == record


def test_identity_and_epoch_are_rows_of_meta() -> None:
    assert meta_values(EpochRecord(7)) == (("epoch", "7"),)
    assert dict(meta_values(IdentityRecord("main", "0x1", "k"))) == {
        "account": "main",
        "wallet": "0x1",
        "api_key_id": "k",
    }
