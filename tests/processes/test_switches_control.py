"""An operator's switches at a running group: seen at the venue, kept through every kill."""

import os
import signal
import sqlite3
from typing import Any

import pytest

from bus import clock
from bus.ledger_reader import Unreadable
from ops.cli.flatten import held
from ops.waiting import wait_for
from shared.risk_schema import RISK_FILE
from shared.topics import RISK
from tests.processes.group import GroupUnderTest
from tests.processes.wire_log import WireRecord

MAKER = "market_making"
HOLDS_S = 2.0
SMALLEST_E6 = 5_000_000
"""Smallest order of the simulated markets: less cannot be sold."""

SETTLES_S = 5.0


def latches(group: GroupUnderTest) -> list[dict[str, Any]]:
    """Return the latches that risk holds, with what a resume must name."""
    tripped = group.command("switches", "--json").json["tripped"]
    fields = ("name", "scope", "scope_id", "version")
    return [
        {field: row[field] for field in fields}
        for row in tripped
        if row["kind"] == "latch" and row["name"] != "market_cutoff"
    ]


@pytest.mark.req("TST-10")
def test_drill_is_measured_kept_and_trading_resumes_by_itself(trading: GroupUnderTest) -> None:
    """The bounds are the machine's when it is quiet; here each stage must be seen."""
    ran = trading.command("drill", "--json")
    assert ran.status in (0, 1), repr(ran)
    assert ran.json["trades"]
    times = ran.json["drill"]["times"]
    assert None not in (times["blocked_ns"], times["cancel_ns"], times["empty_ns"])
    assert ran.json["ok"] is (ran.status == 0)
    assert trading.command("drill", "--last", "1", "--json").json["drills"] == [ran.json["drill"]]


@pytest.mark.req("CP-3", "OP-1")
def test_disabled_strategy_places_nothing_until_it_is_enabled(trading: GroupUnderTest) -> None:
    """Its orders go and it places none; enabling needs a reason, and lets it trade again."""
    ran = trading.command("strategy", "disable", MAKER, "--json")
    assert ran.status == 0, repr(ran)
    held_ns = clock.read().monotonic_ns

    def bids() -> list[WireRecord]:
        """Return what buys; the caretaker sells what the strategy held."""
        placed = trading.venue.open_orders().placed_after(held_ns)
        return [row for row in placed if row["side"] == "BUY"]

    assert not wait_for(lambda: bids() or None, HOLDS_S)
    shown = trading.command("strategy", "enable", MAKER)
    assert shown.status == 3, repr(shown)
    assert "a reason is needed" in shown.err
    ran = trading.command("strategy", "enable", MAKER, "--reason", "seen", "--json")
    assert ran.status == 0, repr(ran)
    trading.wait_until_trading()


@pytest.mark.req("INV-9", "KS-8", "CP-3", "OP-2", "OP-15", "ST-8")
def test_latches_of_every_scope_survive_kills_and_a_resume_names_their_versions(
    trading: GroupUnderTest,
) -> None:
    """Four scopes latched and a capital step taken; risk is killed, then everything.

    1. the latches that a new risk holds are those of before, version by version
    2. nothing is placed, by the venue's own log
    3. a resume without a reason shows all of them and clears none
    4. with one it clears exactly these but the disabled strategy, which its own reset ends
    5. the trail is whole, and has every request with who asked
    """
    market = wait_for(lambda: _market(trading), 10)
    assert market is not None
    for words in (
        ("strategy", "disable", MAKER),
        ("halt", "--scope", "asset:btc"),
        ("flatten", "--scope", f"market:{market}"),
        ("halt",),
        ("ramp", "50", "--reason", "as it is"),
    ):
        ran = trading.command(*words, "--json")
        assert ran.status == 0, repr(ran)
    halted_ns = clock.read().monotonic_ns
    held = latches(trading)
    assert [row["scope"] for row in held] == ["account", "strategy", "asset", "market"]
    trading.kill_at_once(RISK)
    assert wait_for(lambda: trading.view().risk(), 30) is not None
    assert latches(trading) == held
    trading.kill_everything()
    assert trading.up().status == 0
    assert wait_for(lambda: trading.view().risk(), 30) is not None
    assert latches(trading) == held
    assert not trading.placed_within(halted_ns, SETTLES_S)
    shown = trading.command("resume")
    assert shown.status == 3, repr(shown)
    assert shown.err.count("halted by the operator") == 2
    assert latches(trading) == held
    resumed = wait_for(lambda: _resumed(trading), 60)
    assert resumed is not None
    disabled = [row for row in held if row["name"] == "strategy_disabled"]
    assert resumed["latches"] == [row for row in held if row not in disabled]
    assert latches(trading) == disabled
    ran = trading.command("strategy", "reset", MAKER, "--reason", "seen", "--json")
    assert ran.json["resumed"]["latches"] == disabled
    assert trading.command("ramp", "--json").json["is_set"]
    trading.wait_until_trading()
    assert trading.command("audit", "verify").status == 0
    with sqlite3.connect(trading.data / RISK_FILE) as connection:
        asked = connection.execute(
            "SELECT what, actor FROM audit WHERE kind = 'operator' AND after = 'asked'"
        ).fetchall()
    connection.close()
    assert {"disable", "halt", "flatten", "resume"} <= {what for what, _ in asked}
    assert all(actor.startswith(f"uid {os.getuid()} pid ") for _, actor in asked)


def _market(group: GroupUnderTest) -> str | None:
    """Return a market that the maker trades; None until it is heard."""
    told = group.view().strategies().get(MAKER)
    return None if told is None or not told.markets else str(told.markets[0])


def _resumed(group: GroupUnderTest) -> dict[str, Any] | None:
    """Resume as soon as nothing blocks; None while something does."""
    ran = group.command("resume", "--reason", "seen", "--json")
    found: dict[str, Any] = ran.json
    return found["resumed"] if ran.status == 0 else None


@pytest.mark.req("OP-1", "EX-17")
def test_flatten_closes_what_is_held_and_places_nothing_new(trading: GroupUnderTest) -> None:
    """By the ledger something is held; flattened it is not, and no order that adds was placed."""
    assert wait_for(lambda: held(trading.data) or None, 60), "nothing was ever filled"
    ran = trading.command("flatten", "--within", "60", "--json")
    left = held(trading.data)
    assert not isinstance(left, Unreadable)
    dust = [row for row in left if abs(row.matched) < SMALLEST_E6]
    assert list(left) == dust, repr(ran)
    assert ran.status == (1 if dust else 0), repr(ran)
    risk = trading.view().risk()
    assert risk is not None
    assert risk.trading_state == "REDUCING"
    flat_ns = clock.read().monotonic_ns
    assert not trading.placed_within(flat_ns, HOLDS_S)
    assert wait_for(lambda: _resumed(trading), 60) is not None
    trading.wait_until_trading()


@pytest.mark.req("KS-8")
def test_signal_halts_when_nothing_but_kill_is_at_hand(trading: GroupUnderTest) -> None:
    trading.signal(RISK, signal.SIGUSR1)
    held = wait_for(lambda: latches(trading) or None, 10)
    assert held is not None
    assert held[0]["name"] == "operator_halt"
    assert wait_for(lambda: _resumed(trading), 60) is not None
    trading.wait_until_trading()
