"""What faults do to answers on their way out: replace, cut, slow down, or tell the past."""

from typing import Any

import msgspec

from services.simulator.answers import HTML, Answer, error
from services.simulator.edge import Request
from services.simulator.faults.orders import FaultOrder
from services.simulator.faults.quirks import quirk
from shared.units import NS_PER_MS, Instant
from shared.venue.wire import encode

OK = 200
OLD_MAX = 1_000
"""Books remembered for `lag_book`: far more than a client asks for while it is on."""

_LISTS = ("markets", "events", "data")
_ENDED = ("MATCHED", "CANCELED", "INVALID")


class ReplyFaults:
    """Changes answers, and remembers the old books that some of them are."""

    def __init__(self) -> None:
        """Begin with nothing remembered."""
        self._old: dict[tuple[str, str, bytes], tuple[int, Answer]] = {}

    def alter(
        self, answer: Answer, orders: tuple[FaultOrder, ...], request: Request, now: Instant
    ) -> Answer:
        """Return what is sent instead of an answer."""
        for order in orders:
            answer = self._alter(answer, order, request, now)
        return answer

    def _alter(self, answer: Answer, order: FaultOrder, request: Request, now: Instant) -> Answer:
        match order.kind:
            case "replace_reply":
                return refusal(order)
            case "truncate_reply":
                cut = answer.body[: len(answer.body) // 2]
                return msgspec.structs.replace(answer, body=cut)
            case "drip_reply":
                return msgspec.structs.replace(answer, drip_ms=max(1, order.delay_ms))
            case "lag_book":
                return self._lag(answer, order, request, now)
            case "quirk_posts":
                return quirk(answer, order.text) if answer.status == OK else answer
            case _ if answer.status == OK:
                return msgspec.structs.replace(answer, body=_rewrite(answer.body, order))
            case _:
                return answer

    def _lag(self, answer: Answer, order: FaultOrder, request: Request, now: Instant) -> Answer:
        query = "&".join(f"{name}={value}" for name, value in sorted(request.query.items()))
        key = (request.path, query, request.body)
        kept = self._old.get(key)
        if kept is not None and now.monotonic_ns - kept[0] < order.delay_ms * NS_PER_MS:
            return kept[1]
        if len(self._old) >= OLD_MAX:
            self._old.clear()
        self._old[key] = (now.monotonic_ns, answer)
        return answer


def refusal(order: FaultOrder) -> Answer:
    """Return the answer that a fault has instead of the venue's own."""
    text = order.text
    if text.startswith("<"):
        return Answer(order.status, text.encode(), content_type=HTML)
    if _is_json(text):
        return Answer(order.status, text.encode())
    return error(order.status, text, order.retry_after_s)


def _is_json(text: str) -> bool:
    return text == "null" or text[:1] in ("{", "[")


def _rewrite(body: bytes, order: FaultOrder) -> bytes:
    decoded: Any = msgspec.json.decode(body)
    if not isinstance(decoded, dict):
        return body
    if order.kind == "bare_list":
        return encode(decoded["data"]) if "data" in decoded else body
    if order.kind == "hide_ended":
        return b"null" if str(decoded.get("status", "")).startswith(_ENDED) else body
    assert order.kind == "cap_list"
    for name in _LISTS:
        if isinstance(decoded.get(name), list):
            decoded[name] = decoded[name][: order.rows]
            decoded.pop("next_cursor", None)
    return encode(decoded)
