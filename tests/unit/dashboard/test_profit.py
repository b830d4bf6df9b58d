"""Folding closed holdings away changes no sum, and a curve has one step a market."""

from services.dashboard.curves import EVERY_NS, POINTS_MAX, Curve, Samples
from services.dashboard.profit import Account
from shared.identifiers import ConditionId, StrategyName, TokenId, TradeId
from shared.ledger_schema import FillRecord, PayoutRecord
from shared.profit import holdings, totals_of
from shared.units import NS_PER_S, MoneyE6, MonotonicNs, PriceE4, SizeE6, WallNs
from tests.builders.ledger_rows import build_fill_record

WALL_NS = 1_790_000_000 * NS_PER_S


def fill(market: int, number: int, settlement: str = "CONFIRMED", side: str = "BUY") -> FillRecord:
    return build_fill_record(
        market=ConditionId(f"0x{market}"),
        token=TokenId(f"{market}"),
        trade_id=TradeId(f"t{market}-{number}"),
        settlement=settlement,
        side=side,
        updated_wall_ns=WallNs(WALL_NS + market * 60 * NS_PER_S),
    )


def payout(market: int, amount_e6: int) -> PayoutRecord:
    return PayoutRecord(
        market=ConditionId(f"0x{market}"),
        token=TokenId(f"{market}"),
        strategy=StrategyName("market_making"),
        account="main",
        payout_e4=PriceE4(10_000 if amount_e6 else 0),
        size_e6=SizeE6(4_000_000),
        amount_e6=MoneyE6(amount_e6),
        cost_e6=MoneyE6(1_960_000),
        realised_e6=MoneyE6(amount_e6 - 1_960_000),
        updated_wall_ns=WallNs(WALL_NS + market * 60 * NS_PER_S),
    )


FILLS = [fill(market, number) for market in range(1, 6) for number in range(2)]
PAYOUTS = [payout(1, 4_000_000), payout(2, 0), payout(3, 4_000_000)]


def test_sums_after_many_small_readings_are_those_of_the_whole_ledger() -> None:
    account = Account()
    account.take(FILLS[:3], (), is_whole=True)
    for count in range(3, len(FILLS) + 1):
        # Each reading repeats what was read before, as those of a settling window do.
        account.take(FILLS[:count], PAYOUTS[: count // 3], is_whole=False)
    account.take((), PAYOUTS, is_whole=False)
    account.take(FILLS, PAYOUTS, is_whole=False)
    expected = totals_of(holdings(FILLS, PAYOUTS), WALL_NS, WALL_NS)
    assert account.totals(WALL_NS, WALL_NS) == expected


def test_trade_that_fails_later_is_taken_back() -> None:
    account = Account()
    account.take([fill(1, 0, "MATCHED")], (), is_whole=True)
    account.take([fill(1, 0, "FAILED")], (), is_whole=False)
    assert account.totals(0, WALL_NS).open_cost_e6 == 0


def test_curve_of_closings_ends_at_the_realised_sum() -> None:
    account = Account()
    account.take(FILLS, PAYOUTS, is_whole=True)
    points = account.closings()
    assert len(points) == 3
    assert points[-1].realised_e6 == account.totals(0, WALL_NS).realised_e6
    assert [point.wall_ms for point in points] == sorted(point.wall_ms for point in points)


def test_payout_without_its_fills_is_no_profit() -> None:
    account = Account()
    account.take((), PAYOUTS, is_whole=True)
    assert account.totals(0, WALL_NS).realised_e6 == 0
    assert account.closings() == ()


def test_full_curve_keeps_its_span_at_half_the_points() -> None:
    curve = Curve(("a",))
    for number in range(3 * POINTS_MAX):
        curve.add(number, {"a": number}, number * EVERY_NS)
    assert len(curve.walls_ms) <= POINTS_MAX
    assert curve.walls_ms[0] == 0
    assert curve.values["a"] == curve.walls_ms
    assert curve.walls_ms[-1] > 2 * POINTS_MAX


def test_spread_forgets_what_is_older_than_a_minute() -> None:
    samples = Samples()
    samples.add(MonotonicNs(0), 50)
    for number in range(100):
        samples.add(MonotonicNs(10 * NS_PER_S + number), number + 1)
    spread = samples.spread(MonotonicNs(65 * NS_PER_S))
    assert spread is not None
    assert (spread.count, spread.median_ns, spread.p95_ns, spread.max_ns) == (100, 50, 95, 100)
    assert samples.spread(MonotonicNs(200 * NS_PER_S)) is None
