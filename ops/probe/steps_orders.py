"""Steps that post single orders: what is taken, what is refused, and in which words."""

import msgspec

from ops.probe.answers import Scalar, field, kind_of, normal_text
from ops.probe.asking import Reply
from ops.probe.desk import EVENT_S, Desk, is_event, is_taken, refusal_of
from ops.probe.listening import Ear
from ops.probe.orders import Made, Terms, spoil_signature
from ops.probe.steps_keys import subscription
from shared.units import NS_PER_MS, PRICE_ONE_E4, PriceE4, SizeE6
from shared.venue.account_wire import OPEN_ORDERS_PATH

UNKNOWN_ID = "0x" + "ab" * 32

HOUR_S, DAY_S = 3_600, 86_400


def rest_and_cancel(desk: Desk) -> None:
    """Let one order rest, look at it from all sides, cancel it twice."""
    made = desk.poster.make(desk.resting())
    reply = desk.poster.post("rest", made)
    body = reply.body
    desk.answer(
        "live_reply",
        {
            "http": reply.status,
            "success": field(body, "success") is True,
            "status": str(field(body, "status")),
            "orderID is the hash": field(body, "orderID") == made.order_id,
            "makingAmount": kind_of(field(body, "makingAmount")),
            "transactionsHashes": kind_of(field(body, "transactionsHashes")),
        },
        {"ms": round(reply.took_ms)},
    )
    if is_taken(reply):
        _placement(desk, made, reply)
        _rows(desk, made)
    canceled = desk.cancel("rest.cancel", made.order_id)
    again = desk.cancel("rest.cancel_again", made.order_id)
    unknown = desk.cancel("rest.cancel_unknown", UNKNOWN_ID)
    desk.answer(
        "cancel_texts",
        {
            "live": _cancel_words(canceled, made.order_id),
            "cancelled before": _cancel_words(again, made.order_id),
            "unknown": _cancel_words(unknown, UNKNOWN_ID),
        },
    )
    _after(desk, made)


def _placement(desk: Desk, made: Made, reply: Reply) -> None:
    event = desk.order_event(made.order_id, "PLACEMENT", EVENT_S)
    shape: dict[str, Scalar] = {"event comes": event is not None}
    measured: dict[str, Scalar] = {}
    if event is not None:
        after_ms = (event.at_ns - reply.answered_ns) / NS_PER_MS
        measured["event after the answer, ms"] = round(after_ms)
        frame = next(one for one in event.objects() if one.get("id") == made.order_id)
        shape |= {
            "status": str(frame.get("status")),
            "created_at": kind_of(frame.get("created_at")),
            "created_at digits": len(str(frame.get("created_at"))),
            "timestamp digits": len(str(frame.get("timestamp"))),
            "associate_trades": kind_of(frame.get("associate_trades")),
        }
    desk.answer("placement_event", shape, measured)


def _rows(desk: Desk, made: Made) -> None:
    one = desk.look("rest.look", made.order_id).body
    listed = desk.asks.ask("rest.list", "GET", OPEN_ORDERS_PATH)
    rows = field(listed.body, "data")
    row = next(
        (row for row in rows or [] if field(row, "id") == made.order_id),
        None,
    )
    shares = desk.place.info.min_size_e6 // 1_000_000
    size = str(field(one, "original_size"))
    scale = {str(shares): "shares", str(shares * 1_000_000): "millionths"}
    desk.answer(
        "size_scale",
        {
            "original_size": scale.get(size.removesuffix(".0"), "something else"),
            "listed the same": field(row, "original_size") == field(one, "original_size"),
            "form": kind_of(field(one, "original_size")),
        },
        {"original_size": size},
    )
    desk.answer(
        "status_forms",
        {
            "look": str(field(one, "status")),
            "list": str(field(row, "status")),
            "list is": "a page" if rows is not None else kind_of(listed.body),
            "associate_trades": kind_of(field(one, "associate_trades")),
            "expiration": kind_of(field(one, "expiration")),
        },
    )


def _after(desk: Desk, made: Made) -> None:
    looked = desk.look("rest.look_after", made.order_id)
    event = desk.order_event(made.order_id, "CANCELLATION", EVENT_S)
    frames = [] if event is None else event.objects()
    frame = next((one for one in frames if one.get("id") == made.order_id), {})
    desk.answer(
        "canceled_order",
        {
            "http": looked.status,
            "look": str(field(looked.body, "status")),
            "event": str(frame.get("status", "none")),
        },
    )
    unknown = desk.look("rest.look_unknown", UNKNOWN_ID)
    text = field(unknown.body, "error")
    words = normal_text(str(text)) if text else kind_of(unknown.body)
    desk.answer("unknown_order", {"http": unknown.status, "body": words})


def _cancel_words(reply: Reply, order_id: str) -> str:
    """Return what a cancel says of one order."""
    canceled = field(reply.body, "canceled")
    if isinstance(canceled, list) and order_id in canceled:
        return "canceled"
    why = field(reply.body, "not_canceled", order_id)
    if isinstance(why, str):
        return f"not_canceled: {normal_text(why)}"
    return f"http {reply.status} {normal_text(reply.text)}"


def refusals(desk: Desk) -> None:
    """Post what the venue must refuse, one fault in each; what it takes is cancelled at once."""
    resting, place = desk.resting(), desk.place
    tick, replace = place.info.tick_e4, msgspec.structs.replace
    far = PriceE4(PRICE_ONE_E4 - tick)
    small = SizeE6(place.info.min_size_e6 - 10_000)
    offers = {
        "refused_cross": replace(resting, price=desk.crossing_price("refused_cross.book")),
        "refused_tick": replace(resting, price=PriceE4(tick + max(tick // 2, 1))),
        "refused_size": replace(resting, size=small),
        "refused_balance": Terms(place.token, far, place.info.min_size_e6, "SELL"),
    }
    for question, terms in offers.items():
        _refused(desk, question, desk.poster.make(terms))
    _refused(desk, "refused_signature", spoil_signature(desk.poster.make(resting)))
    made = desk.rest("refused_duplicate.first")
    _refused(desk, "refused_duplicate", made)


def _refused(desk: Desk, question: str, made: Made) -> None:
    reply = desk.poster.post(question, made)
    desk.answer(question, refusal_of(reply), {"ms": round(reply.took_ms)})
    desk.cancel(f"{question}.cancel", made.order_id)


EXPIRATIONS_S = (30, 90, 150, 176, 182)
"""Around what the pages have named: 60 s once, 180 s now, and a clock's difference."""


def expirations(desk: Desk) -> None:
    """Post orders of ever longer lives until one is taken."""
    shape: dict[str, Scalar] = {}
    for ahead_s in EXPIRATIONS_S:
        made = desk.poster.make(msgspec.structs.replace(desk.resting(), expires_in_s=ahead_s))
        reply = desk.poster.post("expirations", made)
        if is_taken(reply):
            shape[f"{ahead_s} s ahead"] = "taken"
            desk.cancel("expirations.cancel", made.order_id)
            continue
        refusal = refusal_of(reply)
        shape[f"{ahead_s} s ahead"] = f"{refusal['http']} {refusal['text']}"
    desk.answer("expiration_rule", shape)


def timestamps(desk: Desk) -> None:
    """Post orders whose signed timestamp is old, or of the future."""
    shape: dict[str, Scalar] = {}
    for name, aged_s in (("an hour old", HOUR_S), ("a day old", DAY_S), ("an hour ahead", -HOUR_S)):
        made = desk.poster.make(msgspec.structs.replace(desk.resting(), aged_s=aged_s))
        reply = desk.poster.post("timestamps", made)
        taken = is_taken(reply)
        shape[name] = "taken" if taken else f"{reply.status} {refusal_of(reply)['text']}"
        if taken:
            desk.cancel("timestamps.cancel", made.order_id)
    desk.answer("timestamp_rule", shape)


def batch(desk: Desk) -> None:
    """Post a bad order between two good ones, and see which of them rest."""
    good = desk.resting()
    tick = desk.place.info.tick_e4
    bad = msgspec.structs.replace(good, price=PriceE4(tick + max(tick // 2, 1)))
    orders = [desk.poster.make(terms) for terms in (good, bad, good)]
    reply = desk.poster.post_batch("batch", orders)
    rows = reply.body if isinstance(reply.body, list) else []
    taken = [
        field(row, "success") is True and bool(field(row, "orderID")) and not field(row, "errorMsg")
        for row in rows
    ]
    live = [desk.look("batch.look", made.order_id).status == 200 for made in orders]
    middle = rows[1] if len(rows) == len(orders) else None
    text = field(middle, "errorMsg") or field(middle, "error") or field(reply.body, "error")
    desk.answer(
        "batch_atomicity",
        {
            "http": reply.status,
            "answers": len(rows),
            "good ones rest": live[0] and live[2],
            "bad one rests": live[1],
            "answers tell the truth": taken == live,
            "answers in order": _in_order(rows, [made.order_id for made in orders]),
            "success of the bad": kind_of(field(middle, "success"))
            if not isinstance(field(middle, "success"), bool)
            else bool(field(middle, "success")),
            "text of the bad": normal_text(str(text)),
        },
    )
    for made in orders:
        desk.cancel("batch.cancel", made.order_id)


def _in_order(rows: list[object], order_ids: list[str]) -> bool:
    """Tell whether every id that is named stands where its order stood."""
    named = [(field(row, "orderID"), wanted) for row, wanted in zip(rows, order_ids, strict=False)]
    return all(not told or told == wanted for told, wanted in named)


def success_forms(desk: Desk) -> None:
    """Look through all answers to posts for one that says yes and no at once."""
    contradictory = answers = 0
    for label, reply in desk.asks.replies:
        rows = reply.body if isinstance(reply.body, list) else [reply.body]
        for row in rows if reply.status == 200 else []:
            if field(row, "success") is None:
                continue
            answers += 1
            text, name = field(row, "errorMsg"), field(row, "orderID")
            says_no = bool(text) or not name
            contradictory += field(row, "success") is True and says_no
            if field(row, "success") is True and says_no:
                desk.transcript.note(label, "success and an error in one answer")
    desk.answer(
        "success_with_error", {"seen": contradictory > 0}, {"of": answers, "seen": contradictory}
    )


def replay(desk: Desk) -> None:
    """Reconnect the own-order socket, with and without something missed, and listen."""
    url, who = desk.config.venue.user_socket_url, desk.credentials
    with Ear("replay.first", url, desk.transcript) as first:
        first.send(subscription(who))
        made = desk.rest("replay")
        event = first.wait_for(lambda heard: is_event(heard, made.order_id, "PLACEMENT"), EVENT_S)
    missed = desk.rest("replay.missed")
    desk.cancel("replay.cancel", made.order_id)
    with Ear("replay.second", url, desk.transcript) as second:
        second.send(subscription(who))
        again = second.wait_for(lambda heard: is_event(heard, made.order_id, ""), EVENT_S)
        fresh = any(is_event(heard, missed.order_id, "") for heard in second.heard())
        desk.cancel("replay.cancel", missed.order_id)
        alive = second.wait_for(
            lambda heard: is_event(heard, missed.order_id, "CANCELLATION"), EVENT_S
        )
    desk.answer(
        "replay_on_reconnect",
        {
            "event at first": event is not None,
            "what was seen comes again": again is not None,
            "what was missed comes": fresh,
            "second socket hears": alive is not None,
        },
    )
