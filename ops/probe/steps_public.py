"""Steps that need no order: what the venue's public reads and sockets look like."""

from ops.probe.answers import Scalar, field, kind_of, normal_text
from ops.probe.asking import Reply, Silent
from ops.probe.desk import Desk, wait_s
from ops.probe.folding import Folded
from ops.probe.listening import Ear
from ops.probe.place import best_of
from shared.units import NS_PER_MS
from shared.venue.streams_wire import PING, PONG
from shared.venue.wire import encode

LISTEN_S = 6.0
"""Changes of a book come twenty a second; a trade may be among them."""

PONG_S = 5.0
UNKNOWN_ASSET = "1"


def constants(desk: Desk) -> None:
    """Ask for version, tick, fees and negative risk of the market."""
    info, token = desk.place.info, desk.place.token
    version = desk.asks.ask_openly("constants.version", "GET", "/version")
    risk = desk.asks.ask_openly("constants.neg_risk", "GET", f"/neg-risk?token_id={token}")
    market = desk.asks.ask_openly("constants.market", "GET", f"/clob-markets/{info.condition_id}")
    desk.answer(
        "versions",
        {
            "/version": kind_of(field(version.body, "version")),
            "market": kind_of(field(market.body, "v")),
            "same as discovery": field(market.body, "v") == info.version,
            "neg-risk": kind_of(field(risk.body, "neg_risk")),
        },
        {"version": str(field(version.body, "version")), "v": str(field(market.body, "v"))},
    )
    tick = desk.asks.ask_openly("constants.tick", "GET", f"/tick-size?token_id={token}")
    book = desk.asks.ask_openly("constants.book", "GET", f"/book?token_id={token}")
    desk.answer(
        "tick_forms",
        {
            "/tick-size": kind_of(field(tick.body, "minimum_tick_size")),
            "/book": kind_of(field(book.body, "tick_size")),
            "market": kind_of(field(market.body, "mts")),
        },
        {"tick": str(field(book.body, "tick_size"))},
    )
    fee = desk.asks.ask_openly("constants.fee", "GET", f"/fee-rate?token_id={token}")
    desk.answer(
        "fee_forms",
        {
            "/fee-rate": kind_of(field(fee.body, "base_fee")),
            "market rate": kind_of(field(market.body, "fd", "r")),
            "taker only": field(market.body, "fd", "to") is True,
            "taker delay": field(market.body, "itode") is True,
        },
        {
            "base_fee": str(field(fee.body, "base_fee")),
            "rate": str(field(market.body, "fd", "r")),
        },
    )


def books(desk: Desk) -> None:
    """Ask for prices by side, two books at once, and a book that is not there."""
    token = desk.place.token
    before = desk.asks.ask_openly("books.book", "GET", f"/book?token_id={token}")
    buy = desk.asks.ask_openly("books.price", "GET", f"/price?token_id={token}&side=BUY")
    after = desk.asks.ask_openly("books.book", "GET", f"/book?token_id={token}")
    told = field(buy.body, "price")
    touches = [best_of(reply.body) for reply in (before, after)]
    meaning = f"http {buy.status}" if buy.status != 200 else "neither"
    for side, name in enumerate(("best bid", "best ask")):
        values = {None if one[side] is None else float(one[side] or 0) / 10_000 for one in touches}
        if isinstance(told, str | int | float) and _number(told) in values:
            meaning = name
    desk.answer("price_side", {"BUY": meaning})
    wanted = [desk.place.token, desk.place.other]
    orders = []
    for tokens in (wanted, wanted[::-1]):
        body = encode([{"token_id": one} for one in tokens])
        reply = desk.asks.ask_openly("books.books", "POST", "/books", body)
        rows = reply.body if isinstance(reply.body, list) else []
        orders.append([field(row, "asset_id") for row in rows] == tokens)
    desk.answer("books_order", {"as asked": all(orders)})
    missing = desk.asks.ask_openly("books.unknown", "GET", f"/book?token_id={UNKNOWN_ASSET}")
    text = normal_text(str(field(missing.body, "error")))
    desk.answer("unknown_book", {"http": missing.status, "text": text})


def _number(text: str | int | float) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def market_stream(desk: Desk) -> None:
    """Listen to the market's socket: greeting, pings, and the proof of every book."""
    info = desk.place.info
    with Ear("market_stream", desk.config.venue.market_socket_url, desk.transcript) as ear:
        subscription = {
            "type": "market",
            "assets_ids": list(info.tokens),
            "custom_feature_enabled": True,
        }
        ear.send(encode(subscription).decode())
        sent_ns = ear.send(PING)
        pong = ear.wait_for(lambda heard: heard.text.strip() == PONG, PONG_S)
        wait_s(LISTEN_S)
        rest = desk.asks.ask_openly(
            "market_stream.book", "GET", f"/book?token_id={desk.place.token}"
        )
        frames = ear.heard()
    shape: dict[str, Scalar] = {"answers PING": "nothing" if pong is None else pong.text.strip()}
    delay = {} if pong is None else {"ms": round((pong.at_ns - sent_ns) / NS_PER_MS)}
    desk.answer("ping_market", shape, dict(delay))
    folded = Folded(info)
    for frame in frames:
        for one in frame.objects():
            folded.take(one)
    folded.finish()
    if not folded.snapshots:
        raise Silent("market_stream: no book came")
    desk.answer(
        "book_hash",
        {
            "/book proven": folded.proves(rest.body) is not None,
            "first books proven": folded.snapshots == folded.snapshots_proven,
            "changes proven": folded.changes > 0 and folded.changes == folded.changes_proven,
        },
        {
            "changes": folded.changes,
            "changes proven": folded.changes_proven,
            "books after trades": folded.traded,
            "books after trades proven": folded.traded_proven,
            "last price hashed": folded.rule or "no trade seen",
            "in /book": folded.proves(rest.body) or "empty",
        },
    )


def rate_headers(desk: Desk) -> None:
    """Read from everything answered so far which headers tell of limits."""
    names = sorted({name for _, reply in desk.asks.replies for name in reply.rate_headers()})
    desk.answer("rate_headers", {"names": ", ".join(names) or "none"}, _newest(desk.asks.replies))


def _newest(replies: list[tuple[str, Reply]]) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {}
    for _, reply in replies:
        found.update(reply.rate_headers())
    return found
