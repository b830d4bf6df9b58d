"""What each report of the venue makes of an order of ours, of a stranger, and of a trade."""

from typing import Any

import msgspec
import pytest

from services.execution.inventory import FEE_RATE_WORST_E6
from services.execution.reconciliation import reconcile
from services.execution.reconciliation.reconcile import LOOK_EVERY_NS
from shared.identifiers import ADOPTED, ConditionId, TokenId, TradeId
from shared.units import NS_PER_MS, PriceE4, SizeE6
from shared.venue.rules import taker_fee
from tests.builders.markets import MARKET, UP
from tests.builders.reconcile import NOW, OURS, SIZE, STRANGER, World, later, report, row, trade


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("LIVE", "LIVE"),
        ("DELAYED", "LIVE"),
        ("UNMATCHED", "LIVE"),
        ("MATCHED", "LIVE"),
        ("CANCELED", "CANCELED"),
        ("INVALID", "CANCELED"),
        ("EXPIRED", "EXPIRED"),
        ("NEW_WORD", "UNKNOWN"),
    ],
)
def test_status_of_the_venue_makes_its_state(status: str, state: str) -> None:
    world = World(row(state="UNKNOWN"))
    world.reconciler.take_order(report(status=status), NOW)
    assert world.state == state


@pytest.mark.parametrize(
    ("doom", "status", "reason"),
    [
        ("", "CANCELED", "as sent"),
        ("price_moved", "CANCELED", "price_moved"),
        ("price_moved", "EXPIRED", "as sent"),
    ],
)
def test_end_says_our_own_reason_where_we_have_asked_for_it(
    doom: str, status: str, reason: str
) -> None:
    world = World()
    world.order().doom = doom
    world.reconciler.take_order(report(status=status), NOW)
    assert world.order().record.reason == reason


@pytest.mark.parametrize(("original", "filled"), [(SIZE, 7), (None, 7), (SIZE + 1, 0)])
def test_matched_size_counts_only_in_the_scale_of_our_order(
    original: int | None, filled: int
) -> None:
    world = World()
    size = None if original is None else SizeE6(original)
    told = report(original_size_e6=size, size_matched_e6=SizeE6(7))
    world.reconciler.take_order(told, NOW)
    assert world.order().record.filled_e6 == filled


@pytest.mark.parametrize(
    ("spoil", "unseen_e6"),
    [
        ({}, 0),
        ({"size_matched_e6": None}, SIZE),
        ({"original_size_e6": SizeE6(SIZE + 1)}, SIZE),
    ],
)
def test_end_that_tells_no_filled_size_leaves_it_open(
    spoil: dict[str, Any], unseen_e6: int
) -> None:
    world = World()
    world.reconciler.take_order(report(status="CANCELED", **spoil), NOW)
    assert world.order().unseen_e6 == unseen_e6


# --- strangers --------------------------------------------------------------------


def test_stranger_is_adopted_with_everything_that_the_venue_tells() -> None:
    world = World()
    told = report(STRANGER, side="SELL", size_matched_e6=SizeE6(2))
    world.reconciler.take_order(told, NOW)
    order = world.order(STRANGER)
    assert world.reconciler.strangers == [order]
    assert (world.reconciler.adopted, order.live_ns) == (1, NOW.boot_ns)
    record = order.record
    assert (record.account, record.wallet, record.api_key_id) == ("main", "0x" + "1" * 40, "key")
    assert (record.strategy, record.purpose, record.leg_group) == (ADOPTED, "adopted", "")
    assert (record.epoch, record.incarnation) == (4, "00000000000000ff")
    assert record.intent == f"adopted/{STRANGER}"
    assert (record.market, record.token, record.side, record.level) == (MARKET, UP, "SELL", 0)
    assert (record.price_e4, record.size_e6, record.filled_e6) == (4_900, SIZE, 2)
    assert (record.post_only, record.reduce_only, record.state) == (False, False, "LIVE")
    assert record.reason == "found at the venue"
    assert (record.salt, record.timestamp_ms, record.maker_e6, record.taker_e6) == (0, 0, 0, 0)
    assert (record.expiration_s, record.lease_until_wall_ns, record.sent_wall_ns) == (0, 0, 0)
    assert record.deadline_wall_ns == record.created_wall_ns == NOW.wall_ns
    assert record.updated_wall_ns == NOW.wall_ns


@pytest.mark.parametrize(("matched", "filled"), [(None, 0), (SIZE + 1, SIZE)])
def test_stranger_is_filled_within_its_size(matched: int | None, filled: int) -> None:
    world = World()
    told = report(STRANGER, size_matched_e6=None if matched is None else SizeE6(matched))
    world.reconciler.take_order(told, NOW)
    assert world.order(STRANGER).record.filled_e6 == filled


@pytest.mark.parametrize("status", ["CANCELED", "EXPIRED", "NEW_WORD"])
def test_stranger_that_has_ended_is_nobody(status: str) -> None:
    world = World()
    world.reconciler.take_order(report(STRANGER, status=status), NOW)
    assert world.register.find(STRANGER) is None


def test_nobody_is_adopted_before_it_is_known_who_we_are() -> None:
    world = World()
    world.reconciler.identity = None
    world.reconciler.take_order(report(STRANGER), NOW)
    assert world.register.find(STRANGER) is None
    assert not world.reconciler.is_hinted


def test_stranger_without_a_size_is_a_hint_to_read_all() -> None:
    world = World()
    assert not world.reconciler.is_hinted
    world.reconciler.take_order(report(STRANGER, original_size_e6=None), NOW)
    assert world.register.find(STRANGER) is None
    assert world.reconciler.is_hinted


# --- trades -----------------------------------------------------------------------


def test_leg_becomes_a_row_with_the_venues_numbers_and_counts_once() -> None:
    world = World()
    (fill,) = world.reconciler.take_trade(trade(), NOW)
    record = world.order().record
    assert (fill.trade_id, fill.order_id, fill.account) == ("t1", OURS, record.account)
    assert (fill.strategy, fill.market, fill.token) == (record.strategy, MARKET, UP)
    assert (fill.side, fill.price_e4, fill.size_e6, fill.role) == ("BUY", 4_800, 2_000_000, "MAKER")
    assert (fill.settlement, fill.fee_e6, fill.match_ms) == ("MATCHED", 0, 17)
    assert fill.updated_wall_ns == NOW.wall_ns
    assert world.order().legs_e6 == record.filled_e6 == 2_000_000
    assert world.reconciler.take_trade(trade(), later(1)) == []
    assert world.order().legs_e6 == 2_000_000
    assert world.reconciler.changed_ns == {UP: NOW.boot_ns}
    assert world.reconciler.take_trade(trade(status="MINED"), later(2)) == []
    assert world.reconciler.changed_ns == {UP: later(2).boot_ns}


def test_leg_of_a_stranger_does_not_hide_ours() -> None:
    told = trade()
    legs = (msgspec.structs.replace(told.legs[0], order_id=STRANGER), told.legs[0])
    fills = World().reconciler.take_trade(msgspec.structs.replace(told, legs=legs), NOW)
    assert [fill.order_id for fill in fills] == [OURS]


@pytest.mark.parametrize(("source", "settlement"), [("rest", "CONFIRMED"), ("socket", "FAILED")])
def test_answer_of_the_venue_overrules_the_stream(source: str, settlement: str) -> None:
    world = World()
    world.reconciler.take_trade(trade(status="FAILED"), NOW)
    world.reconciler.take_trade(trade(source, status="CONFIRMED"), later(1))
    assert [fill.settlement for fill in world.positions.unjournaled][-1] == settlement  # type: ignore[union-attr]


def test_taker_pays_the_fee_of_the_market_and_the_worst_where_it_is_unknown() -> None:
    world = World()
    (fill,) = world.reconciler.take_trade(trade(role="TAKER"), NOW)
    worst = FEE_RATE_WORST_E6
    assert fill.fee_e6 == taker_fee(PriceE4(4_800), SizeE6(2_000_000), worst) > 0
    world.reconciler.know_fee_rate(MARKET, 10_000)
    told = trade(role="TAKER", trade_id=TradeId("t2"))
    (fill,) = world.reconciler.take_trade(told, NOW)
    assert fill.fee_e6 == taker_fee(PriceE4(4_800), SizeE6(2_000_000), 10_000) > 0


def test_fee_rates_of_the_oldest_markets_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile, "FEE_RATES_MAX", 2)
    world = World()
    for name in ("first", "second", "third"):
        world.reconciler.know_fee_rate(ConditionId(name), 1)
    assert list(world.reconciler._fee_rates) == ["second", "third"]


def test_newest_change_of_a_token_is_kept_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile, "TOKENS_KEPT_MAX", 2)
    world = World()
    for at_ms, name in enumerate(("first", "second", "first", "third")):
        world.reconciler.note_change(TokenId(name), later(at_ms))
    assert world.reconciler.changed_ns == {"first": later(2).boot_ns, "third": later(3).boot_ns}


def test_memories_are_as_long_as_their_reasons_say() -> None:
    assert (reconcile.TOKENS_KEPT_MAX, reconcile.FEE_RATES_MAX) == (4_096, 10_000)
    assert LOOK_EVERY_NS == 500 * NS_PER_MS
