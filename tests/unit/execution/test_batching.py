"""Several orders in one post: each has its own permit, its own outcome and its own life."""

import json
from typing import Any

import msgspec
import pytest

from services.execution.may_send import PlaceOrder, PlaceOrders
from shared.effects import HttpFailed
from shared.ledger_schema import Journal, OrderRecord
from shared.units import PriceE4, SizeE6, WallMs
from shared.venue.orders_wire import BATCH_ORDERS_MAX
from tests.builders.execution import Rig, placed, target
from tests.builders.markets import DOWN, UP

CROSSES = "invalid post-only order: order crosses book"


def ladder(count: int) -> tuple[Any, ...]:
    """Return quotes on both outcomes, a cent apart."""
    return tuple(
        target(token=(UP, DOWN)[n % 2], level=n // 2, price=PriceE4(4_800 - 100 * (n // 2)))
        for n in range(count)
    )


def started(**limits: Any) -> Rig:
    wide = 10_000
    rig = Rig(
        shares_per_outcome_max=wide,
        unpaired_shares_global_max=wide,
        exposure_usd_max=wide,
        **limits,
    )
    rig.start()
    return rig


def states(rig: Rig) -> dict[str, int]:
    found: dict[str, int] = {}
    for order in rig.core._parts.register:
        found[order.record.state] = found.get(order.record.state, 0) + 1
    return found


@pytest.mark.req("EX-2")
def test_orders_of_one_decision_leave_in_one_request() -> None:
    rig = started()
    rig.wishes = ladder(4)
    rig.wish()
    assert rig.venue.post_sizes == [4]
    assert len(rig.venue.open) == 4
    assert states(rig) == {"LIVE": 4}


@pytest.mark.req("EX-2")
def test_no_request_has_more_orders_than_the_venue_takes() -> None:
    rig = started(orders_per_second_max=40)
    rig.wishes = ladder(20)
    rig.wish()
    assert rig.venue.post_sizes == [BATCH_ORDERS_MAX, 5]


@pytest.mark.req("EX-2")
def test_single_order_goes_alone_and_so_does_one_that_may_take() -> None:
    rig = started()
    taking = target(token=DOWN, post_only=False, purpose="complete", price=PriceE4(4_800))
    rig.wishes = (target(), taking)
    rig.wish()
    assert rig.venue.post_sizes == [1, 1]


@pytest.mark.req("INV-2")
def test_every_intent_of_a_batch_is_journaled_in_its_turn() -> None:
    rig = started()
    rig.wishes = ladder(4)
    effects = rig.wish()
    intended = [
        record.order_id
        for effect in effects
        if isinstance(effect, Journal)
        for record in effect.records
        if isinstance(record, OrderRecord) and record.state == "INTENDED"
    ]
    assert sorted(intended) == sorted(post.order_id for post in placed(effects))


@pytest.mark.req("EX-2", "EX-12")
def test_refused_order_of_a_batch_pauses_its_intent_and_leaves_the_others_alone() -> None:
    rig = started()
    rig.venue.refuses = lambda order: CROSSES if order.order.token_id == DOWN else ""
    rig.wishes = ladder(4)
    rig.wish()
    assert states(rig) == {"LIVE": 2, "REJECTED": 2}
    rig.run(200)
    assert len(rig.venue.posts) == 4, "the refused intents pause"
    assert "refused_before" in rig.denials()


@pytest.mark.req("EX-2")
def test_truncated_answer_leaves_every_order_in_doubt_and_each_is_asked_for() -> None:
    rig = started()
    rig.venue.spoils = lambda body: body[: len(body) // 2]
    rig.wishes = ladder(4)
    rig.wish()
    assert states(rig) == {"UNKNOWN": 4}
    rig.run(1_000)
    assert states(rig) == {"LIVE": 4}
    assert len(rig.venue.posts) == 4, "nothing is sent twice"


@pytest.mark.req("EX-2")
def test_entries_in_another_order_are_told_by_their_ids() -> None:
    rig = started()
    rig.venue.spoils = lambda body: json.dumps(json.loads(body)[::-1]).encode()
    rig.wishes = ladder(4)
    rig.wish()
    assert states(rig) == {"LIVE": 4}


@pytest.mark.req("EX-2")
def test_missing_entry_leaves_only_its_order_in_doubt() -> None:
    rig = started()
    rig.venue.spoils = lambda body: json.dumps(json.loads(body)[1:]).encode()
    rig.wishes = ladder(4)
    rig.wish()
    assert states(rig) == {"LIVE": 3, "UNKNOWN": 1}


@pytest.mark.req("EX-2", "EX-6")
def test_lost_answer_leaves_the_whole_batch_in_doubt_until_each_is_found() -> None:
    rig = started()
    rig.venue.loses = True
    rig.wishes = ladder(3)
    rig.wish()
    assert states(rig) == {"UNKNOWN": 3}
    rig.venue.loses = False
    rig.run(1_000)
    assert states(rig) == {"LIVE": 3}
    assert len(rig.venue.posts) == 3


@pytest.mark.req("EX-2", "EX-13")
def test_limiter_refuses_a_batch_whole_and_is_heard_once() -> None:
    rig = started()
    rig.venue.refusal = (429, "Too Many Requests")
    rig.wishes = ladder(4)
    rig.wish()
    assert states(rig) == {"REJECTED": 4}
    rate = rig.core._parts.desk.rate
    assert rate.refusals == 1
    assert rate.rate_parts(rig.now.boot_ns) == 500
    rig.venue.refusal = None
    rig.run(1_700)
    assert len(rig.venue.open) == 4, "no intent pauses for what concerns the whole key"


@pytest.mark.req("VEN-1", "EX-2")
def test_entry_that_tells_of_a_mode_is_heard() -> None:
    rig = started()
    rig.venue.refuses = lambda order: "Trading is currently cancel-only."
    rig.wishes = ladder(2)
    rig.wish()
    assert rig.core._parts.desk.phase.mode.value == "cancel_only"
    rig.run(200)
    assert len(rig.venue.posts) == 2


@pytest.mark.req("INV-3", "KS-1")
def test_one_order_past_its_cutoff_keeps_the_whole_batch_back() -> None:
    """Directly before the write; all are NOT_SENT, and what may be sent is decided anew."""
    rig = started()
    rig.wishes = ladder(3)
    permits: list[Any] = []
    ask = rig.core.may_send

    def late_for_one(permit: Any, now: Any) -> str | None:
        permits.append(permit)
        return "too_late" if len(permits) == 2 else ask(permit, now)

    rig.core.may_send = late_for_one  # type: ignore[method-assign]
    rig.renews = False
    rig.wish()
    assert rig.venue.posts == []
    assert states(rig) == {"NOT_SENT": 3}
    rig.run(10)
    assert len(rig.venue.open) == 3, "decided again in the next turn"
    assert rig.venue.post_sizes == [3]


@pytest.mark.req("INV-2")
def test_batch_whose_intents_cannot_be_journaled_is_not_sent() -> None:
    rig = started()
    rig.commit_fails = True
    rig.wishes = ladder(3)
    effects = rig.wish()
    batches = [effect for effect in effects if isinstance(effect, PlaceOrders)]
    assert [len(batch.orders) for batch in batches] == [3]
    assert rig.venue.posts == []
    rig.commit_fails = False
    rig.run(3_000)
    assert len(rig.venue.open) == 3


def test_fence_gives_a_waiting_batch_back_and_each_order_is_not_sent() -> None:
    rig = started()
    rig.wishes = ladder(3)
    rig.venue.holds = True
    rig.wish()
    batch = next(effect for effect in rig.effects if isinstance(effect, PlaceOrders))
    rig.venue.held.clear()
    rig.tell(HttpFailed(batch.request_id, sent=False, reason="reset"))
    assert states(rig) == {"NOT_SENT": 3}
    assert not rig.core._parts.register.has_posts()


@pytest.mark.req("EX-13")
def test_orders_of_a_batch_cost_a_token_each() -> None:
    rig = started(orders_per_second_max=500)
    before = rig.core._parts.rates.posts_left(rig.now.boot_ns)
    rig.wishes = ladder(20)
    rig.wish()
    assert rig.core._parts.rates.posts_left(rig.now.boot_ns) == before - 20


@pytest.mark.req("EX-13")
def test_posts_never_pass_the_bucket_that_the_venue_has() -> None:
    rig = started(orders_per_second_max=500)
    rates = rig.core._parts.rates
    rates.posted(900, 55, rig.now.boot_ns)
    rig.wishes = ladder(20)
    rig.wish()
    assert len(rig.venue.posts) == 5
    assert "message_rate" in rig.denials()


def test_permits_of_a_batch_end_each_at_its_own_cutoff() -> None:
    rig = started()
    rig.info = msgspec.structs.replace(rig.info, cutoff_ms=WallMs(rig.now.wall_ms + 400))
    rig.run(300)
    rig.wishes = (*ladder(2), target(level=5, price=PriceE4(4_000), size=SizeE6(6_000_000)))
    posts = placed(rig.wish())
    assert [type(post) for post in posts] == [PlaceOrder] * 3
    assert len({post.permit.not_after_ns for post in posts}) == 1
    assert posts[0].permit.order_id != posts[1].permit.order_id
