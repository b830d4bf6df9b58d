"""Where the venue's documents disagree: the form served, and the other one on request.

| what | `clients` (default) | `openapi` |
|---|---|---|
| makingAmount, takingAmount | decimals, `5.1` | integers of 1e-6, `5100000` |
| sizes of an order's row | decimals | integers of 1e-6 |
| status of an order's row | `LIVE` | `ORDER_STATUS_LIVE` |
| status of a trade's row | `CONFIRMED` | `TRADE_STATUS_CONFIRMED` |
| key of GET /midpoint | `mid` | `mid_price` |
| price of BUY | best ask (guide) | best bid (`quotes.py`) |

The default is what the official clients 1.2.1 and 0.14.0 read and what replies of production have
been seen to hold; the right column is what the examples of the OpenAPI document show. An unknown
order is answered 404 as OpenAPI says; that some users get 200 and null is a fault of its own.

Source: https://docs.polymarket.com/api-reference (CLOB OpenAPI) and the guides beside it
(2026-09-28).
"""

from collections.abc import Callable
from typing import Any

import msgspec

from services.simulator.answers import Answer, Held
from services.simulator.edge import Request
from shared.units import Instant
from shared.venue.decimals import parse_money
from shared.venue.wire import encode

Json = dict[str, Any]
_OK = 200


def respell(request: Request, answer: Answer | Held) -> Answer | Held:
    """Return an answer in the form of the OpenAPI document."""
    change = _change_of(request)
    if change is None:
        return answer
    if isinstance(answer, Held):
        return _later(answer, change)
    return _respelled(answer, change)


def _later(held: Held, change: Callable[[Any], Any]) -> Held:
    def finish(now: Instant) -> Answer:
        return _respelled(held.finish(now), change)

    return Held(held.due_ns, finish)


def _respelled(answer: Answer, change: Callable[[Any], Any]) -> Answer:
    if answer.status != _OK:
        return answer
    body = encode(change(msgspec.json.decode(answer.body)))
    return msgspec.structs.replace(answer, body=body)


def _change_of(request: Request) -> Callable[[Any], Any] | None:
    route = (request.method, request.path)
    if request.method == "GET" and request.path.startswith("/data/order/"):
        return _order
    return _CHANGES.get(route)


def _order(row: Json) -> Json:
    return row | {
        "status": "ORDER_STATUS_" + row["status"],
        "original_size": _scaled(row["original_size"]),
        "size_matched": _scaled(row["size_matched"]),
    }


def _trade(row: Json) -> Json:
    return row | {"status": "TRADE_STATUS_" + row["status"]}


def _reply(row: Json) -> Json:
    return row | {
        name: _scaled(row[name]) for name in ("makingAmount", "takingAmount") if row.get(name)
    }


def _midpoint(row: Json) -> Json:
    return {"mid_price": row["mid"]}


def _orders(page: Json) -> Json:
    return page | {"data": [_order(row) for row in page["data"]]}


def _trades(page: Json) -> Json:
    return page | {"data": [_trade(row) for row in page["data"]]}


def _replies(rows: list[Json]) -> list[Json]:
    return [_reply(row) for row in rows]


def _scaled(text: str) -> str:
    return str(parse_money(text, "amount"))


_CHANGES: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("POST", "/order"): _reply,
    ("POST", "/orders"): _replies,
    ("GET", "/data/orders"): _orders,
    ("GET", "/data/trades"): _trades,
    ("GET", "/midpoint"): _midpoint,
}
