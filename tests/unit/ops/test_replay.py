from pathlib import Path

import pytest
from click.testing import CliRunner

from ops.cli.__main__ import main
from ops.replay import Choice, data_directory, profile_text, write_profile
from shared.config import Config, parse


def config_of(choice: Choice) -> Config:
    config = parse(profile_text(choice))
    assert isinstance(config, Config), config
    return config


@pytest.mark.req("EX-21")
def test_profile_names_the_file_and_stays_a_replay() -> None:
    config = config_of(Choice(Path("/books/day one.jsonl"), speed=2))
    assert config.run.mode == "replay"
    assert config.mirror.recording == "/books/day one.jsonl"
    assert config.mirror.recorded_market == ""
    assert config.mirror.speed == 2.0
    assert config.simulator.port == 18_082


def test_everything_that_can_be_chosen_is_put_in() -> None:
    choice = Choice(Path("a.jsonl"), Path("m.json"), 0.5, port=20_000, start_after_ms=7)
    config = config_of(choice)
    assert config.mirror.recording == str(Path("a.jsonl").absolute())
    assert config.mirror.recorded_market == str(Path("m.json").absolute())
    assert (config.mirror.speed, config.mirror.start_after_ms) == (0.5, 7)
    assert (config.simulator.port, config.dashboard.port) == (20_000, 20_010)
    assert config.venue.clob_url == "http://127.0.0.1:20000"


@pytest.mark.parametrize(
    "name", ['quo"te.jsonl', "back\\slash.jsonl", "ünïcode.jsonl", "\\1.jsonl"]
)
def test_any_name_of_a_file_survives(name: str) -> None:
    assert config_of(Choice(Path("/x") / name)).mirror.recording == f"/x/{name}"


def test_profile_is_written_into_a_directory_of_its_own(tmp_path: Path) -> None:
    run = tmp_path / "run"
    path = write_profile(Choice(tmp_path / "a.jsonl"), run)
    assert path.parent == run
    assert run.stat().st_mode & 0o777 == 0o700


def test_each_replay_has_data_of_its_own() -> None:
    first = data_directory(Path("/run"), 1_790_000_000 * 10**9)
    assert first == Path("/run/data-20260921T141320")
    assert data_directory(Path("/run"), 1_790_000_001 * 10**9) != first


def test_file_that_is_not_there_starts_nothing(tmp_path: Path) -> None:
    run = tmp_path / "run"
    words = ["replay", str(tmp_path / "missing.jsonl"), "--run-directory", str(run)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert not run.exists()
