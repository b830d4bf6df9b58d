"""The commands that read a ledger, on a real one, while no group runs."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bus import clock
from ops.cli.__main__ import main
from services.execution.ledger.ledger import Ledger
from shared.identifiers import ConditionId, OrderHash, StrategyName, TokenId, TradeId
from shared.ledger_schema import AnyRecord, EpochRecord, IdentityRecord, Journal, PayoutRecord
from shared.units import NS_PER_MS, NS_PER_S, MoneyE6, PriceE4, SizeE6, WallMs, WallNs
from tests.builders.ledger_rows import build_fill_record, build_order_record

NOW = clock.read()
DAY_S = 86_400
OLD = WallNs(NOW.wall_ns - 3 * DAY_S * NS_PER_S)
RECENT = WallNs(NOW.wall_ns - 60 * NS_PER_S)
"""The commands read the real clock: days lie between the two, however late these tests run."""

OTHER: dict[str, Any] = {"market": ConditionId("0xother"), "strategy": StrategyName("caretaker")}
TICK_TEXT = "tick: order 0x1 is invalid. Price (0.455) breaks minimum tick size rule: 0.01"


def order(number: int, state: Any, at: WallNs = RECENT, **spoil: Any) -> AnyRecord:
    return build_order_record(
        order_id=OrderHash(f"0x{number:064x}"),
        state=state,
        created_wall_ns=at,
        updated_wall_ns=at,
        **spoil,
    )


def fill(number: int, settlement: str, at: WallNs = RECENT, **spoil: Any) -> AnyRecord:
    return build_fill_record(
        trade_id=TradeId(f"t{number}"),
        settlement=settlement,
        match_ms=WallMs(at // NS_PER_MS),
        updated_wall_ns=at,
        **spoil,
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data directory with a small history."""
    directory = tmp_path_factory.mktemp("data")
    ledger = Ledger(directory / "ledger.db", NOW)
    paid = PayoutRecord(
        market=ConditionId("0xother"),
        token=TokenId("9"),
        strategy=StrategyName("caretaker"),
        account="main",
        payout_e4=PriceE4(10_000),
        size_e6=SizeE6(2_000_000),
        amount_e6=MoneyE6(2_000_000),
        cost_e6=MoneyE6(980_000),
        realised_e6=MoneyE6(1_020_000),
        updated_wall_ns=RECENT,
    )
    records = (
        IdentityRecord("main", "0x1", "key"),
        EpochRecord(7),
        order(1, "LIVE", OLD),
        order(2, "LIVE"),
        order(3, "REJECTED", WallNs(RECENT - NS_PER_S), reason=TICK_TEXT.replace("0.455", "0.445")),
        order(4, "REJECTED", reason=TICK_TEXT),
        order(5, "NOT_SENT", reason="stale_permit"),
        order(6, "LIVE", **OTHER),
        fill(1, "CONFIRMED", OLD),
        fill(2, "MINED"),
        fill(3, "FAILED"),
        fill(4, "CONFIRMED", token=TokenId("9"), fee_e6=MoneyE6(10_000), role="TAKER", **OTHER),
        paid,
    )
    ledger.apply(Journal(records), NOW)
    ledger.commit(NOW)
    ledger.close()
    return directory


def show(place: Path, *words: str) -> tuple[int, Any]:
    """Run a command for JSON; return its status and what it printed."""
    directories = ("--data-directory", str(place), "--run-directory", str(place / "none"))
    result = CliRunner().invoke(main, [*words, "--json", *directories])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, json.loads(result.stdout)


def text_of(place: Path, *words: str) -> str:
    directories = ("--data-directory", str(place), "--run-directory", str(place / "none"))
    result = CliRunner().invoke(main, [*words, *directories])
    return result.output


def ids(place: Path, *words: str) -> list[int]:
    status, told = show(place, "orders", *words)
    assert status == 0
    return sorted(int(row["order_id"], 16) for row in told["orders"])


@pytest.mark.req("OP-13")
def test_orders_are_chosen_by_market_strategy_state_and_time(place: Path) -> None:
    assert ids(place) == [1, 2, 6]
    assert ids(place, "--all") == [1, 2, 3, 4, 5, 6]
    assert ids(place, "--since", "2d") == [2, 6]
    assert ids(place, "--market", "0xo") == [6]
    assert ids(place, "--strategy", "caretaker") == [6]
    assert ids(place, "--strategy", "nobody") == []
    assert ids(place, "--state", "REJECTED", "--state", "NOT_SENT") == [3, 4, 5]
    assert len(ids(place, "--market", "0x", "--rows", "2")) == 2


@pytest.mark.req("INV-11")
def test_rows_that_are_left_out_are_told_and_ages_shown(place: Path) -> None:
    _, told = show(place, "orders", "--market", "0x", "--rows", "1")
    assert told["is_cut"]
    assert told["as_of_wall_ns"] == NOW.wall_ns
    text = text_of(place, "orders", "--all")
    assert "as of" in text
    assert re.search(r"3\.0 d|72\.\d h", text)


@pytest.mark.parametrize("since", ["soon", "10", "m", "-5m", "1w"])
def test_span_that_is_none_is_refused(place: Path, since: str) -> None:
    assert CliRunner().invoke(main, ["orders", "--since", since]).exit_code == 2


def test_fills_show_settlement_role_and_fee(place: Path) -> None:
    _, told = show(place, "fills", "--strategy", "caretaker")
    (row,) = told["fills"]
    assert (row["settlement"], row["role"], row["fee_e6"]) == ("CONFIRMED", "TAKER", 10_000)
    _, told = show(place, "fills", "--state", "FAILED")
    assert [row["trade_id"] for row in told["fills"]] == ["t3"]
    _, told = show(place, "fills", "--since", "2d")
    assert len(told["fills"]) == 3


@pytest.mark.req("EX-23")
def test_positions_are_told_by_how_sure_they_are(place: Path) -> None:
    _, told = show(place, "positions")
    (row,) = told["positions"]
    assert (row["matched"], row["mined"], row["confirmed"]) == (4_000_000, 4_000_000, 2_000_000)
    assert (row["on_chain"], row["on_chain_age_ns"]) == (None, None)
    assert "unknown" in text_of(place, "positions")


def test_profit_is_told_by_strategy_and_nothing_is_made_up_without_marks(place: Path) -> None:
    _, told = show(place, "pnl")
    caretaker = told["strategies"]["caretaker"]
    assert caretaker["realised_e6"] == 2_000_000 - 980_000 - 10_000
    assert caretaker["fees_e6"] == 10_000
    assert told["strategies"]["market_making"]["realised_e6"] == 0
    assert told["totals"]["realised_e6"] == caretaker["realised_e6"]
    assert told["unrealised_e6"] is None
    text = text_of(place, "pnl")
    assert "unrealised at the middle of the books: unknown" in text


@pytest.mark.req("EX-14")
@pytest.mark.req("INV-11")
def test_explain_shows_refusals_from_the_ledger_when_nothing_runs(place: Path) -> None:
    status, told = show(place, "explain")
    assert (status, told["heard"]) == (4, False)
    rows = {(row["state"], row["reason"]): row for row in told["refusals"]["rows"]}
    assert rows["REJECTED", "tick"]["count"] == 2
    assert rows["REJECTED", "tick"]["text"] in TICK_TEXT
    assert rows["NOT_SENT", "stale_permit"]["count"] == 1
    text = text_of(place, "explain")
    assert "execution is not heard" in text
    assert "rejected by the venue" in text


def test_explain_without_a_ledger_says_that_it_knows_nothing(tmp_path: Path) -> None:
    status, told = show(tmp_path, "explain")
    assert status == 4
    assert told["refusals"]["why"] == "missing"
