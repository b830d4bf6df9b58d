import re

import pytest

from services.simulator.mirror.exchange import NOT_READY_TEXT, RESTRICTED_TEXT
from services.simulator.verdicts import FAK_TEXT, POST_ONLY_TEXT, Refusal
from tests.builders.mirror import MirrorRig, filled

BIDS = {49: 100, 48: 200}
ASKS = {50: 30, 51: 40}


@pytest.fixture
def rig() -> MirrorRig:
    rig = MirrorRig()
    rig.show(BIDS, ASKS)
    rig.later()
    return rig


@pytest.mark.req("EX-21")
def test_marketable_order_takes_displayed_sizes_at_displayed_prices(rig: MirrorRig) -> None:
    order = rig.place("BUY", 51, 50)
    assert [(trade.price, trade.size) for trade in rig.trades()] == [
        (5000, 30_000_000),
        (5100, 20_000_000),
    ]
    assert filled(order) == 50
    assert rig.displayed()[1] == {51: 20}


def test_second_outcome_takes_the_other_side(rig: MirrorRig) -> None:
    rig.place("BUY", 52, 150, outcome=1, kind="FAK")
    assert [(trade.price, trade.size) for trade in rig.trades()] == [
        (5100, 100_000_000),
        (5200, 50_000_000),
    ]


def test_rest_of_a_marketable_order_rests_behind_nobody_it_took(rig: MirrorRig) -> None:
    order = rig.place("BUY", 50, 40)
    assert filled(order) == 30
    assert rig.book.ahead_of(order) == 0


def test_taken_size_stays_taken_while_the_level_stands(rig: MirrorRig) -> None:
    rig.place("BUY", 50, 30, kind="FAK")
    rig.show(BIDS, ASKS)
    assert rig.displayed()[1] == {51: 40}
    assert rig.attempt("BUY", 50, 10, kind="FAK")[1] == Refusal(FAK_TEXT)
    assert len(rig.trades()) == 1


def test_only_what_a_level_grows_by_can_be_taken_again(rig: MirrorRig) -> None:
    rig.place("BUY", 50, 30, kind="FAK")
    rig.show(BIDS, {50: 35, 51: 40})
    assert rig.displayed()[1] == {50: 5, 51: 40}


def test_decrease_comes_off_what_is_left(rig: MirrorRig) -> None:
    rig.place("BUY", 50, 10, kind="FAK")
    rig.show(BIDS, {50: 15, 51: 40})
    assert rig.displayed()[1] == {50: 5, 51: 40}


def test_level_that_was_gone_begins_anew(rig: MirrorRig) -> None:
    rig.place("BUY", 50, 30, kind="FAK")
    rig.show(BIDS, {51: 40})
    rig.show(BIDS, {50: 30, 51: 40})
    assert rig.displayed()[1] == {50: 30, 51: 40}


def test_taken_size_stays_taken_through_a_doubt(rig: MirrorRig) -> None:
    rig.place("BUY", 50, 30, kind="FAK")
    rig.book.distrust("disconnected")
    rig.show(BIDS, ASKS)
    assert rig.displayed()[1] == {51: 40}


def test_trade_at_the_price_goes_to_what_was_ahead_first(rig: MirrorRig) -> None:
    order = rig.place("BUY", 49, 20)
    rig.later()
    rig.trade(49, 60, hits_bids=True)
    assert (filled(order), rig.book.ahead_of(order)) == (0, 40_000_000)
    rig.trade(49, 45, hits_bids=True)
    assert (filled(order), rig.book.ahead_of(order)) == (5, 0)
    rig.trade(49, 100, hits_bids=True)
    assert filled(order) == 20
    assert {trade.price for trade in rig.trades()} == {5100}, "the taker bought the second token"


def test_cancels_ahead_bring_nobody_forward(rig: MirrorRig) -> None:
    order = rig.place("BUY", 49, 20)
    rig.show({49: 1, 48: 200}, ASKS)
    rig.later()
    rig.trade(49, 50, hits_bids=True)
    assert (filled(order), rig.book.ahead_of(order)) == (0, 50_000_000)


def test_own_orders_at_a_price_keep_their_order(rig: MirrorRig) -> None:
    first, second = rig.place("BUY", 49, 20), rig.place("BUY", 49, 20)
    rig.later()
    rig.trade(49, 130, hits_bids=True)
    assert (filled(first), filled(second)) == (20, 10)


def test_trade_through_the_price_is_ours_up_to_its_size(rig: MirrorRig) -> None:
    order = rig.place("BUY", 49, 20)
    rig.later()
    rig.trade(48, 15, hits_bids=True)
    assert filled(order) == 15
    assert rig.trades()[0].makers[0].price == 4900, "at our price, not at the worse one"


def test_trade_on_the_other_side_or_short_of_the_price_is_not_ours(rig: MirrorRig) -> None:
    order = rig.place("BUY", 48, 20)
    rig.later()
    rig.trade(49, 500, hits_bids=True)
    rig.trade(48, 500, hits_bids=False)
    assert filled(order) == 0


def test_print_that_may_be_older_than_the_order_is_not_its_own(rig: MirrorRig) -> None:
    order = rig.place("BUY", 49, 20)
    rig.later(249)
    rig.trade(48, 500, hits_bids=True)
    assert filled(order) == 0
    rig.later(1)
    rig.trade(48, 500, hits_bids=True)
    assert filled(order) == 20


def test_crossing_level_fills_at_our_price_and_is_taken(rig: MirrorRig) -> None:
    order = rig.place("BUY", 49, 20)
    rig.show({47: 10}, {48: 15, 51: 40})
    assert filled(order) == 15
    assert rig.trades()[0].makers[0].price == 4900
    assert rig.displayed() == ({49: 5, 47: 10}, {51: 40})
    rig.show({47: 10}, {48: 18, 51: 40})
    assert filled(order) == 18


def test_sell_and_second_outcome_rest_and_fill_too(rig: MirrorRig) -> None:
    sell = rig.place("SELL", 50, 10)
    down = rig.place("BUY", 50, 10, outcome=1)
    rig.later()
    rig.trade(50, 45, hits_bids=False)
    assert (filled(sell), filled(down)) == (10, 5)


def test_post_only_order_that_would_take_is_refused(rig: MirrorRig) -> None:
    _, said = rig.attempt("BUY", 50, 10, post_only=True)
    assert said == Refusal(POST_ONLY_TEXT)


@pytest.mark.req("EX-21")
def test_nothing_matches_while_the_book_is_not_proven(rig: MirrorRig) -> None:
    order = rig.place("BUY", 49, 20)
    rig.later()
    rig.book.distrust("the stream is silent")
    assert rig.displayed() == ({49: 20}, {})
    rig.trade(40, 500, hits_bids=True)
    assert filled(order) == 0
    assert rig.attempt("BUY", 51, 10)[1] == Refusal(NOT_READY_TEXT)
    assert rig.exchange.cancel(order, rig.now, status="CANCELED", cause="asked") is None
    rig.show(BIDS, ASKS)
    assert filled(rig.place("BUY", 50, 10)) == 10


def test_nothing_is_taken_where_the_venue_bars_us(rig: MirrorRig) -> None:
    rig.exchange.barred = Refusal(RESTRICTED_TEXT, 403)
    _, said = rig.attempt("BUY", 40, 10)
    assert said == Refusal(RESTRICTED_TEXT, 403)


def test_order_of_the_life_before_stands_behind_everything() -> None:
    rig = MirrorRig()
    rig.show({}, {})
    order = rig.place("BUY", 49, 20)
    second = MirrorRig()
    order.order_id = "0xold"
    second.exchange.resume(order)
    second.show(BIDS, ASKS)
    assert second.book.ahead_of(order) == 100_000_000


def test_orders_of_the_mirror_are_named_as_the_venue_names_orders(rig: MirrorRig) -> None:
    """Our reader refuses a trade whose orders are not named by hashes."""
    rig.place("BUY", 50, 40)
    rig.later()
    rig.trade(50, 20, hits_bids=True)
    assert len(rig.trades()) == 2
    for trade in rig.trades():
        for name in (trade.taker_order_id, *(part.order_id for part in trade.makers)):
            assert re.fullmatch("0x[0-9a-f]{64}", name)
