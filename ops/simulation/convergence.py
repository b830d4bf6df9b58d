"""INV-7 and INV-8 at the end of a run: what the ledger says is what the venue has done.

Judged after a quiet time longer than a reconciliation period, and only of what has not
changed just now: a cancel on its way is no disagreement.
"""

import sqlite3
from pathlib import Path

from ops.simulation.checkers import Findings
from ops.simulation.venue import SimulatedVenue
from shared.facts import RiskStatus
from shared.ledger_schema import LEDGER_FILE
from shared.switches import BREAKER_COUNT, DAILY_LOSS, LOSS_LIMIT, STRATEGY_PERFORMANCE
from shared.units import NS_PER_S, Instant

SETTLED_NS = 3 * NS_PER_S
"""A row younger than this, or one that the venue changed since, may be on its way to change."""

PAID_OUT_MS = 6_000
"""From a resolution until execution has written the payout: discovery asks each second."""

FOR_THE_DAY = (LOSS_LIMIT.name, DAILY_LOSS.name, STRATEGY_PERFORMANCE.name, BREAKER_COUNT.name)
"""Switches whose condition holds until the day is over."""

RESTING = ("LIVE", "PARTLY_FILLED")


def judge_end(directory: Path, venue: SimulatedVenue, now: Instant, findings: Findings) -> None:
    """Compare ledger and venue, order by order and fill by fill."""
    path = directory / LEDGER_FILE
    if not path.exists():
        findings.add("INV-7", "there is no ledger")
        return
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        _judge_orders(connection, venue, now, findings)
        _judge_fills(connection, venue, now, findings)
        _judge_positions(connection, venue, now, findings)
    finally:
        connection.close()


def judge_recovery(status: RiskStatus | None, findings: Findings) -> None:
    """L1: nothing has gone wrong for a while and nothing is latched, so trading is possible.

    A loss stays lost for the day, so that no operator can clear what it has latched.
    """
    if status is not None and any(switch.name in FOR_THE_DAY for switch in status.switches):
        return
    if status is None or status.trading_state != "ACTIVE":
        reasons = "risk has said nothing" if status is None else "; ".join(status.reasons)
        findings.add("L1", f"no trading at the end of a quiet time: {reasons}")


def _judge_orders(
    connection: sqlite3.Connection, venue: SimulatedVenue, now: Instant, findings: Findings
) -> None:
    open_ids = dict.fromkeys(venue.open_ids())
    rows = connection.execute("SELECT order_id, state, filled_e6, updated_wall_ns FROM orders")
    for order_id, state, filled_e6, updated_wall_ns in rows:
        changed_wall_ns = max(updated_wall_ns, venue.changed_wall_ns(order_id))
        if now.wall_ns - changed_wall_ns < SETTLED_NS:
            continue
        if state in RESTING and order_id not in open_ids:
            findings.add("INV-7", f"{order_id} is {state} in the ledger and not at the venue")
        if state in ("INTENDED", "SUBMITTED", "UNKNOWN"):
            findings.add("INV-7", f"{order_id} is still {state}")
        if state not in RESTING and order_id in open_ids:
            findings.add("INV-7", f"{order_id} is {state} in the ledger and live at the venue")
        matched = venue.filled_e6(order_id)
        if matched is not None and matched != filled_e6:
            findings.add("INV-7", f"{order_id} filled {filled_e6}, the venue matched {matched}")


def _judge_fills(
    connection: sqlite3.Connection, venue: SimulatedVenue, now: Instant, findings: Findings
) -> None:
    rows = connection.execute(
        "SELECT order_id, SUM(size_e6), MAX(updated_wall_ns) FROM fills GROUP BY order_id"
    )
    for order_id, counted_e6, updated_wall_ns in rows:
        if now.wall_ns - updated_wall_ns < SETTLED_NS:
            continue
        matched = venue.filled_e6(order_id)
        if matched is not None and matched != counted_e6:
            findings.add("INV-8", f"{order_id} counts {counted_e6}, the venue matched {matched}")


def _judge_positions(
    connection: sqlite3.Connection, venue: SimulatedVenue, now: Instant, findings: Findings
) -> None:
    """Compare shares, all trades being settled by now; a resolved market is paid out."""
    rows = connection.execute(
        "SELECT token, SUM(CASE side WHEN 'BUY' THEN size_e6 ELSE -size_e6 END) FROM fills "
        "WHERE settlement <> 'FAILED' AND token NOT IN (SELECT token FROM payouts) GROUP BY token"
    )
    for token, held_e6 in rows:
        resolved_ms = venue.resolved_ms(token)
        if resolved_ms is not None:
            # The venue has paid; execution hears of it with the next calendar.
            if now.wall_ms - resolved_ms > PAID_OUT_MS and held_e6:
                findings.add("INV-7", f"token {token}: {held_e6} held in a resolved market")
            continue
        balance_e6 = venue.balance_e6(token)
        if balance_e6 != held_e6:
            findings.add("INV-7", f"token {token}: {held_e6} held, {balance_e6} at the venue")
