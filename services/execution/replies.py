"""What the venue's answer to a post makes of its order, of the rate and of the venue's mode.

Accepted, rejected with a reason, or UNKNOWN; nothing is ever sent again here.
"""

from services.execution.lifecycle import Order
from services.execution.may_send import DOOMED, DRY_RUN
from services.execution.order_register import OrderRegister
from services.execution.placing import Desk
from shared.effects import Effect, HttpFailed, HttpReply, Log, Publish
from shared.facts import Alert
from shared.units import NS_PER_MS, Instant
from shared.venue.modes import VenueMode, mode_of, read_mode, retry_after_ms
from shared.venue.outcomes import Accepted, Rejected, judge_post
from shared.venue.refusals import Refusal

GRAVE_MODES = frozenset({VenueMode.CLOSED_ONLY, VenueMode.RESTRICTED, VenueMode.DISABLED})
"""Modes that people have to look at."""


def take_post_reply(
    order: Order, reply: HttpReply, register: OrderRegister, desk: Desk, now: Instant
) -> list[Effect]:
    """Apply an answer to a post."""
    order.post_request = 0
    order.look_after_ns = now.boot_ns
    register.mark_sent(order, reply.sent_ns, now)
    outcome = judge_post(reply.status, reply.body, order.record.order_id)
    effects = _hear_mode(reply, desk, now)
    match outcome:
        case Accepted():
            register.apply(order, "accepted", now)
            desk.accepted(order)
        case Rejected():
            if outcome.reason is Refusal.RATE_LIMITED:
                asked_ms = retry_after_ms(reply.headers, reply.body)
                pause_ns = None if asked_ms is None else asked_ms * NS_PER_MS
                desk.rate.refused(pause_ns, now.boot_ns)
            if outcome.reason is not Refusal.RATE_LIMITED and mode_of(outcome) is None:
                # Else the whole venue waits, and its intents with it.
                desk.refused(order, now)
            register.apply(order, "refused", now, f"{outcome.reason.value}: {outcome.text}")
            effects.append(_log("order.rejected", order, outcome.reason.value))
        case _:
            register.apply(order, "lost", now, f"{outcome.why.value}: {outcome.text}")
            effects.append(_log("order.unknown", order, outcome.why.value))
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
        if failure.reason != DOOMED:
            desk.refused(order, now)
        register.apply(order, "withheld", now, failure.reason)
        return [_log("order.not_sent", order, failure.reason)]
    register.mark_sent(order, failure.sent_ns, now)
    register.apply(order, "lost", now, failure.reason)
    return [_log("order.unknown", order, failure.reason)]


def _hear_mode(reply: HttpReply, desk: Desk, now: Instant) -> list[Effect]:
    """Take in what an answer says of the venue itself."""
    signal = read_mode(reply.status, reply.headers, reply.body)
    if signal is None or not desk.phase.hear(signal, now.boot_ns):
        return []
    name = f"venue_{signal.mode.value}"
    grave = signal.mode in GRAVE_MODES
    alert = Alert(
        severity="critical" if grave else "warning",
        name=name,
        text=f"the venue answered a post by {reply.status}",
        runbook=name,
    )
    return [Publish("risk.alert", alert, now.monotonic_ns)]


def _log(event: str, order: Order, reason: str, level: str = "warning") -> Log:
    """Return the line about an order that did not reach the market."""
    fields = {"order_id": order.record.order_id, "reason": reason, "intent": order.record.intent}
    return Log(event, fields, level)
