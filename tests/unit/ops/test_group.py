from pathlib import Path

import pytest

from bus.settings import Settings, load
from ops.group import (
    Asked,
    Record,
    environment_of_children,
    locate,
    read_record,
    settings_of,
    write_record,
)
from tests.architecture.tree import ROOT

SIM = ROOT / "ops" / "sim.toml"


def started(run: Path, data: Path) -> Record:
    """Leave what `up` leaves."""
    run.mkdir()
    record = Record(str(SIM), str(data), "simulation", 1)
    write_record(run, SIM, record)
    return record


def test_record_comes_back(tmp_path: Path) -> None:
    record = started(tmp_path / "run", tmp_path / "data")
    assert read_record(tmp_path / "run") == record


def test_unreadable_record_is_none(tmp_path: Path) -> None:
    (tmp_path / "group.json").write_text("{")
    assert read_record(tmp_path) is None


def test_run_directory_alone_finds_data_and_profile(tmp_path: Path) -> None:
    started(tmp_path / "run", tmp_path / "elsewhere")
    place = locate(Asked(run_directory=tmp_path / "run"), {})
    assert place.data_directory == tmp_path / "elsewhere"
    assert place.profile == tmp_path / "run" / "profile.toml"


def test_option_stands_above_environment_and_environment_above_profile(tmp_path: Path) -> None:
    variables = {"INTERLOCK_RUN": "/tmp/of-environment"}
    assert str(locate(Asked(SIM), variables).run_directory) == "/tmp/of-environment"
    asked = Asked(SIM, run_directory=tmp_path)
    assert locate(asked, variables).run_directory == tmp_path
    assert locate(Asked(SIM), {}).run_directory == Path("run").absolute()
    assert locate(Asked(), {}).run_directory == Path("run").absolute()


def test_running_group_keeps_the_profile_it_was_started_with(tmp_path: Path) -> None:
    started(tmp_path / "run", tmp_path / "data")
    edited = tmp_path / "edited.toml"
    edited.write_text("nonsense")
    settings = settings_of(locate(Asked(edited, tmp_path / "run"), {}))
    assert isinstance(settings, Settings)
    assert settings.data_directory == tmp_path / "data"


def test_no_group_and_no_profile_is_a_finding(tmp_path: Path) -> None:
    found = settings_of(locate(Asked(run_directory=tmp_path), {}))
    assert not isinstance(found, Settings)
    assert "no group was started" in found[0].what


def test_children_get_no_python_setting_of_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    settings = load(SIM, {})
    assert isinstance(settings, Settings)
    children = environment_of_children(settings)
    assert "PYTHONOPTIMIZE" not in children
    assert children["PYTHONPATH"] == str(ROOT)
    assert children["INTERLOCK_SIMULATOR"] == "true"
    assert children["INTERLOCK_DASHBOARD"] == "true"
    assert children["INTERLOCK_CONFIG"] == str(settings.run_directory / "profile.toml")
