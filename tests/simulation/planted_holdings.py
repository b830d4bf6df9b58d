"""Bugs of look-ups, sureness and dust, each planted by overriding one thing of execution."""

import msgspec

from services.execution.core import ExecutionCore
from shared.effects import Effect, HttpFailed, HttpReply, HttpRequest, Message, Received
from shared.facts import Calendar, MarketResolved, OwnTrade
from shared.units import Instant

EMPTY_PAGE = b'{"limit":100,"count":0,"next_cursor":"LTE=","data":[]}'
NO_BALANCE = b'{"balance":"0","allowances":{}}'
READS = ("/data/orders", "/balance-allowance")
OK = 200


class ErrorIsEmpty(ExecutionCore):
    """Bug 8: a read that failed or cannot be read counts as one that found nothing."""

    _paths: dict[int, str] | None = None

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        if isinstance(message, HttpFailed) and message.sent:
            path = (self._paths or {}).get(message.request_id, "")
            nothing = HttpReply(message.request_id, 0, {}, b"", message.sent_ns)
            if path.startswith(READS) and "COLLATERAL" not in path:
                message = nothing
        if isinstance(message, HttpReply):
            message = self._read(message)
        return self._noted(super().on_message(message, now))

    def on_tick(self, now: Instant) -> list[Effect]:
        return self._noted(super().on_tick(now))

    def _read(self, reply: HttpReply) -> HttpReply:
        path = (self._paths or {}).get(reply.request_id, "")
        if reply.status == OK and reply.body.startswith(b"{"):
            return reply
        is_list = path.startswith("/data/orders")
        if is_list or (path.startswith("/balance-allowance") and "COLLATERAL" not in path):
            body = EMPTY_PAGE if is_list else NO_BALANCE
            return msgspec.structs.replace(reply, status=OK, body=body)
        return reply

    def _noted(self, effects: list[Effect]) -> list[Effect]:
        paths = self._paths = self._paths or {}
        for effect in effects:
            if isinstance(effect, HttpRequest) and effect.method == "GET":
                paths[effect.request_id] = effect.path
        return effects


class MatchIsSure(ExecutionCore):
    """Bug 9: a trade counts as confirmed when it is matched, so it is sold before it is there."""

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        if isinstance(message, Received) and isinstance(message.body, OwnTrade):
            body = msgspec.structs.replace(message.body, status="CONFIRMED")
            message = msgspec.structs.replace(message, body=body)
        return super().on_message(message, now)


class NeverPaidOut(ExecutionCore):
    """Bug 10: nobody tells execution how a market ended, so what is left there stays for ever."""

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        if isinstance(message, Received) and isinstance(message.body, MarketResolved):
            return []
        if isinstance(message, Received) and isinstance(message.body, Calendar):
            open_ended = tuple(
                msgspec.structs.replace(market, winner=None) for market in message.body.markets
            )
            body = msgspec.structs.replace(message.body, markets=open_ended)
            message = msgspec.structs.replace(message, body=body)
        return super().on_message(message, now)
