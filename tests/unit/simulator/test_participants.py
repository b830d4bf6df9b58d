"""The crowd: books like recorded ones, cancels in batches, bursts, and takers who know better."""

import statistics
from typing import Any

import pytest

from services.simulator.participants_crowd import TAKERS
from services.simulator.participants_takers import edge_e4
from tests.builders.quoters import SHARE, Careful, Quoter, careless_minute, middle_of
from tests.builders.venue_rig import VenueRig

SEEDS = (1, 2, 3, 4)
CALM: dict[str, Any] = {"frames_per_second": 20, "resolution_ms": 0, "collateral_usd": 1_000_000}


def shares(rig: VenueRig, *, bid: bool) -> dict[int, float]:
    side = rig.market.book.side(bid=bid)
    return {price: side.total(price) / SHARE for price in side.prices}


@pytest.mark.parametrize("seed", SEEDS)
def test_new_book_has_the_depth_and_the_shape_of_the_recorded_one(seed: int) -> None:
    rig = VenueRig(**CALM, seed=seed)
    rig.advance(0.1)
    bids, asks = shares(rig, bid=True), shares(rig, bid=False)
    for levels in (bids, {10_000 - price: size for price, size in asks.items()}):
        assert 38 <= len(levels) <= 60
        # Recorded: 92,790 and 15,725 shares at the last two cents, 71 at the fourth.
        assert 80_000 < levels[100] < 105_000
        assert 14_000 < levels[200] < 17_500
        assert levels[400] < 200
        inner = sorted(levels, reverse=True)
        near, middle = inner[:2], [price for price in levels if 3_800 <= price <= 4_400]
        far = [price for price in levels if 1_600 <= price <= 2_900]
        # Recorded: hundreds at the touch, thickest six cents behind it, tens far away.
        typical = statistics.median(levels[price] for price in middle)
        assert typical > statistics.median(levels[price] for price in near)
        assert typical > 10 * statistics.median(levels[price] for price in far)


def test_shallow_book_keeps_near_levels_only() -> None:
    rig = VenueRig(**CALM, levels=8)
    rig.advance(30)
    bid = rig.market.book.bids.best()
    assert bid is not None
    assert all(bid - price <= 2_500 for price in rig.market.book.bids.prices)


def test_calm_market_changes_mostly_near_the_touch_and_somewhere_far_away() -> None:
    rig = VenueRig(**CALM, takers_per_second=0)
    rig.follow_market(1)
    rig.advance(60)
    rig.frames(1)
    rig.advance(20)
    distances: list[float] = []
    for frame in rig.frames(1):
        for entry in frame.get("price_changes", ()):
            touch = entry["best_bid"] if entry["side"] == "BUY" else entry["best_ask"]
            distances.append(abs(float(entry["price"]) - float(touch)))
    assert len(distances) >= 2 * 20 * 20
    assert statistics.median(distances) < 0.1
    assert max(distances) > 0.2


def test_danger_is_cancelled_in_one_batch_with_one_stamp_and_one_hash() -> None:
    rig = VenueRig(**CALM, takers_per_second=0, volatility_annual=2.0)
    rig.follow_market(1)
    rig.advance(30)
    batches: dict[tuple[str, str], list[Any]] = {}
    for frame in rig.frames(1):
        if isinstance(frame, dict) and frame["event_type"] == "price_change":
            entries = {entry["asset_id"]: entry for entry in frame["price_changes"]}
            first = entries[rig.market.tokens[0]]
            batches.setdefault((frame["timestamp"], first["hash"]), []).append(first)
    long = [batch for batch in batches.values() if len(batch) >= 4]
    assert len(long) > 5
    for batch in long:
        assert len({(entry["best_bid"], entry["best_ask"]) for entry in batch}) == 1
        assert len({(entry["side"], entry["price"]) for entry in batch}) == len(batch)


def test_burst_sends_two_thousand_frames_for_a_second_and_is_over() -> None:
    rig = VenueRig(
        frames_per_second=500,
        burst_frames_per_second=2_000,
        burst_every_s=5,
        burst_ms=1_000,
        takers_per_second=0,
    )
    rig.advance(1)
    rig.follow_market(1)
    counts = []
    for _ in range(10):
        rig.frames(1)
        rig.advance(1)
        counts.append(len(rig.frames(1)))
    assert sorted(counts)[-2:][0] >= 1_900
    assert all(count < 800 for count in sorted(counts)[:-2])
    assert all(count >= 450 for count in counts)


def test_informed_taker_leaves_alone_what_does_not_pay_for_his_fee() -> None:
    assert edge_e4(5_000) == 175 + 100
    assert edge_e4(9_000) == edge_e4(1_000) == 63 + 100


@pytest.mark.parametrize("outcome", [0, 1])
def test_quote_left_behind_by_the_fair_value_is_hit_within_seconds(outcome: int) -> None:
    rig = VenueRig(**CALM, takers_per_second=0.001, volatility_annual=0.0)
    rig.advance(30)
    middle = middle_of(rig.market)
    assert middle is not None
    rig.core._freeze(True)
    for order in [
        order
        for level in rig.market.book.asks.levels.values()
        for order in level.orders.values()
        if order.book_price < middle + 1_000
    ]:
        rig.core.exchange.withdraw(order)
    own = middle + 600 if outcome == 0 else 10_000 - middle + 600
    kept = rig.place(outcome=outcome, price=own // 100 * 100 - 500, size=50)
    rig.core._freeze(False)
    rig.advance(5)
    assert rig.open_ids() == [kept]
    rig.ask("DELETE", "/cancel-all")
    if outcome == 0:
        rig.place(outcome=outcome, price=own // 100 * 100, size=50)
        rig.advance(5)
        assert rig.open_ids() == []
        takers = rig.core.exchange.accounts.get(TAKERS)
        assert takers.tokens != {}


@pytest.mark.req("TST-1")
@pytest.mark.parametrize("half_e4", [50, 150])
def test_quoting_one_price_for_a_minute_loses_money_at_every_seed(half_e4: int) -> None:
    gains = []
    for seed in SEEDS:
        rig = VenueRig(**CALM, seed=seed, interval_s=300)
        quoter = Quoter(rig, "0xcareless")
        for _ in range(4):
            careless_minute(quoter, half_e4, 20 * SHARE)
        assert quoter.fills > 10
        gains.append(quoter.gain)
    assert max(gains) < 0
    assert sum(gains) < -20


def test_careful_market_maker_does_not_lose_systematically() -> None:
    careful, careless = [], []
    for seed in SEEDS:
        quoter = Quoter(VenueRig(**CALM, seed=seed, interval_s=900), "0xcareful")
        maker = Careful(quoter)
        for _ in range(2_400):
            maker.step()
        assert quoter.fills > 10
        careful.append(quoter.gain)
        other = Quoter(VenueRig(**CALM, seed=seed, interval_s=900), "0xcareless")
        for _ in range(4):
            careless_minute(other, 150, 20 * SHARE)
        careless.append(other.gain)
    assert sum(careful) > -5
    assert sum(careful) > sum(careless) + 10
    assert sum(careless) < 0
