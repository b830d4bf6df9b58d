import msgspec
import pytest

from shared.config import Config, Finding, parse
from shared.config.parsing import check_together

MINIMAL = """
[run]
profile = "test"
[account]
key_file = "key"
credentials_file = "credentials"
[venue]
clob_url = "http://127.0.0.1:1"
discovery_url = "http://127.0.0.1:1"
geoblock_url = "http://127.0.0.1:1"
market_socket_url = "ws://127.0.0.1:1"
user_socket_url = "ws://127.0.0.1:1"
price_socket_url = "ws://127.0.0.1:1"
"""


def _findings(extra: str, base: str = MINIMAL) -> dict[str, str]:
    parsed = parse(base + extra)
    assert isinstance(parsed, tuple), "expected findings"
    return {finding.where: finding.what for finding in parsed}


def test_minimal_file_gets_every_default() -> None:
    config = parse(MINIMAL)
    assert isinstance(config, Config)
    assert config.timing.lease_ms == 400
    assert config.run.mode == "simulation"


@pytest.mark.req("OP-14")
def test_every_finding_is_reported_at_once() -> None:
    found = _findings(
        '[timing]\nlease_s = 1\nping_ms = "x"\n[limits]\nexposure_usd_max = -1\n[extra]\na = 1\n'
    )
    assert set(found) == {"timing.lease_s", "timing.ping_ms", "limits.exposure_usd_max", "extra"}


@pytest.mark.req("OP-14")
def test_key_in_a_wrong_unit_names_the_right_one() -> None:
    assert "`lease_ms`" in _findings("[timing]\nlease_s = 1\n")["timing.lease_s"]


def test_missing_table_and_missing_key_are_findings() -> None:
    parsed = parse('[run]\nprofile = "x"\n[account]\nkey_file = "k"\n')
    assert isinstance(parsed, tuple)
    assert Finding("account.credentials_file", "is missing") in parsed
    assert Finding("venue", "is missing") in parsed


def test_text_that_is_not_toml_is_one_finding() -> None:
    parsed = parse("[run")
    assert isinstance(parsed, tuple)
    assert parsed[0].where == "file"


def test_table_given_as_a_value_is_a_finding() -> None:
    assert _findings("", base="timing = 3\n" + MINIMAL)["timing"] == "must be a table"


@pytest.mark.parametrize(
    ("extra", "where"),
    [
        ("[timing]\nlease_ms = 299\n", "timing.lease_ms"),
        ("[timing]\nhang_ms = 399\n", "timing.hang_ms"),
        ("[timing]\nhang_ms = 501\n", "timing.hang_ms"),
        ("[timing]\noracle_pause_ms = 10001\n", "timing.oracle_cancel_ms"),
        ("[timing]\nbeat_admission_ms = 3999\n", "timing.beat_admission_ms"),
        ("[markets]\ninterval_s = 10\ncutoff_ms = 10000\n", "markets.cutoff_ms"),
        ("[limits]\ndaily_loss_usd_max = 51\n", "limits.daily_loss_usd_max"),
        ("[losses]\ndaily_quote_percent = 79\n", "losses.daily_quote_percent"),
    ],
)
def test_rule_between_settings_refuses_just_beyond_its_bound(extra: str, where: str) -> None:
    assert where in _findings(extra)


@pytest.mark.parametrize(
    "extra",
    [
        "[timing]\nlease_ms = 300\n",
        "[timing]\nhang_ms = 400\n",
        "[timing]\nhang_ms = 500\n",
        "[timing]\noracle_pause_ms = 10000\n",
        "[timing]\nbeat_admission_ms = 4000\n",
        "[markets]\ninterval_s = 10\ncutoff_ms = 9999\n",
        "[limits]\ndaily_loss_usd_max = 50\n",
        "[losses]\ndaily_quote_percent = 80\n",
    ],
)
def test_rule_between_settings_takes_its_bound(extra: str) -> None:
    assert isinstance(parse(MINIMAL + extra), Config)


@pytest.mark.req("EX-21")
@pytest.mark.parametrize(
    ("acknowledgement", "accepted"), [("I trade real money", True), ("yes", False), ("", False)]
)
def test_live_needs_its_exact_acknowledgement(acknowledgement: str, accepted: bool) -> None:
    live = f'profile = "test"\nmode = "live"\nlive_acknowledgement = "{acknowledgement}"'
    parsed = parse(MINIMAL.replace('profile = "test"', live))
    assert isinstance(parsed, Config) is accepted


@pytest.mark.req("CB-2", "ST-8")
@pytest.mark.parametrize(("percent", "accepted"), [(10, True), (11, False)])
def test_live_may_lose_no_more_than_a_tenth_of_its_capital_a_day(
    percent: int, accepted: bool
) -> None:
    live = 'profile = "test"\nmode = "live"\nlive_acknowledgement = "I trade real money"'
    extra = f"[losses]\ndaily_percent_max = {percent}\n"
    parsed = parse(MINIMAL.replace('profile = "test"', live) + extra)
    assert isinstance(parsed, Config) is accepted


def test_wallet_other_than_the_key_itself_needs_its_address() -> None:
    found = _findings("", base=MINIMAL.replace("[venue]", 'wallet_kind = "safe"\n[venue]'))
    assert "account.wallet_address" in found


def test_lease_longer_than_the_proof_is_refused() -> None:
    """The ranges alone forbid it today; the rule holds whatever they become."""
    config = parse(MINIMAL)
    assert isinstance(config, Config)
    timing = config.timing
    longest = timing.socket_timeout_ms + timing.read_gap_ms
    for lease_ms, refused in ((longest - 1, False), (longest, True)):
        changed = msgspec.structs.replace(timing, lease_ms=lease_ms)
        found = check_together(msgspec.structs.replace(config, timing=changed))
        assert ("timing.lease_ms" in {finding.where for finding in found}) is refused


@pytest.mark.req("CP-1", "CP-7")
@pytest.mark.parametrize(
    ("kill_ms", "found"), [(999, ["components.state.kill_ms"]), (1_000, []), (1_001, [])]
)
def test_component_is_not_killed_before_it_counts_as_hung(kill_ms: int, found: list[str]) -> None:
    parsed = parse(MINIMAL + f"[components.state]\nhang_ms = 1000\nkill_ms = {kill_ms}\n")
    findings = parsed if isinstance(parsed, tuple) else ()
    assert [one.where for one in findings] == found


def test_table_of_a_component_that_names_one_setting_keeps_the_others() -> None:
    parsed = parse(MINIMAL + "[components.state]\nrestarts_max = 9\n")
    assert isinstance(parsed, Config)
    assert (parsed.components.state.restarts_max, parsed.components.state.hang_ms) == (9, 450)
    assert parsed.components.recorder.hang_ms == 3_000
