"""From a request to its answer: what faults do to either, and what the log says of both."""

from collections.abc import Callable

import msgspec

from services.simulator.admin import Admin
from services.simulator.agenda import Agenda
from services.simulator.answers import Answer, Held
from services.simulator.api import Api
from services.simulator.edge import Abort, Request, Respond
from services.simulator.faults.replies import ReplyFaults, refusal
from services.simulator.faults.switches import Fate, Faults
from services.simulator.limits import RateLimits
from services.simulator.stamps import Stamps
from services.simulator.windows import Windows
from shared.effects import Effect
from shared.units import Instant, WallNs
from shared.venue.auth import ADDRESS_HEADER, API_KEY_HEADER

ADMIN = "/admin/"
TIME = "/time"
LIMITED = ("/order", "/orders", "/cancel-all", "/cancel-market-orders")
"""Paths whose answers tell what is left of the signer's rates."""


class Reception:
    """Takes requests in and sends answers out."""

    def __init__(
        self,
        api: Api,
        admin: Admin,
        faults: Faults,
        stamps: Stamps,
        agenda: Agenda,
        flush: Callable[[Instant], None],
        limits: RateLimits | None,
        windows: Windows | None,
    ) -> None:
        """Set the parts, and how to tell what has happened before an answer goes out."""
        self._limits = limits
        self._windows = windows
        self._api = api
        self._admin = admin
        self._faults = faults
        self._stamps = stamps
        self._agenda = agenda
        self._flush = flush
        self._reply_faults = ReplyFaults()

    def refuse(self, request: Request, now: Instant) -> Respond | None:
        """Return what a fault answers to the handshake of a socket, None to let it open."""
        order = self._faults.refuses_handshake(request.path, now.monotonic_ns)
        return None if order is None else _respond(request, refusal(order))

    def receive(self, request: Request, now: Instant) -> list[Effect]:
        """Take a request in, now or as late as a fault wants."""
        if request.path.startswith(ADMIN):
            return [_respond(request, self._admin.handle(request, now))]
        self._stamps.add(
            "request",
            now,
            request_id=request.request_id,
            method=request.method,
            path=request.path,
            query=request.query,
            owner=request.headers.get(API_KEY_HEADER, ""),
        )
        fate = self._faults.judge(request, now.monotonic_ns)
        hold_ns = fate.hold_ns
        if self._windows is not None:
            hold_ns += self._windows.wait_ns(request, now.monotonic_ns)
        if hold_ns:
            self._agenda.at(
                now.monotonic_ns + hold_ns, lambda later: self._take(request, fate, later)
            )
            return []
        return self._take(request, fate, now)

    def _take(self, request: Request, fate: Fate, now: Instant) -> list[Effect]:
        if not fate.taken:
            return self._leave(request, fate, now)
        if fate.refusal is not None:
            return self._answer(request, refusal(fate.refusal), fate, now)
        answer = self._api.handle(request, self._venue_time(request, now))
        if isinstance(answer, Held):
            held = answer
            self._agenda.at(
                held.due_ns,
                lambda later: self._answer(request, held.finish(later), fate, later),
            )
            return []
        return self._answer(request, answer, fate, now)

    def _venue_time(self, request: Request, now: Instant) -> Instant:
        """Return what the venue takes for now: a shifted clock tells and does nothing else."""
        offset_ns = self._faults.clock_offset_ns(now.monotonic_ns)
        if not offset_ns or request.path != TIME:
            return now
        return msgspec.structs.replace(now, wall_ns=WallNs(now.wall_ns + offset_ns))

    def _answer(self, request: Request, answer: Answer, fate: Fate, now: Instant) -> list[Effect]:
        """Send an answer after what happened meanwhile, or do with it what a fault wants."""
        self._flush(now)
        if fate.altered:
            answer = self._reply_faults.alter(answer, fate.altered, request, now)
        if fate.reply != "send":
            return self._leave(request, fate, now)
        if fate.reply_ns:
            self._agenda.at(
                now.monotonic_ns + fate.reply_ns, lambda later: self._send(request, answer, later)
            )
            return []
        return self._send(request, answer, now)

    def _send(self, request: Request, answer: Answer, now: Instant) -> list[Effect]:
        self._stamps.add("response", now, request_id=request.request_id, status=answer.status)
        signer = request.headers.get(ADDRESS_HEADER, "")
        if self._limits is not None and signer and request.path in LIMITED:
            is_cancel = request.method == "DELETE"
            headers = self._limits.headers(signer, now.monotonic_ns, is_cancel=is_cancel)
            answer = msgspec.structs.replace(answer, headers={**answer.headers, **headers})
        return [_respond(request, answer)]

    def _leave(self, request: Request, fate: Fate, now: Instant) -> list[Effect]:
        self._stamps.add("no_response", now, request_id=request.request_id, how=fate.reply)
        return [Abort(request.request_id)] if fate.reply == "reset" else []


def _respond(request: Request, answer: Answer) -> Respond:
    return Respond(
        request.request_id,
        answer.status,
        answer.body,
        answer.headers,
        answer.content_type,
        answer.drip_ms,
    )
