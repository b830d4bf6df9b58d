"""The ledger's file: every change shows, a crash at any moment leaves the old or the new state."""

import shutil
import sqlite3
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bus.edge import CommitFailed
from bus.ledger_proof import prove
from services.execution.ledger import appending
from services.execution.ledger.appending import ANCHOR_EVENTS
from services.execution.ledger.fault import LedgerFault
from services.execution.ledger.ledger import ANCHOR_EVENTS_MAX, Ledger, NoLedger
from shared.identifiers import OrderHash
from shared.ledger_schema import (
    AnchorRecord,
    AnyRecord,
    EpochRecord,
    IdentityRecord,
    Journal,
    PayoutRecord,
    decode_record,
)
from shared.units import MoneyE6, PriceE4, SizeE6, WallNs
from tests.builders.ledger_rows import build_fill_record, build_order_record
from tests.builders.markets import instant

NOW = instant()
IDENTITY = IdentityRecord("main", "0x1", "key")


def write(path: Path, *records: AnyRecord) -> None:
    ledger = Ledger(path, NOW)
    ledger.apply(Journal(records), NOW)
    ledger.commit(NOW)
    ledger.close()


def built(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    write(path, IDENTITY, EpochRecord(7), build_order_record(), build_fill_record())
    write(path, build_order_record(state="LIVE"), EpochRecord(8))
    return path


@pytest.mark.req("EX-15")
def test_ledger_gives_back_what_was_written(tmp_path: Path) -> None:
    ledger = Ledger(built(tmp_path), NOW)
    opened = ledger.opened
    assert not ledger._database.in_transaction, "what is read at the start holds the log"
    ledger.close()
    assert opened.identity == IDENTITY
    assert opened.epoch == 8
    assert opened.orders == (build_order_record(state="LIVE"),)
    assert opened.fills == (build_fill_record(),)
    assert opened.fault == ""


def test_file_is_private(tmp_path: Path) -> None:
    assert built(tmp_path).stat().st_mode & 0o777 == 0o600


def test_settings_of_the_file_are_those_that_survive_a_power_cut(tmp_path: Path) -> None:
    ledger = Ledger(built(tmp_path), NOW)
    assert ledger._database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert ledger._database.execute("PRAGMA synchronous").fetchone() == (2,)
    ledger.close()


def test_closed_positions_of_long_ago_are_not_read_back(tmp_path: Path) -> None:
    path = built(tmp_path)
    fill = build_fill_record()
    payout = PayoutRecord(
        market=fill.market,
        token=fill.token,
        strategy=fill.strategy,
        account="main",
        payout_e4=PriceE4(0),
        size_e6=SizeE6(0),
        amount_e6=MoneyE6(0),
        cost_e6=MoneyE6(0),
        realised_e6=MoneyE6(0),
        updated_wall_ns=fill.updated_wall_ns,
    )
    write(path, payout, build_order_record(state="CANCELED"))
    later = Ledger(path, instant(3 * 86_400_000))
    assert later.opened.fills == ()
    assert later.opened.orders == ()
    assert later.opened.payouts == ()
    later.close()


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE events SET body = CAST(replace(body, '4900', '4800') AS BLOB) WHERE sequence = 3",
        "UPDATE events SET wall_ns = wall_ns + 1 WHERE sequence = 2",
        "DELETE FROM events WHERE sequence = 2",
        "DELETE FROM events WHERE sequence = 6",
        "UPDATE orders SET state = 'CANCELED'",
        "DELETE FROM fills",
        "UPDATE fills SET size_e6 = 1",
        "UPDATE meta SET value = '3' WHERE name = 'epoch'",
    ],
)
def test_any_change_by_another_hand_is_refused(tmp_path: Path, harm: str) -> None:
    path = built(tmp_path)
    with sqlite3.connect(path) as database:
        database.execute(harm)
    database.close()
    with pytest.raises(LedgerFault):
        Ledger(path, NOW)


def test_ledger_of_another_schema_is_refused(tmp_path: Path) -> None:
    path = built(tmp_path)
    with sqlite3.connect(path) as database:
        database.execute("UPDATE meta SET value = '0' WHERE name = 'schema_version'")
    database.close()
    with pytest.raises(LedgerFault, match="schema"):
        Ledger(path, NOW)


def test_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(LedgerFault):
        Ledger(path, NOW)


@pytest.mark.req("OP-12")
def test_turn_that_was_not_committed_is_gone_as_a_whole(tmp_path: Path) -> None:
    path = built(tmp_path)
    ledger = Ledger(path, NOW)
    ledger.apply(Journal((build_order_record(state="FILLED"), EpochRecord(9))), NOW)
    ledger.close()
    again = Ledger(path, NOW)
    assert again.opened.epoch == 8
    assert again.opened.orders[0].state == "LIVE"
    again.close()


@pytest.mark.req("TST-4")
def test_ledger_cut_at_every_page_of_its_log_is_old_or_new(tmp_path: Path) -> None:
    path = built(tmp_path)
    ledger = Ledger(path, NOW)
    for number in range(3):
        ledger.apply(Journal((EpochRecord(10 + number),)), NOW)
        ledger.commit(NOW)
    log = Path(f"{path}-wal").read_bytes()
    file = path.read_bytes()
    for index, cut in enumerate(range(0, len(log) + 1, 2_060)):
        crashed = tmp_path / f"crash{index}" / "ledger.db"
        crashed.parent.mkdir()
        crashed.write_bytes(file)
        Path(f"{crashed}-wal").write_bytes(log[:cut])
        reopened = Ledger(crashed, NOW)
        assert reopened.opened.epoch in (8, 10, 11, 12)
        reopened.close()
    ledger.close()
    shutil.rmtree(tmp_path / "crash0")


@pytest.mark.req("INV-2")
def test_failed_commit_says_so_and_the_chain_goes_on_from_the_disk(tmp_path: Path) -> None:
    path = built(tmp_path)
    ledger = Ledger(path, NOW)
    ledger.apply(Journal((EpochRecord(9),)), NOW)
    ledger._database.execute("PRAGMA max_page_count = 1")
    ledger._database.execute("ROLLBACK")  # as SQLite does by itself on a full disk
    with pytest.raises(CommitFailed):
        ledger.commit(NOW)
    ledger.apply(Journal((EpochRecord(10),)), NOW)
    ledger.commit(NOW)
    ledger.close()
    again = Ledger(path, NOW)
    assert again.opened.epoch == 10
    again.close()


class FailingConnection(sqlite3.Connection):
    """A database whose disk answers nothing while it fails."""

    fails = False

    def execute(self, *statement: Any) -> sqlite3.Cursor:
        if self.fails:
            raise sqlite3.OperationalError("disk I/O error")
        return super().execute(*statement)


@pytest.mark.req("INV-2")
def test_disk_that_cannot_even_be_read_after_a_failure_is_asked_again_later(tmp_path: Path) -> None:
    path = built(tmp_path)
    made: list[FailingConnection] = []

    def connect(path: Path) -> sqlite3.Connection:
        made.append(sqlite3.connect(path, isolation_level=None, factory=FailingConnection))
        return made[0]

    ledger = Ledger(path, NOW, connect)
    ledger.apply(Journal((EpochRecord(9),)), NOW)
    made[0].fails = True
    for _ in range(2):
        with pytest.raises(CommitFailed):
            ledger.apply(Journal((EpochRecord(10),)), NOW)
    made[0].fails = False
    ledger.apply(Journal((EpochRecord(11),)), NOW)
    ledger.commit(NOW)
    ledger.close()
    with closing(sqlite3.connect(path)) as database:
        assert prove(lambda: nullcontext(database)).events == 7
    again = Ledger(path, NOW)
    assert again.opened.epoch == 11
    again.close()


def test_anchor_waits_for_a_commit_without_a_post_but_not_for_long(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db", NOW)
    for number in range(ANCHOR_EVENTS_MAX - 1):
        ledger.apply(Journal((build_order_record(level=number % 5),)), NOW)
        ledger.commit(NOW)
    assert ledger._appender.anchor == 0
    ledger.apply(Journal((build_order_record(),)), NOW)
    ledger.commit(NOW)
    assert ledger._appender.anchor == ANCHOR_EVENTS_MAX + 1
    for number in range(ANCHOR_EVENTS):
        ledger.apply(Journal((EpochRecord(number),)), NOW)
        ledger.commit(NOW)
    assert ledger._appender.events_since_anchor == 0
    ledger.close()


def test_without_a_ledger_every_commit_fails() -> None:
    nothing = NoLedger("damaged")
    assert nothing.opened.fault == "damaged"
    with pytest.raises(CommitFailed):
        nothing.apply(Journal((EpochRecord(1),)), NOW)


def test_record_of_a_later_schema_is_refused(tmp_path: Path) -> None:
    path = built(tmp_path)
    with sqlite3.connect(path) as database:
        body = msgspec.json.encode({"type": "Later"})
        database.execute("UPDATE events SET body = ? WHERE sequence = 1", (body,))
    database.close()
    with pytest.raises(LedgerFault):
        Ledger(path, NOW)


def test_what_is_recent_and_what_an_anchor_retires_is_bounded() -> None:
    assert appending.RECENT_NS == 172_800_000_000_000
    assert appending.ORDERS_RECENT_MAX == 20_000
    assert (appending.ANCHOR_EVENTS, appending.RETIRED_MAX) == (256, 256)


def test_anchor_retires_orders_beyond_the_newest_that_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(appending, "ORDERS_RECENT_MAX", 2)
    ledger = Ledger(tmp_path / "ledger.db", NOW)
    for number in range(4):
        made_ns = WallNs(NOW.wall_ns + number)
        record = build_order_record(
            order_id=OrderHash(f"0x{number:064x}"), state="CANCELED", created_wall_ns=made_ns
        )
        ledger.apply(Journal((record,)), NOW)
    ledger._appender.append_anchor(NOW)
    ledger.commit(NOW)
    (body,) = ledger._database.execute(
        "SELECT body FROM events ORDER BY sequence DESC LIMIT 1"
    ).fetchone()
    ledger.close()
    anchor = decode_record(body)
    assert isinstance(anchor, AnchorRecord)
    assert NOW.wall_ns + 2 in [getattr(anchor, name) for name in anchor.__struct_fields__]
