"""KS-14 in the whole system: shares that nobody bought pause it, and twice in a row halt it."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from ops.simulation import faults
from ops.simulation.components import BUILDERS
from ops.simulation.run import draw_config
from ops.simulation.whole import Whole
from services.simulator.chance import stream
from shared.facts import RiskStatus
from shared.identifiers import TokenId
from shared.ledger_schema import LEDGER_FILE
from shared.units import SHARE_E6

SEED = 3
FULL_MS = 3_000
GRACE_MS = 1_500


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Whole]:
    """A calm system whose full reconciliations come every few seconds, and which trades."""
    config = draw_config(stream(SEED, "config"))
    timing = msgspec.structs.replace(
        config.timing, reconcile_full_ms=FULL_MS, mismatch_grace_ms=GRACE_MS
    )
    markets = msgspec.structs.replace(config.markets, interval_s=300)
    config = msgspec.structs.replace(config, timing=timing, markets=markets)
    made = Whole(SEED, config, faults.no_faults(), tmp_path, BUILDERS)
    try:
        made.start()
        made.run_for(15)
        assert status(made).trading_state == "ACTIVE"
        yield made
        assert made.findings.violations == []
    finally:
        made.close()


def status(whole: Whole) -> RiskStatus:
    found = whole.world.watch.risk_status
    assert found is not None
    return found


def adopted(directory: Path) -> list[tuple[str, str, int]]:
    """Return strategy, side and size of the ledger's adopted legs."""
    connection = sqlite3.connect(f"{(directory / LEDGER_FILE).as_uri()}?mode=ro", uri=True)
    try:
        query = "SELECT strategy, side, size_e6 FROM fills WHERE role = 'ADOPTED'"
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def token_of(whole: Whole) -> TokenId:
    """Return a token of the first market that does not end soon."""
    now_ms = whole.world.scheduler.instant().wall_ms
    calendar = whole.world.venue.core.exchange.calendar
    market = next(one for one in calendar if now_ms < one.end_ms - 100_000)
    return TokenId(market.tokens[0])


def move(whole: Whole, token: TokenId, shares: int) -> None:
    """Let shares come from outside, or go there."""
    accounts = whole.world.venue.core.exchange.accounts
    accounts.change(accounts.get(whole.world.venue.wallet), token, shares * SHARE_E6)


def until(whole: Whole, state: str, seconds: int = 25) -> None:
    for _ in range(seconds):
        if status(whole).trading_state == state:
            return
        whole.run_for(1)
    pytest.fail(f"never {state}: {status(whole).reasons}")


@pytest.mark.req("KS-14", "EX-25", "INV-7")
def test_shares_that_nobody_bought_pause_are_adopted_and_trading_goes_on(
    whole: Whole, tmp_path: Path
) -> None:
    move(whole, token_of(whole), 50)
    until(whole, "PAUSED")
    assert any("reconciliation_mismatch" in reason for reason in status(whole).reasons)
    assert whole.world.venue.open_ids() == []
    until(whole, "ACTIVE")
    assert adopted(tmp_path) == [("adopted", "BUY", 50 * SHARE_E6)]
    assert not status(whole).switches


@pytest.mark.req("KS-14")
def test_disagreeing_twice_in_a_row_is_latched_until_the_operator_resumes(whole: Whole) -> None:
    token = token_of(whole)
    move(whole, token, 50)
    until(whole, "PAUSED")
    move(whole, token, 50)
    until(whole, "HALTED")
    latched = {one.name for one in status(whole).switches if one.kind == "latch"}
    assert "reconciliation_mismatch" in latched
    # The operator of the run looks at it, finds it reconciled, and resumes.
    until(whole, "ACTIVE", 60)
    assert whole.operator.cleared == {"reconciliation_mismatch": 1}
