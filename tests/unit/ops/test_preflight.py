import gzip
import socket
from pathlib import Path

import msgspec
import pytest

from bus.settings import Settings
from ops.preflight import check, check_port
from shared.config import Finding
from shared.switches import OPERATOR_HALT
from tests.architecture.tree import ROOT
from tests.builders.recordings import price_text, wave

SIM = (ROOT / "ops" / "sim.toml").read_text(encoding="utf-8")
PAPER = (ROOT / "ops" / "paper.toml").read_text(encoding="utf-8")
REPLAY = (ROOT / "ops" / "replay.toml").read_text(encoding="utf-8")


def profile(tmp_path: Path, text: str = SIM) -> tuple[Path, dict[str, str]]:
    """Write a profile, with directories of its own."""
    path = tmp_path / "profile.toml"
    path.write_text(text, encoding="utf-8")
    return path, {"INTERLOCK_RUN": f"{tmp_path}/run", "INTERLOCK_DATA": f"{tmp_path}/data"}


def findings_of(found: Settings | tuple[Finding, ...]) -> dict[str, str]:
    assert not isinstance(found, Settings)
    return {finding.where: finding.what for finding in found}


@pytest.mark.req("OP-9", "OP-14")
def test_four_findings_are_reported_in_one_go(tmp_path: Path) -> None:
    spoiled = SIM.replace('key_file = "key.hex"', 'key_file = "/nowhere/key.hex"')
    spoiled = spoiled.replace("cutoff_ms = 10000", "cutoff_s = 5\nmystery = 1")
    spoiled += "\n[limits]\nexposure_usd_max = -1\n"
    found = findings_of(check(*profile(tmp_path, spoiled)))
    assert set(found) == {
        "markets.cutoff_s",
        "markets.mystery",
        "limits.exposure_usd_max",
        "account.key_file",
    }
    assert "cutoff_ms" in found["markets.cutoff_s"]
    assert found["account.key_file"] == "/nowhere/key.hex is missing"


def test_simulation_needs_no_key_beforehand(tmp_path: Path) -> None:
    assert isinstance(check(*profile(tmp_path)), Settings)


def test_key_that_is_none_is_a_finding(tmp_path: Path) -> None:
    path, variables = profile(tmp_path)
    (tmp_path / "data").mkdir()
    key = tmp_path / "data" / "key.hex"
    key.write_text("no key")
    key.chmod(0o600)
    assert "no private key" in findings_of(check(path, variables))["account.key_file"]


def test_paper_needs_credentials_that_nobody_here_can_make(tmp_path: Path) -> None:
    path, variables = profile(tmp_path, PAPER)
    found = findings_of(check(path, variables))
    assert found == {
        "account.price_credentials_file": f"{tmp_path}/data/price-credentials.json is missing"
    }
    (tmp_path / "data").mkdir()
    there = tmp_path / "data" / "price-credentials.json"
    there.write_text("{}")
    there.chmod(0o600)
    assert isinstance(check(path, variables), Settings)
    there.chmod(0o644)
    assert "mode 0644" in findings_of(check(path, variables))["account.price_credentials_file"]


def test_replay_needs_its_files(tmp_path: Path) -> None:
    text = REPLAY.replace("recording.jsonl", f"{tmp_path}/r.jsonl")
    text = text.replace('recorded_market = ""', 'recorded_market = "/nowhere/market.json"')
    path, variables = profile(tmp_path, text)
    found = findings_of(check(path, variables))
    assert found == {
        "mirror.recording": f"{tmp_path}/r.jsonl is missing",
        "mirror.recorded_market": "/nowhere/market.json is missing",
    }


@pytest.mark.req("EX-21")
def test_live_without_acknowledgement_is_refused(tmp_path: Path) -> None:
    found = findings_of(check(*profile(tmp_path, SIM.replace('"simulation"', '"live"'))))
    assert "I trade real money" in found["run.live_acknowledgement"]


def test_live_is_refused_while_a_switch_is_not_implemented(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = msgspec.structs.replace(OPERATOR_HALT, implemented=False)
    monkeypatch.setattr("shared.switches.SWITCHES", (missing,))
    text = SIM.replace(
        'mode = "simulation"', 'mode = "live"\nlive_acknowledgement = "I trade real money"'
    )
    found = check(*profile(tmp_path, text))
    assert not isinstance(found, Settings)
    assert any("operator_halt (KS-8) is not implemented" in finding.what for finding in found)


def test_taken_port_is_a_finding(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        text = SIM.replace("port = 18080", f"port = {port}") + "\n[dashboard]\nenabled = false\n"
        settings = check(*profile(tmp_path, text))
        assert isinstance(settings, Settings)
        assert [finding.where for finding in check_port(settings)] == ["simulator.port"]
    assert check_port(settings) == []


def test_profile_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    assert "file" in findings_of(check(tmp_path / "none.toml", {}))


def test_text_that_is_not_toml_is_a_finding(tmp_path: Path) -> None:
    assert "not TOML" in findings_of(check(*profile(tmp_path, "[run")))["file"]


def with_recording(tmp_path: Path, rows: list[str], terms: str = "") -> str:
    """Return the profile that plays a table of prices."""
    table = tmp_path / "prices.csv"
    table.write_text(price_text(rows), encoding="utf-8")
    return SIM.replace("[simulator]", f"[simulator]\nprices_file = '{table}'\n{terms}")


def test_recording_that_fits_is_no_finding(tmp_path: Path) -> None:
    text = with_recording(tmp_path, wave(310), "prices_speed = 5")
    assert isinstance(check(*profile(tmp_path, text)), Settings)


@pytest.mark.req("OP-9")
def test_recording_that_cannot_be_played_is_found_with_its_place(tmp_path: Path) -> None:
    damaged = with_recording(tmp_path, [*wave(310), "1,2"])
    found = findings_of(check(*profile(tmp_path, damaged)))
    assert found == {f"{tmp_path}/prices.csv line 313": "has 2 cells where 5 should be"}
    short = with_recording(tmp_path, wave(200), "prices_speed = 5")
    found = findings_of(check(*profile(tmp_path, short)))
    assert "no whole window" in found["simulator.prices_file"]
    missing = SIM.replace("[simulator]", "[simulator]\nprices_file = '/nowhere.csv'")
    found = findings_of(check(*profile(tmp_path, missing)))
    assert found == {"/nowhere.csv": "cannot be read: No such file or directory"}


def test_compressed_recording_is_read_and_a_torn_one_is_found(tmp_path: Path) -> None:
    whole = gzip.compress(price_text(wave(310)).encode())
    packed = tmp_path / "prices.csv.gz"
    text = SIM.replace("[simulator]", f"[simulator]\nprices_file = '{packed}'")
    packed.write_bytes(whole)
    assert isinstance(check(*profile(tmp_path, text)), Settings)
    packed.write_bytes(whole[: len(whole) // 2])
    assert "is damaged" in findings_of(check(*profile(tmp_path, text)))[str(packed)]


def test_settings_of_a_recording_need_one(tmp_path: Path) -> None:
    text = SIM.replace("[simulator]", "[simulator]\nmarkets_file = 'x'\nprices_from = '13:05'")
    found = findings_of(check(*profile(tmp_path, text)))
    assert set(found) == {"simulator.markets_file", "simulator.prices_from"}
    other = with_recording(tmp_path, wave(310), "prices_asset = 'eth'")
    assert (
        "markets.assets" in findings_of(check(*profile(tmp_path, other)))["simulator.prices_asset"]
    )


def test_taken_port_of_the_page_is_a_finding_unless_there_is_no_page(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        table = f"\n[dashboard]\nport = {taken.getsockname()[1]}\n"
        without = SIM.replace("[simulator]", "[simulator]\nenabled = false") + table
        settings = check(*profile(tmp_path, without))
        assert isinstance(settings, Settings)
        assert [finding.where for finding in check_port(settings)] == ["dashboard.port"]
        settings = check(*profile(tmp_path, without + "enabled = false\n"))
        assert isinstance(settings, Settings)
        assert check_port(settings) == []
