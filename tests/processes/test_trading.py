"""The group left alone: quotes on both outcomes, markets that roll, and an exact profit."""

import pytest

from ops.waiting import wait_for
from shared.units import NS_PER_MS
from tests.processes.group import GroupUnderTest
from tests.processes.venue import VenueUnderTest
from tests.processes.wire_log import in_markets, profit_of

INTERVAL_S = 30
CUTOFF_MS = 5_000
LATE_MS_MAX = 2_000
"""`late_order_margin_ms` of the profile."""

ROLLS_WITHIN_S = 200.0
SETTLES_WITHIN_S = 30.0


def resolved_markets(venue: VenueUnderTest) -> set[str]:
    """Return markets that are resolved and in which we have fills."""
    venue.read()
    filled = {row["market"] for row in venue.of_kind("fill")}
    done = {row["market"] for row in venue.of_kind("market") if row["state"] == "RESOLVED"}
    return filled & done


def judge_placements(group: GroupUnderTest) -> None:
    """Assert that orders left before their market's cutoff, and that quotes are post-only."""
    venue = group.venue
    cutoff_ns = {
        row["market"]: (row["end_ms"] - CUTOFF_MS) * NS_PER_MS for row in venue.of_kind("market")
    }
    sent = group.command("orders", "--all", "--rows", "10000", "--json").json["orders"]
    assert sent
    for row in sent:
        assert row["sent_wall_ns"] <= cutoff_ns[row["market"]], row
    for row in venue.open_orders().placed:
        # On its way it is covered by its own deadline: the venue takes nothing that is later.
        assert row["wall_ns"] <= cutoff_ns[row["market"]] + LATE_MS_MAX * NS_PER_MS, row
    posts = list(venue.of_kind("post"))
    assert posts
    quotes = [post for post in posts if post.get("post_only") is True]
    assert quotes


@pytest.mark.req("ST-1", "KS-1", "MR-1", "INV-10", "CB-2")
def test_markets_roll_with_fills_and_profit_is_exact(own_group: GroupUnderTest) -> None:
    """Two markets with fills resolve; the ledger's profit in them is the wire log's, exactly."""
    group = own_group
    former = f"interval_s = {group.interval_s}"
    text = group.profile.read_text()
    assert former in text
    group.profile.write_text(text.replace(former, f"interval_s = {INTERVAL_S}"))
    group.venue.close()
    group.venue = VenueUnderTest(group.profile, group.directory, group.port)
    assert group.up().status == 0
    group.wait_until_trading()
    tokens = {row["token"] for row in group.venue.open_orders().placed}
    assert len(tokens) >= 2, "both outcomes are quoted"
    done = wait_for(
        lambda: found if len(found := resolved_markets(group.venue)) >= 2 else None,
        ROLLS_WITHIN_S,
    )
    assert done is not None, group.log_tails()

    def agrees() -> bool | None:
        told = group.command("pnl", "--json")
        assert told.status == 0, repr(told)
        group.venue.read()
        for market in done:
            wire = profit_of(in_markets(group.venue.records, {market}), group.address)
            rows = [row for row in told.json["markets"] if row["market"] == market]
            realised = [row["realised_e6"] for row in rows]
            if not rows or None in realised or sum(realised) != wire * 1_000_000:
                return None
        return True

    assert wait_for(agrees, SETTLES_WITHIN_S), "the ledger's profit is not the wire log's"
    judge_placements(group)


@pytest.mark.req("CP-8")
def test_two_groups_run_side_by_side(own_group: GroupUnderTest) -> None:
    second = GroupUnderTest(seed=2)
    try:
        assert own_group.up().status == 0
        assert second.up().status == 0
        own_group.wait_until_trading()
        second.wait_until_trading()
        assert second.command("down").status == 0
        own_group.wait_until_trading()
    finally:
        second.close()
