"""What the page says: with everybody heard, with somebody silent, and with nobody yet."""

import msgspec
import pytest

from services.dashboard.messages import LedgerRead, LedgerUnread, Watched
from shared.effects import Gap, Log, Publish
from shared.facts import Alert, SwitchStatus
from shared.facts import Positions as PositionsFact
from shared.identifiers import Component
from shared.switches import SWITCHES
from shared.topics import EXECUTION, FEED_MARKET, FEEDS, RISK, STATE
from shared.units import NS_PER_MS, MonotonicNs
from tests.builders.dashboard import Dashboard, order_fact
from tests.builders.ledger_rows import build_fill_record
from tests.builders.markets import DOWN, UP, position


@pytest.fixture
def board(tmp_path: object) -> Dashboard:
    return Dashboard(tmp_path)


@pytest.fixture
def trading(board: Dashboard) -> Dashboard:
    """A dashboard that has heard a trading group for long enough to call it ready."""
    board.speak()
    board.fact(EXECUTION, "execution.order", order_fact())
    board.run(5_000)
    return board


def alerts(board: Dashboard) -> list[Alert]:
    said = [effect.body for effect in board.effects if isinstance(effect, Publish)]
    return [body for body in said if isinstance(body, Alert)]


def is_ready(board: Dashboard) -> bool:
    return board.shown[-1].ready


@pytest.mark.req("OP-4", "INV-11")
def test_page_of_a_trading_group_says_so_in_the_words_of_status(trading: Dashboard) -> None:
    page = trading.page
    assert page.verdict.state == "ACTIVE"
    assert page.verdict.active
    assert page.verdict.reasons == ()
    assert page.verdict.age_ms == 0
    assert page.verdict.lease_ms == 300
    assert page.orders is not None
    assert (page.orders.open, page.orders.known) == (1, 1)
    assert is_ready(trading)


@pytest.mark.req("INV-11")
def test_page_before_anything_was_heard_calls_everything_unknown(board: Dashboard) -> None:
    board.run(1_000, speaks=False)
    page = board.page
    assert page.verdict.state == "DOWN: risk is not heard"
    assert not page.verdict.active
    for value in (
        page.orders,
        page.components,
        page.switches,
        page.switches_clear,
        page.markets,
        page.positions,
        page.refusals,
        page.data,
        page.verdict.epoch,
        page.verdict.beat_age_ms,
        page.profit.realised_e6,
        page.profit.unrealised_e6,
        page.view_age_ms,
    ):
        assert value is None
    assert [feed.age_ms for feed in page.feeds] == [None] * len(FEEDS)
    assert [row.median_us for row in page.latency] == [None] * 3
    assert not is_ready(board)


@pytest.mark.req("INV-11", "OP-3")
@pytest.mark.parametrize("silent", [RISK, EXECUTION, STATE, *FEEDS])
def test_silence_of_anybody_needed_ends_readiness_within_two_looks(
    trading: Dashboard, silent: Component
) -> None:
    trading.silent.add(silent)
    trading.run(2_000)
    show = trading.shown[-1]
    assert not show.ready
    assert any(silent in reason or "hot view" in reason for reason in show.reasons)
    assert trading.page.verdict.active == (silent not in (RISK, EXECUTION))


@pytest.mark.req("INV-11")
def test_what_was_heard_before_a_silence_stays_and_grows_old(trading: Dashboard) -> None:
    trading.silent |= {RISK, FEED_MARKET, STATE}
    trading.run(12_000)
    page = trading.page
    assert page.verdict.state == "DOWN: risk is not heard"
    assert page.verdict.risk_age_ms is not None
    assert page.verdict.risk_age_ms >= 11_000
    assert page.components is not None
    assert all((row.pong_age_ms or 0) >= 11_000 for row in page.components)
    feed = next(row for row in page.feeds if row.name == FEED_MARKET)
    assert feed.age_ms is not None
    assert feed.age_ms >= 11_000
    assert feed.newest_ms is not None
    assert feed.newest_ms > feed.age_ms
    assert page.markets is not None
    assert (page.markets[0].age_ms or 0) >= 11_000


def test_book_that_state_does_not_vouch_for_is_unknown_but_our_orders_are_told(
    trading: Dashboard,
) -> None:
    trading.spoil[STATE] = {"valid": False, "reason": "in doubt", "books": None}
    trading.run(1_000)
    markets = trading.page.markets
    assert markets is not None
    book = markets[0].books[0]
    assert (book.bids, book.asks) == (None, None)
    assert markets[0].reason == "in doubt"
    assert [(row.side, row.price_e4, row.leaves_e6) for row in book.orders] == [
        ("BUY", 4_800, 4_000_000)
    ]


def test_gap_of_execution_takes_orders_out_of_the_book_until_they_are_told_again(
    trading: Dashboard,
) -> None:
    trading.tell(Gap(EXECUTION, "execution.order", 1, "sequence"))
    trading.run(1_000)
    orders = trading.page.orders
    assert orders is not None
    assert (orders.open, orders.known) == (1, 0)
    trading.fact(EXECUTION, "execution.order", order_fact())
    trading.run(1_000)
    assert trading.page.orders is not None
    assert trading.page.orders.known == 1


def test_order_that_left_the_market_leaves_the_book(trading: Dashboard) -> None:
    trading.fact(EXECUTION, "execution.order", order_fact(state="CANCELED"))
    trading.run(1_000)
    assert trading.page.markets is not None
    assert trading.page.markets[0].books[0].orders == ()


def test_answer_of_the_venue_is_timed_and_silence_is_not(trading: Dashboard) -> None:
    trading.fact(EXECUTION, "execution.order", order_fact(order_id="0x1", state="INTENDED"))
    trading.fact(EXECUTION, "execution.order", order_fact(order_id="0x2", state="INTENDED"))
    trading.ms += 40
    trading.fact(EXECUTION, "execution.order", order_fact(order_id="0x1", state="LIVE"))
    trading.fact(EXECUTION, "execution.order", order_fact(order_id="0x2", state="UNKNOWN"))
    trading.run(1_000)
    venue = next(row for row in trading.page.latency if row.name == "venue")
    assert (venue.count, venue.median_us) == (1, 40_000)


def test_latch_says_what_the_operator_has_to_do_and_a_pause_that_it_ends_by_itself(
    trading: Dashboard,
) -> None:
    halt = SwitchStatus("operator_halt", "account", "", "latch", 1, 10**9, "looking", "uid 0")
    pause = SwitchStatus("oracle_stale", "asset", "btc", "pause", 2, 10**9, "silent", "")
    trading.spoil[RISK] = {"trading_state": "HALTED", "switches": (halt, pause)}
    trading.run(1_000)
    switches = trading.page.switches
    assert switches is not None
    assert switches[0].command == 'interlock resume --reason "..."'
    assert (switches[0].since_wall_ms, switches[0].evidence) == (1_000, "uid 0")
    assert switches[1].command == ""
    assert switches[1].resumes == "oracle fresh again"
    assert [row.runbook for row in switches] == ["operator-halt", "oracle-stale"]
    clear = trading.page.switches_clear
    assert clear is not None
    assert {*clear, "operator_halt", "oracle_stale"} == {switch.name for switch in SWITCHES}
    assert trading.page.verdict.state == "HALTED"


def test_disabled_strategy_is_ended_by_enabling_it(trading: Dashboard) -> None:
    row = SwitchStatus("strategy_disabled", "strategy", "caretaker", "latch", 1, 10**9, "x", "")
    trading.spoil[RISK] = {"switches": (row,)}
    trading.run(1_000)
    switches = trading.page.switches
    assert switches is not None
    assert switches[0].command == 'interlock strategy enable caretaker --reason "..."'


def test_latch_of_another_release_is_ended_by_an_operator_too(trading: Dashboard) -> None:
    row = SwitchStatus("of_another_release", "account", "", "latch", 1, 10**9, "x", "")
    trading.spoil[RISK] = {"switches": (row,)}
    trading.run(1_000)
    switches = trading.page.switches
    assert switches is not None
    assert switches[0].command == 'interlock resume --reason "..."'


@pytest.mark.req("OP-3")
def test_check_that_fails_repeatedly_is_alerted_once_and_must_hold_again_for_some_time(
    trading: Dashboard,
) -> None:
    assert alerts(trading) == []
    trading.silent.add(FEED_MARKET)
    trading.run(2_000)
    assert alerts(trading) == []
    trading.run(4_000)
    assert [alert.name for alert in alerts(trading)] == ["health feed_market"]
    assert [row.name for row in trading.page.alerts] == ["health feed_market"]
    trading.silent.clear()
    trading.run(1_000)
    assert not is_ready(trading)
    trading.run(4_000)
    assert is_ready(trading)
    assert [alert.severity for alert in alerts(trading)] == ["warning", "info"]
    logs = [effect.event for effect in trading.effects if isinstance(effect, Log)]
    assert logs == ["health.failed", "health.recovered"]


def test_start_of_a_group_is_nothing_to_alert(board: Dashboard) -> None:
    board.silent |= {RISK, EXECUTION}
    board.run(20_000)
    board.silent.clear()
    board.run(10_000)
    assert alerts(board) == []
    assert is_ready(board)


def test_open_page_is_written_twice_a_second_and_nobody_is_once(trading: Dashboard) -> None:
    count = len(trading.shown)
    trading.run(10_000)
    assert len(trading.shown) - count == 10
    trading.tell(Watched(1, 0))
    count = len(trading.shown)
    trading.run(10_000)
    assert 20 <= len(trading.shown) - count <= 21


def test_money_is_unknown_while_the_ledger_is_not_read_and_old_when_it_stops(
    trading: Dashboard,
) -> None:
    trading.tell(LedgerUnread("ledger missing", trading.now.monotonic_ns))
    trading.run(1_000)
    assert trading.page.profit.realised_e6 is None
    assert trading.page.profit.problem == "ledger missing"
    read = LedgerRead((build_fill_record(),), (), True, False, 1, trading.now.monotonic_ns)
    trading.tell(read)
    trading.run(1_000)
    assert trading.page.profit.fills == 1
    trading.tell(LedgerUnread("ledger locked", trading.now.monotonic_ns))
    trading.run(20_000)
    profit = trading.page.profit
    assert profit.problem == "ledger locked"
    assert profit.age_ms is not None
    assert profit.age_ms >= 20_000
    newest = next(show.history for show in reversed(trading.shown) if show.history)
    curve = msgspec.json.decode(newest)["realised_e6"]
    assert curve[-1] is None
    assert 0 in curve


def test_unrealised_counts_sets_at_a_dollar_and_the_rest_at_the_bid(trading: Dashboard) -> None:
    held = PositionsFact((position(UP, 10), position(DOWN, 4), position(UP, 0, cost=-(10**6))))
    trading.fact(EXECUTION, "execution.positions", held)
    trading.run(1_000)
    # 4 sets at 1.00 and 6 shares at 0.49, bought for 14 times 0.50.
    assert trading.page.profit.unrealised_e6 == 4_000_000 + 2_940_000 - 7_000_000
    trading.spoil[STATE] = {"valid": False, "reason": "in doubt"}
    trading.run(1_000)
    profit = trading.page.profit
    assert (profit.unrealised_e6, profit.unpriced_cost_e6) == (None, 7_000_000)


def test_ledger_that_is_merely_slow_to_change_is_not_stale(trading: Dashboard) -> None:
    for _ in range(10):
        at = trading.now.monotonic_ns
        trading.tell(LedgerRead((), (), False, False, 1, MonotonicNs(at - 5 * NS_PER_MS)))
        trading.run(2_000)
    assert trading.page.profit.age_ms is not None
    assert trading.page.profit.age_ms <= 2_100
