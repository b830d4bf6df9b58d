"""Starting over what an earlier run left: nothing trades before all of it is known."""

from typing import Any

import pytest

from services.execution.positions import Positions
from services.execution.startup import OpenedLedger
from shared.identifiers import OrderHash
from shared.ledger_schema import IdentityRecord, OrderRecord, PayoutRecord
from shared.units import NS_PER_MS, NS_PER_S, PriceE4, WallNs
from tests.builders.execution import Rig, identity, target
from tests.builders.ledger_rows import build_fill_record, build_order_record
from tests.builders.markets import MARKET, UP, instant

OURS = IdentityRecord("main", "0x" + "1" * 40, "key-1")
LEFT = OrderHash("0x" + "ab" * 32)


def left_behind(**spoil: Any) -> OrderRecord:
    """An order that the run before decided a moment ago."""
    wall_ns = instant(900).wall_ns
    fields: dict[str, Any] = {
        "api_key_id": "key-1",
        "market": MARKET,
        "token": UP,
        "created_wall_ns": wall_ns,
        "expiration_s": wall_ns // NS_PER_S + 182,
        "deadline_wall_ns": WallNs(wall_ns + 3_000 * NS_PER_MS),
    }
    return build_order_record(**{**fields, **spoil})


def restarted(*orders: OrderRecord, **ledger: Any) -> Rig:
    return Rig(OpenedLedger(**{"identity": OURS, "epoch": 5, "orders": orders, **ledger}))


@pytest.mark.req("EX-5")
@pytest.mark.req("EX-6")
@pytest.mark.parametrize("state", ["INTENDED", "SUBMITTED", "UNKNOWN"])
def test_order_of_an_earlier_run_is_in_doubt_until_its_deadline(state: str) -> None:
    rig = restarted(left_behind(state=state))
    rig.wishes = (target(),)
    rig.tell(identity())
    rig.run(2_800)
    assert not rig.pong().proven_start
    assert rig.pong().unresolved == 1
    assert rig.row(LEFT).state == "UNKNOWN"
    rig.run(5_000)
    assert rig.row(LEFT).state == "EXPIRED"
    assert rig.pong().proven_start
    assert len(rig.venue.open) == 1


@pytest.mark.req("EX-5")
def test_start_asks_for_cancel_all_then_reads_twice_then_trades() -> None:
    rig = restarted()
    rig.start()
    paths = [request.path.split("?")[0] for request in rig.venue.requests]
    assert paths[0] == "/cancel-all"
    assert paths.count("/data/orders") >= 2
    assert "/data/trades" in paths


@pytest.mark.req("EX-5")
def test_ledger_of_another_wallet_is_never_traded_on() -> None:
    rig = restarted(identity=IdentityRecord("main", "0x" + "2" * 40, "key-1"))
    rig.tell(identity())
    rig.run(5_000)
    assert rig.core.health()[0] == "starting"
    assert "belongs to" in rig.core.health()[1]
    assert rig.venue.requests == []


@pytest.mark.req("EX-5")
def test_another_api_key_is_refused_until_the_old_ones_orders_have_expired() -> None:
    old = left_behind(state="LIVE", api_key_id="old-key")
    rig = restarted(old, identity=IdentityRecord("main", "0x" + "1" * 40, "old-key"))
    rig.tell(identity())
    rig.run(121_500)
    assert "another API key" in rig.core.health()[1]
    assert rig.venue.requests == []
    rig.run(2_000)
    assert rig.row(LEFT).state == "EXPIRED"
    rig.run(4_000)
    assert rig.pong().proven_start


def test_faulty_ledger_is_never_traded_on() -> None:
    rig = Rig(OpenedLedger(fault="the chain breaks at event 3"))
    rig.wishes = (target(),)
    rig.tell(identity())
    rig.run(6_000)
    assert rig.venue.posts == []
    assert "chain breaks" in rig.core.health()[1]


@pytest.mark.req("EX-25")
def test_nothing_is_adopted_while_the_ledger_cannot_say_what_is_ours() -> None:
    rig = Rig(OpenedLedger(fault="database is locked"))
    rig.venue.balances[UP] = 7_000_000
    rig.tell(identity())
    rig.run(30_000)
    assert rig.held(UP) == 0
    assert rig.core._parts.full.adopted == 0


@pytest.mark.req("INV-9")
def test_epoch_of_the_ledger_is_told_and_older_pings_are_void() -> None:
    rig = restarted(epoch=9)
    assert rig.pong().ledger_epoch == 9
    rig.start()
    rig.wishes = (target(),)
    rig.run(1_000)
    assert rig.venue.posts == []
    rig.epoch = 10
    rig.run(1_000)
    assert len(rig.venue.open) == 1


@pytest.mark.req("EX-9")
@pytest.mark.req("OP-13")
def test_fill_that_happened_while_nobody_was_there_is_found_by_the_trades_read() -> None:
    rig = restarted(left_behind(state="LIVE"))
    rig.venue.trades.append(
        {
            "id": "missed",
            "taker_order_id": "0x" + "ee" * 32,
            "market": MARKET,
            "asset_id": UP,
            "side": "SELL",
            "size": "6",
            "price": "0.49",
            "status": "TRADE_STATUS_CONFIRMED",
            "match_time": "1790000001",
            "maker_orders": [
                {
                    "order_id": LEFT,
                    "matched_amount": "6",
                    "price": "0.49",
                    "asset_id": UP,
                    "side": "BUY",
                }
            ],
        }
    )
    rig.start()
    assert rig.held(UP) == 6_000_000
    assert rig.row(LEFT).state == "FILLED"
    rig.run(11_000)
    assert rig.held(UP) == 6_000_000, "counted once, however often it is read"
    assert not any(isinstance(r, PayoutRecord) for r in rig.journal)


def test_position_that_was_paid_out_stays_closed_after_a_restart() -> None:
    fill = build_fill_record(market=MARKET, token=UP, settlement="CONFIRMED")
    before = Positions((fill,), ())
    before.settle(MARKET, {UP: PriceE4(10_000)}, instant())
    payout = next(row for row in before.unjournaled if isinstance(row, PayoutRecord))
    after = Positions((fill,), (payout,))
    assert after.matched_e6(UP) == 0
    assert after.facts() == ()
    assert after.realised_today_e6(instant()) == payout.realised_e6
