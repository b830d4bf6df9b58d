from pathlib import Path

import pytest

from bus.settings import (
    CONFIG_VARIABLE,
    DATA_VARIABLE,
    RUN_VARIABLE,
    Settings,
    hash_build,
    hash_config,
    load,
)
from shared.config import Config, Finding, parse
from tests.builders.bus_rig import PROFILE


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "test.toml"
    path.write_text(PROFILE)
    return path


def findings(loaded: Settings | tuple[Finding, ...]) -> dict[str, str]:
    assert not isinstance(loaded, Settings)
    return {finding.where: finding.what for finding in loaded}


def settings(loaded: Settings | tuple[Finding, ...]) -> Settings:
    assert isinstance(loaded, Settings), loaded
    return loaded


def test_variables_stand_above_the_profile_and_secrets_lie_with_the_data(
    profile: Path, tmp_path: Path
) -> None:
    found = settings(load(profile, {RUN_VARIABLE: "/r", DATA_VARIABLE: str(tmp_path)}))
    assert found.run_directory == Path("/r")
    assert found.data_directory == tmp_path
    assert found.key_file == tmp_path / "key"
    assert found.credentials_file == tmp_path / "credentials.json"


def test_directories_of_the_profile_are_relative_to_the_working_directory(
    profile: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    found = settings(load(profile, {}))
    assert found.run_directory == tmp_path / "run"
    assert found.data_directory == tmp_path / "data"


def test_profile_is_found_by_its_variable(profile: Path) -> None:
    assert settings(load(None, {CONFIG_VARIABLE: str(profile)})).path == profile


def test_no_profile_is_a_finding() -> None:
    assert findings(load(None, {})) == {CONFIG_VARIABLE: "is not set, and no profile was named"}


def test_unreadable_profile_is_a_finding(tmp_path: Path) -> None:
    assert "cannot be read" in findings(load(tmp_path / "absent.toml", {}))["file"]


@pytest.mark.req("OP-9")
def test_every_file_finding_comes_at_once(profile: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k")
    (tmp_path / "key").chmod(0o640)
    variables = {RUN_VARIABLE: "/" + "d" * 100, DATA_VARIABLE: str(tmp_path)}
    found = findings(load(profile, variables, secrets_needed=True))
    assert set(found) == {"run.run_directory", "account.key_file", "account.credentials_file"}
    assert found["account.key_file"].endswith("has mode 0640, must be 0600")
    assert found["account.credentials_file"].endswith("is missing")


@pytest.mark.req("OP-9")
def test_component_waits_inside_for_a_missing_secret_but_not_for_an_open_one(
    profile: Path, tmp_path: Path
) -> None:
    variables = {RUN_VARIABLE: "/r", DATA_VARIABLE: str(tmp_path)}
    settings(load(profile, variables))
    (tmp_path / "credentials.json").write_text("{}")
    (tmp_path / "credentials.json").chmod(0o604)
    assert list(findings(load(profile, variables))) == ["account.credentials_file"]


def test_configuration_hash_follows_values_and_not_the_text() -> None:
    plain, commented = parse(PROFILE), parse("# a comment\n" + PROFILE)
    other = parse(PROFILE + "[timing]\nping_ms = 99\n")
    assert isinstance(plain, Config)
    assert isinstance(commented, Config)
    assert isinstance(other, Config)
    assert hash_config(plain) == hash_config(commented)
    assert hash_config(plain) != hash_config(other)


@pytest.mark.req("KS-10")
def test_build_hash_follows_content_and_names(tmp_path: Path) -> None:
    source = tmp_path / "bus" / "one.py"
    source.parent.mkdir()
    source.write_text("a = 1\n")
    before = hash_build(tmp_path)
    source.write_text("a = 2\n")
    changed = hash_build(tmp_path)
    source.rename(source.with_name("two.py"))
    assert len({before, changed, hash_build(tmp_path)}) == 3
