"""The gate by execution's own count of money, orders and fills, whatever risk says."""

from typing import Any

import msgspec
import pytest

from services.execution.gate import Account, account_predicates, first_failing
from services.execution.startup import OpenedLedger
from services.execution.throttle import Throttle
from shared.config import LimitSettings, TimingSettings
from shared.config.losses import LossSettings, ThrottleSettings
from shared.facts import MarketResolved
from shared.identifiers import ConditionId, OrderHash, StrategyName, TokenId, TradeId
from shared.ledger_schema import FillRecord, PayoutRecord
from shared.losses import bounds_of
from shared.units import MoneyE6, PriceE4, SizeE6, WallNs
from tests.builders.execution import MAKER, Rig, resting, target
from tests.builders.ledger_rows import build_fill_record
from tests.builders.markets import DOWN, MARKET, UP, instant

USD = 1_000_000
SHARE = 1_000_000
BOUNDS = bounds_of(LossSettings(), LimitSettings(), 500)
OTHER = StrategyName("other")


def _denied(*, reduce_only: bool = False, **spoil: Any) -> str | None:
    account = Account(
        leased=True,
        lease_age_ns=0,
        state="ACTIVE",
        start="",
        blocked=(),
        user_age_ns=0,
        is_reconciled=True,
        reconciled_age_ns=0,
        lost_e6=0,
        unpaired_e6=0,
        venue_hold="",
        bounds=BOUNDS,
    )
    account = msgspec.structs.replace(account, **spoil)
    found = account_predicates(account, TimingSettings(), LimitSettings())
    failing = first_failing(found, reduce_only=reduce_only)
    return None if failing is None else failing.name


@pytest.mark.req("CB-1", "CB-2", "EX-14")
@pytest.mark.parametrize(
    ("spoil", "denied"),
    [
        ({"lost_e6": 50 * USD - 1}, None),
        ({"lost_e6": 50 * USD}, "daily_loss"),
        ({"lost_e6": 50 * USD + 1}, "daily_loss"),
        ({"session_lost_e6": 50 * USD - 1}, None),
        ({"session_lost_e6": 50 * USD}, None),
        ({"session_lost_e6": 50 * USD + 1}, "session_loss"),
        ({"breach": "market lost"}, "loss_limit"),
    ],
)
def test_losses_at_their_limits_let_only_what_reduces_pass(
    spoil: dict[str, Any], denied: str | None
) -> None:
    assert _denied(**spoil) == denied
    assert _denied(reduce_only=True, **spoil) is None


def _with_capital(rig: Rig, capital_usd: int | None) -> None:
    """Let every ping of risk tell a step of the capital."""
    plain = rig.build_ping
    rig.build_ping = lambda **spoil: plain(**{"capital_usd": capital_usd, **spoil})  # type: ignore[method-assign]


def _payout(realised_usd: float, number: int) -> tuple[FillRecord, PayoutRecord]:
    """Return a market that was paid out with a result, so many seconds after another."""
    market, token = ConditionId(f"0x{number}"), TokenId(f"{number}")
    wall_ns = WallNs(instant().wall_ns + number)
    fill = build_fill_record(
        trade_id=TradeId(f"t{number}"),
        market=market,
        token=token,
        price_e4=PriceE4(10_000),
        size_e6=SizeE6(max(1, int(-realised_usd * SHARE))),
        settlement="CONFIRMED",
    )
    cost = fill.size_e6
    realised = MoneyE6(-cost if realised_usd < 0 else int(realised_usd * USD))
    paid = PayoutRecord(
        market=market,
        token=token,
        strategy=MAKER,
        account="main",
        payout_e4=PriceE4(0),
        size_e6=fill.size_e6,
        amount_e6=MoneyE6(0),
        cost_e6=MoneyE6(cost),
        realised_e6=realised,
        updated_wall_ns=wall_ns,
    )
    return fill, paid


def _started(*results_usd: float, **limits: Any) -> Rig:
    rows = [_payout(result, number) for number, result in enumerate(results_usd, 1)]
    ledger = OpenedLedger(fills=tuple(r[0] for r in rows), payouts=tuple(r[1] for r in rows))
    rig = Rig(ledger, **limits)
    rig.start()
    rig.wishes = (target(),)
    return rig


@pytest.mark.req("CB-1")
@pytest.mark.parametrize(
    ("results", "breached"),
    [((-24.0,), False), ((-26.0,), True), ((-6.0,) * 4, False), ((-6.0,) * 5, True)],
)
def test_breach_of_the_ledger_is_told_under_the_name_of_its_moment(
    results: tuple[float, ...], breached: bool
) -> None:
    rig = _started(*results)
    figures = rig.status().losses
    assert figures is not None
    assert bool(figures.breach) is breached
    assert figures.breach_wall_ns == (instant().wall_ns + len(results) if breached else 0)


@pytest.mark.req("CB-1")
@pytest.mark.parametrize(("capital", "breached"), [(50, True), (100, False)])
def test_breach_holds_in_the_gate_until_risk_has_taken_a_newer_epoch(
    capital: int, breached: bool
) -> None:
    """Lost are 2.88 USD, of a limit of 2.50 or 5."""
    rig = Rig()
    _with_capital(rig, capital)
    rig.start()
    rig.quote(target(token=DOWN))
    (order,) = rig.orders("LIVE")
    rig.hear("feed_user", "feed.user", rig.trade(order.order_id, 6))
    rig.wishes = (target(token=DOWN, level=1, price=PriceE4(4_700)),)
    rig.run(400)
    rig.core._parts.positions.settle(MARKET, {UP: PriceE4(10_000), DOWN: PriceE4(0)}, rig.now)
    rig.run(500)
    assert ("loss_limit" in rig.denials()) is breached
    assert bool(rig.venue.open) is not breached
    rig.fence()
    rig.run(3_000)
    rig.resume()
    rig.run(500)
    assert rig.venue.open, "risk has seen it, and an operator has resumed"


@pytest.mark.req("CB-2", "ST-8")
@pytest.mark.parametrize(("capital", "posts"), [(50, False), (100, True), (0, False), (None, True)])
def test_gate_takes_the_capital_that_risk_tells(capital: int | None, posts: bool) -> None:
    rig = _started(-2.5, -2.5)
    rig.wishes = ()
    _with_capital(rig, capital)
    rig.fence()
    rig.run(3_000)
    rig.resume()
    rig.run(200)
    rig.wishes = (target(),)
    rig.run(500)
    assert bool(rig.venue.posts) is posts


def test_figures_keep_realised_and_unrealised_apart() -> None:
    rig = resting()
    order_id = next(r.order_id for r in rig.orders("LIVE") if r.token == UP)
    rig.hear("feed_user", "feed.user", rig.trade(order_id, 6))
    rig.run(300)
    figures = rig.status().losses
    assert figures is not None
    bid, cost = 4_900, 4_800
    assert (figures.realised_e6, figures.unrealised_e6) == (0, 6 * (bid - cost) * 100)
    assert figures.unpaired_e6 == 6 * SHARE
    rig.hear("feed_market", "feed.market", MarketResolved(MARKET, DOWN, rig.now.wall_ms))
    rig.run(300)
    figures = rig.status().losses
    assert figures is not None
    assert (figures.realised_e6, figures.unrealised_e6) == (-6 * cost * 100, 0)


@pytest.mark.req("EX-14", "KS-6")
@pytest.mark.parametrize("place", ["market", "asset", "strategy", "account"])
@pytest.mark.parametrize(("most", "posts"), [(17, False), (18, True), (19, True)])
def test_shares_of_a_place_never_pass_its_cap_at_worst(place: str, most: int, posts: bool) -> None:
    """Six are held, six are bid for, and six more are wished: eighteen at worst."""
    name = "shares_account_max" if place == "account" else f"shares_per_{place}_max"
    rig = _holding(**{name: most})
    rig.wishes = (target(), target(level=1, price=PriceE4(4_700)))
    rig.run(400)
    assert (len(rig.venue.posts) == 2) is posts
    assert (f"{place}_shares_cap" in rig.denials()) is not posts


def _holding(**limits: Any) -> Rig:
    fill = build_fill_record(
        strategy=MAKER, market=MARKET, token=UP, size_e6=SizeE6(6 * SHARE), settlement="CONFIRMED"
    )
    rig = Rig(OpenedLedger(fills=(fill,)), **limits)
    rig.start()
    return rig


@pytest.mark.req("EX-14")
@pytest.mark.parametrize("place", ["market", "asset", "strategy"])
@pytest.mark.parametrize(("usd", "posts"), [(5, False), (6, True)])
def test_money_of_a_place_never_passes_its_cap_at_worst(place: str, usd: int, posts: bool) -> None:
    """Held for 2.94 and wished for 2.88: 5.82 at worst."""
    rig = _holding(**{f"exposure_per_{place}_usd_max": usd})
    rig.wishes = (target(),)
    rig.run(300)
    assert bool(rig.venue.posts) is posts


def _fill(number: int, strategy: StrategyName = MAKER) -> FillRecord:
    return build_fill_record(
        trade_id=TradeId(f"t{number}"), order_id=OrderHash(f"0x{number}"), strategy=strategy
    )


@pytest.mark.req("KS-13")
@pytest.mark.parametrize(("orders", "excess"), [(2, False), (3, True)])
def test_strategy_gets_no_more_orders_than_it_may_have_in_the_window(
    orders: int, excess: bool
) -> None:
    throttle = Throttle(ThrottleSettings(window_s=10, orders_max=3))
    for _ in range(orders):
        throttle.ordered(MAKER, instant(1_000))
    assert bool(throttle.excess(MAKER, instant(10_999))) is excess
    assert not throttle.excess(MAKER, instant(11_000))
    assert not throttle.excess(OTHER, instant(1_000))


@pytest.mark.req("KS-13")
@pytest.mark.parametrize(("fills", "excess"), [(2, False), (3, False), (4, True)])
def test_fills_over_their_limit_cut_a_strategy_off_and_repeats_count_once(
    fills: int, excess: bool
) -> None:
    throttle = Throttle(ThrottleSettings(window_s=10, fills_max=3))
    for number in range(fills):
        throttle.filled(_fill(number), instant(1_000))
        throttle.filled(_fill(number), instant(2_000))
    assert [name for name, _ in throttle.excesses(instant(3_000))] == ([MAKER] if excess else [])


@pytest.mark.req("KS-13")
def test_gate_cuts_off_the_strategy_alone_and_cancels_what_it_has() -> None:
    rig = Rig()
    rig.core._parts.desk.throttle = Throttle(ThrottleSettings(window_s=60, orders_max=2))
    rig.start()
    for price in (4_800, 4_700, 4_600):
        rig.wishes = (target(price=PriceE4(price)),)
        rig.run(400)
    assert len(rig.venue.posts) == 2
    assert rig.venue.open == {}
    figures = rig.status().losses
    assert figures is not None
    assert figures.throttled == ((MAKER, "2 orders in 60 s, limit 2"),)
