"""A start takes no longer after a million orders than after some thousands.

`make test` writes a small history, `make ledger-million` the whole one.
"""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, nullcontext
from pathlib import Path

import pytest

from bus.ledger_proof import Broken, prove
from services.execution.ledger.appending import ANCHOR_EVENTS, ORDERS_RECENT_MAX
from services.execution.ledger.fault import LedgerFault
from services.execution.ledger.ledger import Ledger
from shared.ledger_schema import LEDGER_FILE
from shared.units import Instant
from tests.builders.ledger_history import ORDERS_PER_WINDOW, write_history

ORDERS = int(os.environ.get("INTERLOCK_LEDGER_ORDERS", "3000"))

OPEN_S_MAX = 2.0
"""Of CPU, for a start after any history: beside other tests the clock tells of them."""

GROWN_MIB_MAX = 200
"""Of a start: the working set as rows and as records, and the file's pages in memory."""

OPENING = """
import json, resource, sys, time
from pathlib import Path
from services.execution.ledger.ledger import Ledger
from shared.units import Instant
before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
now = Instant(*json.loads(sys.argv[2]))
began_s, began_cpu_s = time.perf_counter(), time.process_time()
opened = Ledger(Path(sys.argv[1]), now).opened
took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib
print(json.dumps([took_s, cpu_s, grown_kib / 1024, len(opened.orders), len(opened.fills)]))
"""


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Instant]:
    path = tmp_path_factory.mktemp("long") / LEDGER_FILE
    return path, write_history(path, ORDERS)


@pytest.fixture(scope="module")
def short_history(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Instant]:
    path = tmp_path_factory.mktemp("short") / LEDGER_FILE
    return path, write_history(path, 300)


@pytest.mark.req("OP-13")
@pytest.mark.timeout(3_600)
def test_start_is_quick_and_small_after_any_history(history: tuple[Path, Instant]) -> None:
    path, end = history
    instant = json.dumps([end.boot_ns, end.monotonic_ns, end.wall_ns])
    ran = subprocess.run(
        [sys.executable, "-c", OPENING, str(path), instant],
        capture_output=True,
        text=True,
        check=True,
    )
    took_s, cpu_s, grown_mib, orders, fills = json.loads(ran.stdout)
    with closing(sqlite3.connect(path)) as database:
        events = database.execute("SELECT max(sequence) FROM events").fetchone()[0]
    sys.stdout.write(
        f"{ORDERS} orders, {events} events, {path.stat().st_size >> 20} MiB: opened in"
        f" {took_s:.2f} s ({cpu_s:.2f} s of CPU), {grown_mib:.0f} MiB,"
        f" {orders} orders and {fills} fills in memory\n"
    )
    assert cpu_s < OPEN_S_MAX
    assert grown_mib < GROWN_MIB_MAX
    assert orders <= 2 * ORDERS_RECENT_MAX


@pytest.mark.req("OP-12")
@pytest.mark.timeout(3_600)
def test_whole_history_is_proven_from_the_first_event(history: tuple[Path, Instant]) -> None:
    path, _ = history
    with closing(sqlite3.connect(path)) as database:
        proven = prove(lambda: nullcontext(database))
    sys.stdout.write(f"{proven}\n")
    assert proven.rows["orders"] == ORDERS
    assert proven.rows["payouts"] == -(-ORDERS // ORDERS_PER_WINDOW)
    assert proven.anchors >= proven.events // (ANCHOR_EVENTS + 4)
    assert 0 < proven.working["orders"] < ORDERS


@pytest.mark.timeout(3_600)
def test_change_before_the_anchor_is_found_by_the_whole_proof(
    history: tuple[Path, Instant],
) -> None:
    """A start does not read that far back; nothing that it works with is touched."""
    path, end = history
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        was = database.execute("SELECT body FROM events WHERE sequence = 9").fetchone()
        database.execute("UPDATE events SET body = CAST(body || ' ' AS BLOB) WHERE sequence = 9")
        Ledger(path, end).close()
        with pytest.raises(Broken, match="not what was written") as broken:
            prove(lambda: nullcontext(database))
        assert broken.value.sequence == 9
        assert "OrderRecord" in broken.value.says
        database.execute("UPDATE events SET body = ? WHERE sequence = 9", was)


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE events SET state = x'' WHERE sequence = (SELECT max(sequence) FROM events)",
        "DELETE FROM events WHERE sequence = (SELECT max(sequence) FROM events)",
        "DELETE FROM events WHERE sequence = (SELECT max(sequence) - 3 FROM events)",
        "UPDATE meta SET value = value - 1 WHERE name = 'anchor'",
        "UPDATE meta SET value = value + 100000000 WHERE name = 'anchor'",
        "DELETE FROM events WHERE sequence = (SELECT value FROM meta WHERE name = 'anchor')",
        "UPDATE fills SET fee_e6 = 1 WHERE retired = 0",
        "UPDATE orders SET retired = 1 WHERE retired = 0",
        "DELETE FROM payouts WHERE retired = 0",
        "UPDATE meta SET value = '9' WHERE name = 'account'",
    ],
)
def test_start_finds_what_does_not_fit_its_anchor(
    short_history: tuple[Path, Instant], tmp_path: Path, harm: str
) -> None:
    whole, end = short_history
    path = tmp_path / LEDGER_FILE
    shutil.copy(whole, path)
    Ledger(path, end).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("BEGIN")
        assert database.execute(harm).rowcount
        database.execute("COMMIT")
    with pytest.raises(LedgerFault):
        Ledger(path, end)
