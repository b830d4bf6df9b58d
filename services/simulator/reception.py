"""From a request to its answer: what faults do to either, and what the log says of both."""

from collections.abc import Callable

from services.simulator.admin import Admin
from services.simulator.agenda import Agenda
from services.simulator.answers import HTML, JSON, Answer, Held, error
from services.simulator.api import Api
from services.simulator.edge import Abort, Request, Respond
from services.simulator.faults import Fate, FaultOrder, Faults
from services.simulator.stamps import Stamps
from shared.effects import Effect
from shared.units import Instant
from shared.venue.auth import API_KEY_HEADER

ADMIN = "/admin/"


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
    ) -> None:
        """Set the parts, and how to tell what has happened before an answer goes out."""
        self._api = api
        self._admin = admin
        self._faults = faults
        self._stamps = stamps
        self._agenda = agenda
        self._flush = flush

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
        if fate.hold_ns:
            self._agenda.at(
                now.monotonic_ns + fate.hold_ns, lambda later: self._take(request, fate, later)
            )
            return []
        return self._take(request, fate, now)

    def _take(self, request: Request, fate: Fate, now: Instant) -> list[Effect]:
        if not fate.taken:
            return self._leave(request, fate, now)
        if fate.refusal is not None:
            return self._answer(request, _refusal(fate.refusal), fate, now)
        answer = self._api.handle(request, now)
        if isinstance(answer, Held):
            held = answer
            self._agenda.at(
                held.due_ns,
                lambda later: self._answer(request, held.finish(later), fate, later),
            )
            return []
        return self._answer(request, answer, fate, now)

    def _answer(self, request: Request, answer: Answer, fate: Fate, now: Instant) -> list[Effect]:
        """Send an answer after what happened meanwhile, or do with it what a fault wants."""
        self._flush(now)
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
        return [_respond(request, answer)]

    def _leave(self, request: Request, fate: Fate, now: Instant) -> list[Effect]:
        self._stamps.add("no_response", now, request_id=request.request_id, how=fate.reply)
        return [Abort(request.request_id)] if fate.reply == "reset" else []


def _respond(request: Request, answer: Answer) -> Respond:
    return Respond(
        request.request_id, answer.status, answer.body, answer.headers, answer.content_type
    )


def _refusal(order: FaultOrder) -> Answer:
    if order.text.startswith("<"):
        return Answer(order.status, order.text.encode(), content_type=HTML)
    answer = error(order.status, order.text, order.retry_after_s)
    assert answer.content_type == JSON
    return answer
