"""Execution cut off from the venue around a fence and killed: nothing arrives after the proof."""

import random
import threading
from collections.abc import Iterator

import pytest

from bus import clock
from ops.waiting import wait_for
from shared.topics import EXECUTION
from shared.units import NS_PER_MS
from tests.processes.blackhole import Blackhole
from tests.processes.group import GroupUnderTest, Ran

ROUNDS = 3
SEED = 20261121
AFTERMATH_S = 4.0
"""Longer than the lateness that the venue still takes an order with."""


@pytest.fixture
def cut_group() -> Iterator[tuple[GroupUnderTest, Blackhole]]:
    """A group whose way to the venue's trading endpoints leads through a blackhole."""
    group = GroupUnderTest()
    hole = Blackhole(group.port)
    try:
        text = group.profile.read_text()
        direct = f'clob_url = "http://127.0.0.1:{group.port}"'
        assert direct in text
        group.profile.write_text(
            text.replace(direct, direct.replace(str(group.port), str(hole.port)))
        )
        assert group.up().status == 0
        yield group, hole
    finally:
        group.close()
        hole.close()


def halt_around(group: GroupUnderTest, hole: Blackhole, chance: random.Random) -> tuple[Ran, int]:
    """Cut, halt and kill at random distances; return the halt and the moment of its answer."""
    answers: list[Ran] = []
    halt = threading.Thread(
        target=lambda: answers.append(group.command("halt", "--reason", "cut off", "--json"))
    )
    pid = group.pid(EXECUTION)
    threading.Event().wait(chance.uniform(0, 1.0))
    assert hole.cut_process(pid)
    halt.start()
    # The command needs about a third of a second to start: the kill falls on both sides.
    threading.Event().wait(chance.uniform(0, 0.8))
    if group.pid(EXECUTION) == pid:
        group.kill_at_once(EXECUTION)
    halt.join()
    return answers[0], clock.read().monotonic_ns


@pytest.mark.req("KS-8", "EX-28", "TST-3")
def test_no_order_arrives_after_the_proof(cut_group: tuple[GroupUnderTest, Blackhole]) -> None:
    group, hole = cut_group
    chance = random.Random(SEED)
    for number in range(ROUNDS):
        group.wait_until_trading()
        halted, answered_ns = halt_around(group, hole, chance)
        assert halted.status == 0, f"round {number}: {halted!r}"
        hole.heal()
        late = group.placed_within(answered_ns, AFTERMATH_S)
        assert not late, f"round {number}: {late}"
        assert not group.venue.open_orders().open
        assert group.command("resume", "--reason", "over").status == 0


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
