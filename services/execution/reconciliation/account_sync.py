"""Keeping ours and the venue's together: when to read what, and whether it is recent enough.

Open orders and trades are read every few seconds, at once after a break of the own-order
feed, and as often as a proof of zero needs them. Reads wait for nothing and hold nothing up.
"""

from typing import Final, Literal

from services.execution.cancels.canceling import Canceller
from services.execution.fence import Zeroing
from services.execution.order_register import OrderRegister
from services.execution.positions import Positions
from services.execution.reconciliation.account_reads import AccountReads, judge_look
from services.execution.reconciliation.agreement import Difference
from services.execution.reconciliation.order_comparison import OrderComparison
from services.execution.reconciliation.paged_read import Read
from services.execution.reconciliation.reconcile import Reconciler
from services.execution.requests import Ask, LookAsk, OpenOrdersAsk, Requests, TradesAsk
from shared.config import TimingSettings
from shared.effects import Effect, HttpFailed, HttpReply, Log, Publish
from shared.facts import Alert, OwnOrder, OwnTrade
from shared.identifiers import OrderHash
from shared.units import NS_PER_MS, NS_PER_S, BootNs, Instant, MonotonicNs

ZERO_READ_EVERY_NS: Final = NS_PER_S
"""How often open orders are read on the way to zero, to find what is left."""

CANCEL_ALL_FAILED: Final = 3
"""Cancel-alls in a row without an answer after which each market is cancelled by itself (EX-5)."""

LOOKS_MAX: Final = 16
"""Questions after single orders under way at once."""

HISTORY_MS: Final = 3_600_000
"""How far back trades are read when none is known, or one does not settle."""

WINDOW_MS: Final = 600_000
"""How far back a full reconciliation reads trades: two of the venue's shortest markets."""


class AccountSync:
    """When what was read.

    Attributes:
        has_trades: Whether trades have been read whole since the start.
        reconciled_ns: CLOCK_MONOTONIC when the older of the newest whole reads was answered; None
            before both were.
        orders_ns: When the newest whole read of the open orders was sent; None before the first.
        trades_ns: Likewise of trades.
        window_ns: Likewise of trades as far back as the newest full reconciliation demands them.
        rows: Open orders of that read.
        comparison: What the newest reads of the open orders disagree about.
    """

    def __init__(
        self,
        timing: TimingSettings,
        requests: Requests,
        register: OrderRegister,
        positions: Positions,
        reconciler: Reconciler,
    ) -> None:
        """Begin with nothing read."""
        self._every_ns = timing.reconcile_light_ms * NS_PER_MS
        self._requests = requests
        self._register = register
        self._positions = positions
        self._reconciler = reconciler
        self._reads = AccountReads(requests, timing.read_deadline_ms)
        self.orders_ns: BootNs | None = None
        self.trades_ns: BootNs | None = None
        self.window_ns: BootNs | None = None
        self.rows: tuple[OwnOrder, ...] = ()
        self._demanded_ns = BootNs(0)
        self._by_market_ns = BootNs(0)
        self._since_wall_ns = 0
        self._reads_window = False
        self._is_deep = False
        self._orders_asked_ns = BootNs(0)
        self._trades_asked_ns = BootNs(0)
        self._looks: set[OrderHash] = set()
        self._unknown: list[Difference] = []
        self.comparison = OrderComparison(register, timing.mismatch_grace_ms)
        self.has_trades = False
        self.reconciled_ns: MonotonicNs | None = None
        self._answered_ns: dict[Literal["orders", "trades"], MonotonicNs] = {}

    def is_reconciled(self, sound_ns: BootNs | None) -> bool:
        """Whether both reads were sent after the own-order feed was last found sound."""
        if sound_ns is None or self.orders_ns is None or self.trades_ns is None:
            return False
        return min(self.orders_ns, self.trades_ns) > sound_ns

    def age_ns(self, now: Instant) -> int | None:
        """Return the age of the older of both reads; None before the first."""
        if self.orders_ns is None or self.trades_ns is None:
            return None
        return now.boot_ns - min(self.orders_ns, self.trades_ns)

    def demand(self, now: Instant, *, is_deep: bool) -> None:
        """Ask for reads of both that are sent from now on.

        Args:
            now: From when on.
            is_deep: Whether trades are read as far back as the window, although they are known
                up to later than that.
        """
        self._is_deep = is_deep or (self._is_deep and self._is_window_due())
        self._demanded_ns = now.boot_ns

    def tick(self, zeroing: Zeroing | None, sound_ns: BootNs | None, now: Instant) -> list[Effect]:
        """Send the reads that are due."""
        if self._reconciler.identity is None:
            return []
        is_zeroing = zeroing is not None
        effects = self._reads.tick(self._demanded_ns, now, is_zeroing=is_zeroing)
        if self._reads.may_read_orders(now) and self._wants_orders(zeroing, sound_ns, now):
            self._orders_asked_ns = now.boot_ns
            effects += self._reads.read_orders(now)
        if self._reads.may_read_trades(now) and self._wants_trades(sound_ns, now):
            self._trades_asked_ns = now.boot_ns
            since_ms = self._trades_since_ms(now)
            self._since_wall_ns = since_ms * NS_PER_MS
            effects += self._reads.read_trades(since_ms, now)
        for order in self._reconciler.to_look_at(now.boot_ns):
            if len(self._looks) >= LOOKS_MAX or not self._reads.may_look(now):
                break
            looked = self._reads.look(order.record.order_id, now)
            self._looks.add(order.record.order_id)
            order.look_request = 1
            effects += looked
        return effects

    def replied(
        self, ask: Ask | None, reply: HttpReply, zeroing: Zeroing | None, now: Instant
    ) -> list[Effect]:
        """Take the answer to any read."""
        if isinstance(ask, OpenOrdersAsk):
            effects, orders = self._reads.orders_replied(reply, now)
            return [*effects, *self._take_orders(orders, zeroing, now)]
        if isinstance(ask, TradesAsk):
            effects, trades = self._reads.trades_replied(reply, now)
            return [*effects, *self._take_trades(trades, now)]
        if isinstance(ask, LookAsk):
            self._looks.discard(ask.order_id)
            self._reconciler.take_look(judge_look(ask.order_id, reply), now)
        return []

    def failed(
        self, ask: Ask | None, failure: HttpFailed, zeroing: Zeroing | None, now: Instant
    ) -> list[Effect]:
        """Take a read that got no answer."""
        if isinstance(ask, OpenOrdersAsk):
            return self._take_orders(self._reads.orders_failed(failure, now), zeroing, now)
        if isinstance(ask, TradesAsk):
            return self._take_trades(self._reads.trades_failed(failure, now), now)
        if isinstance(ask, LookAsk):
            self._looks.discard(ask.order_id)
            order = self._register.find(ask.order_id)
            if order is not None:
                order.look_request = 0
                order.look_after_ns = BootNs(now.boot_ns + ZERO_READ_EVERY_NS)
        return []

    def cancel_strangers(self, canceller: Canceller, now: Instant) -> list[Effect]:
        """Cancel what was found at the venue and nobody here had wished for."""
        strangers = self._reconciler.strangers
        if not strangers:
            return []
        for order in strangers:
            canceller.doom(order, "adopted")
            record = order.record
            theirs = f"{record.side} {record.size_e6} 1e-6 shares at {record.price_e4}"
            self._unknown.append(Difference(f"order {record.order_id}", "none", theirs))
        text = f"{len(strangers)} orders at the venue that are not ours; cancelling them"
        strangers.clear()
        alert = Alert("critical", "unknown_orders", text, "unknown-orders")
        return [Publish("risk.alert", alert, now.monotonic_ns), *canceller.tick(now)]

    def take_unknown(self) -> tuple[Difference, ...]:
        """Return the orders of nobody here that were found since the last call."""
        unknown = tuple(self._unknown)
        self._unknown.clear()
        return unknown

    def cancel_by_market(
        self, canceller: Canceller, zeroing: Zeroing | None, now: Instant
    ) -> list[Effect]:
        """Cancel what the newest read lists market by market, while cancel-all keeps failing."""
        if zeroing is None or canceller.escalation.alls_failed < CANCEL_ALL_FAILED:
            return []
        if now.boot_ns - self._by_market_ns < ZERO_READ_EVERY_NS:
            return []
        self._by_market_ns = now.boot_ns
        effects: list[Effect] = []
        for market in sorted({row.market for row in self.rows}):
            effects += canceller.cancel_market(market, zeroing.cause, now)
        return effects

    def _wants_orders(self, zeroing: Zeroing | None, sound_ns: BootNs | None, now: Instant) -> bool:
        since_ns = now.boot_ns - self._orders_asked_ns
        if self._reconciler.is_hinted or self._reconciler.awaits_orders():
            return True
        if (self.orders_ns or 0) < self._demanded_ns:
            return True
        if zeroing is not None:
            return zeroing.wants_read(now) or since_ns >= ZERO_READ_EVERY_NS
        is_behind = sound_ns is not None and (self.orders_ns or 0) <= sound_ns
        return is_behind or since_ns >= self._every_ns

    def _wants_trades(self, sound_ns: BootNs | None, now: Instant) -> bool:
        since_ns = now.boot_ns - self._trades_asked_ns
        is_behind = sound_ns is not None and (self.trades_ns or 0) <= sound_ns
        if self._reconciler.awaits_trades(self.trades_ns) or self._is_window_due():
            return True
        if since_ns >= ZERO_READ_EVERY_NS and self._register.awaits_trades(
            self._trades_asked_ns, now.boot_ns
        ):
            return True
        return is_behind or not self.has_trades or since_ns >= self._every_ns

    def _is_window_due(self) -> bool:
        """Whether a full reconciliation waits for its window of trades."""
        return (self.window_ns or 0) < self._demanded_ns

    def _trades_since_ms(self, now: Instant) -> int:
        """Return from when on trades are read.

        From the newest that is known, or the oldest that is not settled, or whose end a start
        doubts, or the making of the oldest order whose fills nobody has told yet, whichever is
        earliest; a full reconciliation goes back by its window.
        """
        earliest_ms = now.wall_ms - HISTORY_MS
        newest_ms = self._positions.newest_match_ms() or earliest_ms
        oldest_ms = min((fill.match_ms for fill in self._positions.unsettled()), default=newest_ms)
        since_ms = min(newest_ms, max(oldest_ms, earliest_ms))
        self._reads_window = self._is_window_due()
        if self._reads_window and self._is_deep:
            since_ms = min(since_ms, now.wall_ms - WINDOW_MS)
        disputed_ms = self._positions.disputes.since_ms()
        if disputed_ms is not None:
            since_ms = min(since_ms, disputed_ms)
        doubtful_ns = self._reconciler.doubtful_since_ns()
        return since_ms if doubtful_ns is None else min(since_ms, doubtful_ns // NS_PER_MS)

    def _take_orders(
        self, read: Read[OwnOrder] | None, zeroing: Zeroing | None, now: Instant
    ) -> list[Effect]:
        if read is None:
            return []
        count = None if read.rows is None else len(read.rows)
        if zeroing is not None:
            zeroing.report(self._register, now)
            zeroing.take_read(read.sent_ns, read.answered_ns, count)
        if read.rows is None:
            return [Log("reconcile.failed", {"what": "orders", "why": read.trouble}, "warning")]
        self._reconciler.take_read(read, now)
        self.comparison.take_read(read, now)
        self._reconciler.is_hinted = False
        self.orders_ns = read.sent_ns
        self.rows = read.rows
        self._note("orders", now)
        return []

    def _take_trades(self, read: Read[OwnTrade] | None, now: Instant) -> list[Effect]:
        if read is None:
            return []
        if read.rows is None:
            return [Log("reconcile.failed", {"what": "trades", "why": read.trouble}, "warning")]
        for trade in read.rows:
            self._reconciler.take_trade(trade, now)
        self._register.tell_trades(read.sent_ns, self._since_wall_ns)
        self._reconciler.bury(read.sent_ns, self._since_wall_ns, now)
        self._positions.take_whole_read(self._since_wall_ns // NS_PER_MS)
        self.trades_ns = read.sent_ns
        if self._reads_window:
            self.window_ns = read.sent_ns
        self.has_trades = True
        self._note("trades", now)
        return []

    def _note(self, what: Literal["orders", "trades"], now: Instant) -> None:
        """Note that a list was read whole: agreed is what both say, so the older one counts."""
        self._answered_ns[what] = now.monotonic_ns
        if len(self._answered_ns) > 1:
            self.reconciled_ns = min(self._answered_ns.values())
