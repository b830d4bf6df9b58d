"""The authority: epoch, lease, fence, latches and scopes as one present order.

Everything that a ping repeats is made here, so that no two pings of one moment differ. Trading
is a fact of its own: it begins with an epoch newer than the fence, and ends with a fence.
Decides neither when to fence nor when to resume (`core.py`).
"""

from services.risk.earlier_key import EarlierKey
from services.risk.epoch import EpochCounter
from services.risk.fence import Fence, FenceTiming
from services.risk.latches import Latches
from services.risk.lease import LeaseGrantor
from services.risk.liveness import Run
from services.risk.messages import StoredState
from services.risk.scopes import Scopes
from shared.config import TimingSettings
from shared.control import Ping
from shared.identifiers import Incarnation
from shared.level import Level
from shared.proof import LEASE_OVER_MARGIN_NS, orders_over_ns
from shared.risk_schema import KeyUsed, LatchRow
from shared.switches import BY_NAME
from shared.topics import EXECUTION
from shared.trading_state import TradingState, worst
from shared.units import NS_PER_MS, BootNs

GENERATIONS_PER_EPOCH = 1_000_000
"""Generations of one run stand above those of every run before it: each run starts with the
epochs that were reserved, and makes fewer pauses than this for each of them."""


def latched_state(row: LatchRow) -> TradingState:
    """Return the state that a latch puts its scope into.

    HALTED for a row no table knows, and for a pause that has become a latch.
    """
    switch = BY_NAME.get(row.name)
    return "HALTED" if switch is None or switch.kind == "pause" else switch.state


class Authority:
    """The present order.

    Attributes:
        fence: Newest fence; None before the first.
        trading: Whether asks are granted: zero was proven, and recovery validated.
        level: Of degradation, which every ping repeats.
        reducing: Whether a pause lets positions be closed and nothing else.
        pings: How many pings there were: the number of the newest.
    """

    def __init__(
        self,
        timing: TimingSettings,
        incarnation: Incarnation,
        stored: StoredState,
        now_ns: BootNs,
        mode: str = "simulation",
    ) -> None:
        self.epochs = EpochCounter(stored.used_max, stored.reserved)
        self.grantor = LeaseGrantor(timing.lease_ms, timing.lease_ms * NS_PER_MS, now_ns)
        last_ns = BootNs(self.grantor.granted_until_ns + LEASE_OVER_MARGIN_NS)
        over_ns = orders_over_ns(last_ns, timing.late_order_margin_ms * NS_PER_MS)
        self.earlier_key = EarlierKey(stored.api_key, over_ns, real_money=mode == "live")
        self.latches = Latches(stored.latches, stored.latch_version)
        self.scopes = Scopes(stored.used_max * GENERATIONS_PER_EPOCH)
        self.fence: Fence | None = None
        self.trading = False
        self.reducing = False
        self.level: Level = "NORMAL"
        self._incarnation = incarnation
        self.pings = 0
        self._timing = FenceTiming(
            timing.blocked_ms * NS_PER_MS,
            timing.read_gap_ms * NS_PER_MS,
            timing.late_order_margin_ms * NS_PER_MS,
            timing.socket_timeout_ms * NS_PER_MS,
        )

    @property
    def present_fence(self) -> Fence:
        """Return the newest fence; the first turn makes the first one."""
        assert self.fence is not None, "the first turn fences"
        return self.fence

    def begin_fence(self, reason: str, executions: tuple[Run, ...], now_ns: BootNs) -> Fence:
        """Take a new epoch and end trading under it.

        Args:
            reason: For people.
            executions: Every run of execution known, those that have exited included.
            now_ns: Of the decision.
        """
        self.trading = False
        self.fence = fence = Fence(
            self.epochs.take(),
            reason,
            now_ns,
            risk_incarnation=self._incarnation,
            executions=tuple(run.peer.incarnation for run in executions),
            granted_until_ns=self.grantor.granted_until_ns,
            timing=self._timing,
            other_key_over_ns=self.earlier_key.over_ns,
        )
        for run in executions:
            if run.exited_ns:
                fence.exited(run.peer.incarnation, now_ns)
        return fence

    def key_found(self, api_key: str) -> tuple[KeyUsed, ...]:
        """Take our own API key; return what is to be written down for it."""
        records = self.earlier_key.found(api_key)
        self.present_fence.other_key_over(self.earlier_key.over_ns)
        return records

    def key_written(self, record: KeyUsed) -> None:
        """Take what is on disk of the API key."""
        self.earlier_key.written(record)
        self.present_fence.other_key_over(self.earlier_key.over_ns)

    def begin_trading(self) -> int:
        """Take the epoch that is newer than the fence, and grant from now on."""
        assert self.present_fence.is_zero, "nothing trades before zero is proven"
        self.trading = True
        return self.epochs.take()

    def account_latches(self) -> tuple[str, ...]:
        """Return why the account is latched, in words; empty when it is not."""
        return tuple(
            f"{row.name}: {row.reason}" for row in self.latches.rows() if row.scope == "account"
        )

    def halting_latches(self) -> tuple[str, ...]:
        """Return the account's latches under which nothing at all is placed."""
        return tuple(
            f"{row.name}: {row.reason}"
            for row in self.latches.rows()
            if row.scope == "account" and latched_state(row) != "REDUCING"
        )

    def state(self) -> TradingState:
        """Return the account's trading state."""
        states = [latched_state(row) for row in self.latches.rows() if row.scope == "account"]
        if self.reducing:
            states.append("REDUCING")
        return worst([*states, "ACTIVE" if self.trading else "PAUSED"])

    def ping(
        self,
        run: Run,
        reasons: tuple[str, ...],
        switch_version: int,
        now_ns: BootNs,
        *,
        admitted: bool,
        capital_usd: int | None = None,
    ) -> Ping:
        """Return the whole present order for one run.

        Args:
            run: Whom it is for.
            reasons: Why the account is not ACTIVE.
            switch_version: Of the switches as they are.
            now_ns: Of the sending.
            admitted: Whether the venue's dead-man switch admits orders.
            capital_usd: Step of the ramp.
        """
        fence = self.present_fence
        if run.peer.component == EXECUTION:
            fence.pinged(run.peer.incarnation, now_ns)
        state = self.state()
        lease = None
        if run.peer.component == EXECUTION and self._may_grant(admitted):
            lease = self.grantor.grant(run.peer.incarnation, self.epochs.current, state, now_ns)
        self.pings += 1
        return Ping(
            risk_incarnation=self._incarnation,
            ping_id=self.pings,
            sent_ns=now_ns,
            epoch=self.epochs.current,
            fence_id=fence.fence_id,
            fence_reason=fence.reason,
            trading_state=state,
            reasons=reasons,
            scopes=self.scopes.orders(),
            switch_version=switch_version,
            level=self.level,
            lease=lease,
            capital_usd=capital_usd,
        )

    def _may_grant(self, admitted: bool) -> bool:
        """Tell whether anybody may be granted anything now."""
        return self.trading and admitted and self.epochs.is_durable()
