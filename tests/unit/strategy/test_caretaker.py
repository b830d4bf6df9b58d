import msgspec
import pytest

from services.strategy.caretaker import Caretaker
from services.strategy.interface import NOTHING_HELD, Holding, MarketContext
from shared.config import CaretakerSettings, UnknownPosition
from shared.identifiers import ADOPTED, StrategyName
from shared.units import SHARE_E6, SizeE6
from tests.builders.markets import DOWN, UP, book_view, instant, market_info, market_view

NOW = instant(10_000)
OWNER = StrategyName("market_making")


def _held(shares: int, cost_cents: int = 50) -> Holding:
    return Holding(
        SizeE6(shares * SHARE_E6), SizeE6(shares * SHARE_E6), shares * cost_cents * 10_000
    )


def _context(
    up: Holding, down: Holding = NOTHING_HELD, bid: int | None = 4900, orphan: bool = True
) -> MarketContext:
    view = market_view(NOW, books=(book_view(UP, bid, 5100), book_view(DOWN)))
    orphans = ((OWNER, (up, down)),) if orphan else ()
    return MarketContext(market_info(), view, (NOTHING_HELD, NOTHING_HELD), orphans, NOW)


@pytest.mark.req("CP-3")
def test_caretaker_offers_the_excess_of_an_orphan_reduce_only_on_its_behalf() -> None:
    wish = Caretaker(CaretakerSettings(), "hold").wish(_context(_held(20), _held(8)))
    (target,) = wish.targets
    assert wish.owner == OWNER
    assert (target.token, target.side, target.price) == (UP, "SELL", 5100)
    assert target.size == 12 * SHARE_E6
    assert target.reduce_only
    assert target.post_only


@pytest.mark.req("CP-3")
@pytest.mark.parametrize(("bid", "purpose"), [(3501, "unwind"), (3500, "stop"), (3499, "stop")])
def test_caretaker_sells_at_market_once_the_stop_is_reached(bid: int, purpose: str) -> None:
    (target,) = Caretaker(CaretakerSettings(), "hold").wish(_context(_held(20), bid=bid)).targets
    assert target.purpose == purpose
    assert target.reduce_only


def test_stop_is_bounded_below_the_best_bid_and_on_tick() -> None:
    settings = CaretakerSettings(slippage_e4_max=250)
    (target,) = Caretaker(settings, "hold").wish(_context(_held(20), bid=3000)).targets
    assert not target.post_only
    assert target.price == 2700


@pytest.mark.parametrize(
    "context",
    [
        _context(_held(20), orphan=False),
        _context(_held(10), _held(10)),
        _context(_held(20), bid=None),
        _context(Holding(SizeE6(20 * SHARE_E6), SizeE6(0), 0)),
    ],
    ids=["no-orphan", "complete-sets", "no-bid", "unconfirmed"],
)
def test_caretaker_leaves_alone_what_it_cannot_reduce(context: MarketContext) -> None:
    assert Caretaker(CaretakerSettings(), "hold").wish(context).targets == ()


@pytest.mark.req("EX-27")
def test_excess_below_the_minimum_is_wished_so_that_the_rest_of_an_order_stays() -> None:
    wish = Caretaker(CaretakerSettings(), "hold").wish(_context(_held(4)))
    (target,) = wish.targets
    assert target.size == 4 * SHARE_E6
    assert target.reduce_only
    assert wish.reason.startswith("dust of")


@pytest.mark.req("EX-27")
def test_dust_of_one_orphan_never_holds_up_another() -> None:
    view = market_view(NOW, books=(book_view(UP, 4900, 5100), book_view(DOWN)))
    other = StrategyName("other")
    orphans = ((OWNER, (_held(4), NOTHING_HELD)), (other, (_held(20), NOTHING_HELD)))
    context = MarketContext(market_info(), view, (NOTHING_HELD, NOTHING_HELD), orphans, NOW)
    assert Caretaker(CaretakerSettings(), "hold").wish(context).owner == other


@pytest.mark.req("EX-25")
@pytest.mark.parametrize(("policy", "targets"), [("hold", 0), ("caretaker", 1)])
def test_position_that_nobody_here_made_is_held_unless_the_policy_closes_it(
    policy: UnknownPosition, targets: int
) -> None:
    orphans = ((ADOPTED, (_held(20), NOTHING_HELD)),)
    context = msgspec.structs.replace(_context(_held(20)), orphans=orphans)
    assert len(Caretaker(CaretakerSettings(), policy).wish(context).targets) == targets
