"""The loss rules and the marks that both counts share."""

import pytest

from shared.config.losses import FREE_LOSSES, LossSettings
from shared.config.settings import LimitSettings
from shared.facts import BookView
from shared.identifiers import ConditionId
from shared.losses import Bounds, Closed, Row, bounds_of, newest_breach, session_lost_e6
from shared.marks import MARK_STALE_NS, Held, Marks
from shared.units import NS_PER_MS, SHARE_E6, WallNs
from tests.builders.markets import DOWN, UP, book_view, instant

USD = 1_000_000
NOW = instant()


def _bounds(capital_usd: int | None = 500) -> Bounds:
    return bounds_of(LossSettings(), LimitSettings(), capital_usd)


def _closed(*results_usd: float) -> list[Closed]:
    return [
        Closed(ConditionId(f"0x{number}"), int(result * USD), WallNs(number + 1))
        for number, result in enumerate(results_usd)
    ]


@pytest.mark.req("CB-2", "ST-8")
@pytest.mark.parametrize(("capital", "daily"), [(50, 5), (100, 10), (500, 50), (0, 0), (None, 50)])
def test_daily_limit_is_never_over_its_share_of_the_capital(
    capital: int | None, daily: int
) -> None:
    bounds = _bounds(capital)
    assert bounds.daily_e6 == daily * USD
    assert bounds.warn_e6 == daily * USD * 8 // 10


@pytest.mark.req("CB-2")
def test_capital_never_raises_the_configured_limit() -> None:
    limits = LimitSettings(daily_loss_usd_max=7)
    assert bounds_of(LossSettings(), limits, 500).daily_e6 == 7 * USD
    assert bounds_of(LossSettings(), limits, 50).daily_e6 == 5 * USD


@pytest.mark.req("CB-1")
def test_session_and_trade_and_loss_are_shares_of_the_capital() -> None:
    bounds = _bounds(100)
    found = (bounds.session_e6, bounds.trade_e6, bounds.loss_e6, bounds.in_row_max)
    assert found == (10 * USD, 5 * USD, 1 * USD, 5)


def test_free_losses_bound_nothing_that_anybody_can_lose() -> None:
    limits = LimitSettings(daily_loss_usd_max=1_000_000)
    bounds = bounds_of(FREE_LOSSES, limits, 50)
    assert min(bounds.daily_e6, bounds.session_e6, bounds.trade_e6, bounds.loss_e6) >= 500_000 * USD


@pytest.mark.req("CB-1")
@pytest.mark.parametrize(("lost", "trips"), [(24.999999, False), (25.0, False), (25.000001, True)])
def test_one_closed_market_trips_only_over_its_limit(lost: float, trips: bool) -> None:
    breach = Row().judge(_closed(-lost)[0], _bounds())
    assert (breach is not None) is trips


@pytest.mark.req("CB-1")
@pytest.mark.parametrize(("last", "trips"), [(-4.999999, False), (-5.0, False), (-5.000001, True)])
def test_row_of_losses_counts_only_what_lost_more_than_its_least(last: float, trips: bool) -> None:
    breach, in_row = newest_breach(_closed(-6, -6, -6, -6, last), _bounds())
    assert (breach is not None) is trips
    assert in_row == 0


@pytest.mark.req("CB-1")
def test_row_is_broken_by_a_market_that_lost_little_and_begins_anew_after_a_breach() -> None:
    bounds = _bounds()
    assert newest_breach(_closed(-6, -6, -6, -6, 0, -6), bounds) == (None, 1)
    breach, in_row = newest_breach(_closed(*[-6] * 7), bounds)
    assert breach is not None
    assert (breach.wall_ns, in_row) == (5, 2)


def test_history_in_any_order_gives_the_same_breach() -> None:
    closings = _closed(-6, 3, -26, -6, -6)
    assert newest_breach(reversed(closings), _bounds()) == newest_breach(closings, _bounds())


@pytest.mark.req("CB-1")
@pytest.mark.parametrize(
    ("realised", "unrealised", "lost"),
    [(-4, -3, 7), (-4, 3, 4), (-4, None, 4), (5, -3, -2), (5, 3, -5)],
)
def test_session_counts_what_open_positions_lack_and_never_what_they_have_won(
    realised: int, unrealised: int | None, lost: int
) -> None:
    assert session_lost_e6(realised, unrealised) == lost


def _held(up: int, down: int, cost: int) -> Held:
    shares = {UP: up * SHARE_E6, DOWN: down * SHARE_E6}
    return Held(shares, cost * USD, (UP, DOWN))


def _marked(*books: BookView) -> Marks:
    marks = Marks()
    for book in books:
        marks.take(book, NOW)
    return marks


def test_sets_are_worth_a_dollar_and_the_rest_its_best_bid() -> None:
    worth = _marked(book_view(UP, 4_000), book_view(DOWN, 5_500)).worth(_held(10, 4, 6), NOW)
    assert worth.unrealised_e6 == 4 * USD + 6 * 4 * USD // 10 - 6 * USD
    assert worth.is_known


def test_share_that_was_never_marked_is_unknown_and_counts_neither_way() -> None:
    worth = _marked().worth(_held(10, 0, 6), NOW)
    assert (worth.unrealised_e6, worth.is_known) == (0, False)


@pytest.mark.parametrize(("age_ns", "known"), [(MARK_STALE_NS - 1, True), (MARK_STALE_NS, False)])
def test_old_mark_still_counts_and_is_told_as_unknown(age_ns: int, known: bool) -> None:
    later = instant(1_000 + MARK_STALE_NS // NS_PER_MS)
    marks = Marks()
    marks.take(book_view(UP, 4_000), later if known else NOW)
    worth = marks.worth(_held(10, 0, 6), later)
    assert (worth.unrealised_e6, worth.is_known) == (-2 * USD, known)


def test_book_without_bids_keeps_the_mark_that_was() -> None:
    marks = _marked(book_view(UP, 4_000), book_view(UP, None))
    assert marks.worth(_held(10, 0, 6), NOW).unrealised_e6 == -2 * USD
