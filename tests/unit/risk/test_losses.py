"""Risk's own count of money: legs of the stream, both counts, the day, and what survives."""

from typing import Any

import msgspec
import pytest

from services.risk.losses import GAP_EXPLAINS_NS, KEPT_NAME, Losses
from services.risk.messages import CapitalIs, StoredState
from services.risk.samples import Sample
from services.risk.source import Notice
from shared.config import Config
from shared.effects import Gap
from shared.facts import (
    Calendar,
    ExecutionStatus,
    FillFact,
    LossFigures,
    OwnOrder,
    OwnTrade,
    StateView,
    TradeLeg,
)
from shared.identifiers import Component, OrderHash, StrategyName, TradeId
from shared.losses import DAY_NS
from shared.risk_schema import Kept
from shared.topics import EXECUTION, FEED_USER
from shared.units import NS_PER_MS, SHARE_E6, Instant, MoneyE6, PriceE4, SizeE6, WallMs, WallNs
from tests.builders.markets import (
    DOWN,
    MARKET,
    UP,
    book_view,
    instant,
    market_info,
    market_view,
    received,
)
from tests.builders.risk_parts import config

USD = 1_000_000
MAKER = StrategyName("market_making")
OURS, STRANGER = OrderHash("0x" + "0a" * 32), OrderHash("0x" + "0b" * 32)


def _config(**limits: Any) -> Config:
    base = config()
    return msgspec.structs.replace(base, limits=msgspec.structs.replace(base.limits, **limits))


class Count:
    """A source with what it was told, and the time."""

    def __init__(self, capital: int = 500, stored: str = "", **limits: Any) -> None:
        kept = {KEPT_NAME: stored} if stored else {}
        self.source = Losses(_config(**limits), StoredState(kept=kept, capital_usd=capital))
        self.ms = 1_000
        self.capital = capital
        self.kept: list[str] = []
        self.notices: list[Notice] = []

    @property
    def now(self) -> Instant:
        return instant(self.ms)

    def hear(self, component: Component, body: Any) -> None:
        self.source.hear(received(component, "topic", body, self.now), self.now)

    def own(self, order_id: OrderHash = OURS) -> None:
        """Let the stream tell of an order of ours."""
        order = OwnOrder(
            order_id,
            MARKET,
            UP,
            "BUY",
            PriceE4(5_000),
            None,
            None,
            "LIVE",
            "LIVE",
            (),
            WallMs(1),
            "socket",
        )
        self.hear(FEED_USER, order)

    def trade(
        self,
        shares: int,
        price: int = 5_000,
        *,
        number: int = 1,
        side: Any = "BUY",
        status: str = "MATCHED",
        order_id: OrderHash = OURS,
        role: Any = "MAKER",
        token: Any = UP,
    ) -> None:
        """Let the stream tell of a trade."""
        leg = TradeLeg(order_id, token, side, PriceE4(price), SizeE6(shares * SHARE_E6), role)
        body = OwnTrade(
            TradeId(f"t{number}"), MARKET, status, (leg,), WallMs(number), WallMs(number), "socket"
        )
        self.hear(FEED_USER, body)

    def calendar(self, **spoil: Any) -> None:
        """Let discovery describe the market."""
        self.hear(
            Component("feed_discovery"), Calendar((market_info(**spoil),), self.now.monotonic_ns)
        )

    def told(self, realised_usd: float, **spoil: Any) -> None:
        """Let execution tell its count."""
        figures = LossFigures(
            MoneyE6(int(realised_usd * USD)), None, MoneyE6(0), 0, MoneyE6(0), 0, WallNs(0), "", ()
        )
        figures = msgspec.structs.replace(figures, **spoil)
        status = ExecutionStatus(
            "ACTIVE", "", 1, self.now.boot_ns, 0, 0, 0, True, None, (), losses=figures
        )
        self.hear(EXECUTION, status)

    def look(self) -> dict[str, Sample]:
        """Return the samples of one look, by switch and subject."""
        self.source.hear(CapitalIs(self.capital), self.now)
        found = {}
        for seen in self.source.data(self.now):
            if isinstance(seen, Sample):
                found[f"{seen.switch.name} {seen.subject}".rstrip()] = seen
            elif isinstance(seen, Notice):
                self.notices.append(seen)
            elif isinstance(seen, Kept):
                self.kept.append(seen.text)
        return found

    def bad(self) -> set[str]:
        return {name for name, sample in self.look().items() if sample.bad}

    def pass_ms(self, milliseconds: int) -> None:
        """Let time pass, looking ten times a second."""
        until = self.ms + milliseconds
        while self.ms < until:
            self.ms += 100
            self.look()

    def lose(self, usd: float, number: int = 1) -> None:
        """Buy shares of UP at a cent less or more, and let DOWN win."""
        self.own()
        self.trade(int(usd * 2), number=number)
        self.calendar(winner=1, closed=True)


def _status(count: Count) -> Any:
    count.look()
    return count.source.status()


def test_buys_sells_and_the_payout_make_the_days_result() -> None:
    count = Count()
    count.own()
    count.calendar(fee_rate_e6=0)
    count.trade(10, 5_000, number=1)
    count.trade(4, 6_000, number=2, side="SELL")
    assert _status(count).realised_e6 == 400_000
    count.calendar(winner=0, closed=True, fee_rate_e6=0)
    assert _status(count).realised_e6 == 400_000 + 6 * 500_000


@pytest.mark.parametrize("repeats", [1, 3])
def test_trade_counts_once_however_often_it_is_told_and_not_when_it_fails(repeats: int) -> None:
    count = Count()
    count.own()
    for _ in range(repeats):
        for status in ("MATCHED", "MINED", "CONFIRMED"):
            count.trade(10, status=status)
    count.trade(10, number=2)
    count.trade(10, number=2, status="FAILED")
    count.calendar(winner=1, closed=True)
    assert _status(count).realised_e6 == -5 * USD


def test_leg_of_a_stranger_never_counts_and_ours_counts_though_its_order_is_told_later() -> None:
    count = Count()
    count.trade(10, order_id=STRANGER)
    count.trade(10, number=2)
    count.own()
    count.calendar(winner=1, closed=True)
    assert _status(count).realised_e6 == -5 * USD


def test_taker_pays_the_fee_of_the_market_and_the_worst_where_it_is_not_known() -> None:
    free, unknown = Count(), Count()
    free.calendar(fee_rate_e6=0)
    for count in (free, unknown):
        count.own()
        count.trade(10, role="TAKER")
        count.calendar(winner=1, closed=True)
    assert _status(free).realised_e6 == -5 * USD
    assert _status(unknown).realised_e6 < -5 * USD


@pytest.mark.req("CB-2")
@pytest.mark.parametrize(
    ("own", "told", "bad"),
    [
        (49.5, 0, False),
        (50, 0, True),
        (50.5, 0, True),
        (0.5, -49.999999, False),
        (0.5, -50.0, True),
        (0.5, -50.000001, True),
    ],
)
def test_daily_loss_trips_at_its_limit_by_the_worse_of_both_counts(
    own: float, told: float, bad: bool
) -> None:
    count = Count()
    count.lose(own)
    count.told(told)
    assert ("daily_loss" in count.bad()) is bad


@pytest.mark.req("CB-2")
@pytest.mark.parametrize(("told", "warns"), [(-39.999999, 0), (-40.0, 1), (-40.000001, 1)])
def test_people_are_told_once_at_four_fifths_of_the_limit(told: float, warns: int) -> None:
    count = Count()
    count.told(told)
    count.pass_ms(5_000)
    found = [one for one in count.notices if one.name == "daily_loss_near"]
    assert len(found) == warns
    assert "daily_loss" not in count.bad()


@pytest.mark.req("CB-2")
def test_counter_rolls_at_midnight_and_takes_nothing_along() -> None:
    count = Count()
    count.lose(60)
    assert "daily_loss" in count.bad()
    to_midnight = DAY_NS - count.now.wall_ns % DAY_NS
    count.ms += to_midnight // NS_PER_MS - 1
    assert "daily_loss" in count.bad()
    count.ms += 1
    assert "daily_loss" not in count.bad()
    assert _status(count).realised_e6 == 0


@pytest.mark.req("CB-2", "ST-8")
@pytest.mark.parametrize(("capital", "bad"), [(50, True), (100, False), (0, False)])
def test_lower_step_of_the_capital_lowers_the_limit_at_once(capital: int, bad: bool) -> None:
    count = Count(capital)
    count.lose(5)
    assert ("daily_loss" in count.bad()) is bad, "without capital nothing trades, and nothing trips"


@pytest.mark.req("CB-1")
@pytest.mark.parametrize(("lost", "bad"), [(25, False), (25.5, True)])
def test_closed_market_trips_in_one_look_alone(lost: float, bad: bool) -> None:
    count = Count()
    count.lose(lost)
    assert ("loss_limit closed" in count.bad()) is bad
    assert "loss_limit closed" not in count.bad()
    assert count.kept, "what was judged is on disk with the latch"


@pytest.mark.req("CB-1")
def test_breach_of_the_ledger_trips_once_and_not_again_after_a_restart() -> None:
    count = Count()
    count.told(0, breach_wall_ns=WallNs(7), breach="5 losses in a row")
    assert "loss_limit closed" in count.bad()
    assert "loss_limit closed" not in count.bad()
    again = Count(stored=count.kept[-1])
    again.told(0, breach_wall_ns=WallNs(7), breach="5 losses in a row")
    assert "loss_limit closed" not in again.bad()
    again.told(0, breach_wall_ns=WallNs(8), breach="5 losses in a row")
    assert "loss_limit closed" in again.bad()


@pytest.mark.req("CB-1")
@pytest.mark.parametrize(("told", "bad"), [(50.0, False), (50.000001, True)])
def test_session_trips_over_its_limit_and_stays_bad_for_the_day(told: float, bad: bool) -> None:
    count = Count()
    count.told(0, session_lost_e6=MoneyE6(int(told * USD)))
    assert ("loss_limit session" in count.bad()) is bad
    assert ("loss_limit session" in count.bad()) is bad


@pytest.mark.req("CB-1")
def test_open_loss_counts_only_when_it_lasts_a_second() -> None:
    count = Count(50)
    count.own()
    count.calendar()
    count.trade(20)
    for bid in (4_900, 1_000, 4_900):
        view = market_view(count.now, books=(book_view(UP, bid), book_view(DOWN)))
        count.hear(Component("state"), StateView((view,)))
        count.pass_ms(500)
        assert "loss_limit session" not in count.bad()
    view = market_view(count.now, books=(book_view(UP, 1_000), book_view(DOWN)))
    count.hear(Component("state"), StateView((view,)))
    count.pass_ms(1_100)
    assert "loss_limit session" in count.bad()
    assert _status(count).unrealised_e6 == -8 * USD


@pytest.mark.req("KS-6")
@pytest.mark.parametrize(
    ("own", "told", "bad"), [(100, 0, False), (101, 0, True), (5, 100, False), (5, 101, True)]
)
def test_inventory_cap_trips_over_it_by_the_worse_of_both_counts(
    own: int, told: int, bad: bool
) -> None:
    count = Count()
    count.own()
    count.trade(own)
    count.told(0, unpaired_e6=told * SHARE_E6)
    assert ("inventory_cap" in count.bad()) is bad


def test_pair_is_not_unpaired() -> None:
    count = Count()
    count.own()
    count.trade(150)
    count.trade(140, number=2, token=DOWN)
    count.told(0)
    assert "inventory_cap" not in count.bad()


@pytest.mark.req("CB-2")
def test_difference_that_lasts_is_told_once_and_again_when_it_grows() -> None:
    count = Count()
    count.source.hear(Gap(FEED_USER, "", -1, "pause"), count.now)
    count.told(0)
    count.pass_ms(GAP_EXPLAINS_NS // NS_PER_MS)
    count.lose(2)
    count.told(0)
    count.pass_ms(29_000)
    assert not count.notices
    count.pass_ms(60_000)
    assert [one.name for one in count.notices] == ["loss_counts_differ"]
    count.told(-5)
    count.pass_ms(60_000)
    assert [one.name for one in count.notices] == ["loss_counts_differ"] * 2
    assert count.source.status().lost_e6 == 5 * USD


@pytest.mark.req("CB-2")
@pytest.mark.parametrize(("told", "own_after"), [(-3, -3), (1, 0)])
def test_after_a_gap_the_worse_figure_is_gone_on_from(told: float, own_after: float) -> None:
    count = Count()
    count.told(told)
    count.pass_ms(40_000)
    assert [one.severity for one in count.notices] == ["info"]
    assert count.source.status().realised_e6 == own_after * USD
    count.pass_ms(100_000)
    assert len(count.notices) == 1


@pytest.mark.req("CB-2")
def test_restart_goes_on_with_the_day_its_legs_and_its_row() -> None:
    count = Count()
    count.lose(6)
    count.own()
    count.look()
    again = Count(stored=count.kept[-1])
    assert again.source.status().realised_e6 == -6 * USD
    assert again.source.status().in_row == 1
    open_one = Count()
    open_one.own()
    open_one.trade(10)
    open_one.hear(
        EXECUTION,
        FillFact(
            TradeId("t1"),
            OURS,
            MAKER,
            MARKET,
            UP,
            "BUY",
            PriceE4(1),
            SizeE6(1),
            "MAKER",
            "MATCHED",
            MoneyE6(0),
        ),
    )
    open_one.pass_ms(1_100)
    later = Count(stored=open_one.kept[-1])
    later.trade(10, status="CONFIRMED")
    later.calendar(winner=1, closed=True)
    assert later.source.status().realised_e6 == -5 * USD
    assert later.source.performance.results() == {MAKER: (-5 * USD,)}


def test_what_was_kept_and_cannot_be_read_is_a_gap() -> None:
    count = Count(stored="{nonsense")
    count.told(-7)
    count.pass_ms(40_000)
    assert count.source.status().realised_e6 == -7 * USD
