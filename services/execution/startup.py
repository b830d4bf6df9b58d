"""Starting and recovering are one path: nothing is placed before all of it is proven.

In order: key and credentials are there; the ledger belongs to them; cancel-all is
answered and zero proven by two reads; trades since the last one known are counted; no order
of an earlier run is in doubt; the balance of every token of the open markets agrees with
what trades make, or what differs was adopted. Each stage is waited for inside, saying why;
the process never ends in order to wait.
"""

from collections.abc import Iterable

import msgspec

from services.execution.lifecycle import Order
from services.execution.messages import IdentityFound
from shared.facts import StartStage
from shared.ledger_schema import FillRecord, IdentityRecord, OrderRecord, PayoutRecord
from shared.units import Instant, MonotonicNs


class OpenedLedger(msgspec.Struct, frozen=True):
    """What a verified ledger says at start.

    Attributes:
        identity: Whose it is; None for a new one.
        epoch: Newest epoch that it holds.
        orders: All that are not terminal, and recent ones.
        fills: Legs of positions that are open or were closed recently.
        payouts: Of the last two days, and of those fills.
        fault: Why nothing may be placed on it; empty when it is sound.
    """

    identity: IdentityRecord | None = None
    epoch: int = 0
    orders: tuple[OrderRecord, ...] = ()
    fills: tuple[FillRecord, ...] = ()
    payouts: tuple[PayoutRecord, ...] = ()
    fault: str = ""


class Startup:
    """How far the start is.

    Attributes:
        has_identity: Whether key and credentials were found and fit the ledger.
        is_zero: Whether zero has been proven once.
        has_trades: Whether trades were read after it.
        has_positions: Whether every balance was read and agrees with what trades make.
    """

    def __init__(self, ledger: OpenedLedger) -> None:
        """Begin with what the ledger says."""
        self._ledger = ledger
        self.identity: IdentityRecord | None = None
        self._found: IdentityFound | None = None
        self._missing = "waits for key and credentials"
        self._misfit = ""
        self.is_zero = False
        self.has_trades = False
        self.has_positions = False
        self._is_proven = False
        self._reached_ns: dict[str, MonotonicNs] = {}
        self._waiting_ns: dict[str, MonotonicNs] = {}

    @property
    def has_ledger(self) -> bool:
        """Whether the ledger could be opened and agrees with itself."""
        return not self._ledger.fault

    @property
    def is_proven(self) -> bool:
        """Whether every stage was reached."""
        return self._is_proven

    def find(self, found: IdentityFound) -> None:
        """Take key and credentials."""
        self._found = found

    def miss(self, reason: str) -> None:
        """Take why there is no key or no credentials."""
        self._missing = reason

    def admit(self, exposed: Iterable[Order], now: Instant) -> IdentityRecord | None:
        """Return the identity once it fits the ledger; None while it does not, or is known.

        Another key of the same wallet is admitted when every order of the old one is past the
        time at which the venue drops it by itself: it cannot be asked for with the new key.
        """
        found = self._found
        if found is None or self.identity is not None:
            return None
        wished = IdentityRecord(found.account, found.wallet, found.api_key_id)
        known = self._ledger.identity
        if known is not None and (known.account, known.wallet) != (wished.account, wished.wallet):
            self._misfit = f"the ledger belongs to {known.account} {known.wallet}"
            return None
        foreign = [o for o in exposed if o.record.api_key_id != wished.api_key_id]
        waiting = [o for o in foreign if now.boot_ns < o.expires_ns]
        if waiting:
            self._misfit = f"{len(waiting)} orders of another API key have not expired"
            return None
        self._misfit = ""
        self.identity = wished
        return wished

    def missing(self, in_doubt: int, zero: str, positions: str, approvals: str) -> str:
        """Say what the start still waits for; empty once it is proven, for good.

        Args:
            in_doubt: Orders of an earlier run whose fate is not known.
            zero: What the proof of zero waits for.
            positions: What the comparison of positions waits for.
            approvals: Why balance and approvals are not known; empty when they are.
        """
        if self._is_proven:
            return ""
        for _, why in self._waits(in_doubt, zero, positions, approvals):
            if why:
                return why
        self._is_proven = True
        return ""

    def stages(
        self, in_doubt: int, zero: str, positions: str, approvals: str, now: Instant
    ) -> tuple[StartStage, ...]:
        """Return every stage as it stands now; a stage that was reached stays reached.

        Args: as of `missing`, and the present moment.
        """
        shown: list[StartStage] = []
        is_next = True
        for name, why in self._waits(in_doubt, zero, positions, approvals):
            if name in self._reached_ns or (is_next and not why):
                reached_ns = self._reached_ns.setdefault(name, now.monotonic_ns)
                shown.append(StartStage(name, "done", "", reached_ns))
                continue
            if is_next:
                since_ns = self._waiting_ns.setdefault(name, now.monotonic_ns)
                shown.append(StartStage(name, "waits", why, since_ns))
            else:
                shown.append(StartStage(name, "later", "", None))
            is_next = False
        return tuple(shown)

    def _waits(
        self, in_doubt: int, zero: str, positions: str, approvals: str
    ) -> tuple[tuple[str, str], ...]:
        """Return each stage in its order and what it waits for, empty for nothing."""
        fault = self._ledger.fault
        doubts = f"{in_doubt} orders of an earlier run in doubt" if in_doubt else ""
        return (
            ("ledger", f"ledger: {fault}" if fault else ""),
            ("identity", "" if self.identity is not None else self._misfit or self._missing),
            ("zero", "" if self.is_zero else f"zero: {zero}"),
            ("trades", "" if self.has_trades else "trades since the last run"),
            ("doubts", doubts),
            ("positions", "" if self.has_positions else f"positions: {positions}"),
            ("approvals", f"approvals: {approvals}" if approvals else ""),
        )
