"""The venue as a whole: money is conserved, one seed gives one trace, profits recompute."""

import hashlib
import os
import subprocess
import sys
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.simulator.chance import Chance
from services.simulator.participants.crowd import MAKERS, TAKERS
from tests.builders.venue_rig import Client, VenueRig


def supply(rig: VenueRig, token: str) -> int:
    """Return how many shares of a token exist, with those on their way."""
    exchange = rig.core.exchange
    held = sum(account.balance(token) for account in exchange.accounts)
    coming = sum(
        move.amount
        for trade in exchange.trades.pending()
        for move in trade.given
        if move.token == token
    )
    return held + coming


def assert_conserved(rig: VenueRig) -> None:
    """Every share is one of a pair, every pair is backed by a dollar, no dollar is lost."""
    exchange = rig.core.exchange
    backing = 0
    for market in exchange.calendar:
        up, down = (supply(rig, token) for token in market.tokens)
        if market.state != "RESOLVED":
            assert up == down, market.slug
            backing += up
        else:
            assert market.winner is not None
            backing += (up, down)[market.winner]
    cash = sum(account.collateral for account in exchange.accounts)
    coming = sum(
        move.amount
        for trade in exchange.trades.pending()
        for move in trade.given
        if move.token == ""
    )
    deposited = sum(account.deposited for account in exchange.accounts)
    assert cash + coming + backing == deposited


def assert_reserved(rig: VenueRig) -> None:
    """What is reserved is exactly what open orders need, and never more than is owned."""
    exchange = rig.core.exchange
    for account in exchange.accounts:
        if not account.limited:
            continue
        needed = 0
        for orders in exchange.open.values():
            for order in orders.values():
                if order.maker == account.address and order.side == "BUY":
                    needed += -(-order.price * order.remaining // 10_000)
        assert account.reserved_collateral == needed
        assert account.collateral >= needed
        for token, size in account.reserved_tokens.items():
            assert account.balance(token) >= size


STEPS = st.lists(
    st.tuples(
        st.sampled_from((1, 2)),
        st.sampled_from((0, 1)),
        st.sampled_from(("BUY", "BUY", "BUY", "SELL")),
        st.integers(min_value=40, max_value=60),
        st.integers(min_value=500, max_value=2_000),
        st.sampled_from(("GTC", "GTC", "FAK", "FOK")),
        st.sampled_from((0.0, 0.1, 1.0)),
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS, st.booleans())
def test_money_and_shares_are_conserved_whatever_is_traded(steps: list[Any], failing: bool) -> None:
    rig = VenueRig(mined_ms=500, rate_limits=False)
    if failing:
        rig.fault("fail_settlement", probability=0.5)
    clients = {number: Client(rig.settings.seed, number) for number in (1, 2)}
    for number, outcome, side, cents, hundredths, order_type, pause in steps:
        client = clients[number]
        post = client.order(
            rig.market,
            outcome=outcome,
            side=side,
            price=cents * 100,
            size=hundredths / 100,
            order_type=order_type,
        )
        rig.post(post, client)
        assert_conserved(rig)
        assert_reserved(rig)
        rig.advance(pause)
    rig.advance(70)
    assert_conserved(rig)
    assert_reserved(rig)


def test_market_resolves_for_up_when_the_end_is_not_below_the_start() -> None:
    rig = VenueRig(interval_s=60, seed=3)
    rig.advance(400)
    resolved = [market for market in rig.core.exchange.calendar if market.state == "RESOLVED"]
    assert len(resolved) >= 5
    for market in resolved:
        assert market.strike_e8 is not None
        assert market.final_e8 is not None
        assert market.winner == (0 if market.final_e8 >= market.strike_e8 else 1)
    assert {market.winner for market in resolved} == {0, 1}


def test_winning_shares_are_paid_a_dollar_and_orders_end_with_the_market() -> None:
    rig = VenueRig(interval_s=60)
    other = Client(rig.settings.seed, 2)
    market = rig.market
    rig.place(outcome=1, price=4_000, size=10, client=other)
    rig.place(outcome=0, price=6_000, size=10)
    rig.place(price=1_000, size=10)
    rig.follow_user(2)
    rig.advance(65)
    assert market.winner is not None
    assert rig.open_ids() == []
    accounts = rig.core.exchange.accounts
    up, down = accounts.get(rig.client.address), accounts.get(other.address)
    assert up.tokens == down.tokens == {}
    assert up.collateral == 1_000_000_000 - 6_168_000 + (10_000_000 if market.winner == 0 else 0)
    assert down.collateral == 1_000_000_000 - 4_000_000 + (10_000_000 if market.winner == 1 else 0)
    assert rig.frames(2)[-1]["status"] == "CANCELED_MARKET_RESOLVED"


def test_trade_that_is_mined_after_the_resolution_is_paid_all_the_same() -> None:
    rig = VenueRig(interval_s=60, mined_ms=30_000, resolution_ms=1_000)
    other = Client(rig.settings.seed, 2)
    rig.advance(45)
    rig.place(outcome=1, price=5_000, size=10, client=other)
    rig.place(outcome=0, price=5_000, size=10)
    rig.advance(40)
    paid = rig.kinds("payout")
    assert sorted(Decimal(record["payout"]) for record in paid) == [0, 10]
    assert_conserved(rig)


def run_busy(rig: VenueRig, seconds: int) -> None:
    """Quote both outcomes near the middle of a busy market, and follow everything."""
    chance = Chance(7)
    rig.follow_market(1)
    rig.follow_user(2)
    for _ in range(seconds):
        rig.advance(1)
        rig.ask("DELETE", "/cancel-all")
        book = rig.market.book
        bid, ask = book.bids.best(), book.asks.best()
        if bid is None or ask is None or ask - bid < 200:
            continue
        size = chance.between(5, 12)
        tick = rig.market.tick
        rig.post(rig.client.order(rig.market, price=bid + tick, size=size, post_only=True))
        price = 10_000 - (ask - tick)
        order = rig.client.order(rig.market, outcome=1, price=price, size=size, post_only=True)
        rig.post(order)


def profit_of(records: list[dict[str, Any]], account: str) -> Decimal:
    """Recompute an account's profit from the log alone, as a stranger would."""
    failed = {
        record["trade_id"]
        for record in records
        if record["kind"] == "trade" and record["status"] == "FAILED"
    }
    profit = Decimal(0)
    for record in records:
        if record.get("account") != account:
            continue
        if record["kind"] == "fill" and record["trade_id"] not in failed:
            value = Decimal(record["price"]) * Decimal(record["size"])
            profit += (value if record["side"] == "SELL" else -value) - Decimal(record["fee"])
        if record["kind"] == "payout":
            profit += Decimal(record["payout"])
    return profit


def test_profit_recomputes_from_the_log_to_the_microdollar() -> None:
    rig = VenueRig(interval_s=60, frames_per_second=20, takers_per_second=3.0)
    run_busy(rig, 150)
    rig.ask("DELETE", "/cancel-all")
    rig.advance(70)
    account = rig.core.exchange.accounts.get(rig.client.address)
    assert account.tokens == {}
    assert len(rig.kinds("fill")) > 10
    profit = profit_of(rig.records, rig.client.address)
    assert Decimal(account.collateral - account.deposited) / 1_000_000 == profit
    assert_conserved(rig)


def test_calm_market_sends_twenty_frames_a_second_and_fills_quotes() -> None:
    rig = VenueRig(interval_s=60, frames_per_second=20, takers_per_second=1.0)
    rig.advance(10)
    rig.follow_market(1)
    rig.frames(1)
    rig.advance(10)
    changes = [frame for frame in rig.frames(1) if frame["event_type"] == "price_change"]
    assert len(changes) >= 200


def test_participants_keep_a_two_sided_book_around_the_fair_value() -> None:
    rig = VenueRig(interval_s=300, frames_per_second=20)
    rig.advance(80)
    bid, ask = rig.market.book.bids.best(), rig.market.book.asks.best()
    assert bid is not None
    assert ask is not None
    assert 200 <= ask - bid <= 1_000
    assert len(rig.market.book.bids.prices) >= 5
    for name in (MAKERS, TAKERS):
        assert rig.core.exchange.accounts.get(name).reserved_collateral == 0


def test_taking_from_participants_never_exhausts_them() -> None:
    rig = VenueRig(interval_s=300, frames_per_second=20, collateral_usd=1_000_000)
    for _ in range(20):
        rig.advance(1)
        rig.post(rig.client.order(rig.market, price=9_900, size=500, order_type="FAK"))
    assert_conserved(rig)


def test_book_is_never_crossed_while_everybody_trades() -> None:
    rig = VenueRig(interval_s=60, frames_per_second=100, takers_per_second=10.0)
    for _ in range(100):
        rig.advance(0.7)
        for market in rig.core.exchange.calendar:
            bid, ask = market.book.bids.best(), market.book.asks.best()
            assert bid is None or ask is None or bid < ask
            assert all(0 < price < 10_000 for price in market.book.bids.prices)


def trace_hash(seed: int) -> str:
    """Return a hash of every effect of a busy minute."""
    rig = VenueRig(interval_s=60, frames_per_second=20, takers_per_second=3.0, seed=seed)
    run_busy(rig, 20)
    encoded = msgspec.json.encode([msgspec.to_builtins(effect) for effect in rig.trace])
    return hashlib.sha256(encoded).hexdigest()


@pytest.mark.req("TST-7")
def test_same_seed_gives_the_same_trace_in_any_process() -> None:
    # Some installed package is called tests too, so ours is named before it is looked for.
    script = (
        "import sys, types; ours = types.ModuleType('tests'); ours.__path__ = ['tests'];"
        "sys.modules['tests'] = ours;"
        "from tests.unit.simulator.test_core import trace_hash; print(trace_hash(5))"
    )
    hashes = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": "."},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert hashes == {trace_hash(5) + "\n"}
    assert trace_hash(5) != trace_hash(6)


def test_long_pause_is_caught_up_without_flooding() -> None:
    rig = VenueRig(interval_s=60, frames_per_second=20)
    rig.follow_market(1)
    rig.frames(1)
    rig.ns += 30 * 10**9
    rig.tick()
    assert len(rig.frames(1)) < 200


def test_order_of_a_participant_has_no_owner() -> None:
    rig = VenueRig(frames_per_second=20)
    rig.advance(3)
    resting = [
        order for level in rig.market.book.bids.levels.values() for order in level.orders.values()
    ]
    assert resting != []
    assert all(order.owner == "" for order in resting)
