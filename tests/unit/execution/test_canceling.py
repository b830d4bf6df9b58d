"""Cancels of the whole core: written in their turn, repeated, and escalated when they fail."""

import msgspec
import pytest

from services.execution.cancels.canceling import GONE_MAX, HEDGE_NS, TARGETED_MAX
from services.execution.cancels.escalation import (
    ALL_EVERY_NS,
    RESTART_HEARD_NS,
    RESTART_NS_MAX,
    RISK_NS_MAX,
    STUCK_NS_MAX,
    Escalation,
)
from services.execution.gateway import CANCEL_CONNECTIONS
from shared.effects import HttpRequest
from shared.facts import Alert
from shared.units import NS_PER_MS, BootNs, PriceE4
from tests.builders.execution import Rig, resting, target
from tests.builders.execution_venue import reply
from tests.builders.markets import DOWN, UP

CANCEL_ALL = "/cancel-all"


def cancels(rig: Rig) -> list[HttpRequest]:
    return rig.sent(HttpRequest, "cancel")


def alerts(rig: Rig) -> list[str]:
    return [alert.name for alert in rig.published(Alert)]


def many(count: int = 12) -> Rig:
    """Some quotes rest on each outcome."""
    wide = 10_000
    rig = Rig(
        shares_per_outcome_max=wide,
        unpaired_shares_global_max=wide,
        exposure_usd_max=wide,
    )
    rig.quote(
        *(
            target(token=token, level=level, price=PriceE4(4_800 - 100 * level))
            for token in (UP, DOWN)
            for level in range(count // 2)
        )
    )
    assert len(rig.venue.open) == count
    return rig


@pytest.mark.req("INV-4")
def test_cancel_leaves_in_the_turn_of_the_wish_while_posts_are_refused() -> None:
    """The rate is halved and posts are held for thirty seconds; the cancel does not care."""
    rig = resting()
    rig.venue.refusal = (429, "Too Many Requests")
    rig.wishes = (target(), target(token=DOWN), target(level=1, price=PriceE4(4_700)))
    rig.run(200)
    assert "message_rate" in rig.denials()
    rig.wishes = (target(),)
    effects = rig.wish()
    assert [e.path for e in effects if isinstance(e, HttpRequest)] == ["/order"]


@pytest.mark.req("INV-4")
def test_whole_book_of_quotes_goes_in_one_request() -> None:
    rig = many()
    before = len(cancels(rig))
    rig.wishes = ()
    rig.wish()
    assert [one.path for one in cancels(rig)[before:]] == ["/orders"]
    assert rig.venue.open == {}


@pytest.mark.req("INV-4", "EX-24")
def test_without_tokens_everything_goes_by_what_is_paid_afterwards() -> None:
    rig = many()
    rates = rig.core._parts.rates
    rates.canceling(900, rates.cancels_left(rig.now.boot_ns), rig.now.boot_ns)
    rig.wishes = ()
    before = len(cancels(rig))
    rig.wish()
    assert [one.path for one in cancels(rig)[before:]] == [CANCEL_ALL]
    assert rig.venue.open == {}


@pytest.mark.req("EX-24")
def test_new_order_is_refused_rather_than_the_reserve_of_cancels_spent() -> None:
    rig = resting()
    rates = rig.core._parts.rates
    rates.canceling(900, 250, rig.now.boot_ns)
    rig.wishes = (*rig.wishes, target(level=1, price=PriceE4(4_700)))
    rig.run(500)
    assert len(rig.venue.open) == 2
    assert "cancel_reserve" in rig.denials()
    rig.run(2_000)
    assert len(rig.venue.open) == 3, "time brings the tokens back"


@pytest.mark.req("EX-24")
def test_cost_of_a_cancel_all_is_counted_when_it_is_answered() -> None:
    rig = many()
    rates = rig.core._parts.rates
    spent = rates.cancels_spent
    rig.fence()
    assert rates.cancels_spent == spent + 1 + 12


@pytest.mark.req("EX-24")
def test_status_says_the_tier_and_what_is_left() -> None:
    rig = resting()
    assert rig.status().rate_tier == "Standard"
    rig.venue.cancel_headers = {
        "poly-ratelimit-tier": "Gold",
        "poly-ratelimit-remaining": "1199",
    }
    rig.wishes = (target(),)
    rig.run(200)
    status = rig.status()
    assert (status.rate_tier, status.cancels_left) == ("Gold", 1_200)
    assert status.cancels_spent >= 1


def test_targeted_cancels_leave_connections_for_a_cancel_all() -> None:
    assert TARGETED_MAX <= CANCEL_CONNECTIONS - 2


@pytest.mark.req("INV-4", "EX-3")
@pytest.mark.parametrize("status", [425, 429, 503])
def test_cancels_go_on_whatever_the_venue_refuses(status: int) -> None:
    rig = resting()
    rig.venue.cancel_status = status
    rig.venue.cancel_headers = {"retry-after": "30"}
    before = len(cancels(rig))
    rig.wishes = (target(),)
    rig.run(1_020)
    assert len(cancels(rig)) - before >= 4
    rig.venue.cancel_status = 200
    rig.run(260)
    gone = [row for row in rig.orders("CANCELED") if row.token == DOWN]
    assert len(gone) == 1


@pytest.mark.req("INV-4")
def test_cancel_that_never_left_is_repeated_in_the_next_turn() -> None:
    rig = resting()
    rig.venue.unsent.add("cancel")
    rig.wishes = (target(),)
    rig.wish()
    assert len(rig.venue.open) == 2
    rig.venue.unsent.clear()
    rig.run(10)
    assert len(rig.venue.open) == 1


@pytest.mark.req("INV-4")
def test_cancel_that_nobody_answers_is_sent_once_more_beside_it() -> None:
    rig = resting()
    rig.venue.deaf.add("cancel")
    rig.wishes = (target(),)
    before = len(cancels(rig))
    rig.wish()
    rig.run(HEDGE_NS // NS_PER_MS - 10)
    assert len(cancels(rig)) == before + 1
    rig.venue.deaf.clear()
    rig.run(20)
    assert len(cancels(rig)) == before + 2
    assert len(rig.venue.open) == 1


def test_answer_that_comes_after_the_second_cancel_still_counts() -> None:
    rig = resting()
    rig.venue.deaf.add("cancel")
    rig.wishes = (target(),)
    rig.wish()
    first = cancels(rig)[-1]
    rig.run(HEDGE_NS // NS_PER_MS + 10)
    order_id = msgspec.json.decode(first.body)["orderID"]
    answer = {"canceled": [order_id], "not_canceled": {}}
    rig.tell(reply(first.request_id, 200, answer, rig.now))
    assert rig.row(order_id).state == "CANCELED"


@pytest.mark.req("INV-4")
def test_order_accepted_after_everything_was_cancelled_goes_by_its_id() -> None:
    """Its post was still under way: the cancel-all could not see it and does not name it."""
    rig = Rig()
    rig.start()
    rig.venue.holds = True
    rig.wishes = (target(),)
    rig.wish()
    order_id = rig.venue.posts[0].order_id
    late = rig.venue.open.pop(order_id)
    accepted = rig.venue.held.pop()
    rig.renews = False
    rig._apply(rig.core._parts.canceller.cancel_all("test", rig.now))
    rig.venue.open[order_id] = late
    rig.tell(accepted)
    rig.run(260)
    assert order_id not in rig.venue.open
    assert rig.row(order_id).state == "CANCELED"


# --- escalation -------------------------------------------------------------------------


@pytest.mark.req("EX-3")
def test_cancels_that_fail_become_one_cancel_all_then_a_fence_that_every_pong_repeats() -> None:
    rig = resting()
    rig.venue.cancel_status = 500
    before = len(rig.venue.seen(CANCEL_ALL))
    rig.wishes = (target(),)
    rig.run(STUCK_NS_MAX // NS_PER_MS)
    assert len(rig.venue.seen(CANCEL_ALL)) > before
    assert "cancel_failing" in alerts(rig)
    rig.run((RISK_NS_MAX - STUCK_NS_MAX) // NS_PER_MS + 50)
    fenced = rig.pong().self_fenced
    assert fenced is not None
    assert fenced.epoch == rig.epoch
    assert "cancels fail" in fenced.cause
    assert "cancel_given_up" in alerts(rig)
    posts = len(rig.venue.posts)
    rig.venue.cancel_status = 200
    rig.run(5_000)
    assert rig.venue.open == {}, "cancels go on whoever else has been called"
    assert len(rig.venue.posts) == posts, "and nothing is placed before risk's newer epoch"
    rig.resume()
    rig.run(1_000)
    assert rig.pong().self_fenced is None
    assert rig.venue.open


@pytest.mark.req("EX-3")
def test_silent_venue_calls_risk_by_time_alone() -> None:
    rig = resting()
    rig.venue.deaf.add("cancel")
    rig.wishes = ()
    rig.run(RISK_NS_MAX // NS_PER_MS - 50)
    assert rig.pong().self_fenced is None
    rig.run(200)
    assert rig.pong().self_fenced is not None


@pytest.mark.req("EX-3")
@pytest.mark.parametrize("status", [401, 403])
def test_key_that_may_not_cancel_calls_risk_at_once(status: int) -> None:
    rig = resting()
    rig.venue.cancel_status = status
    rig.wishes = (target(),)
    rig.wish()
    rig.run(20)
    fenced = rig.pong().self_fenced
    assert fenced is not None
    assert "refuses" in fenced.cause


@pytest.mark.req("EX-3", "VEN-1")
def test_restart_of_the_venue_is_waited_out_and_no_failure_of_ours() -> None:
    """Nothing is matched meanwhile; cancels ask four times a second all the time."""
    rig = resting()
    rig.venue.cancel_status = 425
    before = len(cancels(rig))
    rig.wishes = (target(),)
    rig.run(10_000)
    assert rig.pong().self_fenced is None
    assert "cancel_failing" not in alerts(rig)
    assert len(cancels(rig)) - before >= 36


@pytest.mark.req("EX-3", "VEN-1")
def test_restart_that_lasts_too_long_is_a_failure() -> None:
    order = next(iter(resting().core._parts.register.exposed()))
    order.doom, order.cancel_since_ns, order.live_ns = "test", BootNs(1), BootNs(1)
    escalation = Escalation()
    heard_ns = BootNs(0)
    while heard_ns < RESTART_NS_MAX:
        escalation.restarting(heard_ns)
        assert escalation.wants_risk([order], heard_ns) == ""
        heard_ns = BootNs(heard_ns + RESTART_HEARD_NS - 1)
    assert escalation.wants_risk([order], BootNs(RESTART_NS_MAX)) != ""


@pytest.mark.req("EX-3")
def test_cancel_all_is_not_repeated_faster_than_its_cost_allows() -> None:
    """Against an order that the venue holds: its cancels are answered and bring nothing."""
    rig = resting()
    rig.venue.keeps = "order is delayed"
    before = len(rig.venue.seen(CANCEL_ALL))
    rig.wishes = (target(),)
    rig.run(ALL_EVERY_NS // NS_PER_MS)
    assert len(rig.venue.seen(CANCEL_ALL)) - before <= 3


@pytest.mark.req("EX-3")
def test_order_that_the_venue_calls_gone_is_asked_for_and_no_cancel_has_failed() -> None:
    rig = resting()
    order_id = next(row.order_id for row in rig.orders("LIVE") if row.token == DOWN)
    rig.venue.silent.add("read")
    del rig.venue.open[order_id]
    rig.wishes = (target(),)
    rig.run(2_900)
    assert rig.pong().self_fenced is None
    assert "cancel_failing" not in alerts(rig)


@pytest.mark.req("EX-3")
def test_order_that_is_called_gone_and_rests_all_the_same_is_a_failure_in_the_end() -> None:
    """Cancels say that it is not there, reads say that it is: somebody else must look."""
    rig = resting()
    rig.venue.keeps = "Order not found"
    rig.wishes = (target(),)
    rig.run(GONE_MAX * 250)
    assert rig.pong().self_fenced is None
    rig.run(4_000)
    assert rig.pong().self_fenced is not None


@pytest.mark.req("INV-4")
def test_venue_that_hangs_holds_no_further_cancel_back() -> None:
    rig = many(TARGETED_MAX + 4)
    rig.venue.deaf.add("cancel")
    left = rig.wishes
    for number in range(1, TARGETED_MAX + 1):
        rig.wishes = left[number:]
        rig.wish()
    before = len(cancels(rig))
    rig.wishes = left[TARGETED_MAX + 2 :]
    rig.wish()
    assert len(cancels(rig)) == before, "the connections left are for a cancel of everything"
    rig.run(HEDGE_NS // NS_PER_MS + 10)
    named = b"".join(one.body for one in cancels(rig)[before:])
    late = {(one.token, one.level) for one in left[TARGETED_MAX : TARGETED_MAX + 2]}
    gone = [row.order_id for row in rig.orders() if (row.token, row.level) in late]
    assert len(gone) == 2
    assert all(order_id.encode() in named for order_id in gone)
