"""The venue takes our amounts: every tick, both sides, every order type, and refuses others."""

from typing import get_args

import pytest

from services.simulator.matching import Order
from services.simulator.placement import PRECISION_TEXT, read_order
from services.simulator.verdicts import Refusal
from shared.facts import Side
from shared.units import MoneyE6, PriceE4, SizeE6
from shared.venue import amounts
from shared.venue.amounts import Amounts
from shared.venue.orders_wire import OrderType
from tests.builders.venue_rig import START_S, VenueRig

ORDER_TYPES: tuple[OrderType, ...] = get_args(OrderType)
SIDES: tuple[Side, ...] = ("BUY", "SELL")
SIZES = tuple(SizeE6(size) for size in (5_000_000, 5_100_000, 33_330_000))


def prices(tick: int) -> list[PriceE4]:
    """Return both ends of a tick's grid, their neighbours, the middle, and some between."""
    steps = 10_000 // tick - 1
    chosen = {1, 2, steps // 3 + 1, (steps + 1) // 2, steps * 29 // 100 + 1, steps - 1, steps}
    return sorted(PriceE4(step * tick) for step in chosen if 1 <= step <= steps)


def our_amounts(
    order_type: OrderType, side: Side, price: PriceE4, size: SizeE6, tick: PriceE4
) -> Amounts:
    if order_type in ("GTC", "GTD"):
        return amounts.limit_amounts(side, price, size, tick)
    if side == "BUY":
        return amounts.market_buy_amounts(price, MoneyE6(size), tick)
    return amounts.market_sell_amounts(price, size, tick)


def place(rig: VenueRig, order_type: OrderType, side: Side, found: Amounts) -> Order | Refusal:
    post = rig.client.order(
        rig.market,
        side=side,
        order_type=order_type,
        expiration_s=START_S + 600 if order_type == "GTD" else 0,
        maker_amount=found.maker,
        taker_amount=found.taker,
    )
    return read_order(post, rig.core.exchange, rig.client.credentials, rig.now)


@pytest.mark.req("EX-7")
@pytest.mark.req("INV-10")
@pytest.mark.parametrize("order_type", ORDER_TYPES)
@pytest.mark.parametrize("tick", amounts.TICKS_E4)
def test_venue_takes_our_amounts_and_reads_the_price_that_we_meant(
    tick: PriceE4, order_type: OrderType
) -> None:
    rig = VenueRig()
    rig.market.tick = tick
    for side in SIDES:
        for price in prices(tick):
            for size in SIZES:
                found = our_amounts(order_type, side, price, size, tick)
                order = place(rig, order_type, side, found)
                assert isinstance(order, Order), (side, price, size, order)
                assert order.price == price
                assert order.size == amounts.order_size(side, found)


@pytest.mark.req("EX-7")
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("order_type", ["FOK", "FAK"])
def test_venue_refuses_the_fifth_decimal_at_every_tick(order_type: OrderType, side: Side) -> None:
    rig = VenueRig()
    for tick in amounts.TICKS_E4:
        rig.market.tick = tick
        found = our_amounts(order_type, side, prices(tick)[-2], SIZES[0], tick)
        finer = Amounts(found.maker, found.taker - 10)
        assert place(rig, order_type, side, finer) == Refusal(
            PRECISION_TEXT.format(side=side.lower())
        )


@pytest.mark.req("EX-7")
@pytest.mark.parametrize(("old", "new"), [(10, 100), (1, 10), (25, 50), (50, 1_000)])
def test_order_signed_under_a_finer_tick_is_refused_and_under_a_coarser_taken(
    old: int, new: int
) -> None:
    rig = VenueRig()
    size = SIZES[0]
    off = PriceE4(5_000 + old)
    fine = amounts.limit_amounts("BUY", off, size, PriceE4(old))
    coarse = amounts.limit_amounts("BUY", PriceE4(5_000), size, PriceE4(new))
    rig.market.tick = PriceE4(new)
    refusal = place(rig, "GTC", "BUY", fine)
    assert isinstance(refusal, Refusal)
    assert "breaks minimum tick size rule" in refusal.text
    rig.market.tick = PriceE4(old)
    assert isinstance(place(rig, "GTC", "BUY", coarse), Order)
