import pytest

from services.simulator.oracles.markets_file import read_markets
from services.simulator.oracles.prices_file import Unreadable
from tests.builders.recordings import START_S, market_row

SLUG = f"btc-updown-5m-{START_S}"


def fault_of(*rows: str) -> str:
    with pytest.raises(Unreadable) as caught:
        read_markets("markets.jsonl", rows)
    return str(caught.value)


def test_row_tells_window_winner_and_strike() -> None:
    first, second = read_markets(
        "m", [market_row(strike_value="65026457815000000000000"), "", market_row(1, up=False)]
    )
    assert (first.slug, first.asset, first.interval_s) == (SLUG, "btc", 300)
    assert first.start_ms == START_S * 1000
    assert (first.winner, first.strike_e8) == (0, 6_502_645_781_500)
    assert (second.winner, second.strike_e8, second.lookback_ms) == (1, None, 0)


def test_unresolved_window_has_no_winner() -> None:
    (found,) = read_markets("m", [market_row(resolved=False, outcome_prices=None)])
    assert found.winner is None


def test_average_is_taken_where_the_market_names_one() -> None:
    config = {"id": "btc-5m-twap-60", "asset": "btc", "twapEnabled": True}
    raw = {"cryptoMarketConfig": config | {"twapLookbackSeconds": 60}}
    (found,) = read_markets("m", [market_row(raw=raw)])
    assert found.lookback_ms == 60_000


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("{", "markets.jsonl line 1: "),
        (market_row(slug="btc-updown-5m-7"), "markets.jsonl line 1: "),
        (market_row(end_sec=START_S), f"markets.jsonl line 1: {SLUG} does not last from"),
        (market_row(outcome_prices=["0.5", "0.5"]), "markets.jsonl line 1: is resolved at"),
        (market_row(strike_value="65.5"), "markets.jsonl line 1: `strike_value` is '65.5'"),
        ("", "markets.jsonl: holds no market"),
    ],
)
def test_row_that_is_no_market_is_named_with_its_line(row: str, fault: str) -> None:
    assert fault_of(row).startswith(fault)


def test_window_told_twice_is_refused() -> None:
    assert fault_of(market_row(), market_row()) == f"markets.jsonl line 2: tells of {SLUG} again"
