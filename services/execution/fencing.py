"""Everything that stops execution and brings it to zero: risk's orders, silence, panic, stop.

Blocking is the first thing that happens, in the turn in which the cause is heard; then the
post connections are reset, everything is cancelled, and zero is proven. Nothing here waits
for disk or network.

Source: the fence protocol in ARCHITECTURE.md.
"""

from typing import Final

from services.execution.fence import Zeroing
from services.execution.messages import IdentityFound, PanicSeen
from services.execution.parts import Parts
from services.execution.placing import Signer
from shared.control import Ping, ScopeOrder
from shared.effects import Effect, Exit, HttpReset, Log, Publish, Stop
from shared.facts import Alert
from shared.identifiers import ConditionId
from shared.ledger_schema import EpochRecord
from shared.units import NS_PER_MS, NS_PER_S, BootNs, Instant

START: Final = "start"
"""Cause of the first way to zero: nothing has been placed and nothing is to reset."""

STOP_NS_MAX: Final = 12 * NS_PER_S
"""Longest wait for proof of zero at a stop; supervisord waits a little longer."""


class Fencing:
    """Blocks, cancels and proves."""

    def __init__(self, parts: Parts) -> None:
        """Work on these."""
        self._parts = parts
        self._zero_ns = BootNs(0)

    def watch(self, now: Instant) -> list[Effect]:
        """Look at the lease: one that ran out cancels everything."""
        if self._parts.self_fence.judge(self._parts.standing, now):
            return self.begin_zero("lease ran out", now)
        return []

    def call_risk(self, now: Instant) -> list[Effect]:
        """Fence ourselves when our own cancels do not work: every pong says so (EX-3).

        Risk then cancels by its own path and, sending no beat before zero is proven, leaves the
        rest to the venue's dead-man switch.
        """
        why = self._parts.canceller.gives_up(now)
        if not why or self._parts.self_fence.fenced is not None:
            return []
        cause = f"cancels fail: {why}"
        self._parts.self_fence.fence(self._parts.standing.epoch, cause, now)
        alert = Alert("critical", "cancel_given_up", cause, "cancel-failing")
        effects: list[Effect] = [Publish("risk.alert", alert, now.monotonic_ns)]
        if self._parts.zeroing is None:
            effects = [*self.begin_zero(cause, now), *effects]
        return effects

    def on_ping(self, ping: Ping, now: Instant) -> list[Effect]:
        """Take a ping: block first, then cancel."""
        heard = self._parts.standing.hear(ping, now)
        if heard.epoch_grew:
            self._parts.self_fence.hear_epoch(self._parts.standing.epoch)
            self._parts.desk.epoch = self._parts.reconciler.epoch = self._parts.standing.epoch
            self._parts.journaling.add(EpochRecord(self._parts.standing.epoch))
        effects: list[Effect] = []
        is_fence = heard.fence_is_new and self._parts.standing.is_fenced
        if heard.fence_is_new and ping.fence_id:
            # One that is over already is answered too: nothing of its epochs can leave here.
            self._parts.answers.block(ping.risk_incarnation, ping.fence_id, now)
        if is_fence or (
            heard.epoch_grew and (self._parts.register.exposed() or self._parts.zeroing)
        ):
            effects += self.begin_zero(ping.fence_reason or "newer epoch", now)
        for scope in heard.scopes:
            effects += self._carry_out(scope, now)
        return effects

    def _carry_out(self, scope: ScopeOrder, now: Instant) -> list[Effect]:
        """Cancel what a new generation of a scope concerns."""
        self._parts.standing.carry_out(scope)
        reason = f"{scope.kind}_scope: {scope.reason}"
        if scope.kind == "account":
            return self._parts.canceller.cancel_all(reason, now)
        if scope.kind == "market":
            return self._parts.canceller.cancel_market(ConditionId(scope.scope_id), reason, now)
        for order in self._parts.register.exposed():
            info = self._parts.inputs.market(order.record.market)
            concerned = {
                "asset": info.asset if info is not None else scope.scope_id,
                "token": order.record.token,
                "strategy": order.record.strategy,
            }
            if concerned[scope.kind] == scope.scope_id:
                self._parts.canceller.doom(order, reason)
        return self._parts.canceller.tick(now)

    def begin_zero(self, cause: str, now: Instant) -> list[Effect]:
        """Stop placing, reset the post connections, cancel everything, and prove it."""
        if cause != START:
            self._parts.standing.drop_lease()
            self._parts.self_fence.forget_lease()
        self._parts.zeroing = Zeroing(
            cause,
            self._parts.standing.fence_id,
            self._parts.incarnation,
            self._parts.config.timing.read_gap_ms * NS_PER_MS,
            now,
        )
        cancels = self._parts.canceller.cancel_all(cause, now)
        if cause == START:
            return cancels
        begun = Log(
            "execution.zeroing", {"cause": cause, "epoch": self._parts.standing.epoch}, "warning"
        )
        return [HttpReset("post"), *cancels, begun]

    def on_panic(self, seen: PanicSeen, now: Instant) -> list[Effect]:
        """Take the PANIC file in: while it stands nothing is placed."""
        is_new = seen.is_present and not self._parts.panic
        self._parts.panic = seen.is_present
        return self.begin_zero("panic", now) if is_new else []

    def on_stop(self, stop: Stop, now: Instant) -> list[Effect]:
        """Begin to end: cancel everything and prove it first (KS-12)."""
        if self._parts.stopping is not None:
            return []
        self._parts.stopping = (stop.cause, now.boot_ns)
        if self._parts.startup.identity is None:
            return [Exit(0, f"{stop.cause}: nothing was ever placed")]
        return self.begin_zero(stop.cause, now)

    def on_identity(self, found: IdentityFound, now: Instant) -> list[Effect]:
        """Take key and credentials."""
        self._parts.startup.find(found)
        self._parts.full.know_wallet(found.wallet, found.signature_type)
        self._parts.desk.signer = Signer(found.wallet, found.signer, found.signature_type)
        self.admit(now)
        return []

    def admit(self, now: Instant) -> None:
        """Begin to act for an identity that fits the ledger."""
        identity = self._parts.startup.admit(self._parts.register.exposed(), now)
        if identity is None:
            return
        for order in self._parts.register.exposed():
            if order.record.api_key_id != identity.api_key_id:
                self._parts.register.apply(order, "absent", now, "expired under another API key")
        self._parts.desk.identity = self._parts.reconciler.identity = identity
        self._parts.canceller.is_ready = True
        self._parts.journaling.add(identity)

    def conclude(self, now: Instant) -> list[Effect]:
        """Take the stages that were reached: quiet, zero, a proven start, the end."""
        zeroing = self._parts.zeroing
        zero_ns: BootNs | None = None
        if zeroing is not None:
            zeroing.report(self._parts.register, now)
            zero_ns = zeroing.zero_ns
        is_quiet = not self._parts.register.has_posts() and self._parts.journaling.is_settled
        self._parts.answers.advance(is_quiet=is_quiet, zero_ns=zero_ns, now=now)
        if self._parts.stopping is not None:
            return self._end(zero_ns, now)
        if zero_ns is not None:
            assert zeroing is not None, "only a proof has a time"
            if not self._parts.startup.is_zero:
                self._parts.startup.is_zero = True
                self._zero_ns = zero_ns
                self._parts.sync.demand(now, is_deep=False)
            self._parts.canceller.stand_down()
            self._parts.zeroing = None
            took_ms = (zero_ns - zeroing.began_ns) // NS_PER_MS
            return [Log("execution.zero", {"cause": zeroing.cause, "took_ms": took_ms})]
        if self._parts.startup.is_zero and (self._parts.sync.trades_ns or 0) >= self._zero_ns:
            self._parts.startup.has_trades = True
        self._parts.startup.has_positions = self._parts.full.is_seeded
        return []

    def _end(self, zero_ns: BootNs | None, now: Instant) -> list[Effect]:
        """End once zero is proven, or when waiting longer helps nobody."""
        assert self._parts.stopping is not None, "only a stop ends"
        cause, since_ns = self._parts.stopping
        if zero_ns is not None:
            return [Exit(0, f"{cause}: zero proven")]
        if now.boot_ns - since_ns < STOP_NS_MAX:
            return []
        why = self._parts.zeroing.waits_for(now) if self._parts.zeroing is not None else ""
        return [Exit(1, f"{cause}: zero not proven: {why}")]
