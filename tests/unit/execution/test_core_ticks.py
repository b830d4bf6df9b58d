"""The price step changes in mid-market: what is off it moves, what is on it stays."""

import msgspec
import pytest

from services.execution.may_send import PlaceOrder
from services.execution.order_checks import snap
from shared.effects import HttpRequest
from shared.facts import Evidence, FeedStatus, Side, TickChanged
from shared.identifiers import TokenId
from shared.targets import Target
from shared.units import PriceE4
from tests.builders.execution import Rig, target
from tests.builders.markets import DOWN, MARKET, UP, book_view

EDGE = {"books": (book_view(UP, 9_700, 9_850), book_view(DOWN, 150, 300))}
"""A market near its end, where the venue changes the step."""

TICK_TEXT = "order 0x1 is invalid. Price (0.965) breaks minimum tick size rule: 0.01"


def edge_rig(*wishes: Target, tick: int = 10) -> Rig:
    """Return a rig whose quotes rest near the edge, under a fine step."""
    rig = Rig(price_collar_e4=5_000)
    rig.view = {**EDGE, "tick_e4": PriceE4(tick)}
    rig.quote(*wishes)
    return rig


def change_tick(rig: Rig, new: int, token: TokenId = UP) -> list[HttpRequest]:
    """Let the venue change the step; return the cancels of that very turn."""
    old = rig.view["tick_e4"]
    rig.view = {**rig.view, "tick_e4": PriceE4(new)}
    change = TickChanged(MARKET, token, old, PriceE4(new), rig.now.wall_ms)
    effects = rig.hear("feed_market", "feed.market", change)
    return [one for one in effects if isinstance(one, HttpRequest) and one.lane == "cancel"]


def prices(rig: Rig) -> list[int]:
    """Return the prices that rest at the venue, in the order of their posts."""
    return [price_of(post) for post in rig.venue.open.values()]


def price_of(post: PlaceOrder) -> int:
    order = post.order
    money, shares = order.maker_amount, order.taker_amount
    if order.side_code == 1:
        money, shares = shares, money
    return money * 10_000 // shares


@pytest.mark.req("EX-7")
def test_order_off_a_new_tick_is_cancelled_in_the_same_turn_and_repriced() -> None:
    rig = edge_rig(target(price=PriceE4(9_655)), tick=1)
    assert prices(rig) == [9_655]
    cancels = change_tick(rig, 10)
    assert [one.path for one in cancels] == ["/order"]
    rig.run(100)
    assert prices(rig) == [9_650]
    rig.run(1_000)
    assert len(rig.venue.posts) == 2


@pytest.mark.req("EX-7")
@pytest.mark.req("EX-11")
def test_order_on_the_new_tick_keeps_its_place() -> None:
    rig = edge_rig(target(price=PriceE4(9_600)), target(price=PriceE4(9_645), level=1))
    kept, moved = rig.venue.open
    change_tick(rig, 100)
    rig.run(500)
    assert kept in rig.venue.open
    assert moved not in rig.venue.open
    # The second wish falls on the price of the first: two intents, one price, no crossing.
    assert prices(rig) == [9_600, 9_600]
    assert len(rig.venue.posts) == 3


@pytest.mark.req("EX-7")
def test_step_that_becomes_finer_moves_nothing() -> None:
    rig = edge_rig(target(price=PriceE4(9_600)), tick=100)
    assert change_tick(rig, 10) == []
    rig.run(2_000)
    assert len(rig.venue.posts) == 1


@pytest.mark.req("EX-7")
def test_step_told_of_one_token_holds_for_both() -> None:
    rig = edge_rig(target(token=DOWN, price=PriceE4(155)))
    assert len(change_tick(rig, 100, token=UP)) == 1
    assert change_tick(rig, 100, token=DOWN) == []
    rig.run(200)
    assert prices(rig) == [100]


@pytest.mark.req("EX-7")
def test_step_that_goes_back_and_forth_moves_an_order_once() -> None:
    rig = edge_rig(target(price=PriceE4(9_655)))
    rig.wishes = (target(price=PriceE4(9_650)),)
    rig.run(200)
    before = len(rig.venue.posts)
    for tick in (100, 10, 100, 10, 100):
        change_tick(rig, tick)
        rig.run(300)
    assert prices(rig) == [9_600]
    assert len(rig.venue.posts) == before + 1


@pytest.mark.req("EX-7")
def test_post_in_flight_under_the_old_step_is_refused_once_and_priced_anew() -> None:
    rig = edge_rig(target(price=PriceE4(9_600)))
    rig.venue.refusal = (400, TICK_TEXT)
    rig.wishes = (target(price=PriceE4(9_600)), target(price=PriceE4(9_655), level=1))
    rig.run(100)
    assert len(rig.venue.posts) == 2
    rig.venue.refusal = None
    change_tick(rig, 100)
    rig.run(1_000)
    assert prices(rig) == [9_600, 9_600]
    assert len(rig.venue.posts) == 3
    assert [row.reason for row in rig.orders("REJECTED")] == [f"tick: {TICK_TEXT}"]


@pytest.mark.req("EX-7")
@pytest.mark.req("EX-4")
def test_change_that_nobody_told_costs_few_refusals() -> None:
    """The intent pauses longer each time: ten seconds cost six posts and not five hundred."""
    rig = edge_rig(target(price=PriceE4(9_600)))
    rig.venue.refusal = (400, TICK_TEXT)
    rig.wishes = (target(price=PriceE4(9_600)), target(price=PriceE4(9_655), level=1))
    rig.run(10_000)
    assert len(rig.orders("REJECTED")) <= 6


@pytest.mark.req("EX-7")
def test_reply_that_was_lost_does_not_keep_an_order_off_the_step() -> None:
    rig = edge_rig(target(price=PriceE4(9_600)))
    rig.venue.holds = True
    rig.wishes = (target(price=PriceE4(9_600)), target(price=PriceE4(9_655), level=1))
    rig.run(50)
    (late,) = set(rig.venue.open) - {row.order_id for row in rig.orders("LIVE")}
    change_tick(rig, 100)
    rig.run(100)
    rig.venue.holds = False
    held, rig.venue.held = rig.venue.held, []
    for message in held:
        rig.tell(message)
    rig.run(500)
    assert late not in rig.venue.open
    assert prices(rig) == [9_600, 9_600]


@pytest.mark.req("EX-7")
def test_step_told_before_a_new_connection_is_not_trusted_after_it() -> None:
    """It may have changed while nobody listened; state reads it off the new snapshot."""
    rig = edge_rig(target(price=PriceE4(9_600)))
    change_tick(rig, 100)
    rig.view = {**rig.view, "tick_e4": PriceE4(10)}
    rig.wishes = (target(price=PriceE4(9_655)),)
    rig.run(200)
    assert prices(rig) == [9_600]
    evident = rig.now.monotonic_ns
    evidence = (Evidence(UP, evident), Evidence(DOWN, evident))
    again = FeedStatus("feed_market", True, evident, "", 2, evidence)
    rig.hear("feed_market", "feed.status", again)
    rig.wishes = (target(price=PriceE4(9_640)),)
    rig.run(200)
    assert 9_640 in prices(rig)


@pytest.mark.parametrize(
    ("side", "price", "tick", "moved"),
    [
        ("BUY", 9_655, 100, 9_600),
        ("SELL", 9_655, 100, 9_700),
        ("BUY", 9_600, 100, 9_600),
        ("SELL", 9_600, 100, 9_600),
        ("BUY", 9_655, 10, 9_650),
        ("SELL", 9_655, 10, 9_660),
        ("BUY", 9_655, 1, 9_655),
        ("SELL", 9_658, 25, 9_675),
        ("BUY", 9_658, 50, 9_650),
        ("BUY", 40, 100, 0),
        ("SELL", 9_960, 100, 10_000),
    ],
)
def test_price_moves_to_the_grid_and_never_to_a_worse_one(
    side: Side, price: int, tick: int, moved: int
) -> None:
    assert snap(side, PriceE4(price), PriceE4(tick)) == moved


@pytest.mark.req("EX-7")
@pytest.mark.req("EX-14")
@pytest.mark.parametrize("post_only", [True, False])
def test_price_that_has_no_place_on_the_new_grid_is_denied(post_only: bool) -> None:
    rig = edge_rig(target(price=PriceE4(9_600)))
    change_tick(rig, 100)
    purpose = "quote" if post_only else "complete"
    wish = target(price=PriceE4(95), post_only=post_only)
    rig.wishes = (msgspec.structs.replace(wish, purpose=purpose, size=wish.size * 100),)
    rig.run(300)
    assert prices(rig) == []
    assert {"no_room_inside_spread", "tick"} & rig.denials().keys()
