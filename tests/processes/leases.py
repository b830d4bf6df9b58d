"""Each order at the venue's doorway against the ledger's row of it: which lease, which epoch.

The doorway's stamp is the kernel's, the row's times are those that execution read: one clock,
CLOCK_REALTIME of one machine, so that nothing between them needs to be estimated.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from bus.ledger_reader import LedgerReader, Rows
from shared.ledger_schema import LEDGER_FILE, EpochRecord, OrderRecord, decode_record
from shared.proof import LEASE_OVER_MARGIN_NS
from shared.units import NS_PER_MS
from tests.processes.doorway import Request

HOP_NS_MAX = LEASE_OVER_MARGIN_NS
"""From the clock reading before a write to the packet in the kernel of the venue: the 50 ms that
the proof of zero itself allows for it. The way over loopback takes 0.03 of them; the rest is for
a scheduler that lets others run in between. No order is excused for more."""

EPOCHS = "SELECT wall_ns, body FROM events WHERE body LIKE '%EpochRecord%' ORDER BY sequence"


def orders_by_salt(data: Path) -> dict[int, OrderRecord]:
    """Return the ledger's orders by the salt that travels with each."""
    rows = LedgerReader(data / LEDGER_FILE).orders()
    assert isinstance(rows, Rows), f"the ledger cannot be read: {rows}"
    return {row.salt: row for row in rows.rows}


def epochs_heard(data: Path) -> list[tuple[int, int]]:
    """Return (wall time, epoch) of every epoch that execution has journaled, oldest first."""
    location = f"{(data / LEDGER_FILE).as_uri()}?mode=ro"
    with closing(sqlite3.connect(location, uri=True)) as database:
        events = database.execute(EPOCHS).fetchall()
    heard = [(wall_ns, decode_record(body)) for wall_ns, body in events]
    return [(wall_ns, one.epoch) for wall_ns, one in heard if isinstance(one, EpochRecord)]


def faults_of(orders: Iterable[Request], data: Path) -> list[str]:
    """Return what is wrong with orders that came: each has a row, a live lease, and its epoch.

    Args:
        orders: Posts as they came to the doorway.
        data: Directory of the ledger.
    """
    rows, heard = orders_by_salt(data), epochs_heard(data)
    faults: list[str] = []
    for request in orders:
        for salt in request.salts:
            row = rows.get(salt)
            if row is None:
                faults.append(f"port {request.port}: came without an intent in the ledger")
            else:
                faults += _faults_of_one(request, row, heard)
    return faults


def _faults_of_one(request: Request, row: OrderRecord, heard: list[tuple[int, int]]) -> list[str]:
    faults: list[str] = []
    at_ns = request.arrived_wall_ns - HOP_NS_MAX
    if row.created_wall_ns > request.arrived_wall_ns:
        faults.append(f"{row.order_id}: came before it was decided")
    if at_ns > row.lease_until_wall_ns:
        late_ms = (request.arrived_wall_ns - row.lease_until_wall_ns) / NS_PER_MS
        faults.append(f"{row.order_id}: came {late_ms:.1f} ms after its lease")
    newer = [epoch for wall_ns, epoch in heard if wall_ns < at_ns and epoch > row.epoch]
    if newer:
        faults.append(f"{row.order_id}: came under epoch {row.epoch} after {newer[0]}")
    return faults
