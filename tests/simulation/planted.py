"""Bugs that were thought of beforehand, each planted by overriding one thing.

The product has no switch for them: a builder here makes the spoiled component.
"""

from collections.abc import Callable
from functools import partial

import msgspec

from ops.simulation.assembly import Builder
from ops.simulation.components import BUILDERS
from ops.simulation.disk import SimulatedDisk
from ops.simulation.guarded import SimulatedStore, execution, risk
from services.execution.core import ExecutionCore
from services.execution.gateway import Gateway
from services.execution.lease import Standing
from services.execution.may_send import Permit
from services.execution.startup import OpenedLedger
from shared.config import Config
from shared.control import Lease
from shared.effects import Effect, HttpFailed, HttpReply, HttpRequest, Message, Received
from shared.facts import OwnTrade
from shared.identifiers import Component, Incarnation, TradeId
from shared.risk_schema import LatchRow, RiskRecord
from shared.topics import EXECUTION, RISK
from shared.units import NS_PER_S, BootNs, Instant
from tests.simulation.planted_authority import ClosingOpens, LatchesUnread, ResumesUnchecked
from tests.simulation.planted_holdings import ErrorIsEmpty, MatchIsSure, NeverPaidOut


class FromReceipt(Standing):
    """Takes every echo for a lease that begins when it arrives."""

    def _take(self, lease: Lease, now: Instant) -> None:
        super()._take(lease, now)
        if lease.epoch == self.epoch and lease.state in ("ACTIVE", "REDUCING"):
            self.until_ns = BootNs(now.boot_ns + self._lease_ns)
            self.lease_state = lease.state


class LeaseFromReceipt(ExecutionCore):
    """Bug 1: the lease is counted from its receipt."""

    def __init__(
        self, config: Config, incarnation: Incarnation, ledger: OpenedLedger, now: Instant
    ) -> None:
        super().__init__(config, incarnation, ledger, now)
        self._parts.standing = FromReceipt(incarnation, config.timing.lease_ms, ledger.epoch)


class UncheckedWrite(ExecutionCore):
    """Bug 2: the lease is checked when a post is decided, and not again at its write."""

    def may_send(self, permit: Permit, now: Instant) -> str | None:
        return None


class FillsTwice(ExecutionCore):
    """Bug 3: a trade is counted again with each report of its settlement."""

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        if isinstance(message, Received) and isinstance(message.body, OwnTrade):
            trade = message.body
            again = TradeId(f"{trade.trade_id}/{trade.status}")
            body = msgspec.structs.replace(trade, trade_id=again)
            message = msgspec.structs.replace(message, body=body)
        return super().on_message(message, now)


class UnknownResent(ExecutionCore):
    """Bug 4: what was sent without an answer counts as not sent, so it is sent anew."""

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        if isinstance(message, HttpFailed):
            message = msgspec.structs.replace(message, sent=False, reason="not_writable")
        return super().on_message(message, now)


class ForgetsLatches(SimulatedStore):
    """Bug 5: a latch never reaches the disk."""

    def write(self, records: tuple[RiskRecord, ...]) -> None:
        super().write(tuple(record for record in records if not isinstance(record, LatchRow)))


class CancelsBackOff(ExecutionCore):
    """Bug 6: after the venue has refused, cancels wait as posts do."""

    _until_ns = 0

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        if isinstance(message, HttpReply) and message.status in (425, 429, 503):
            self._until_ns = now.boot_ns + 3 * NS_PER_S
        return self._without_cancels(super().on_message(message, now), now)

    def on_tick(self, now: Instant) -> list[Effect]:
        return self._without_cancels(super().on_tick(now), now)

    def _without_cancels(self, effects: list[Effect], now: Instant) -> list[Effect]:
        if now.boot_ns >= self._until_ns:
            return effects
        return [
            effect
            for effect in effects
            if not (isinstance(effect, HttpRequest) and effect.lane == "cancel")
        ]


class EagerDisk(SimulatedDisk):
    """Bug 7: a commit counts as held when it has begun."""

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        self._end()
        return super().apply(effect, now)

    def is_committed(self, now: Instant) -> bool:
        super().is_committed(now)
        return True


Planted = dict[Component, Builder]


def in_execution(kind: type[ExecutionCore], gateway_kind: type[Gateway] = Gateway) -> Planted:
    """Return all components, with a spoiled execution."""
    return {**BUILDERS, EXECUTION: partial(execution, kind=kind, gateway_kind=gateway_kind)}


PLANTED: dict[str, Callable[[], Planted]] = {
    "lease counted from receipt": lambda: in_execution(LeaseFromReceipt),
    "check only before the queue": lambda: in_execution(UncheckedWrite),
    "fill counted twice": lambda: in_execution(FillsTwice),
    "unknown resent": lambda: in_execution(UnknownResent),
    "latch not persisted": lambda: {**BUILDERS, RISK: partial(risk, store_kind=ForgetsLatches)},
    "cancel behind backoff": lambda: in_execution(CancelsBackOff),
    "commit not awaited": lambda: {
        **BUILDERS,
        EXECUTION: partial(execution, disk_kind=EagerDisk),
    },
    "error taken for empty": lambda: in_execution(ErrorIsEmpty),
    "match taken for sure": lambda: in_execution(MatchIsSure),
    "never paid out": lambda: in_execution(NeverPaidOut),
    "latches not read": lambda: {**BUILDERS, RISK: partial(risk, store_kind=LatchesUnread)},
    "resumed unchecked": lambda: {**BUILDERS, RISK: partial(risk, kind=ResumesUnchecked)},
    "closing opens": lambda: {**BUILDERS, RISK: partial(risk, kind=ClosingOpens)},
}

BREAKS: dict[str, tuple[str, ...]] = {
    "lease counted from receipt": ("INV-3", "S5"),
    "check only before the queue": ("INV-3", "S5"),
    "fill counted twice": ("INV-8", "INV-7"),
    "unknown resent": ("INV-5", "INV-6", "INV-2"),
    "latch not persisted": ("INV-9", "S2"),
    "cancel behind backoff": ("INV-4",),
    "commit not awaited": ("INV-2",),
    "error taken for empty": ("EX-22", "INV-5"),
    "match taken for sure": ("EX-23",),
    "never paid out": ("EX-27", "INV-7"),
    "latches not read": ("INV-9", "S2"),
    "resumed unchecked": ("RV-1",),
    "closing opens": ("KS-6",),
}
"""Which rules a finding of each may name: another finding would be another bug."""

FOUND_BY: dict[str, int] = {
    "lease counted from receipt": 310,
    "check only before the queue": 49,
    "fill counted twice": 1,
    "unknown resent": 1,
    "latch not persisted": 23,
    "cancel behind backoff": 8,
    "commit not awaited": 1,
    "error taken for empty": 11,
    "match taken for sure": 1,
    "never paid out": 1,
    "latches not read": 3,
    "resumed unchecked": 1,
    "closing opens": 5,
}
"""A seed that has found each, to begin with: it saves time and decides nothing."""
