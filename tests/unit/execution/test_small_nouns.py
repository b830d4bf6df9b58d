"""Difference, wishes, rate and venue phase: the small rules between a wish and a post."""

from typing import Any

import msgspec
import pytest

from services.execution.budgets.rate_budget import RECOVERY_NS, RateBudget
from services.execution.budgets.venue_phase import VenuePhase
from services.execution.diff import RENEW_BEFORE_NS, Difference, difference
from services.execution.lifecycle import Order, as_order
from services.execution.wishes import TARGETS_MAX, Wishes
from shared.effects import Received
from shared.identifiers import Component, Incarnation, OrderHash, StrategyName
from shared.targets import Target, TargetSet
from shared.units import NS_PER_MS, NS_PER_S, BootNs, MonotonicNs, PriceE4, SizeE6
from shared.venue.modes import ModeSignal, VenueMode
from tests.builders.execution import target
from tests.builders.ledger_rows import build_order_record
from tests.builders.markets import MARKET, UP, instant, received

NOW = instant()
TICKS = {UP: PriceE4(100)}


def resting(**spoil: Any) -> Order:
    """An order that serves the built target exactly."""
    row = msgspec.structs.replace(
        build_order_record(),
        market=MARKET,
        token=UP,
        price_e4=PriceE4(4_800),
        state="LIVE",
        created_wall_ns=NOW.wall_ns,
        expiration_s=NOW.wall_ns // NS_PER_S + 182,
    )
    return as_order(msgspec.structs.replace(row, **spoil), NOW)


def change(*targets: Target, orders: tuple[Order, ...], **more: Any) -> Difference:
    return difference(targets, orders, more.get("ticks", TICKS), more.get("now", NOW.boot_ns))


@pytest.mark.req("EX-11")
def test_order_whose_price_and_size_hold_keeps_its_place() -> None:
    assert change(target(), orders=(resting(),)) == Difference((), ())


def test_free_intent_is_posted_and_unwished_order_cancelled() -> None:
    other = resting(level=3, order_id=OrderHash("0x1"))
    found = change(target(), orders=(other,))
    assert found.posts == (target(),)
    assert [(o.record.level, why) for o, why in found.cancels] == [(3, "not_wished")]


@pytest.mark.req("EX-11")
@pytest.mark.parametrize(
    ("wish", "row", "why"),
    [
        ({"price": PriceE4(4_700)}, {}, "price_moved"),
        ({"post_only": False}, {}, "kind_changed"),
        ({"size": SizeE6(5_000_000)}, {}, "size_down"),
        ({}, {"filled_e6": SizeE6(3_000_000)}, None),
        ({}, {"filled_e6": SizeE6(3_000_001)}, "size_up"),
        ({"size": SizeE6(12_000_000)}, {}, None),
        ({"size": SizeE6(12_010_000)}, {}, "size_up"),
        ({}, {"price_e4": PriceE4(4_810)}, "tick_changed"),
    ],
)
def test_order_that_does_not_serve_its_wish_is_cancelled_and_not_yet_replaced(
    wish: dict[str, Any], row: dict[str, Any], why: str | None
) -> None:
    found = change(target(**wish), orders=(resting(**row),))
    assert [reason for _, reason in found.cancels] == ([] if why is None else [why])
    assert found.posts == (), "its successor waits until it is gone"


@pytest.mark.req("INV-6")
def test_second_order_of_an_intent_is_cancelled() -> None:
    twin = resting(order_id=OrderHash("0x2"))
    found = change(target(), orders=(resting(), twin))
    assert [o for o, _ in found.cancels] == [twin]


@pytest.mark.req("INV-6")
def test_order_in_doubt_holds_its_intent() -> None:
    assert change(target(), orders=(resting(state="UNKNOWN"),)).posts == ()
    doomed = resting()
    doomed.doom = "fence"
    assert change(target(), orders=(doomed,)) == Difference((), ())


@pytest.mark.req("EX-12")
def test_clamped_order_stays_while_the_wish_stays() -> None:
    order = resting()
    order.wished_price = PriceE4(5_300)
    assert change(target(price=PriceE4(5_300)), orders=(order,)).cancels == ()
    assert change(target(price=PriceE4(5_400)), orders=(order,)).cancels != ()


def test_order_is_renewed_before_it_expires() -> None:
    order = resting()
    just_before = BootNs(order.expires_ns - RENEW_BEFORE_NS - 1)
    assert change(target(), orders=(order,), now=just_before).cancels == ()
    at = BootNs(order.expires_ns - RENEW_BEFORE_NS)
    assert [why for _, why in change(target(), orders=(order,), now=at).cancels] == ["expires_soon"]


def test_first_target_of_a_slot_counts() -> None:
    found = change(target(), target(price=PriceE4(4_700)), orders=())
    assert found.posts == (target(),)


# --- wishes -----------------------------------------------------------------------------

MAKER = StrategyName("market_making")


def said(*targets: Target, run: int = 1, ttl_ms: int = 400, **spoil: Any) -> Received:
    body = TargetSet(MAKER, MARKET, ttl_ms, targets)
    message = received(Component("market_making"), "strategy.targets", body, NOW)
    return msgspec.structs.replace(message, incarnation=Incarnation(run), **spoil)


@pytest.mark.parametrize(("after_ms", "count"), [(399, 1), (400, 0), (401, 0)])
def test_wish_lives_from_its_sending(after_ms: int, count: int) -> None:
    wishes = Wishes(400)
    assert wishes.take(said(target()), NOW) == ""
    assert len(wishes.of((MAKER, MARKET), instant(1_000 + after_ms))) == count
    assert len(wishes.live(instant(1_000 + after_ms))) == count


def test_strategy_cannot_lengthen_its_time_to_live() -> None:
    wishes = Wishes(400)
    wishes.take(said(target(), ttl_ms=60_000), NOW)
    assert wishes.of((MAKER, MARKET), instant(1_401)) == ()


def test_wish_that_was_old_when_it_came_is_none() -> None:
    wishes = Wishes(400)
    old = MonotonicNs(NOW.monotonic_ns - 400 * NS_PER_MS)
    assert wishes.take(said(target(), sent_ns=old), NOW) == "expired_target"


@pytest.mark.req("EX-20")
def test_nobody_wishes_for_another_strategy() -> None:
    wishes = Wishes(400)
    message = said(target(), component=Component("arbitrage"))
    assert wishes.take(message, NOW) == "strategy_mismatch"


@pytest.mark.req("EX-25")
def test_caretaker_wishes_reduce_only_for_a_strategy_that_is_silent() -> None:
    care = target(side="SELL", reduce_only=True)
    caretaker = Component("caretaker")
    wishes = Wishes(400)
    assert wishes.take(said(target(), component=caretaker), NOW) == "strategy_mismatch"
    assert wishes.take(said(care, component=caretaker), NOW) == ""
    assert wishes.of((MAKER, MARKET), NOW) == (care,)
    assert wishes.take(said(target()), NOW) == ""
    assert wishes.take(said(care, component=caretaker), NOW) == ""
    assert wishes.of((MAKER, MARKET), NOW) == (target(),), "the owner speaks for itself"


def test_new_run_of_a_strategy_begins_with_nothing() -> None:
    wishes = Wishes(400)
    other = MARKET.replace("a1", "b2")
    wishes.take(said(target()), NOW)
    body = msgspec.structs.replace(said().body, market=other)
    wishes.take(said(run=2, body=body), NOW)
    assert wishes.of((MAKER, MARKET), NOW) == ()


def test_too_many_targets_withdraw_the_set() -> None:
    wishes = Wishes(400)
    wishes.take(said(target()), NOW)
    assert wishes.take(said(*[target()] * (TARGETS_MAX + 1)), NOW) == "too_many_targets"
    assert wishes.of((MAKER, MARKET), NOW) == ()


# --- rate and phase ---------------------------------------------------------------------


def at(milliseconds: int) -> BootNs:
    return BootNs(milliseconds * NS_PER_MS)


@pytest.mark.req("EX-13")
def test_rate_is_one_second_deep_and_refills() -> None:
    rate = RateBudget(30)
    assert [rate.take(at(10_000)) for _ in range(31)] == [True] * 30 + [False]
    assert not rate.take(at(10_033))
    assert rate.take(at(10_034))


@pytest.mark.req("EX-13")
def test_refusal_halves_the_rate_which_recovers_in_five_minutes() -> None:
    rate = RateBudget(30)
    rate.take(at(10_000))
    rate.refused(2 * NS_PER_S, at(10_000))
    assert rate.rate_parts(at(10_000)) == 500
    assert not rate.take(at(11_999)), "held for as long as the venue says"
    assert rate.take(at(13_500))
    half = BootNs(at(10_000) + RECOVERY_NS // 2)
    assert rate.rate_parts(half) == 750
    assert rate.rate_parts(BootNs(at(10_000) + RECOVERY_NS)) == 1_000


@pytest.mark.req("VEN-1")
def test_venue_mode_holds_posts_for_as_long_as_it_says() -> None:
    phase = VenuePhase()
    assert phase.hear(ModeSignal(VenueMode.RESTARTING, 1_000), at(0))
    assert phase.holds(at(999), post_only=True) == "restarting"
    assert phase.holds(at(1_000), post_only=True) == ""


@pytest.mark.req("VEN-1")
def test_post_only_window_lets_post_only_orders_pass() -> None:
    phase = VenuePhase()
    phase.hear(ModeSignal(VenueMode.POST_ONLY, None), at(0))
    assert phase.holds(at(10), post_only=True) == ""
    assert phase.holds(at(119_999), post_only=False) == "post_only"
    assert phase.holds(at(120_000), post_only=False) == ""


@pytest.mark.req("VEN-1")
def test_unnamed_wait_doubles_until_the_venue_takes_an_order() -> None:
    phase = VenuePhase()
    phase.hear(ModeSignal(VenueMode.CANCEL_ONLY, None), at(0))
    assert phase.holds(at(1_000), post_only=True) == ""
    phase.hear(ModeSignal(VenueMode.CANCEL_ONLY, None), at(1_000))
    assert phase.holds(at(2_999), post_only=True) == "cancel_only"
    phase.accepted(at(2_999), post_only=True)
    assert phase.holds(at(2_999), post_only=True) == ""
