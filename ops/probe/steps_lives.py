"""Steps that wait: how orders end by themselves, by all at once, by silence, and by a fill."""

from bus import clock
from ops.probe.answers import Scalar, broad_kind_of, field, kind_of, normal_text
from ops.probe.asking import Reply, Silent
from ops.probe.desk import Desk, is_taken, taking_size
from ops.probe.listening import Heard
from ops.probe.orders import Made, Terms
from shared.units import NS_PER_MS, NS_PER_S
from shared.venue.account_wire import TRADES_PATH
from shared.venue.orders_wire import CANCEL_ALL_PATH, HEARTBEAT_PATH, HeartbeatRequest
from shared.venue.rules import GTD_LEAD_S
from shared.venue.wire import encode

END_SPARE_S = 20
DEAD_MAN_S_MAX = 30.0
BEAT_S = 10
"""After this long without a beat the venue counts a key as silent; its sweep comes later.
Source: https://docs.polymarket.com/trading/manage-orders (2026-09-28)."""

SWEEP_S = 5
TRADE_S = 30.0


def gtd_end(desk: Desk) -> None:
    """Let an order of the shortest life end by itself, and watch when."""
    made = desk.rest("gtd_end")
    expiration_s = int(made.post.order.expiration)
    left_s = expiration_s - clock.read().wall_ns / NS_PER_S
    status = desk.gone_within("gtd_end.look", made.order_id, left_s + END_SPARE_S)
    ended_s = clock.read().wall_ns / NS_PER_S
    if status is None:
        desk.answer("gtd_end", {"ends": False})
        return
    event = desk.order_event(made.order_id, "CANCELLATION", 2.0)
    frames = [] if event is None else event.objects()
    frame = next((one for one in frames if one.get("id") == made.order_id), {})
    if event is not None:
        now = clock.read()
        ended_s = (now.wall_ns - (now.monotonic_ns - event.at_ns)) / NS_PER_S
    early_s = expiration_s - ended_s
    is_lead = GTD_LEAD_S - 3 <= early_s <= GTD_LEAD_S + 2
    desk.answer(
        "gtd_end",
        {
            "ends": True,
            "before its expiration": f"{GTD_LEAD_S} s" if is_lead else f"{round(early_s)} s",
            "look": status,
            "event": str(frame.get("status", "none")),
            "type": str(frame.get("type", "none")),
        },
        {"seconds before": round(early_s)},
    )


def cancel_all(desk: Desk) -> None:
    """Cancel two orders by one request, and see what it is said to cost."""
    orders = [desk.rest("cancel_all"), desk.rest("cancel_all")]
    lone = desk.cancel("cancel_all.one", "0x" + "cd" * 32)
    reply = desk.asks.ask("cancel_all", "DELETE", CANCEL_ALL_PATH)
    canceled = field(reply.body, "canceled")
    names = {made.order_id for made in orders}
    shape: dict[str, Scalar] = {
        "http": reply.status,
        "names all": isinstance(canceled, list) and all(name in canceled for name in names),
        "not_canceled": kind_of(field(reply.body, "not_canceled")),
        "limit headers": ", ".join(sorted(reply.rate_headers())) or "none",
    }
    measured: dict[str, Scalar] = {}
    for when, one in (("before", lone), ("after", reply)):
        measured |= {f"{name} {when}": value for name, value in one.rate_headers().items()}
    desk.answer("cancel_all_cost", shape, measured)


def dead_man(desk: Desk) -> None:
    """Arm the venue's dead-man switch, mislead it once, fall silent, and watch."""
    first = _beat(desk, "dead_man.first", "")
    if first.status != 200:
        # Somebody armed it before us: it names what it expects.
        first = _beat(desk, "dead_man.first", str(field(first.body, "heartbeat_id") or ""))
    name = field(first.body, "heartbeat_id")
    if first.status != 200 or not isinstance(name, str):
        raise Silent(f"dead_man: {first.status} {first.text[:80]}")
    wrong = _beat(desk, "dead_man.wrong", "00000000-0000-4000-8000-000000000000")
    made = desk.rest("dead_man")
    last = _beat(desk, "dead_man.last", name)
    began = clock.read()
    status = desk.gone_within("dead_man.look", made.order_id, DEAD_MAN_S_MAX)
    event = desk.order_event(made.order_id, "CANCELLATION", 1.0)
    ended_ns = clock.read().monotonic_ns if event is None else event.at_ns
    after_s = (ended_ns - began.monotonic_ns) / NS_PER_S
    shape: dict[str, Scalar] = {
        "beat": last.status,
        "id changes": field(last.body, "heartbeat_id") != name,
        "wrong id": f"{wrong.status} {normal_text(str(field(wrong.body, 'error_msg')))}",
        "names the expected": field(wrong.body, "heartbeat_id") == name,
        "cancels": status is not None,
    }
    if status is not None:
        shape["after 10 to 15 s"] = BEAT_S - 1 <= after_s <= BEAT_S + SWEEP_S + 1
    desk.answer("dead_man", shape, {"ms": round(after_s * 1_000)})


def _beat(desk: Desk, label: str, heartbeat_id: str) -> Reply:
    return desk.asks.ask(label, "POST", HEARTBEAT_PATH, encode(HeartbeatRequest(heartbeat_id)))


def take(desk: Desk) -> None:
    """Buy the smallest amount at the touch, and follow the trade. Costs what it buys."""
    place, price = desk.place, desk.crossing_price("take.book")
    terms = Terms(place.token, price, taking_size(place), post_only=False)
    made = desk.poster.make(terms)
    reply = desk.poster.post("take", made)
    body = reply.body
    if not is_taken(reply):
        raise Silent(f"take: {reply.status} {reply.text[:120]}")
    trade = desk.user.wait_for(lambda heard: _is_trade(heard, made), TRADE_S)
    if trade is None:
        desk.cancel("take.cancel", made.order_id)
        raise Silent(f"take: {field(body, 'status')}, and no trade was told")
    frame = next(one for one in trade.objects() if one.get("event_type") == "trade")
    money = price * terms.size // 10_000
    making = str(field(body, "makingAmount"))
    desk.answer(
        "amount_scale",
        {
            "status": str(field(body, "status")),
            "makingAmount": broad_kind_of(making),
            "scale": _scale(making, money),
            "tradeIDs": kind_of(field(body, "tradeIDs")),
            "transactionsHashes": "empty" if not field(body, "transactionsHashes") else "filled",
        },
        {"makingAmount": making, "takingAmount": str(field(body, "takingAmount"))},
    )
    desk.answer(
        "trade_event",
        {
            "trader_side": str(frame.get("trader_side")),
            "status": str(frame.get("status")),
            "match time": "matchtime" if "matchtime" in frame else "match_time",
            "timestamp digits": len(str(frame.get("timestamp"))),
            "bucket_index": kind_of(frame.get("bucket_index")),
        },
        {"after the answer, ms": round((trade.at_ns - reply.answered_ns) / NS_PER_MS)},
    )
    desk.answer("taker_delay", {"answer waits": reply.took_ms >= 100}, {"ms": round(reply.took_ms)})
    _settlement(desk, made, frame)


def _settlement(desk: Desk, made: Made, frame: dict[str, object]) -> None:
    """Follow one trade to its end, and read its row."""
    name = frame.get("id")
    done = ("CONFIRMED", "FAILED")

    def is_done(heard: Heard) -> bool:
        return any(one.get("id") == name and one.get("status") in done for one in heard.objects())

    desk.user.wait_for(is_done, TRADE_S)
    told = [
        str(one.get("status"))
        for heard in desk.user.heard()
        for one in heard.objects()
        if one.get("id") == name and one.get("event_type") == "trade"
    ]
    rows = field(desk.asks.ask("take.trades", "GET", f"{TRADES_PATH}?id={name}").body, "data")
    row = rows[0] if isinstance(rows, list) and rows else None
    desk.answer(
        "settlement",
        {
            "told": ", ".join(dict.fromkeys(told)),
            "row": str(field(row, "status")),
            "row fee_rate_bps": kind_of(field(row, "fee_rate_bps")),
            "event fee_rate_bps": kind_of(frame.get("fee_rate_bps")),
        },
        {"fee_rate_bps": str(field(row, "fee_rate_bps")), "order": made.order_id},
    )


def _is_trade(heard: Heard, made: Made) -> bool:
    return any(
        one.get("event_type") == "trade" and one.get("taker_order_id") == made.order_id
        for one in heard.objects()
    )


def _scale(text: str, money_e6: int) -> str:
    """Return in which unit an amount of at most so much money is written."""
    try:
        value = float(text)
    except ValueError:
        return "none"
    if 0 < value <= money_e6 / 1_000_000 + 1e-9:
        return "dollars"
    return "millionths" if 0 < value <= money_e6 else "something else"
