"""One write a turn, in order, and an audit trail whose links hold."""

import pytest

from services.risk.messages import Persist, StoredState
from services.risk.writes import WAITING_MAX, Writes
from shared.risk_schema import (
    AuditEntry,
    AuditRow,
    EpochReserved,
    RiskRecord,
    chain,
    first_broken,
)
from shared.units import WallNs

ENTRY = AuditEntry("transition", "risk", "fence", "account", "", "epoch 1", "why")


def flushed(writes: Writes) -> Persist:
    (write,) = writes.flush()
    assert isinstance(write, Persist)
    return write


def trail(*records: RiskRecord) -> list[AuditRow]:
    return [record for record in records if isinstance(record, AuditRow)]


def test_records_of_a_turn_are_one_write_with_the_number_foretold() -> None:
    writes = Writes(StoredState())
    number = writes.next_id
    writes.audit(ENTRY, WallNs(1))
    writes.add(EpochReserved(5))
    write = flushed(writes)
    assert write.write_id == number
    assert len(write.records) == 2
    assert writes.flush() == []
    assert not writes.is_idle


def test_done_write_takes_all_before_it_along() -> None:
    writes = Writes(StoredState())
    for _ in range(3):
        writes.audit(ENTRY, WallNs(1))
        writes.flush()
    assert [write.write_id for write in writes.persisted(2)] == [1, 2]
    assert [write.write_id for write in writes.persisted(3)] == [3]
    assert writes.is_idle


@pytest.mark.req("OP-15")
def test_trail_goes_on_from_the_database_without_a_hole() -> None:
    last = chain(41, WallNs(1), ENTRY, b"\1" * 32)
    writes = Writes(StoredState(audit_sequence=41, audit_hash=last.hash))
    writes.audit(ENTRY, WallNs(2))
    first = flushed(writes)
    writes.audit(ENTRY, WallNs(3))
    rows = trail(*first.records, *flushed(writes).records)
    assert [row.sequence for row in rows] == [42, 43]
    assert first_broken(rows, last) is None


@pytest.mark.req("OP-15")
@pytest.mark.parametrize("spoiled", [0, 1, 2])
def test_row_changed_or_taken_out_breaks_the_chain(spoiled: int) -> None:
    writes = Writes(StoredState())
    for wall in range(3):
        writes.audit(ENTRY, WallNs(wall))
    rows = trail(*flushed(writes).records)
    assert first_broken(rows) is None
    row = rows[spoiled]
    forged = AuditRow(row.sequence, WallNs(99), row.entry, row.previous, row.hash)
    assert first_broken([*rows[:spoiled], forged, *rows[spoiled + 1 :]]) == row.sequence
    if spoiled < 2:
        assert first_broken([*rows[:spoiled], *rows[spoiled + 1 :]]) == rows[spoiled + 1].sequence


def test_disk_that_never_answers_costs_audit_entries_and_no_latch() -> None:
    writes = Writes(StoredState())
    for _ in range(WAITING_MAX):
        writes.audit(ENTRY, WallNs(1))
        writes.flush()
    writes.audit(ENTRY, WallNs(1))
    writes.add(EpochReserved(1))
    assert flushed(writes).records == (EpochReserved(1),)
    assert writes.dropped == 1
