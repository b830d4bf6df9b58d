"""Cores with one bug each, as a program might have it: what the machine must find.

The product has no switch for them: each overrides one thing.
"""

from typing import Any

import msgspec

from services.execution.core import ExecutionCore
from services.execution.lease import Standing
from services.execution.may_send import Permit
from services.execution.reconciliation.account_reads import Look
from services.execution.startup import OpenedLedger
from shared.config import Config
from shared.control import Lease
from shared.effects import Effect, HttpFailed, Message, Received
from shared.facts import OwnTrade
from shared.identifiers import Incarnation, TradeId
from shared.ledger_schema import FillRecord, Journal
from shared.units import BootNs, Instant


class UnknownResent(ExecutionCore):
    """What was sent without an answer counts as not sent, so it is sent anew."""

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        if isinstance(message, HttpFailed):
            message = msgspec.structs.replace(message, sent=False, reason="not_writable")
        return super().on_message(message, now)


class FillsTwice(ExecutionCore):
    """A trade is counted again with each report of its settlement."""

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        if isinstance(message, Received) and isinstance(message.body, OwnTrade):
            trade = message.body
            again = TradeId(f"{trade.trade_id}/{trade.status}")
            body = msgspec.structs.replace(trade, trade_id=again)
            message = msgspec.structs.replace(message, body=body)
        return super().on_message(message, now)


class ForgetsOrders(ExecutionCore):
    """A new run knows nothing of the orders of the one before."""

    def __init__(
        self, config: Config, incarnation: Incarnation, ledger: OpenedLedger, now: Instant
    ) -> None:
        super().__init__(config, incarnation, msgspec.structs.replace(ledger, orders=()), now)


class ForgetsFills(ExecutionCore):
    """A new run knows nothing of the fills of the one before."""

    def __init__(
        self, config: Config, incarnation: Incarnation, ledger: OpenedLedger, now: Instant
    ) -> None:
        super().__init__(config, incarnation, msgspec.structs.replace(ledger, fills=()), now)


class PostsBeforeCommit(ExecutionCore):
    """A turn's records are journaled with the turn after it."""

    _late: tuple[Effect, ...] = ()

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        return self._later(super().on_message(message, now))

    def on_tick(self, now: Instant) -> list[Effect]:
        return self._later(super().on_tick(now))

    def _later(self, effects: list[Effect]) -> list[Effect]:
        late, self._late = self._late, tuple(e for e in effects if isinstance(e, Journal))
        return [*late, *(effect for effect in effects if not isinstance(effect, Journal))]


class AbsentIsDead(ExecutionCore):
    """An order that is not found is taken for dead, though it may still arrive."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        reconciler: Any = self._parts.reconciler
        take_look = reconciler.take_look

        def spoiled(look: Look, now: Instant) -> None:
            order = self._parts.register.find(look.order_id)
            take_look(look, now)
            if order is not None and look.is_known and look.order is None:
                self._parts.register.apply(order, "absent", now, "not found")

        reconciler.take_look = spoiled


class FromReceipt(Standing):
    """Takes every echo for a lease that begins when it arrives."""

    def _take(self, lease: Lease, now: Instant) -> None:
        super()._take(lease, now)
        if lease.epoch == self.epoch and lease.state in ("ACTIVE", "REDUCING"):
            self.until_ns = BootNs(now.boot_ns + self._lease_ns)
            self.lease_state = lease.state


class LeaseFromReceipt(ExecutionCore):
    """The lease is counted from its receipt."""

    def __init__(
        self, config: Config, incarnation: Incarnation, ledger: OpenedLedger, now: Instant
    ) -> None:
        super().__init__(config, incarnation, ledger, now)
        standing: Any = self._parts.standing
        standing.__class__ = FromReceipt


class UncheckedWrite(ExecutionCore):
    """The lease is checked when a post is decided, and not again at its write."""

    def may_send(self, permit: Permit, now: Instant) -> str | None:
        return None


class KeepsFailedFills(ExecutionCore):
    """A trade that the chain has failed stays in the position."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        positions: Any = self._parts.positions
        take = positions.take

        def spoiled(fill: FillRecord, **how: Any) -> Any:
            if fill.settlement == "FAILED":
                fill = msgspec.structs.replace(fill, settlement="CONFIRMED")
            return take(fill, **how)

        positions.take = spoiled


class CrossesItself(ExecutionCore):
    """An order may match our own."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        inventory: Any = self._parts.inventory
        load = inventory.load

        def spoiled(*asked: Any) -> Any:
            return msgspec.structs.replace(load(*asked), own_quotes=())

        inventory.load = spoiled


class CountsNothing(ExecutionCore):
    """Orders without an answer do not count against the most that may be open."""

    def __init__(
        self, config: Config, incarnation: Incarnation, ledger: OpenedLedger, now: Instant
    ) -> None:
        limits = msgspec.structs.replace(config.limits, open_orders_max=40)
        config = msgspec.structs.replace(config, limits=limits)
        super().__init__(config, incarnation, ledger, now)


SPOILED: dict[type[ExecutionCore], tuple[str, ...]] = {
    UnknownResent: ("INV-5", "INV-6", "EX-24"),
    FillsTwice: ("INV-8",),
    ForgetsOrders: ("INV-6", "INV-7", "INV-5", "INV-8", "assert"),
    ForgetsFills: ("INV-8", "INV-7"),
    PostsBeforeCommit: ("INV-2",),
    AbsentIsDead: ("INV-5", "INV-6", "INV-7", "EX-24"),
    LeaseFromReceipt: ("INV-3",),
    UncheckedWrite: ("INV-3",),
    KeepsFailedFills: ("INV-7", "INV-8"),
    CrossesItself: ("EX-26",),
    CountsNothing: ("EX-24",),
}
"""Each with the rules that a finding of it may name: another finding would be another bug."""

FOUND_BY: dict[type[ExecutionCore], int] = {
    UncheckedWrite: 7,
    CrossesItself: 2,
    AbsentIsDead: 2,
    KeepsFailedFills: 3,
}
"""A seed that has found each, to begin with: it saves time and decides nothing."""
