"""Trades of ours as the venue's log tells them: which there must never be, and how many orders.

Judges what matched, whatever execution makes of it: a quote that took, two of our orders in one
trade, and more orders in the market than cancels could take out at once.
"""

from typing import Literal

from ops.simulation.checkers import Findings, LedgerTruth, VenueTruth
from shared.identifiers import OrderHash

Role = Literal["MAKER", "TAKER"]

MAKERS = ("quote",)
"""Purposes of orders that only ever make."""

TRADES_KEPT = 1_000
"""Trades whose other side is remembered: both are told in one turn of the venue."""


class OwnTradeChecker:
    """INV-12 and EX-26: a quote never takes, and no order of ours meets another."""

    def __init__(self, findings: Findings, ledger: LedgerTruth) -> None:
        self._findings = findings
        self._ledger = ledger
        self._roles: dict[str, str] = {}

    def filled(self, trade_id: str, order_id: OrderHash, role: str) -> None:
        """Judge our part of a trade as it is matched."""
        row = self._ledger.intent(order_id)
        if role == "TAKER" and row is not None and row.purpose in MAKERS:
            self._findings.add("INV-12", f"{order_id} is a {row.purpose} and has taken")
        other = self._roles.setdefault(trade_id, role)
        if other != role:
            self._findings.add("EX-26", f"{order_id} has traded with our own in {trade_id}")
        if len(self._roles) > TRADES_KEPT:
            self._roles.pop(next(iter(self._roles)))


class CountChecker:
    """EX-24: never more in the market than the limit that cancels can take out."""

    def __init__(self, findings: Findings, orders_max: int) -> None:
        self._findings = findings
        self._orders_max = orders_max

    def judge_venue(self, venue: VenueTruth) -> None:
        """Judge how many orders of ours are live."""
        count = len(venue.open_ids())
        if count > self._orders_max:
            self._findings.add("EX-24", f"{count} orders are live, {self._orders_max} may be")
