"""What the venue's answer to a post makes of its order, of the rate and of the venue's mode.

Accepted, rejected with a reason, or UNKNOWN; nothing is ever sent again here.
"""

from collections.abc import Sequence
from typing import Literal

from services.execution.lifecycle import Order
from services.execution.may_send import DOOMED, DRY_RUN
from services.execution.order_register import OrderRegister
from services.execution.placing import Desk
from shared.effects import Effect, HttpFailed, HttpReply, Log, Publish
from shared.facts import Alert
from shared.switches import RESTRICTED, VENUE_MODE
from shared.units import NS_PER_MS, Instant
from shared.venue.modes import (
    RESTRICTING_MODES,
    ModeSignal,
    VenueMode,
    mode_of,
    read_mode,
    retry_after_ms,
)
from shared.venue.outcomes import (
    Accepted,
    Outcome,
    Rejected,
    Unknown,
    judge_batch,
    judge_post,
    judge_refusal,
)
from shared.venue.refusals import Refusal

OK = 200

GRAVE_MODES = frozenset({VenueMode.CLOSED_ONLY, VenueMode.RESTRICTED, VenueMode.DISABLED})
"""Modes that people have to look at."""


def take_post_reply(
    order: Order, reply: HttpReply, register: OrderRegister, desk: Desk, now: Instant
) -> list[Effect]:
    """Apply an answer to the post of one order."""
    outcome = judge_post(reply.status, reply.body, order.record.order_id)
    return _take_outcomes(((order, outcome),), reply, register, desk, now)


def take_batch_reply(
    orders: Sequence[Order], reply: HttpReply, register: OrderRegister, desk: Desk, now: Instant
) -> list[Effect]:
    """Apply an answer to a batch: each order has its own outcome, in the order of sending."""
    ids = tuple(order.record.order_id for order in orders)
    outcomes = judge_batch(reply.status, reply.body, ids)
    paired = tuple(zip(orders, outcomes, strict=True))
    return _take_outcomes(paired, reply, register, desk, now)


def _take_outcomes(
    paired: Sequence[tuple[Order, Outcome]],
    reply: HttpReply,
    register: OrderRegister,
    desk: Desk,
    now: Instant,
) -> list[Effect]:
    """Apply what an answer says of the venue once, and of each order what it says of it."""
    effects = _hear_rate(reply, desk, now)
    limited = [o for _, o in paired if isinstance(o, Rejected) and _is_limit(o)]
    if limited:
        asked_ms = retry_after_ms(reply.headers, reply.body)
        pause_ns = None if asked_ms is None else asked_ms * NS_PER_MS
        desk.rate.refused(pause_ns, now.boot_ns)
    for order, outcome in paired:
        order.post_request = 0
        order.look_after_ns = now.boot_ns
        register.mark_sent(order, reply.sent_ns, now)
        effects += _take_outcome(order, outcome, register, desk, now)
    # After what was accepted: the mode that this answer tells of is the newest word.
    return [*_hear_mode(reply, [outcome for _, outcome in paired], desk, now), *effects]


def _take_outcome(
    order: Order, outcome: Outcome, register: OrderRegister, desk: Desk, now: Instant
) -> list[Effect]:
    """Apply the outcome of one order."""
    match outcome:
        case Accepted():
            register.apply(order, "accepted", now)
            desk.accepted(order, now)
            return []
        case Rejected():
            if not _is_limit(outcome) and mode_of(outcome) is None:
                # Else the whole venue waits, and its intents with it.
                desk.refused(order, now)
            register.apply(order, "refused", now, f"{outcome.reason.value}: {outcome.text}")
            return [_log("order.rejected", order, outcome.reason.value)]
        case Unknown():
            register.apply(order, "lost", now, f"{outcome.why.value}: {outcome.text}")
            return [_log("order.unknown", order, outcome.why.value)]


def _is_limit(outcome: Rejected) -> bool:
    """Whether the limiter has refused."""
    return outcome.reason is Refusal.RATE_LIMITED


def take_batch_failure(
    orders: Sequence[Order],
    failure: HttpFailed,
    register: OrderRegister,
    desk: Desk,
    now: Instant,
) -> list[Effect]:
    """Apply a batch that got no answer: all of it was not sent, or all of it is in doubt."""
    effects: list[Effect] = []
    for order in orders:
        effects += take_post_failure(order, failure, register, desk, now)
    return effects


def take_post_failure(
    order: Order, failure: HttpFailed, register: OrderRegister, desk: Desk, now: Instant
) -> list[Effect]:
    """Apply a post that got no answer: provably not sent, or in doubt."""
    order.post_request = 0
    order.look_after_ns = now.boot_ns
    if not failure.sent and failure.reason == DRY_RUN:
        desk.rehearsal.note(order, now.boot_ns)
        register.apply(order, "withheld", now, DRY_RUN)
        return [_log("order.dry_run", order, DRY_RUN, "info")]
    if not failure.sent:
        register.apply(order, "withheld", now, failure.reason)
        if failure.reason == DOOMED:
            return [_log("order.not_sent", order, DOOMED, "info")]
        desk.unsent(order, now)
        return [_log("order.not_sent", order, failure.reason)]
    register.mark_sent(order, failure.sent_ns, now)
    register.apply(order, "lost", now, failure.reason)
    return [_log("order.unknown", order, failure.reason)]


def _hear_rate(reply: HttpReply, desk: Desk, now: Instant) -> list[Effect]:
    """Take in what the headers say of the venue's bucket for orders."""
    note = desk.rates.post_answered(reply.request_id, reply.status, reply.headers, now.boot_ns)
    if not note.warning:
        return []
    desk.rate.warned(now.boot_ns)
    return [Log("rate.warned", {"of": "orders", "text": note.warning}, "warning")]


def hear_answer(reply: HttpReply, desk: Desk, now: Instant) -> list[Effect]:
    """Take in what an answer to a cancel or a read says of the venue itself."""
    return _hear_mode(reply, (), desk, now)


def _hear_mode(
    reply: HttpReply, outcomes: Sequence[Outcome], desk: Desk, now: Instant
) -> list[Effect]:
    """Take in what an answer says of the venue itself, by its status or in an entry.

    What the calendar has announced is no warning.
    """
    refusal = () if reply.status == OK else (judge_refusal(reply.status, reply.body),)
    effects: list[Effect] = []
    if desk.phase.restriction.hear((*outcomes, *refusal), desk.epoch):
        text = desk.phase.restriction.text
        alert = Alert("critical", RESTRICTED.name, text, RESTRICTED.runbook)
        effects.append(Publish("risk.alert", alert, now.monotonic_ns))
    signal = read_mode(reply.status, reply.headers, reply.body)
    if signal is None:
        modes = (mode_of(outcome) for outcome in outcomes)
        mode = next((one for one in modes if one is not None), None)
        signal = None if mode is None else ModeSignal(mode, None)
    if signal is None or not desk.phase.hear(signal, now.boot_ns):
        return effects
    name = f"venue_{signal.mode.value}"
    alert = Alert(
        severity=_severity(signal.mode, is_expected=desk.phase.is_expected(now.wall_ns)),
        name=name,
        text=f"the venue answered by {reply.status}",
        runbook=(RESTRICTED if signal.mode in RESTRICTING_MODES else VENUE_MODE).runbook,
    )
    return [*effects, Publish("risk.alert", alert, now.monotonic_ns)]


def _severity(mode: VenueMode, *, is_expected: bool) -> Literal["info", "warning", "critical"]:
    """Return how much people should care about a mode."""
    if mode in GRAVE_MODES:
        return "critical"
    return "info" if is_expected else "warning"


def _log(event: str, order: Order, reason: str, level: str = "warning") -> Log:
    """Return the line about an order that did not reach the market."""
    fields = {"order_id": order.record.order_id, "reason": reason, "intent": order.record.intent}
    return Log(event, fields, level)
