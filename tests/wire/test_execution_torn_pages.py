"""A ledger whose pages were damaged is refused, or gives what it held: never anything else."""

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from bus.audit import LedgerAudit
from bus.ledger_proof import Proven
from services.execution.ledger.fault import LedgerFault
from services.execution.ledger.ledger import Ledger
from services.execution.startup import OpenedLedger
from shared.ledger_schema import LEDGER_FILE
from shared.units import Instant
from tests.builders.ledger_history import write_history

PAGE = 4_096
ORDERS = 60
CONTENT = (
    "SELECT * FROM events ORDER BY sequence",
    "SELECT * FROM orders ORDER BY order_id",
    "SELECT * FROM fills ORDER BY trade_id, order_id",
    "SELECT * FROM meta ORDER BY name",
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Instant]:
    path = tmp_path_factory.mktemp("sound") / LEDGER_FILE
    end = write_history(path, ORDERS)
    return path.read_bytes(), end


def content(path: Path) -> list[object]:
    with closing(sqlite3.connect(path)) as database:
        return [database.execute(query).fetchall() for query in CONTENT]


def opened_or_refused(path: Path, now: Instant) -> OpenedLedger | None:
    try:
        ledger = Ledger(path, now)
    except LedgerFault:
        return None
    ledger.close()
    return ledger.opened


@pytest.mark.req("TST-4")
@pytest.mark.parametrize("harm", ["a bit", "a sector of zeros", "a sector of another page"])
def test_damaged_page_is_refused_or_does_not_matter(
    sound: tuple[bytes, Instant], tmp_path: Path, harm: str
) -> None:
    file, now = sound
    chance = random.Random(harm)
    path = tmp_path / "at" / LEDGER_FILE
    refused = unproven = 0
    pages = len(file) // PAGE
    (tmp_path / "whole").mkdir()
    whole = tmp_path / "whole" / LEDGER_FILE
    whole.write_bytes(file)
    expected, rows = opened_or_refused(whole, now), content(whole)
    assert expected is not None
    for page in range(pages):
        damaged = bytearray(file)
        sector = page * PAGE + chance.randrange(8) * 512
        if harm == "a bit":
            damaged[chance.randrange(page * PAGE, (page + 1) * PAGE)] ^= 1 << chance.randrange(8)
        elif harm == "a sector of zeros":
            damaged[sector : sector + 512] = bytes(512)
        else:
            other = chance.randrange(pages) * PAGE + sector % PAGE
            damaged[sector : sector + 512] = file[other : other + 512]
        shutil.rmtree(path.parent, ignore_errors=True)
        path.parent.mkdir()
        path.write_bytes(damaged)
        found = LedgerAudit(path).prove()
        if isinstance(found, Proven):
            assert content(path) == rows, f"page {page}: proven, and not what was written"
        else:
            unproven += 1
        opened = opened_or_refused(path, now)
        if opened is None:
            refused += 1
            continue
        assert msgspec.structs.asdict(opened) == msgspec.structs.asdict(expected), f"page {page}"
    assert pages // 10 < refused <= pages
    assert unproven >= refused // 2
