"""KS-14 through the whole core: what disagrees is shown, adopted or cancelled, and pauses."""

import msgspec
import pytest

from services.execution.lifecycle import Order
from services.execution.reconciliation.account_reads import OVERLAP_S
from services.execution.reconciliation.account_sync import WINDOW_MS
from services.execution.startup import OpenedLedger
from shared.facts import Alert, ExecutionStatus, Positions
from shared.identifiers import ADOPTED, OrderHash
from shared.ledger_schema import FillRecord
from shared.units import SizeE6, WallMs
from tests.builders.execution import Rig, identity, resting, target
from tests.builders.ledger_rows import build_fill_record, build_order_record
from tests.builders.markets import MARKET, UP, instant

SHARE = 1_000_000
FULL_MS = 30_000
SOON_MS = 50_000
"""A full period, the grace of the venue's cache and the reads after it."""


def trading() -> Rig:
    """One quote rests, and the world is whole."""
    rig = Rig()
    rig.quote()
    assert len(rig.venue.open) == 1
    return rig


def order_of(rig: Rig, order_id: OrderHash) -> Order:
    order = rig.core._parts.register.find(order_id)
    assert order is not None
    return order


def alerts(rig: Rig, name: str) -> list[Alert]:
    return [alert for alert in rig.published(Alert) if alert.name == name]


def adopted_legs(rig: Rig) -> list[FillRecord]:
    return [row for row in rig.journal if isinstance(row, FillRecord) and row.role == "ADOPTED"]


def until_mismatch(rig: Rig, in_a_row: int = 1) -> None:
    for _ in range(SOON_MS // 100):
        rig.run(100)
        mismatch = rig.pong().mismatch
        if mismatch is not None and mismatch.in_a_row >= in_a_row:
            rig.run(200)
            return
    pytest.fail("nothing was found to disagree")


@pytest.mark.req("INV-7")
def test_rounds_that_agree_keep_trading_and_are_told_with_their_age() -> None:
    rig = trading()
    rig.run(65_000)
    assert rig.pong().mismatch is None
    assert rig.core._parts.full.agreement.rounds >= 3
    age_ns = rig.core._parts.full.age_ns(rig.now)
    assert age_ns is not None
    assert age_ns < (FULL_MS + 1_000) * 1_000_000
    assert rig.orders("LIVE")


@pytest.mark.req("EX-22", "NET-3")
@pytest.mark.parametrize("silent", ["/data/orders", "/data/trades"])
def test_agreement_is_as_old_as_the_older_of_both_lists(silent: str) -> None:
    """The other list goes on to be read whole meanwhile; a venue answered `null` for one."""
    rig = trading()
    rig.venue.answers[silent] = (200, b"null")
    rig.run(1_000)
    since_ns = rig.now.monotonic_ns
    rig.run(8_000)
    told_ns = rig.published(ExecutionStatus)[-1].reconciled_ns
    assert told_ns is not None
    assert told_ns <= since_ns
    del rig.venue.answers[silent]
    rig.run(8_000)
    told_ns = rig.published(ExecutionStatus)[-1].reconciled_ns
    assert told_ns is not None
    assert told_ns > since_ns


@pytest.mark.req("EX-25", "KS-14", "EX-5")
def test_shares_found_at_the_start_are_adopted_before_anything_is_placed() -> None:
    rig = Rig()
    rig.venue.balances[UP] = 7 * SHARE
    rig.wishes = (target(),)
    rig.tell(identity())
    rig.run(8_000)
    assert not rig.pong().proven_start
    assert "positions" in rig.pong().start_state
    assert not rig.venue.posts
    rig.run(20_000)
    assert rig.pong().proven_start, rig.pong().start_state
    (leg,) = adopted_legs(rig)
    assert (leg.strategy, leg.token, leg.side, leg.size_e6) == (ADOPTED, UP, "BUY", 7 * SHARE)
    assert rig.held(UP) == 7 * SHARE
    assert alerts(rig, "unknown_position")
    assert rig.pong().mismatch is None
    assert rig.venue.posts


@pytest.mark.req("KS-14", "EX-25")
def test_unknown_shares_pause_with_both_numbers_are_adopted_and_trading_goes_on() -> None:
    rig = trading()
    rig.venue.balances[UP] = 7 * SHARE
    until_mismatch(rig)
    mismatch = rig.pong().mismatch
    assert (mismatch.in_a_row, mismatch.halt_round) == (1, 0)
    assert f"position in {UP}: ours 0, theirs 7000000" in mismatch.text
    assert not rig.venue.open
    assert rig.denials()["reconciliation_mismatch"]
    (leg,) = adopted_legs(rig)
    assert (leg.size_e6, leg.settlement) == (7 * SHARE, "CONFIRMED")
    rig.run(8_000)
    assert rig.pong().mismatch is None
    assert rig.venue.open


@pytest.mark.req("KS-14", "EX-25")
def test_missing_shares_are_taken_from_their_owner() -> None:
    rig = trading()
    (order_id,) = rig.venue.open
    rig.venue.matched[order_id] = 6 * SHARE
    rig.venue.gone[order_id] = "MATCHED"
    del rig.venue.open[order_id]
    rig.wishes = ()
    rig.hear("feed_user", "feed.user", rig.trade(order_id, 6, status="CONFIRMED"))
    assert rig.held(UP) == 6 * SHARE
    rig.venue.balances[UP] = 2 * SHARE
    until_mismatch(rig)
    assert "ours 6000000, theirs 2000000" in rig.pong().mismatch.text
    (leg,) = adopted_legs(rig)
    assert (leg.side, leg.size_e6, leg.strategy) == ("SELL", 4 * SHARE, "market_making")
    assert rig.held(UP) == 2 * SHARE


@pytest.mark.req("KS-14")
def test_disagreeing_twice_in_a_row_halts_until_a_newer_epoch() -> None:
    rig = trading()
    rig.venue.balances[UP] = 7 * SHARE
    until_mismatch(rig)
    rig.venue.balances[UP] = 9 * SHARE
    until_mismatch(rig, 2)
    first = rig.pong().mismatch
    assert first.halt_round == first.round
    rig.run(30_000)
    later = rig.pong().mismatch
    assert later.in_a_row == 0
    assert later.halt_round == first.halt_round
    assert "reconciled since" in later.text
    assert not rig.venue.open
    rig.resume()
    rig.run(3_000)
    assert rig.pong().mismatch is None
    assert rig.venue.open


@pytest.mark.req("KS-14")
def test_cache_that_lags_is_read_anew_before_it_counts() -> None:
    rig = trading()
    rig.venue.cached[UP] = 7 * SHARE
    rig.run(90_000)
    assert rig.pong().mismatch is None
    assert not adopted_legs(rig)
    assert any("/update" in one.path for one in rig.venue.requests)
    assert rig.venue.open


@pytest.mark.req("KS-14", "EX-22")
def test_balance_that_cannot_be_refreshed_is_only_doubted_and_blocks_by_its_age() -> None:
    rig = trading()
    rig.venue.cached[UP] = 7 * SHARE
    rig.venue.update_status = 500
    rig.run(90_000)
    assert rig.pong().mismatch is None
    assert not adopted_legs(rig)
    rig.run(60_000)
    failing = {
        one.name for one in rig.core._conditions.account_predicates(rig.now) if not one.holds
    }
    assert "positions_known" in failing


@pytest.mark.req("EX-22", "EX-5")
@pytest.mark.parametrize("status", [500, 425, 429, 404])
def test_start_is_not_proven_while_balances_are_unreadable(status: int) -> None:
    rig = Rig()
    rig.venue.balance_status = status
    rig.tell(identity())
    rig.run(10_000)
    assert not rig.pong().proven_start
    state = rig.pong().start_state
    assert state == f"positions: the balances of 2 tokens: answered by {status}"
    rig.venue.balance_status = 200
    rig.run(2_000)
    assert rig.pong().proven_start


@pytest.mark.req("KS-14", "INV-7")
def test_order_that_ended_here_and_is_still_listed_is_cancelled_by_its_id() -> None:
    rig = resting()
    order_id = next(iter(rig.venue.open))
    order = order_of(rig, order_id)
    rig.core._parts.register.apply(order, "canceled", rig.now, "told so")
    rig.run(6_000)
    assert order_id not in rig.venue.open
    assert rig.pong().mismatch is None


@pytest.mark.req("KS-14")
def test_order_that_stays_listed_after_its_end_pauses_and_then_halts() -> None:
    rig = resting()
    order_id = next(iter(rig.venue.open))
    order = order_of(rig, order_id)
    rig.core._parts.register.apply(order, "canceled", rig.now, "told so")
    rig.venue.immortal.add(order_id)
    until_mismatch(rig)
    assert f"order {order_id}: ours CANCELED, theirs listed as LIVE" in rig.pong().mismatch.text
    until_mismatch(rig, 2)
    assert rig.pong().mismatch.halt_round


@pytest.mark.req("KS-14", "EX-25")
def test_stranger_is_adopted_cancelled_and_pauses() -> None:
    rig = trading()
    stranger = OrderHash("0x" + "5" * 64)
    rig.hear("feed_user", "feed.user", rig.own_order(stranger))
    rig.run(40_000)
    assert alerts(rig, "unknown_orders")
    assert alerts(rig, "reconciliation_mismatch")
    row = next(one for one in rig.orders() if one.order_id == stranger)
    assert row.strategy == ADOPTED


@pytest.mark.req("EX-22")
def test_stranger_without_a_size_is_read_for_and_never_taken_for_nothing() -> None:
    rig = trading()
    stranger = OrderHash("0x" + "5" * 64)
    before = len(rig.venue.seen("/data/orders"))
    rig.hear("feed_user", "feed.user", rig.own_order(stranger, original_size_e6=None))
    rig.run(50)
    assert len(rig.venue.seen("/data/orders")) == before + 1
    assert rig.core._parts.register.find(stranger) is None


@pytest.mark.req("KS-14")
def test_price_that_the_venue_lists_otherwise_disagrees() -> None:
    rig = trading()
    (order_id,) = rig.venue.open
    rig.venue.spoilt[order_id] = {"price": "0.4"}
    until_mismatch(rig)
    assert f"order {order_id} price_e4: ours 4800, theirs 4000" in rig.pong().mismatch.text


@pytest.mark.req("INV-7")
def test_balances_of_a_market_that_has_ended_are_not_compared() -> None:
    rig = trading()
    rig.venue.balances[UP] = 7 * SHARE
    rig.ms = (rig.info.end_ms - rig.info.start_ms) + 1
    rig.run(60_000)
    assert not adopted_legs(rig)


NODE = "http://127.0.0.1:18545/v2/key"


@pytest.mark.req("KS-14", "EX-23")
def test_chain_that_disagrees_counts_without_the_venues_word() -> None:
    rig = Rig(node=NODE)
    rig.quote()
    rig.venue.on_chain[UP] = 7 * SHARE
    until_mismatch(rig)
    assert f"position in {UP}: ours 0, theirs 7000000 1e-6 shares on the chain" in (
        rig.pong().mismatch.text
    )
    assert rig.held(UP) == 7 * SHARE
    calls = [one for one in rig.venue.requests if one.lane == "chain"]
    assert {one.path for one in calls} == {"/v2/key"}


@pytest.mark.req("KS-14", "EX-23")
def test_venues_cache_does_not_stand_against_the_chain() -> None:
    rig = Rig(node=NODE)
    rig.quote()
    rig.venue.balances[UP] = 7 * SHARE
    rig.run(70_000)
    assert rig.pong().mismatch is None
    assert rig.venue.open
    reading = rig.core._parts.positions.chain.newest(UP)
    assert reading is not None
    assert reading.balance_e6 == 0


@pytest.mark.req("KS-14", "EX-22")
@pytest.mark.parametrize(
    ("status", "body"),
    [(500, b""), (200, b'{"error":{"code":1,"message":"no"}}'), (200, b'{"result":"0x"}')],
)
def test_node_that_keeps_failing_is_given_up_for_the_round(status: int, body: bytes) -> None:
    rig = Rig(node=NODE)
    rig.venue.answers["/v2/key"] = (status, body)
    rig.quote()
    rig.venue.balances[UP] = 7 * SHARE
    until_mismatch(rig)
    assert "as the venue believes" in rig.pong().mismatch.text


@pytest.mark.req("EX-25", "OP-13")
def test_restart_knows_what_was_adopted_and_reads_trades_from_the_last_one() -> None:
    first = trading()
    first.venue.balances[UP] = 7 * SHARE
    until_mismatch(first)
    (leg,) = adopted_legs(first)
    rig = Rig(OpenedLedger(epoch=5, fills=(leg,)))
    assert rig.held(UP) == 7 * SHARE
    assert rig.core._parts.positions.newest_match_ms() == 0
    rig.start()
    assert rig.pong().mismatch is None
    (fact,) = rig.published(Positions)[-1].positions
    assert (fact.strategy, fact.confirmed) == (ADOPTED, 7 * SHARE)


def asked_since_ms(rig: Rig) -> list[int]:
    """Return from when on each read of trades asked, in the order of asking."""
    reads = rig.venue.seen("/data/trades")
    return [int(read.path.split("after=")[1].split("&")[0]) * 1_000 for read in reads]


def knowing(match_ms: int) -> OpenedLedger:
    """A ledger that knows of one trade, of two shares."""
    fill = build_fill_record(
        market=MARKET,
        token=UP,
        side="BUY",
        size_e6=SizeE6(2 * SHARE),
        settlement="CONFIRMED",
        match_ms=WallMs(match_ms),
    )
    return OpenedLedger(epoch=5, fills=(fill,))


@pytest.mark.req("EX-5", "OP-13")
def test_start_reads_trades_since_the_newest_that_the_ledger_knows() -> None:
    rig = Rig(knowing(instant(0).wall_ms - 10_000))
    rig.start()
    oldest_ms = instant(0).wall_ms - 10_000 - OVERLAP_S * 1_000
    assert min(asked_since_ms(rig)) >= oldest_ms - 1_000
    rig.run(FULL_MS)
    assert min(asked_since_ms(rig)) <= rig.now.wall_ms - WINDOW_MS, "every round after it does"


@pytest.mark.req("EX-5", "EX-25", "KS-14")
def test_start_counts_a_trade_that_only_the_whole_window_shows() -> None:
    """The venue tells a trade that is older than the overlap: it is no unknown position."""
    left = build_order_record(
        api_key_id="key-1", market=MARKET, token=UP, state="CANCELED", reason="epoch"
    )
    known = knowing(instant(0).wall_ms - 10_000)
    rig = Rig(msgspec.structs.replace(known, orders=(left,)))
    rig.venue.balances[UP] = 5 * SHARE
    missed_ms = instant(0).wall_ms - 10_000 - 2 * OVERLAP_S * 1_000
    missed = {
        "id": "missed",
        "taker_order_id": "0x" + "ee" * 32,
        "market": MARKET,
        "asset_id": UP,
        "side": "SELL",
        "size": "3",
        "price": "0.48",
        "status": "CONFIRMED",
        "match_time": str(missed_ms // 1_000),
        "maker_orders": [
            {
                "order_id": left.order_id,
                "matched_amount": "3",
                "price": "0.48",
                "asset_id": UP,
                "outcome": "Up",
                "side": "BUY",
            }
        ],
    }
    rig.venue.trades.append(missed)
    rig.tell(identity())
    rig.run(20_000)
    assert rig.pong().proven_start, rig.pong().start_state
    assert rig.held(UP) == 5 * SHARE
    assert not adopted_legs(rig)
    assert not alerts(rig, "unknown_position")
