"""A halt while posts are in flight: none follows, and none of them counts as gone too early."""

import pytest

from bus import clock
from ops.waiting import wait_for
from shared.units import NS_PER_MS
from tests.processes.group import GroupUnderTest


@pytest.mark.req("KS-8", "INV-3")
def test_no_post_leaves_after_blocked_and_proof_waits_for_those_in_flight(
    own_group: GroupUnderTest,
) -> None:
    """Posts are held at the venue while a halt arrives: none follows, none counts as gone."""
    own_group.profile.write_text(
        own_group.profile.read_text() + "\n[strategy.market_making]\nlevels = 5\nsize_shares = 5\n"
    )
    assert own_group.up().status == 0
    own_group.wait_until_trading()
    own_group.venue.fault(kind="delay_request", method="POST", path="/order", delay_ms=1_200)
    held = wait_for(lambda: _posts_unanswered(own_group) or None, 20)
    assert held, "posts are in flight"
    halted = own_group.command("halt", "--reason", "in flight", "--json")
    answered_ns = clock.read().monotonic_ns
    assert halted.status == 0, repr(halted)
    fence = halted.json["halted"]["fence"]
    blocked_ns = answered_ns - fence["zero_ns"] + fence["blocked_ns"] + 50 * NS_PER_MS
    own_group.venue.read()
    late = [
        row
        for row in own_group.venue.of_kind("request")
        if row["method"] == "POST" and row["path"].startswith("/order")
        if row["at_ns"] > blocked_ns
    ]
    assert not late
    assert not own_group.venue.open_orders().open
    assert not own_group.venue.open_orders().placed_after(answered_ns)


def _posts_unanswered(group: GroupUnderTest) -> int:
    """Return how many posts the venue has received and not answered."""
    group.venue.read()
    posts = {
        row["request_id"]
        for row in group.venue.of_kind("request")
        if row["method"] == "POST" and row["path"].startswith("/order")
    }
    done = {row["request_id"] for row in group.venue.of_kind("response", "no_response")}
    return len(posts - done)
