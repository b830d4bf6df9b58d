"""KS-14 in a whole group: shares that nobody bought pause it, and twice in a row halt it."""

from typing import Any

import pytest

from ops.waiting import wait_for
from tests.processes.group import GroupUnderTest

TIMING = "\n[timing]\nreconcile_full_ms = 2000\nmismatch_grace_ms = 2000\n"
"""A full reconciliation every two seconds, where the venue's cache is told at once."""

SHARES_E6 = 20_000_000
"""Three times this stays below the cap of unpaired shares."""
FOUND_WITHIN_S = 40.0
NAME = "reconciliation_mismatch"


def move(group: GroupUnderTest, token: str) -> None:
    """Let shares come to the wallet from outside."""
    body = {"account": group.address, "token": token, "amount": SHARES_E6}
    group.venue.ask("POST", "/admin/balance", body)


def tripped(group: GroupUnderTest) -> dict[str, dict[str, Any]]:
    """Return what is tripped, by kind, of this switch."""
    told = group.command("switches", "--json")
    rows = told.json["tripped"] or ()
    return {row["kind"]: row for row in rows if row["name"] == NAME}


@pytest.mark.req("KS-14", "EX-25", "EX-5", "INV-7")
def test_group_pauses_adopts_and_goes_on_and_halts_the_second_time(
    own_group: GroupUnderTest,
) -> None:
    group = own_group
    group.profile.write_text(group.profile.read_text() + TIMING)
    assert group.up().status == 0
    group.wait_until_trading()
    told = group.command("status", "--json")
    stages = told.json["execution"]["status"]["start"]
    assert {stage["state"] for stage in stages} == {"done"}
    assert {"ledger", "zero", "trades", "positions"} <= {stage["name"] for stage in stages}
    token = group.venue.open_orders().placed[0]["token"]

    move(group, token)
    pause = wait_for(lambda: tripped(group).get("pause"), FOUND_WITHIN_S)
    assert pause, group.log_tails()
    assert f"position in {token}: ours" in pause["reason"]
    group.wait_until_trading()
    fills = group.command("fills", "--json").json
    assert str(fills).count("ADOPTED") == 1, fills

    move(group, token)
    assert wait_for(lambda: tripped(group).get("pause"), FOUND_WITHIN_S), group.log_tails()
    move(group, token)
    latch = wait_for(lambda: tripped(group).get("latch"), FOUND_WITHIN_S)
    assert latch, group.log_tails()
    assert group.command("status").status == 3
    assert wait_for(lambda: None if tripped(group).get("pause") else True, FOUND_WITHIN_S)
    resumed = group.command("resume", "--reason", "counted", "--json")
    assert resumed.status == 0, repr(resumed)
    group.wait_until_trading()
