"""Halt, resume, panic and a second group, as an operator meets them."""

import pytest

from bus import clock
from ops.stop import holder_of
from ops.waiting import wait_for
from shared.topics import COMPONENTS, EXECUTION, FEEDS, RISK, STATE
from tests.processes.group import GroupUnderTest

SETTLES_S = 8.0


@pytest.mark.req("KS-8", "INV-9", "OP-1", "OP-2")
def test_halt_is_proven_survives_everything_and_ends_by_resume_alone(
    own_group: GroupUnderTest,
) -> None:
    """Halt, kill everything, start again: still halted; resume: trading again.

    1. halt returns with its times only when the venue has shown zero twice
    2. kill -9 of all processes, then a new `up`: HALTED, nothing placed
    3. resume without a reason shows the latch and clears nothing, with one it trades
    """
    assert own_group.up().status == 0
    own_group.wait_until_trading()
    halted = own_group.command("halt", "--reason", "drill", "--json")
    assert halted.status == 0, repr(halted)
    fence = halted.json["halted"]["fence"]
    assert fence["blocked_ns"] is not None
    assert fence["zero_ns"] is not None
    halted_ns = clock.read().monotonic_ns
    assert not own_group.venue.open_orders().open
    status = own_group.command("status", "--json")
    assert status.status == 3, repr(status)
    own_group.kill_everything()
    assert own_group.up().status == 0
    risk = wait_for(lambda: own_group.view().risk(), 30)
    assert risk is not None
    assert risk.trading_state == "HALTED"
    assert not own_group.placed_within(halted_ns, SETTLES_S)
    shown = own_group.command("resume")
    assert shown.status == 3, repr(shown)
    assert "operator_halt account: drill" in shown.err
    resumed = own_group.command("resume", "--reason", "drill is over", "--json")
    assert resumed.status == 0, repr(resumed)
    own_group.wait_until_trading()


@pytest.mark.req("OP-1", "INV-9")
def test_panic_works_with_everything_alive(own_group: GroupUnderTest) -> None:
    assert own_group.up().status == 0
    own_group.wait_until_trading()
    before = own_group.pid(EXECUTION)
    ran = own_group.command("panic", "--reason", "smoke", "--json")
    assert ran.status == 0, repr(ran)
    assert ran.json["proven"]["killed_pid"] == before
    proven_ns = clock.read().monotonic_ns
    assert not own_group.venue.open_orders().open
    assert not own_group.placed_within(proven_ns, SETTLES_S)
    assert own_group.command("down").status == 0
    refused = own_group.up()
    assert refused.status == 3
    assert "panic --clear" in refused.err
    assert own_group.command("panic", "--clear", "--reason", "no fire").status == 0


@pytest.mark.req("OP-1")
def test_panic_works_with_everything_dead(own_group: GroupUnderTest) -> None:
    with own_group.kill_while_orders_rest(RISK, EXECUTION, "supervisord", *FEEDS, STATE):
        ran = own_group.command("panic", "--json")
    assert ran.status == 0, repr(ran)
    assert ran.json["proven"]["killed_pid"] == 0
    assert not own_group.venue.open_orders().open


@pytest.mark.req("CP-8")
def test_second_group_and_second_process_refuse(own_group: GroupUnderTest) -> None:
    """The same run directory, data directory and account each refuse a second group."""
    assert own_group.up().status == 0
    same_run = own_group.up()
    assert same_run.status == 3
    assert "already running" in same_run.err
    elsewhere = own_group.directory / "second"
    same_data = own_group.command(
        *("up", "--profile", str(own_group.profile), "--data-directory", str(own_group.data)),
        run=elsewhere,
    )
    assert same_data.status == 3, repr(same_data)
    assert str(own_group.data) in same_data.err
    other_data = own_group.directory / "other"
    other_data.mkdir(mode=0o700)
    key = other_data / "key.hex"
    key.write_bytes((own_group.data / "key.hex").read_bytes())
    key.chmod(0o600)
    same_account = own_group.command(
        *("up", "--profile", str(own_group.profile), "--data-directory", str(other_data)),
        run=elsewhere,
    )
    assert same_account.status == 3, repr(same_account)
    assert own_group.address in same_account.err


@pytest.mark.req("KS-12")
def test_down_leaves_nothing_at_the_venue_and_nothing_running(own_group: GroupUnderTest) -> None:
    assert own_group.up().status == 0
    own_group.wait_until_trading()
    ran = own_group.command("down", "--json")
    assert ran.status == 0, repr(ran)
    assert ran.json["open_orders"] == 0
    assert not own_group.venue.open_orders().open
    assert holder_of(own_group.run) is None
    assert not any(own_group.pid(component) for component in COMPONENTS)
    again = own_group.command("down", "--json")
    assert (again.status, again.json["was_running"]) == (0, False)
    assert own_group.command("status").status == 4


@pytest.mark.req("OP-9", "OP-14")
def test_wrong_configuration_reports_everything_and_starts_nothing(
    own_group: GroupUnderTest,
) -> None:
    text = own_group.profile.read_text()
    text = text.replace('key_file = "key.hex"', 'key_file = "/nowhere/key.hex"')
    text = text.replace("cutoff_ms = 5000", "cutoff_s = 5\nmystery = 1")
    own_group.profile.write_text(text + "\n[limits]\nexposure_usd_max = -1\n")
    ran = own_group.up("--json")
    assert ran.status == 2
    assert {finding["where"] for finding in ran.json["findings"]} == {
        "markets.mystery",
        "markets.cutoff_s",
        "limits.exposure_usd_max",
        "account.key_file",
    }
    assert not own_group.run.exists()
    assert not own_group.data.exists()
