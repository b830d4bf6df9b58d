import pytest

from services.simulator.oracles.prices_file import Unreadable, read_prices
from tests.builders.recordings import E8, HEADER, START_S, price_row, price_text, prices, waving

START_MS = START_S * 1000


def fault_of(text: str) -> str:
    with pytest.raises(Unreadable) as caught:
        read_prices("day.csv", text.splitlines())
    return str(caught.value)


def test_rows_keep_their_moment_their_telling_and_every_digit() -> None:
    text = price_text([price_row(0, 65_048.07, 1_160), "", price_row(1, 65_051.92, 690)])
    found = read_prices("day.csv", text.splitlines(keepends=True))
    assert found.at_ms == (START_MS, START_MS + 1000)
    assert found.told_ms == (START_MS + 1160, START_MS + 1690)
    assert found.price_e8 == (6_504_807_000_000, 6_505_192_000_000)


def test_columns_are_found_by_name() -> None:
    found = read_prices(
        "day.csv", [f"server_ts_ms,{'full_accuracy_value'},feed_ts_ms", f"7,{3 * 10**18},5"]
    )
    assert (found.at_ms, found.told_ms, found.price_e8) == ((5,), (7,), (3 * E8,))


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ([price_row(0, 1), price_row(1, 1) + ",1"], "day.csv line 3: has 6 cells where 5 should"),
        ([price_row(1, 1), price_row(0, 1)], "day.csv line 3: goes back in time, by 1000 ms"),
        ([price_row(0, 1, -1)], "day.csv line 2: was told 1 ms before it was the price"),
        (["1,1.5,x,2,3"], "day.csv line 2: `full_accuracy_value` is 'x', no whole number"),
        (["1,1.5,0,2,3"], "day.csv line 2: `full_accuracy_value` is 0, below 1e-8 USD"),
        ([], "day.csv: holds no price"),
    ],
)
def test_row_that_cannot_follow_is_named_with_its_line(rows: list[str], fault: str) -> None:
    assert fault_of(price_text(rows)).startswith(fault)


def test_table_without_a_needed_column_is_refused() -> None:
    assert fault_of(HEADER.replace("server", "local")) == (
        "day.csv line 1: has no column `server_ts_ms`"
    )
    assert "has no column" in fault_of("")


def test_spot_is_the_price_of_the_moment_or_the_first_after_it() -> None:
    found = prices((0, 100), (1, 101), (1, 102), (60, 103))
    assert found.first_from(START_MS) == 100 * E8
    assert found.first_from(START_MS + 1) == 102 * E8, "a correction stands for what it corrects"
    assert found.first_from(START_MS + 1001) == 103 * E8, "in a hole the venue waits"
    assert found.first_from(START_MS + 61_000) == 103 * E8, "after the end there is no other"


def test_average_is_of_the_time_before_with_the_moment_itself() -> None:
    found = prices((0, 100), (30, 110), (60, 120), (200, 300))
    assert found.average(START_MS + 60_000, 60_000) == 115 * E8
    assert found.average(START_MS + 60_000, 30_000) == 120 * E8
    assert found.average(START_MS + 199_000, 60_000) == 120 * E8, "in a hole: the price before"
    assert found.average(START_MS - 1, 60_000) == 100 * E8


def test_price_that_stands_still_still_has_some_deviation() -> None:
    assert prices((0, 100), (1, 100), (2, 100)).deviation() > 0
    assert prices((0, 100)).deviation() > 0
    assert waving(900).deviation() > 1e-5
