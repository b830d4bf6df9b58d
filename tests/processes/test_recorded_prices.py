"""The real group on a recording that plays at five times its speed: market after market."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.waiting import wait_for
from tests.builders.recordings import market_row, price_text, wave
from tests.processes.group import GroupUnderTest
from tests.processes.wire_log import WireRecord, in_markets, profit_of

INTERVAL_S = 30
SPEED = 5
RECORDED_S = INTERVAL_S * SPEED
WINDOWS = 8
ROLLED = 3
ROLLS_WITHIN_S = 200.0

UP = (True, False, False, True, True, False, True, False)
"""What the made-up recording says that the windows ended on, whatever its prices say."""


@pytest.fixture
def group(tmp_path: Path) -> Iterator[GroupUnderTest]:
    """A group whose venue plays a recording of eight windows, in a compressed file."""
    prices, markets = tmp_path / "prices.csv.gz", tmp_path / "markets.jsonl"
    prices.write_bytes(gzip.compress(price_text(wave(WINDOWS * RECORDED_S)).encode()))
    rows = [market_row(number, interval_s=RECORDED_S, up=up) for number, up in enumerate(UP)]
    markets.write_text("\n".join(rows))
    extra = (
        f"prices_file = '{prices}'\nmarkets_file = '{markets}'\nprices_speed = {SPEED}\n"
        "resolution_ms = 500\n"
    )
    group = GroupUnderTest(interval_s=INTERVAL_S, extra=extra)
    try:
        yield group
    finally:
        group.close()


def test_group_trades_recorded_windows_to_their_recorded_ends(group: GroupUnderTest) -> None:
    assert group.up().status == 0
    group.wait_until_trading()

    def resolved() -> list[WireRecord] | None:
        """Return the windows that are resolved, when enough are and one of them had fills."""
        group.venue.read()
        rows = [row for row in group.venue.of_kind("market") if row["state"] == "RESOLVED"]
        filled = {row["market"] for row in group.venue.of_kind("fill")}
        ours = [row for row in rows if row["market"] in filled]
        return rows if len(rows) >= ROLLED and len(ours) >= 1 else None

    rows = wait_for(resolved, ROLLS_WITHIN_S)
    assert rows is not None, group.log_tails()
    winners = [row["tokens"].index(row["winner"]) for row in rows]
    assert winners == [0 if up else 1 for up in UP[: len(rows)]]
    starts = [row["start_ms"] for row in rows]
    assert [start - starts[0] for start in starts] == [
        INTERVAL_S * 1000 * number for number in range(len(rows))
    ]
    for row in rows:
        paid = in_markets(group.venue.records, {row["market"]})
        assert abs(profit_of(paid, group.address)) < 100, "what was bought was paid out or lost"
