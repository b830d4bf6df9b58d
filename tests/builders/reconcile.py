"""One order, everything that is known of it, and who compares it with the venue."""

from typing import Any

import msgspec

from services.execution.lifecycle import Order
from services.execution.order_register import OrderRegister
from services.execution.positions import Positions
from services.execution.reconciliation.account_reads import Look
from services.execution.reconciliation.paged_read import Read
from services.execution.reconciliation.reconcile import Reconciler
from shared.facts import OwnOrder, OwnTrade, TradeLeg
from shared.identifiers import OrderHash, TradeId
from shared.ledger_schema import IdentityRecord, OrderRecord
from shared.units import NS_PER_S, Instant, PriceE4, SizeE6, WallMs, WallNs
from tests.builders.ledger_rows import build_order_record
from tests.builders.markets import MARKET, UP, instant

OURS = OrderHash("0x" + "ab" * 32)
STRANGER = OrderHash("0x" + "cd" * 32)
NOW = instant()
IDENTITY = IdentityRecord("main", "0x" + "1" * 40, "key")
SIZE = 6_000_000


def later(milliseconds: int) -> Instant:
    return instant(1_000 + milliseconds)


def row(**spoil: Any) -> OrderRecord:
    """An order decided now, which the venue takes for three more seconds."""
    fields: dict[str, Any] = {
        "market": MARKET,
        "token": UP,
        "state": "LIVE",
        "created_wall_ns": NOW.wall_ns,
        "deadline_wall_ns": WallNs(NOW.wall_ns + 3 * NS_PER_S),
        "expiration_s": NOW.wall_ns // NS_PER_S + 182,
    }
    return build_order_record(**{**fields, **spoil})


class World:
    """One order, what is known of it, and who compares it with the venue."""

    def __init__(self, *rows: OrderRecord) -> None:
        self.register = OrderRegister(rows or (row(),), NOW)
        self.positions = Positions((), ())
        self.reconciler = Reconciler(self.register, self.positions, 0xFF)
        self.reconciler.identity = IDENTITY
        self.reconciler.epoch = 4

    def order(self, order_id: OrderHash = OURS) -> Order:
        order = self.register.find(order_id)
        assert order is not None
        return order

    @property
    def state(self) -> str:
        return self.order().record.state

    def looked(self, sent_ms: int, order: OwnOrder | None = None, **spoil: Any) -> None:
        look = Look(OURS, later(sent_ms).boot_ns, True, order)
        self.reconciler.take_look(msgspec.structs.replace(look, **spoil), later(sent_ms))

    def read(self, sent_ms: int, *shown: OwnOrder) -> None:
        at_ns = later(sent_ms).boot_ns
        self.reconciler.take_read(Read(at_ns, at_ns, shown), later(sent_ms))

    def bury(self, trades_ms: int, since_wall_ns: int = 0) -> None:
        self.reconciler.bury(later(trades_ms).boot_ns, since_wall_ns, later(trades_ms))


def report(order_id: OrderHash = OURS, **spoil: Any) -> OwnOrder:
    told = OwnOrder(
        order_id=order_id,
        market=MARKET,
        token=UP,
        side="BUY",
        price=PriceE4(4_900),
        original_size_e6=SizeE6(SIZE),
        size_matched_e6=SizeE6(0),
        status="LIVE",
        status_text="as sent",
        trades=(),
        venue_ms=WallMs(0),
        source="rest",
    )
    return msgspec.structs.replace(told, **spoil)


def trade(source: str = "socket", role: str = "MAKER", **spoil: Any) -> OwnTrade:
    leg = TradeLeg(OURS, UP, "BUY", PriceE4(4_800), SizeE6(2_000_000), role)  # type: ignore[arg-type]
    told = OwnTrade(
        trade_id=TradeId("t1"),
        market=MARKET,
        legs=(leg,),
        status="MATCHED",
        match_ms=WallMs(17),
        venue_ms=WallMs(18),
        source=source,  # type: ignore[arg-type]
    )
    return msgspec.structs.replace(told, **spoil)
