"""The crowd: books like recorded ones, cancels in batches, bursts, and takers who know better."""

import statistics
from typing import Any

import pytest

from services.simulator.participants.takers import edge_e4
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


@pytest.mark.parametrize("seed", SEEDS)
def test_book_has_two_sides_to_the_very_end(seed: int) -> None:
    rig = VenueRig(**CALM, seed=seed, interval_s=60, volatility_annual=2.0)
    one_sided = 0
    for _ in range(590):
        rig.advance(0.1)
        one_sided += middle_of(rig.market) is None
    # A taker may take all there is at the last prices; it is soon quoted again.
    assert one_sided < 30


def test_shallow_book_keeps_near_levels_only() -> None:
    rig = VenueRig(**CALM, levels=8)
    rig.advance(30)
    bid = rig.market.book.bids.best()
    assert bid is not None
    assert all(bid - price <= 2_500 for price in rig.market.book.bids.prices)


def test_calm_market_changes_mostly_near_the_touch_and_somewhere_far_away() -> None:
    rig = VenueRig(**CALM, takers_per_second=0)
    rig.advance(61)
    rig.follow_market(1)
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


@pytest.mark.parametrize("side", ["bid", "ask"])
def test_quote_left_behind_by_the_fair_value_is_hit_within_seconds(side: str) -> None:
    rig = VenueRig(**CALM, takers_per_second=0.001)
    rig.advance(62)
    middle = middle_of(rig.market)
    assert middle is not None
    inside = 100 if side == "ask" else -100
    price = (middle + inside) // 100 * 100
    rig.place(outcome=0 if side == "bid" else 1, price=price if side == "bid" else 10_000 - price)
    rig.advance(3)
    assert len(rig.open_ids()) == 1
    # As if the reference had moved by a thousandth.
    assert rig.market.strike_e8 is not None
    rig.market.strike_e8 += rig.market.strike_e8 // (1_000 if side == "bid" else -1_000)
    rig.advance(3)
    assert rig.open_ids() == []
    (fill,) = rig.kinds("fill")
    assert fill["role"] == "MAKER"


@pytest.mark.parametrize("seed", SEEDS)
def test_quoting_one_price_for_a_minute_loses_money(seed: int) -> None:
    rig = VenueRig(**CALM, seed=seed, interval_s=300)
    rig.advance(61)
    quoter = Quoter(rig, "0xcareless")
    for _ in range(10):
        careless_minute(quoter, 100, 20 * SHARE)
    assert quoter.fills > 10
    assert quoter.gain < -5


def test_careful_market_maker_does_not_lose_systematically() -> None:
    gains = []
    for seed in SEEDS:
        rig = VenueRig(**CALM, seed=seed, interval_s=900)
        # The first window is all but over; at its end nobody is careful enough.
        rig.advance(61)
        quoter = Quoter(rig, "0xcareful")
        maker = Careful(quoter)
        for _ in range(1_800):
            maker.step()
        assert quoter.fills > 10
        gains.append(quoter.gain)
    assert sum(gains) > 0
