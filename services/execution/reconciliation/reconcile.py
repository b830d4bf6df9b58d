"""Ours against the venue's: orders and trades, from whichever source tells first.

Applies every report, by socket or by REST, to the register and the positions. Resolves
what nobody has answered: an order in doubt is asked for until the venue names it, or until
three questions sent after the last moment at which it could have arrived do not show it:
after the open orders, after the order itself, and after trades since its making, since an
order that was filled is forgotten by the first two. Never sends an order again. What the
venue shows and we do not know is adopted, to be cancelled.
"""

from collections.abc import Iterator
from typing import Final

from services.execution.inventory import FEE_RATE_WORST_E6
from services.execution.lifecycle import Order, as_order
from services.execution.order_register import ENDS_UNSEEN, OrderRegister
from services.execution.positions import Positions
from services.execution.reconciliation.account_reads import Look
from services.execution.reconciliation.paged_read import Read
from shared.facts import OwnOrder, OwnTrade, TradeLeg
from shared.identifiers import ADOPTED, ConditionId, TokenId
from shared.ledger_schema import FillRecord, IdentityRecord, OrderRecord
from shared.orders import OrderEvent
from shared.units import NS_PER_MS, BootNs, Instant, MoneyE6, SizeE6, WallMs, WallNs
from shared.venue.rules import GTD_EXPIRATION_MIN_S, taker_fee

LOOK_EVERY_NS: Final = 500 * NS_PER_MS
"""How often an order in doubt is asked for."""

ABSENT_READS: Final = 2
"""Whole reads in a row without a live order before it is asked for by name."""

IN_DOUBT: Final = frozenset({"INTENDED", "SUBMITTED", "UNKNOWN"})
"""States in which nobody has said what became of an order."""

STATUS_EVENTS: Final[dict[str, OrderEvent]] = {
    "LIVE": "accepted",
    "DELAYED": "accepted",
    "UNMATCHED": "accepted",
    "MATCHED": "accepted",
    "CANCELED": "canceled",
    "INVALID": "canceled",
    "EXPIRED": "expired",
}
"""What a status of the venue means to the lifecycle; a match also fills by its size."""


class Reconciler:
    """Applies reports. Sends nothing.

    Attributes:
        adopted: Orders adopted so far.
        strangers: Orders adopted since the caller last looked, to be cancelled.
        is_hinted: Whether a report told of a stranger without telling how large it is: only a
            read of the open orders can.
        changed_ns: When the legs of a token last changed.
    """

    def __init__(self, register: OrderRegister, positions: Positions, incarnation: int) -> None:
        """Work on these orders and positions."""
        self._register = register
        self._positions = positions
        self._incarnation = incarnation
        self._fee_rates: dict[ConditionId, int] = {}
        self.identity: IdentityRecord | None = None
        self.epoch = 0
        self.adopted = 0
        self.strangers: list[Order] = []
        self.is_hinted = False
        self.changed_ns: dict[TokenId, BootNs] = {}

    def know_fee_rate(self, market: ConditionId, fee_rate_e6: int) -> None:
        """Keep a market's fee rate, for trades that are told after it left the calendar."""
        self._fee_rates[market] = fee_rate_e6
        if len(self._fee_rates) > FEE_RATES_MAX:
            self._fee_rates.pop(next(iter(self._fee_rates)))

    def take_order(self, report: OwnOrder, now: Instant) -> None:
        """Apply an order's report; one that we do not know and that may live is adopted."""
        order = self._register.find(report.order_id)
        if order is None:
            if STATUS_EVENTS.get(report.status) == "accepted":
                self._adopt(report, now)
            return
        self._apply(order, report, now)

    def take_trade(self, trade: OwnTrade, now: Instant) -> list[FillRecord]:
        """Count the legs of a trade that are ours; return those that were new."""
        fresh: list[FillRecord] = []
        for leg in trade.legs:
            order = self._register.find(leg.order_id)
            if order is None:
                continue
            fill = self._fill(order, leg, trade, now)
            is_asked = trade.source == "rest"
            news = self._positions.take(fill, asked=is_asked, now_ns=now.boot_ns)
            if news:
                self.note_change(fill.token, now)
            if news == "new":
                fresh.append(fill)
                self._register.count_leg(order, fill.size_e6, now)
        return fresh

    def take_read(self, read: Read[OwnOrder], now: Instant) -> None:
        """Compare a whole read of the open orders with ours."""
        if read.rows is None:
            return
        shown = {row.order_id for row in read.rows}
        for row in read.rows:
            self.take_order(row, now)
        for order in self._register.exposed():
            if order.record.order_id in shown:
                _see(order)
                continue
            order.unlisted_ns = read.sent_ns
            if order.live_ns and read.sent_ns > order.live_ns:
                order.absent_reads += 1

    def take_look(self, look: Look, now: Instant) -> None:
        """Apply the venue's word on one order.

        "Not found" resolves nothing by itself, and is not even noted unless the order's
        deadline had passed by our clock and, where the answer tells it, by the venue's.
        """
        order = self._register.find(look.order_id)
        if order is None:
            return
        order.look_request = 0
        order.look_after_ns = BootNs(now.boot_ns + LOOK_EVERY_NS)
        if not look.is_known:
            return
        if look.order is None:
            if look.sent_ns > order.deadline_ns and _is_late_there(order, look.venue_s):
                order.not_found_ns = order.not_found_ns or look.sent_ns
            return
        _see(order)
        self._apply(order, look.order, now)
        if look.order.status == "MATCHED" and order.is_exposed:
            # What is left of a matched order is dust that can never be filled (EX-27).
            self._register.apply(order, "filled_fully", now, "matched")

    def note_change(self, token: TokenId, now: Instant) -> None:
        """Keep when a token's legs changed; the oldest entry goes when there are too many."""
        self.changed_ns.pop(token, None)
        self.changed_ns[token] = now.boot_ns
        if len(self.changed_ns) > TOKENS_KEPT_MAX:
            self.changed_ns.pop(next(iter(self.changed_ns)))

    def bury(self, trades_ns: BootNs, since_wall_ns: int, now: Instant) -> None:
        """Take a whole read of trades, whose legs are counted: end what was found nowhere.

        Args:
            trades_ns: When the read was sent.
            since_wall_ns: From when on it tells trades.
            now: Of its end.
        """
        for order in self._register.exposed():
            if not order.not_found_ns or trades_ns <= order.not_found_ns:
                continue
            is_unlisted = order.unlisted_ns > order.deadline_ns
            if is_unlisted and since_wall_ns <= order.record.created_wall_ns:
                self._register.apply(order, "absent", now, "not at the venue, nor in trades")

    def awaits_trades(self, trades_ns: BootNs | None) -> bool:
        """Whether an order that was not found waits for a newer read of trades than this."""
        return any(trades_ns is None or order.not_found_ns >= trades_ns for order in self._sought())

    def awaits_orders(self) -> bool:
        """Whether an order that was not found waits for a read of the open orders."""
        return any(order.unlisted_ns <= order.deadline_ns for order in self._sought())

    def doubtful_since_ns(self) -> WallNs | None:
        """Return when the oldest order was made whose fills trades may still have to tell."""
        return min(
            (
                order.record.created_wall_ns
                for order in self._register.outstanding()
                if order.not_found_ns
                or order.unseen_since_ns
                or order.record.state in IN_DOUBT
                or (order.is_exposed and order.untold_e6)
            ),
            default=None,
        )

    def to_look_at(self, now_ns: BootNs) -> tuple[Order, ...]:
        """Return the orders that the venue is to be asked for now."""
        return tuple(
            order
            for order in self._register.exposed()
            if not order.look_request
            and not order.post_request
            and now_ns >= order.look_after_ns
            and self._is_ours(order)
            and _is_in_doubt(order, now_ns)
        )

    def _sought(self) -> Iterator[Order]:
        return (order for order in self._register.exposed() if order.not_found_ns)

    def _is_ours(self, order: Order) -> bool:
        """Whether the present API key may ask for an order: to another it is not found."""
        identity = self.identity
        return identity is not None and order.record.api_key_id == identity.api_key_id

    def _apply(self, order: Order, report: OwnOrder, now: Instant) -> None:
        """Apply a report to an order of ours; one in another scale is not believed."""
        if STATUS_EVENTS.get(report.status) == "accepted":
            order.not_found_ns = BootNs(0)
        original = report.original_size_e6
        is_scaled = original in (None, order.record.size_e6)
        if report.size_matched_e6 is not None and is_scaled:
            self._register.fill(order, report.size_matched_e6, now)
        event = STATUS_EVENTS.get(report.status)
        if event is not None:
            reason = order.doom if event == "canceled" and order.doom else report.status_text
            self._register.apply(order, event, now, reason)
        if report.size_matched_e6 is not None and is_scaled and event in ENDS_UNSEEN:
            self._register.tell_filled(order)

    def _adopt(self, report: OwnOrder, now: Instant) -> None:
        """Take a stranger into the register, so that it counts and can be cancelled."""
        identity = self.identity
        if identity is None:
            return
        if report.original_size_e6 is None:
            self.is_hinted = True
            return
        size = report.original_size_e6
        record = OrderRecord(
            order_id=report.order_id,
            account=identity.account,
            wallet=identity.wallet,
            api_key_id=identity.api_key_id,
            strategy=ADOPTED,
            leg_group="",
            epoch=self.epoch,
            incarnation=f"{self._incarnation:016x}",
            intent=f"adopted/{report.order_id}",
            purpose="adopted",
            market=report.market,
            token=report.token,
            side=report.side,
            level=0,
            price_e4=report.price,
            size_e6=size,
            post_only=False,
            reduce_only=False,
            state="LIVE",
            filled_e6=SizeE6(min(report.size_matched_e6 or 0, size)),
            reason="found at the venue",
            salt=0,
            timestamp_ms=WallMs(0),
            maker_e6=0,
            taker_e6=0,
            expiration_s=0,
            lease_until_wall_ns=WallNs(0),
            deadline_wall_ns=now.wall_ns,
            created_wall_ns=now.wall_ns,
            sent_wall_ns=WallNs(0),
            updated_wall_ns=now.wall_ns,
        )
        order = as_order(record, now)
        order.live_ns = now.boot_ns
        self._register.add(order)
        self.adopted += 1
        self.strangers.append(order)

    def _fill(self, order: Order, leg: TradeLeg, trade: OwnTrade, now: Instant) -> FillRecord:
        """Return the row of one leg, in the token and side of our order."""
        record = order.record
        fee = MoneyE6(0)
        if leg.role == "TAKER":
            rate = self._fee_rates.get(record.market, FEE_RATE_WORST_E6)
            fee = taker_fee(leg.price, leg.size, rate)
        return FillRecord(
            trade_id=trade.trade_id,
            order_id=leg.order_id,
            account=record.account,
            strategy=record.strategy,
            market=record.market,
            token=leg.token,
            side=leg.side,
            price_e4=leg.price,
            size_e6=leg.size,
            role=leg.role,
            settlement=trade.status,
            fee_e6=fee,
            match_ms=trade.match_ms,
            updated_wall_ns=now.wall_ns,
        )


TOKENS_KEPT_MAX: Final = 4_096
"""Tokens of two weeks of five-minute windows."""

FEE_RATES_MAX: Final = 10_000
"""Markets of a month of five-minute windows."""


def _is_in_doubt(order: Order, now_ns: BootNs) -> bool:
    """Whether only the venue's word on the order itself can tell its state."""
    if order.record.state in IN_DOUBT:
        return True
    if order.said_gone or order.absent_reads >= ABSENT_READS or now_ns >= order.expires_ns:
        return True
    return bool(order.doom) and order.look_after_ns > 0 and order.cancels_failed > 0


def _see(order: Order) -> None:
    """Take note that the venue has just shown an order: whatever was absent of it is void."""
    order.absent_reads = 0
    order.said_gone = False
    order.unlisted_ns = order.not_found_ns = BootNs(0)


def _is_late_there(order: Order, venue_s: int | None) -> bool:
    """Whether the venue's own clock, where it was told, had passed what lets it take an order.

    Ours may be ahead of it. An order that was adopted, and so bears no expiration, was there
    already.
    """
    expiration_s = order.record.expiration_s
    return venue_s is None or not expiration_s or venue_s > expiration_s - GTD_EXPIRATION_MIN_S


def restore_doubt(register: OrderRegister, now: Instant) -> None:
    """Make unknown what a dead run left without an answer: its fate has to be asked."""
    for order in register.exposed():
        if order.record.state in ("LIVE", "PARTLY_FILLED"):
            order.live_ns = now.boot_ns
        register.apply(order, "lost", now, "of an earlier run")
