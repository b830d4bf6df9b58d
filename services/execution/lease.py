"""What risk orders and grants, as the newest ping says it, and until when it may be used.

The lease runs from our own asking and never from receipt: counted from receipt, a process
that was stopped took a queue of stale pings for as many fresh leases. An echo for another
incarnation or of an older epoch grants nothing, and a whole ping of an older epoch is void.
"""

from typing import Final

import msgspec

from shared.control import Lease, Ping, ScopeKind, ScopeOrder
from shared.facts import MarketInfo
from shared.identifiers import Incarnation, StrategyName
from shared.level import Level
from shared.reducing import reduces
from shared.trading_state import TradingState
from shared.units import NS_PER_MS, BootNs, Instant

SCOPES_MAX: Final = 1_024
"""More scopes than markets, tokens, assets and strategies that can be traded at once."""


class Heard(msgspec.Struct, frozen=True):
    """What a ping changed.

    Attributes:
        epoch_grew: Orders of an older epoch may neither be sent nor stay.
        fence_is_new: A fence that was not answered before.
        scopes: Scope orders whose generation has not been carried out.
    """

    epoch_grew: bool = False
    fence_is_new: bool = False
    scopes: tuple[ScopeOrder, ...] = ()


class Standing:
    """Epoch, lease and trading states. Holds no order and decides no cancel.

    Attributes:
        epoch: Newest that was received, or that the ledger holds.
        until_ns: End of the lease by CLOCK_BOOTTIME; 0 without one.
        lease_state: What the lease grants.
        heard_ns: When the newest valid ping came; 0 before the first.
        trading_state: Account-wide order of the newest ping.
        level: Of degradation, of the newest ping.
        fence_id: Newest fence; not over while it equals the epoch.
        scopes: Every scope that the newest ping names.
        capital_usd: Step of the ramp; None while risk has not said.
        carried: Newest generation carried out of each scope.
    """

    def __init__(self, incarnation: Incarnation, lease_ms: int, ledger_epoch: int) -> None:
        """Begin without a lease, at the epoch that the ledger holds."""
        self._incarnation = incarnation
        self._lease_ns = lease_ms * NS_PER_MS
        self._asked_ns = BootNs(0)
        self.epoch = ledger_epoch
        self.until_ns = BootNs(0)
        self.lease_state: TradingState = "PAUSED"
        self.heard_ns = BootNs(0)
        self.risk_incarnation = Incarnation(0)
        self.trading_state: TradingState = "PAUSED"
        self.reasons: tuple[str, ...] = ("risk has not spoken",)
        self.level: Level = "NORMAL"
        self.fence_id = 0
        self.fence_reason = ""
        self.capital_usd: int | None = None
        self.scopes: dict[tuple[ScopeKind, str], ScopeOrder] = {}
        self.carried: dict[tuple[ScopeKind, str], int] = {}

    def hear(self, ping: Ping, now: Instant) -> Heard:
        """Take a ping in; one of an older epoch changes nothing."""
        if ping.epoch < self.epoch:
            return Heard()
        epoch_grew = ping.epoch > self.epoch
        if epoch_grew:
            self.epoch = ping.epoch
            self.drop_lease()
        known = (self.risk_incarnation, self.fence_id)
        fence_is_new = ping.fence_id > 0 and (ping.risk_incarnation, ping.fence_id) != known
        if ping.risk_incarnation != self.risk_incarnation:
            # Generations count anew with each risk; a new one always brings a new epoch.
            self.carried.clear()
        self.risk_incarnation = ping.risk_incarnation
        self.fence_id = ping.fence_id
        self.fence_reason = ping.fence_reason
        self.heard_ns = now.boot_ns
        self.trading_state = ping.trading_state
        self.reasons = ping.reasons
        self.capital_usd = ping.capital_usd
        self.level = ping.level
        self.scopes = {(scope.kind, scope.scope_id): scope for scope in ping.scopes[:SCOPES_MAX]}
        if ping.lease is not None:
            self._take(ping.lease, now)
        waiting = tuple(
            scope
            for key, scope in self.scopes.items()
            if scope.generation > self.carried.get(key, 0)
        )
        return Heard(epoch_grew, fence_is_new, waiting)

    def reduces(self, strategy: StrategyName, info: MarketInfo) -> bool:
        """Tell whether a strategy's position in a market is to be closed, and nothing else."""
        return reduces(self.trading_state, self.scopes.values(), strategy, info)

    def drop_lease(self) -> None:
        """Forget the lease; only a newer echo brings another."""
        self.until_ns = BootNs(0)
        self.lease_state = "PAUSED"

    def carry_out(self, scope: ScopeOrder) -> None:
        """Note that a scope's generation has been carried out: its cancels are on their way."""
        if len(self.carried) >= SCOPES_MAX:
            self.carried.pop(next(iter(self.carried)))
        self.carried[(scope.kind, scope.scope_id)] = scope.generation

    def is_leased(self, now: Instant) -> bool:
        """Tell whether the lease runs at this moment."""
        return now.boot_ns < self.until_ns

    @property
    def is_fenced(self) -> bool:
        """Whether the newest fence is not over."""
        return self.fence_id != 0 and self.fence_id == self.epoch

    def _take(self, lease: Lease, now: Instant) -> None:
        """Use an echo of our own ask, if it is of this run, of this epoch and not from ahead."""
        if lease.incarnation != self._incarnation or lease.epoch != self.epoch:
            return
        if lease.asked_ns > now.boot_ns or lease.asked_ns <= self._asked_ns:
            return
        if lease.state not in ("ACTIVE", "REDUCING"):
            return
        self._asked_ns = lease.asked_ns
        granted_ns = min(lease.lease_ms * NS_PER_MS, self._lease_ns)
        self.until_ns = BootNs(lease.asked_ns + granted_ns)
        self.lease_state = lease.state
