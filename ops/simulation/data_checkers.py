"""DQ-1 to DQ-6 from outside: nothing new is bought on a price that state finds wrong."""

from typing import Protocol

from ops.simulation.checkers import Findings, Intent
from shared.facts import StateQuality, StateView
from shared.identifiers import OrderHash
from shared.units import NS_PER_MS, NS_PER_S, Instant

OBEYED_NS_MAX = 2 * NS_PER_S
"""From state's word to the last order that did not know of it: three of five samples of risk, a
ping that may be lost a few times, and the second after which risk fences who has not carried it
out."""


class Intents(Protocol):
    """Knows what an order is for."""

    def intent(self, order_id: OrderHash) -> Intent | None:
        """Return the row of an order, None when there is none."""
        ...


class DataChecker:
    """Follows which assets state says to be wrong, and judges what is bought."""

    def __init__(self, findings: Findings, ledger: Intents) -> None:
        """Begin with nothing wrong."""
        self._findings = findings
        self._ledger = ledger
        self._assets: set[str] = set()
        self._blocked_ns: dict[str, int] = {}

    def told(self, word: StateView | StateQuality, now: Instant) -> None:
        """Take state's word: which assets there are, and which of them are wrong."""
        if isinstance(word, StateView):
            self._assets.update(market.asset for market in word.markets)
            return
        blocked = {found.asset for found in word.findings if found.blocks}
        for asset in tuple(self._blocked_ns):
            if asset not in blocked:
                del self._blocked_ns[asset]
        for asset in blocked:
            self._blocked_ns.setdefault(asset, now.boot_ns)

    def posted(self, order_id: OrderHash, now: Instant) -> None:
        """Judge the first byte of an order; one asset that is right may be the one it is for."""
        if not self._assets or self._assets - self._blocked_ns.keys():
            return
        blocked_ns = now.boot_ns - max(self._blocked_ns[asset] for asset in self._assets)
        row = self._ledger.intent(order_id)
        if blocked_ns > OBEYED_NS_MAX and row is not None and row.side == "BUY":
            since_ms = blocked_ns // NS_PER_MS
            self._findings.add("DQ-1", f"{order_id} buys {since_ms} ms after its price was wrong")
