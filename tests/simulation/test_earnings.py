"""What a window brought, folded from records of the venue's log."""

import json
from decimal import Decimal
from typing import Any

from ops.simulation.earnings import Earnings

US = "0xUS"


def earnings(*records: dict[str, Any]) -> Earnings:
    """Return the fold of a market's listing and of further records."""
    found = Earnings(US)
    listing = {"kind": "market", "market": "m", "slug": "s", "state": "LISTED", "start_ms": 5}
    for record in (listing | {"tokens": ["up", "down"], "winner": None}, *records):
        found.take(json.dumps(record).encode())
    return found


def fill(trade: str = "t1", **spoil: Any) -> dict[str, Any]:
    fields = {"kind": "fill", "market": "m", "account": US.lower(), "trade_id": trade}
    return fields | {"side": "BUY", "money": "4.5", "fee": "0.1", "status": "MATCHED"} | spoil


def test_profit_is_payouts_and_sells_less_buys_and_fees() -> None:
    paid = {"kind": "payout", "market": "m", "account": US, "payout": "10"}
    resolved = {"kind": "market", "market": "m", "winner": "down", "tokens": ["up", "down"]}
    found = earnings(fill(), fill("t2", side="SELL", money="1", fee="0"), paid, resolved)
    window = found.windows["m"]
    assert (window.slug, window.start_ms, window.winner, window.fills) == ("s", 5, 1, 2)
    assert window.profit == Decimal("10") + Decimal("1") - Decimal("4.6")


def test_failed_trade_is_taken_back_with_every_leg() -> None:
    failed = {"kind": "trade", "trade_id": "t1", "status": "FAILED"}
    found = earnings(fill(), fill(), fill("t2", fee="0"), failed)
    assert found.windows["m"].profit == Decimal("-4.5")


def test_what_others_do_and_what_says_nothing_of_money_is_left_out() -> None:
    order = {"kind": "order", "market": "m", "account": US, "change": "PLACEMENT"}
    found = earnings(
        fill(account="0xother"),
        order,
        order | {"change": "UPDATE"},
        {"kind": "response", "status": 200},
        {"kind": "trade", "trade_id": "t9", "status": "FAILED"},
    )
    window = found.windows["m"]
    assert (window.profit, window.orders, window.fills) == (Decimal(0), 1, 0)
