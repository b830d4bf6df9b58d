"""Dry run: everything is decided, judged and recorded, and nothing is sent."""

import msgspec
import pytest

from services.execution.gate import first_failing
from services.execution.lifecycle import as_order
from services.execution.may_send import DRY_RUN, Grant, Permit, may_send
from services.execution.rehearsal import CHANGED_NS, INTENTS_MAX, Rehearsal
from shared.facts import Explanations
from shared.identifiers import OrderHash
from shared.ledger_schema import OrderRecord
from shared.trading_state import TradingState
from shared.units import NS_PER_S, BootNs, PriceE4, SizeE6
from tests.builders.execution import Rig, target
from tests.builders.markets import DOWN

PERMIT = Permit(OrderHash("0x1"), epoch=3, not_after_ns=BootNs(100), reduce_only=False)


def grant(blocked: str = "", state: TradingState = "ACTIVE", epoch: int = 3) -> Grant:
    return Grant(epoch, BootNs(50), state, blocked, is_dry=True)


@pytest.mark.req("EX-21")
def test_post_that_may_leave_in_every_other_run_may_not_in_a_dry_one() -> None:
    assert may_send(PERMIT, msgspec.structs.replace(grant(), is_dry=False), BootNs(1)) is None
    assert may_send(PERMIT, grant(), BootNs(1)) == DRY_RUN


@pytest.mark.parametrize(
    ("held", "at", "reason"),
    [
        (grant(blocked="panic"), 1, "panic"),
        (grant(epoch=4), 1, "epoch"),
        (grant(), 50, "lease"),
        (grant(state="PAUSED"), 1, "trading_state"),
    ],
)
def test_dry_run_hides_no_other_reason(held: Grant, at: int, reason: str) -> None:
    assert may_send(PERMIT, held, BootNs(at)) == reason


def rehearsed(rig: Rig) -> list[OrderRecord]:
    """Return the rows that a dry run has recorded, each asserted to be what it should be."""
    rows = rig.orders()
    assert all((row.state, row.reason) == ("NOT_SENT", DRY_RUN) for row in rows), rows
    assert rig.venue.posts == []
    return rows


@pytest.mark.req("EX-21")
def test_wish_of_a_dry_run_is_journaled_as_intended_and_then_as_not_sent() -> None:
    rig = Rig(dry_run=True)
    rig.quote(target(), target(token=DOWN))
    assert len(rehearsed(rig)) == 2
    states = [row.state for row in rig.journal if isinstance(row, OrderRecord)]
    assert states == ["INTENDED", "INTENDED", "NOT_SENT", "NOT_SENT"]
    assert rig.status().dry_run
    assert rig.status().trading_state == "ACTIVE"


@pytest.mark.req("EX-21")
def test_denied_wish_of_a_dry_run_is_denied_for_its_own_reason() -> None:
    rig = Rig(dry_run=True)
    rig.quote(target(size=SizeE6(1_000_000)))
    assert rehearsed(rig) == []
    assert "min_size" in rig.denials()


@pytest.mark.req("EX-21")
def test_same_wish_is_not_intended_again_before_a_real_order_would_be_renewed() -> None:
    rig = Rig(dry_run=True)
    rig.quote()
    rig.run(60_000)
    assert len(rehearsed(rig)) == 1
    assert rig.denials() == {DRY_RUN: 1}, "one denial while one reason stands"
    rig.run(60_000)
    assert len(rehearsed(rig)) == 2, "renewed, as a real one is"


@pytest.mark.req("EX-21")
def test_wish_that_moves_in_every_turn_is_intended_once_a_second() -> None:
    rig = Rig(dry_run=True)
    rig.start()
    for step in range(100):
        rig.wishes = (target(price=PriceE4(4_800 if step % 2 else 4_700)),)
        rig.run(50)
    assert 3 <= len(rehearsed(rig)) <= 6


@pytest.mark.req("EX-21")
@pytest.mark.req("KS-2")
def test_silent_own_order_feed_neither_pauses_nor_denies_in_a_dry_run() -> None:
    rig = Rig(dry_run=True)
    rig.silent_feeds.add("feed_user")
    rig.quote()
    rig.run(10_000)
    assert len(rehearsed(rig)) == 1
    assert rig.status().trading_state == "ACTIVE"
    told = rig.published(Explanations)[-1].scopes[0].predicates
    words = {row.name: (row.holds, row.value) for row in told}
    assert words["user_feed"] == (True, "not needed in a dry run")
    assert words["dry_run"][1].startswith("DRY RUN")


@pytest.mark.req("EX-21")
def test_other_reads_are_needed_in_a_dry_run_as_ever() -> None:
    rig = Rig(dry_run=True)
    rig.quote()
    rig.venue.silent.add("read")
    rig.run(25_000)
    assert "reconciled" in rig.status().cause


@pytest.mark.req("EX-21")
def test_fence_of_a_dry_run_cancels_and_proves_zero() -> None:
    rig = Rig(dry_run=True)
    rig.quote()
    cancels = len(rig.venue.seen("/cancel-all"))
    rig.fence()
    rig.run(6_000)
    assert len(rig.venue.seen("/cancel-all")) > cancels
    answer = rig.pong().fence_answer
    assert answer is not None
    assert answer.fence_id == rig.fence_id
    assert answer.zero_ns is not None
    rig.resume()
    rig.wishes = (target(price=PriceE4(4_700)),)
    rig.run(1_500)
    assert rig.status().trading_state == "ACTIVE"
    assert len(rehearsed(rig)) == 2


def test_no_other_run_shows_the_predicate_of_a_dry_one() -> None:
    rig = Rig()
    rig.quote()
    told = rig.published(Explanations)[-1].scopes[0].predicates
    assert "dry_run" not in {row.name for row in told}
    assert not rig.status().dry_run


def test_intentions_are_bounded_and_the_oldest_is_forgotten() -> None:
    rig = Rig()
    rig.quote()
    record = rig.orders()[0]
    rehearsal = Rehearsal()
    for level in range(INTENTS_MAX + 1):
        row = msgspec.structs.replace(record, level=level)
        rehearsal.note(as_order(row, rig.now), rig.now.boot_ns)
    place = (record.strategy, record.market, record.token, record.side)
    wish = target()
    assert rehearsal.holds((*place, 0), wish, rig.now.boot_ns) == ""
    assert rehearsal.holds((*place, 1), wish, rig.now.boot_ns) != ""
    later = BootNs(rig.now.boot_ns + CHANGED_NS)
    assert rehearsal.holds((*place, 1), wish, later) == "is intended and would rest"
    moved = target(price=PriceE4(4_700))
    assert rehearsal.holds((*place, 1), moved, later) == ""
    assert rehearsal.holds((*place, 1), moved, BootNs(later - 1)) != ""
    assert rehearsal.holds((*place, 1), wish, BootNs(later + 130 * NS_PER_S)) == ""


@pytest.mark.req("KS-2")
def test_own_order_feed_is_needed_in_every_other_run() -> None:
    rig = Rig()
    rig.quote()
    rig.silent_feeds.add("feed_user")
    rig.run(3_500)
    account = rig.core._conditions.account_predicates(rig.now)
    failing = first_failing(account, reduce_only=False)
    assert failing is not None
    assert failing.name == "user_feed"
