"""What an operator sees of a group that trades, and one process restarted by him."""

import json

import pytest

from shared.topics import BY_NAME, COMPONENTS, FEED_PERP
from tests.processes.group import GroupUnderTest

LOOKS_MAX = 20
"""The newest event may be the cancel of a requote, between two resting orders."""


@pytest.mark.req("OP-1", "INV-11")
def test_status_shows_every_component_and_feed_with_its_age(trading: GroupUnderTest) -> None:
    ran = trading.command("status", "--json")
    assert ran.status == 0, repr(ran)
    told = ran.json
    assert told["active"] is True
    components = {row["component"]: row for row in told["risk"]["status"]["components"]}
    for name in COMPONENTS:
        if name != "risk":
            assert components[name]["alive"], name
    for name, feed in told["feeds"].items():
        assert feed["age_ns"] < 1_000_000_000, name
        # The group of this test reads no perpetual futures, and its feed says so.
        assert feed["status"]["connected"] is (name != FEED_PERP), name
    assert told["execution"]["status"]["open_orders"] > 0
    assert told["profit"]["as_of_wall_ns"] > 0


@pytest.mark.req("OP-1")
def test_tap_decodes_every_message_without_a_gap(trading: GroupUnderTest) -> None:
    ran = trading.command("tap", "--json", "--count", "200")
    assert ran.status == 0, repr(ran)
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert len(lines) == 200
    for line in lines:
        assert line["topic"] in BY_NAME
        assert line["header"]["topic"] == line["topic"]
        assert line["missed"] == 0
    stats = trading.command("tap", "risk", "--stats", "--json", "--seconds", "1")
    rates = {row["topic"]: row["per_second"] for row in stats.json["topics"]}
    assert rates["risk.status"] > 5


def test_orders_shown_are_those_of_the_venue(trading: GroupUnderTest) -> None:
    """What rested at the venue at the ledger's newest event is shown; what is live rested there."""
    for _ in range(LOOKS_MAX):
        told = trading.command("orders", "--json").json
        orders = trading.venue.open_orders()
        rested = orders.resting_at(told["as_of_wall_ns"])
        assert rested <= {row["order_id"] for row in told["orders"]}
        live = {row["order_id"] for row in told["orders"] if row["state"] == "LIVE"}
        assert live <= {row["order_id"] for row in orders.placed}
        if rested:
            return
    pytest.fail("no order rested in any look")


def test_gate_explains_itself_and_doctor_finds_nothing_wrong(trading: GroupUnderTest) -> None:
    explained = trading.command("explain", "--json", "--all")
    scopes = explained.json["scopes"]
    assert scopes[0]["market"] == ""
    assert {row["name"] for row in scopes[0]["predicates"]} >= {"lease"}
    doctor = trading.command("doctor", "--json")
    wrong = [row for row in doctor.json["checks"] if row["holds"] is False]
    # The lock pins what an installation has; a developer's environment may have more than that.
    assert not [row for row in wrong if row["name"] != "dependencies"], repr(doctor)


@pytest.mark.req("OP-15")
def test_switches_show_what_is_tripped_and_a_refused_scope_changes_nothing(
    trading: GroupUnderTest,
) -> None:
    ran = trading.command("switches", "--json")
    assert ran.status == 0, repr(ran)
    assert all(row["name"] == "market_cutoff" for row in ran.json["tripped"])
    nothing = trading.command("resume", "--reason", "nothing stands")
    assert nothing.status == 1
    assert "no latch" in nothing.err


@pytest.mark.req("CP-1")
def test_halt_of_a_market_leaves_the_others_alone(trading: GroupUnderTest) -> None:
    market = next(iter(trading.venue.open_orders().open.values()))["market"]
    halted = trading.command("halt", "--scope", f"market:{market}", "--reason", "one", "--json")
    assert halted.status == 0, repr(halted)
    assert halted.json["halted"]["fence"] is None
    risk = trading.view().risk()
    assert risk is not None
    assert risk.trading_state == "ACTIVE"
    resumed = trading.command("resume", "--scope", f"market:{market}", "--reason", "over")
    assert resumed.status == 0, repr(resumed)


def test_restarted_process_is_a_new_one_and_trading_resumes(trading: GroupUnderTest) -> None:
    before = trading.pid("feed_market")
    ran = trading.command("restart", "feed_market")
    assert ran.status == 0, repr(ran)
    trading.wait_until_trading()
    assert trading.pid("feed_market") not in (0, before)
    unknown = trading.command("restart", "weather")
    assert unknown.status == 1
    assert "no process" in unknown.err
