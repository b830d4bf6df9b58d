"""Execution while a commit of its ledger is under way."""

import pytest

from services.execution.ledger.journaling import SLOW_NS, STUCK_NS
from services.execution.may_send import POST_WAIT_NS_MAX
from shared.effects import HttpRequest, HttpReset, Stop
from shared.facts import Alert
from shared.ledger_schema import EpochRecord, OrderRecord
from shared.units import NS_PER_MS
from tests.builders.execution import target
from tests.builders.markets import DOWN
from tests.builders.slow_ledger import SlowRig

SLOW_MS = SLOW_NS // NS_PER_MS
STUCK_MS = STUCK_NS // NS_PER_MS
WAIT_MS = POST_WAIT_NS_MAX // NS_PER_MS


def waiting() -> SlowRig:
    """A post waits for the commit of its intent."""
    rig = SlowRig()
    rig.start()
    rig.ledger.is_quick = False
    rig.wishes = (target(),)
    rig.wish()
    assert rig.ledger.under_way == 1
    assert rig.venue.posts == []
    return rig


def resting() -> SlowRig:
    """Two quotes rest, and everything is on disk."""
    rig = SlowRig()
    rig.quote(target(), target(token=DOWN))
    rig.run(300)
    assert len(rig.venue.open) == 2
    rig.ledger.is_quick = False
    return rig


def reasons(rig: SlowRig) -> list[str]:
    """Return why orders did not leave, as their rows say it."""
    return [row.reason for row in rig.orders("NOT_SENT")]


def settle(rig: SlowRig) -> None:
    """Let every commit end from now on."""
    rig.release()
    rig.ledger.is_quick = True
    rig.run(100)


@pytest.mark.req("INV-2")
def test_post_leaves_when_its_intent_is_on_disk_and_not_before() -> None:
    rig = waiting()
    rig.run(50)
    assert rig.venue.posts == []
    rig.release()
    assert len(rig.venue.posts) == 1
    assert [r.state for r in rig.journal if isinstance(r, OrderRecord)] == ["INTENDED"]


@pytest.mark.req("INV-3")
def test_post_whose_commit_outlasts_its_permit_is_not_sent() -> None:
    rig = waiting()
    rig.run(WAIT_MS + 10)
    rig.release()
    assert rig.venue.posts == []
    rig.ledger.is_quick = True
    rig.run(20)
    assert reasons(rig) == ["too_late"]


@pytest.mark.req("INV-3")
def test_post_whose_lease_ran_out_behind_its_commit_is_not_sent() -> None:
    rig = waiting()
    rig.pings = False
    rig.run(450)
    settle(rig)
    assert rig.venue.posts == []
    assert rig.pong().self_fenced is not None


@pytest.mark.req("INV-3", "KS-7")
def test_fence_takes_waiting_posts_back_and_is_answered_at_once() -> None:
    rig = waiting()
    rig.fence()
    answer = rig.pong().fence_answer
    assert answer.blocked_ns == rig.now.boot_ns
    assert rig.sent(HttpReset)
    assert rig.sent(HttpRequest, "cancel")
    assert rig.pong().in_flight == 0
    assert rig.ledger.under_way == 1
    settle(rig)
    assert rig.venue.posts == []
    assert reasons(rig) == ["reset"]


@pytest.mark.req("INV-2")
def test_quiet_waits_until_what_was_withheld_is_on_disk() -> None:
    rig = waiting()
    rig.fence()
    rig.run(1_000)
    assert rig.pong().fence_answer.quiet_ns == 0
    rig.release()
    rig.run(1_000)
    assert rig.pong().fence_answer.quiet_ns == 0, "the row NOT_SENT is in the next commit"
    settle(rig)
    assert reasons(rig) == ["reset"]
    assert rig.pong().fence_answer.quiet_ns > 0


@pytest.mark.req("INV-4")
def test_cancel_leaves_while_a_commit_is_under_way() -> None:
    rig = resting()
    rig.wishes = (target(level=1),)
    rig.run(100)
    assert rig.ledger.under_way
    assert rig.venue.open == {}
    assert rig.ledger.under_way


@pytest.mark.req("INV-4")
def test_order_that_nobody_wishes_any_more_does_not_leave_behind_its_cancel() -> None:
    rig = waiting()
    rig.wishes = ()
    rig.run(50)
    settle(rig)
    assert rig.venue.posts == []
    assert reasons(rig) == ["doomed"]


def test_slow_commit_keeps_new_intents_out_and_leaves_orders_in_the_market() -> None:
    rig = resting()
    quotes = (target(), target(token=DOWN))
    rig.wishes = (*quotes, target(level=1))
    rig.wish()
    assert rig.ledger.under_way == 1
    rig.run(SLOW_MS)
    rig.wishes = (*quotes, target(level=1), target(level=2))
    rig.run(SLOW_MS)
    assert rig.core._parts.desk.denials["ledger_slow"] == 1
    assert rig.ledger.under_way == 1
    assert len(rig.venue.open) == 2
    settle(rig)
    rig.run(400)
    assert len(rig.venue.open) == 4


@pytest.mark.req("INV-2", "CP-4")
def test_disk_that_says_nothing_for_seconds_takes_everything_out_and_alarms() -> None:
    rig = resting()
    rig.wishes = (target(), target(token=DOWN), target(level=1))
    rig.run(STUCK_MS + 200)
    assert rig.venue.open == {}
    assert rig.core.health()[0] == "sick"
    assert [a.name for a in rig.published(Alert)] == ["ledger_failed"]
    records = rig.ledger.under_way
    rig.run(2_000)
    assert rig.ledger.under_way == records, "nothing more is handed to a disk that is stuck"
    settle(rig)
    rig.run(4_000)
    assert rig.core.health()[0] == "ready"
    assert len(rig.venue.open) == 3


@pytest.mark.req("INV-2")
def test_failure_of_a_slow_commit_withholds_what_waited_and_writes_it_again() -> None:
    rig = waiting()
    rig.ledger.failure = "disk full"
    rig.run(100)
    rig.release()
    assert rig.core.health() == ("sick", "disk full")
    assert rig.venue.posts == []
    assert rig.orders() == []
    rig.ledger.failure = ""
    rig.wishes = ()
    rig.ledger.is_quick = True
    rig.run(2_000)
    assert reasons(rig) == ["not_journaled"]
    assert rig.core.health()[0] == "ready"


@pytest.mark.req("INV-2")
def test_what_a_refusing_ledger_holds_back_does_not_grow() -> None:
    rig = resting()
    rig.ledger.failure, rig.ledger.is_quick = "disk full", True
    for _ in range(20):
        rig.epoch += 1
        rig.run(500)
    waits = rig.core._parts.journaling._waiting
    assert len([r for r in waits.values() if isinstance(r, EpochRecord)]) <= 1
    rig.ledger.failure = ""
    rig.run(3_000)
    epochs = [r.epoch for r in rig.journal if isinstance(r, EpochRecord)]
    assert epochs[-1] == rig.epoch


@pytest.mark.req("KS-12")
def test_stop_on_a_disk_that_never_answers_ends_all_the_same() -> None:
    rig = waiting()
    rig.tell(Stop("SIGTERM"))
    rig.run(12_100)
    ended = rig.ended()
    assert ended is not None
    assert ended.status == 1
    assert rig.venue.posts == []


def test_stop_behind_a_slow_commit_ends_when_zero_is_proven_and_on_disk() -> None:
    rig = waiting()
    rig.tell(Stop("SIGTERM"))
    rig.run(6_000)
    assert rig.ended() is None
    settle(rig)
    rig.run(3_000)
    ended = rig.ended()
    assert ended is not None
    assert ended.status == 0
