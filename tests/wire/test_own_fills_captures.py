"""Own fills in recorded trades: found by our order ids, in the token and side of our order."""

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.execution.lifecycle import as_order
from services.execution.order_register import OrderRegister
from services.execution.positions import Positions
from services.execution.reconciliation.reconcile import Reconciler
from shared.facts import OwnTrade, TradeLeg
from shared.ledger_schema import FillRecord
from shared.venue.parse_user import user_events
from tests.builders.ledger_rows import build_order_record
from tests.builders.markets import instant

CAPTURES = Path(os.environ.get("INTERLOCK_CAPTURES", "../shared/captures"))
MESSAGES = CAPTURES / "nautilus_trader" / "python_resources" / "ws_messages"
NOW = instant()

pytestmark = pytest.mark.skipif(not MESSAGES.is_dir(), reason="recorded frames are not here")


def recorded(number: int) -> OwnTrade:
    (event,) = user_events((MESSAGES / f"user_trade{number}.json").read_text())
    assert isinstance(event, OwnTrade)
    return event


class Account:
    """An account that has placed some of the orders that a trade names."""

    def __init__(self, *legs: TradeLeg) -> None:
        self.register = OrderRegister((), NOW)
        self.positions = Positions((), ())
        self.reconciler = Reconciler(self.register, self.positions, 1)
        for leg in legs:
            row: dict[str, Any] = {"token": leg.token, "side": leg.side, "price_e4": leg.price}
            record = build_order_record(
                order_id=leg.order_id, size_e6=2 * leg.size, state="LIVE", **row
            )
            self.register.add(as_order(record, NOW))

    def fills(self) -> list[FillRecord]:
        return [row for row in self.positions.unjournaled if isinstance(row, FillRecord)]


@pytest.mark.req("VEN-6")
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_each_leg_that_is_ours_counts_once_in_its_own_token_and_side(number: int) -> None:
    trade = recorded(number)
    for mine in trade.legs:
        account = Account(mine)
        for source in ("socket", "rest", "socket"):
            again = msgspec.structs.replace(trade, source=source)
            account.reconciler.take_trade(again, NOW)
        (fill,) = account.fills()
        assert (fill.token, fill.side, fill.size_e6, fill.price_e4, fill.role) == (
            mine.token,
            mine.side,
            mine.size,
            mine.price,
            mine.role,
        )
        signed = mine.size if mine.side == "BUY" else -mine.size
        assert account.positions.matched_e6(mine.token) == signed
        (order,) = account.register
        assert (order.record.filled_e6, order.record.state) == (mine.size, "PARTLY_FILLED")


@pytest.mark.req("VEN-6")
def test_several_of_our_orders_in_one_trade_all_count() -> None:
    trade = recorded(4)
    makers = [leg for leg in trade.legs if leg.role == "MAKER"]
    account = Account(*makers)
    account.reconciler.take_trade(trade, NOW)
    assert {fill.order_id: fill.size_e6 for fill in account.fills()} == {
        leg.order_id: leg.size for leg in makers
    }


@pytest.mark.req("VEN-6")
def test_maker_on_the_complement_token_is_a_buyer_as_the_taker_is() -> None:
    trade = recorded(1)
    taker, other = trade.legs[0], trade.legs[1]
    assert other.token != taker.token, "two buyers of opposite tokens: the pair is minted"
    assert (taker.side, other.side) == ("BUY", "BUY")
    assert other.price == 4_820
    same = [leg for leg in trade.legs[1:] if leg.token == taker.token]
    assert {leg.side for leg in same} == {"SELL"}


def test_trade_of_others_moves_nothing() -> None:
    account = Account()
    account.reconciler.take_trade(recorded(1), NOW)
    assert account.fills() == []
