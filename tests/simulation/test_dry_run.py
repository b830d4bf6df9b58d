"""A dry run of the whole system: it decides, it records, and the venue never hears of an order."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from ops.simulation import faults
from ops.simulation.components import BUILDERS
from ops.simulation.run import draw_config
from ops.simulation.whole import Whole
from services.simulator.chance import stream
from shared.ledger_schema import LEDGER_FILE

SEED = 3
SECONDS = 20
PLACES = 4
"""Two tokens, two sides: the market maker's quotes in one running market."""


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Whole]:
    config = draw_config(stream(SEED, "config"))
    config = msgspec.structs.replace(config, run=msgspec.structs.replace(config.run, dry_run=True))
    made = Whole(SEED, config, faults.no_faults(), tmp_path, BUILDERS)
    made.start()
    made.run_for(SECONDS)
    yield made
    made.close()


@pytest.mark.req("EX-21")
def test_dry_run_records_every_decision_and_posts_nothing(whole: Whole, tmp_path: Path) -> None:
    assert whole.findings.violations == []
    venue = whole.world.venue
    assert whole.world.watch.posts == 0, "a first byte left"
    assert venue.open_ids() == []
    owners = {order.owner for order in venue.core.exchange.orders.values()}
    assert whole.world.credentials.api_key not in owners
    with closing(sqlite3.connect(tmp_path / LEDGER_FILE)) as ledger:
        rows = ledger.execute("SELECT state, reason, count(*) FROM orders GROUP BY 1, 2").fetchall()
    counts = {(state, reason): count for state, reason, count in rows}
    # What was doomed between its decision and its write has that for a reason.
    assert set(counts) - {("NOT_SENT", "doomed")} == {("NOT_SENT", "DRY_RUN")}
    count = sum(counts.values())
    assert 0 < count <= PLACES * SECONDS * len(whole.world.config.markets.assets)
    status = whole.world.watch.risk_status
    assert status is not None
    assert status.trading_state == "ACTIVE"
