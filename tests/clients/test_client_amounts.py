"""Our amounts beside those of both official clients, at every price of every tick.

Where a client is right, ours are the same to the last digit. Where it is wrong, the difference is
written down exactly, so that a mended client fails the test and is noticed.

Source of what is wrong: https://github.com/Polymarket/py-clob-client-v2/issues/99 (decimals of
market orders), https://github.com/Polymarket/py-clob-client/issues/121 (float arithmetic).
"""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from polymarket._internal.actions.orders.limit import _compute_limit_order_amounts
from polymarket._internal.actions.orders.market import _compute_market_order_amounts
from py_clob_client_v2.order_builder.builder import ROUNDING_CONFIG, OrderBuilder

from shared.facts import Side
from shared.units import MoneyE6, PriceE4, SizeE6
from shared.venue import amounts
from shared.venue.amounts import Amounts
from shared.venue.decimals import format_price

SIDES: tuple[Side, ...] = ("BUY", "SELL")
SIZES = tuple(SizeE6(size) for size in (5_000_000, 5_100_000, 100_000_000, 999_990_000))
"""Of shares, or of dollars where a market order spends them."""

SHORT = SizeE6(5_100_000)
"""The one of them that the older client cannot write in a float."""

FINE = frozenset({50, 25, 10, 1})
"""Ticks whose amounts may have more decimals than the venue takes of a market order."""

Case = tuple[Side, PriceE4, SizeE6]


def cases(tick: int) -> Iterator[Case]:
    """Return every price of a tick with every size, on both sides."""
    for price in range(tick, 10_000, tick):
        for size in SIZES:
            for side in SIDES:
                yield side, PriceE4(price), size


def our_market(side: Side, price: PriceE4, size: SizeE6, tick: PriceE4) -> Amounts:
    if side == "BUY":
        return amounts.market_buy_amounts(price, MoneyE6(size), tick)
    return amounts.market_sell_amounts(price, size, tick)


class Unified:
    """polymarket-client 0.14.0."""

    def limit(self, case: Case, tick: PriceE4) -> Amounts:
        side, price, size = case
        found = _compute_limit_order_amounts(
            price=Decimal(price).scaleb(-4),
            size=Decimal(size).scaleb(-6),
            side=side,
            tick_size=Decimal(format_price(tick)),
        )
        return Amounts(*found)

    def market(self, case: Case, tick: PriceE4) -> Amounts:
        side, price, size = case
        found = _compute_market_order_amounts(
            price=Decimal(price).scaleb(-4),
            amount=Decimal(size).scaleb(-6),
            side=side,
            tick_size=Decimal(format_price(tick)),
        )
        return Amounts(*found)


class Older:
    """py-clob-client-v2 1.2.1."""

    def __init__(self) -> None:
        self._builder = OrderBuilder(None, None, "0x")

    def limit(self, case: Case, tick: PriceE4) -> Amounts:
        side, price, size = case
        rounding = ROUNDING_CONFIG[format_price(tick)]
        _, *found = self._builder.get_order_amounts(side, size / 1e6, price / 1e4, rounding)
        return Amounts(*found)

    def market(self, case: Case, tick: PriceE4) -> Amounts:
        side, price, size = case
        rounding = ROUNDING_CONFIG[format_price(tick)]
        _, *found = self._builder.get_market_order_amounts(side, size / 1e6, price / 1e4, rounding)
        return Amounts(*found)


@pytest.mark.req("INV-10")
@pytest.mark.parametrize("tick", amounts.TICKS_E4)
def test_limit_amounts_are_the_unified_clients_at_every_price(tick: PriceE4) -> None:
    client = Unified()
    for case in cases(tick):
        assert amounts.limit_amounts(*case, tick) == client.limit(case, tick), case


@pytest.mark.req("INV-10")
@pytest.mark.parametrize("tick", amounts.TICKS_E4)
def test_limit_amounts_are_the_older_clients_but_where_it_signs_too_little(tick: PriceE4) -> None:
    client = Older()
    for case in cases(tick):
        side, price, size = case
        ours, theirs = amounts.limit_amounts(*case, tick), client.limit(case, tick)
        if size != SHORT:
            assert theirs == ours, case
        else:
            short = SizeE6(size - amounts.SIZE_STEP_E6)
            assert theirs == amounts.limit_amounts(side, price, short, tick), case


def test_older_client_signs_one_size_in_twenty_a_hundredth_short() -> None:
    """539 of the 10,000 sizes from 5 to 104.99 shares; none is signed too large."""
    client = Older()
    short = 0
    for hundredths in range(500, 10_500):
        size = SizeE6(hundredths * 10_000)
        theirs = client.limit(("BUY", PriceE4(5_000), size), PriceE4(100)).taker
        assert theirs in (size, size - 10_000)
        short += theirs != size
    assert short == 539


@pytest.mark.req("INV-10")
@pytest.mark.parametrize("tick", amounts.TICKS_E4)
def test_market_amounts_are_the_unified_clients_cut_to_what_the_venue_takes(tick: PriceE4) -> None:
    client = Unified()
    refused = 0
    for case in cases(tick):
        side = case[0]
        ours, theirs = our_market(*case, tick), client.market(case, tick)
        assert amounts.is_market_precision(side, ours)
        assert ours == Amounts(theirs.maker, theirs.taker // 100 * 100), case
        refused += not amounts.is_market_precision(side, theirs)
    assert (refused > 0) == (tick in FINE)


@pytest.mark.parametrize(
    ("tick", "refused", "total"),
    [(50, 717, 1_592), (25, 1_941, 3_192), (10, 4_331, 7_992), (1, 58_168, 79_992)],
)
def test_unified_client_signs_market_orders_that_are_always_refused(
    tick: int, refused: int, total: int
) -> None:
    client = Unified()
    found = [
        amounts.is_market_precision(case[0], client.market(case, PriceE4(tick)))
        for case in cases(tick)
    ]
    assert (found.count(False), len(found)) == (refused, total)


def test_older_client_signs_market_orders_one_tick_off() -> None:
    """A BUY at 0.29, 0.57 or 0.58 says one cent less, and never matches at the touch."""
    client = Older()
    tick = PriceE4(100)
    off = set()
    for price in range(100, 10_000, 100):
        theirs = client.market(("BUY", PriceE4(price), SizeE6(100_000_000)), tick)
        said = amounts.worst_price("BUY", theirs, tick)
        assert said in (price, price - tick)
        if said != price:
            off.add(price)
    assert off == {2_900, 5_700, 5_800}
