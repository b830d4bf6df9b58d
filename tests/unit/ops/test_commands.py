import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ops.cli.__main__ import COMMANDS, main
from shared.level import LEVELS

DATA_COMMANDS = {
    "up", "down", "restart", "status", "halt", "resume", "switches", "explain", "tap", "orders",
    "positions", "fills", "pnl", "audit", "panic", "doctor", "sim", "bench",
    "flatten", "drill", "ramp", "quarantine",
}  # fmt: skip


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, list(words))
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


@pytest.mark.req("OP-1")
def test_every_command_explains_itself() -> None:
    status, text = run("--help")
    assert status == 0
    for name in COMMANDS:
        assert f"\n  {name} " in text


@pytest.mark.parametrize("name", COMMANDS)
def test_command_is_its_files_and_documents_itself(name: str) -> None:
    context = click.Context(main)
    command = main.get_command(context, name)
    assert command is not None
    assert command.name == name
    assert command.help


@pytest.mark.parametrize("name", sorted(DATA_COMMANDS & set(COMMANDS)))
def test_command_that_prints_data_has_json(name: str) -> None:
    status, text = run(name, "--help")
    assert status == 0
    assert "--json" in text


@pytest.mark.parametrize("name", ["orders", "positions", "fills", "pnl", "audit"])
def test_missing_ledger_is_unknown_and_no_empty_table(tmp_path: Path, name: str) -> None:
    status, text = run(name, "--data-directory", str(tmp_path), "--run-directory", str(tmp_path))
    assert status == 1
    assert "unknown" in text


def test_status_of_nothing_is_down(tmp_path: Path) -> None:
    assert run("status", "--run-directory", str(tmp_path))[0] == 4


def test_halt_without_risk_names_the_last_resort(tmp_path: Path) -> None:
    status, text = run("halt", "--reason", "x", "--run-directory", str(tmp_path))
    assert status == 4
    assert "panic" in text


@pytest.mark.parametrize("scope", ["asset", "account:x", "planet:mars", ""])
def test_scope_that_is_none_is_refused(tmp_path: Path, scope: str) -> None:
    words = ("halt", "--scope", scope, "--reason", "x", "--run-directory", str(tmp_path))
    assert run(*words)[0] == 2


@pytest.mark.req("OP-2", "KS-8")
def test_one_word_halts(tmp_path: Path) -> None:
    assert run("halt", "--run-directory", str(tmp_path))[0] == 4


@pytest.mark.parametrize(
    "words",
    [("strategy", "disable", "x"), ("flatten",), ("drill",), ("resume",), ("ramp",)],
)
def test_nobody_there_is_down(tmp_path: Path, words: tuple[str, ...]) -> None:
    place = ("--run-directory", str(tmp_path), "--data-directory", str(tmp_path))
    assert run(*words, *place)[0] == 4


def test_step_without_a_reason_is_not_asked_for(tmp_path: Path) -> None:
    status, text = run("ramp", "100", "--run-directory", str(tmp_path))
    assert status == 1
    assert "reason" in text


def test_capital_has_three_steps() -> None:
    assert run("ramp", "75")[0] == 2


def test_trail_that_is_not_there_is_no_paper_run(tmp_path: Path) -> None:
    place = ("--run-directory", str(tmp_path), "--paper", str(tmp_path))
    status, text = run("ramp", "50", "--reason", "x", *place)
    assert status == 1
    assert "unknown" in text


def test_switches_without_risk_are_unknown_and_not_clear(tmp_path: Path) -> None:
    status, text = run("switches", "--json", "--run-directory", str(tmp_path))
    assert status == 4
    found = json.loads(text)
    assert found["tripped"] is None
    assert {line["condition"] for line in found["switches"]} == {"unknown"}


def test_levels_are_explained_and_unknown_without_risk(tmp_path: Path) -> None:
    status, text = run("explain", "level", "--run-directory", str(tmp_path))
    assert status == 4
    assert all(level in text for level in LEVELS)
    assert "in force is unknown" in text


def test_switch_is_explained_by_its_name(tmp_path: Path) -> None:
    status, text = run("explain", "operator_halt", "--run-directory", str(tmp_path))
    assert status == 4
    assert "ops/runbooks/operator-halt.md" in text


def test_unknown_topic_is_refused() -> None:
    status, text = run("tap", "weather")
    assert status == 2
    assert "risk.status" in text


def test_down_without_a_profile_is_a_finding(tmp_path: Path) -> None:
    status, text = run("down", "--run-directory", str(tmp_path))
    assert status == 2
    assert "no group was started" in text


def test_panic_clear_without_reason_is_refused(tmp_path: Path) -> None:
    words = ("panic", "--clear", "--data-directory", str(tmp_path))
    assert run(*words)[0] == 1


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ((), "name a SEED"),
        (("3", "--seed", "4"), "name the seed once"),
        (("3", "--windows", "2"), "need --prices"),
        (("--prices", __file__, "--seconds", "60"), "use --windows"),
    ],
)
def test_simulation_is_of_a_seed_or_of_a_recording(words: tuple[str, ...], what: str) -> None:
    status, text = run("sim", *words)
    assert status == 2
    assert what in text


def test_simulation_of_what_is_no_recording_says_where_it_is_not(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("nothing\n", encoding="utf-8")
    status, text = run("sim", "--prices", str(path))
    assert status == 2
    assert "line 1" in text
    assert "has no column `feed_ts_ms`" in text
