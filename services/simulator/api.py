"""The venue's REST surface: which handler answers a request, and who may ask.

Pure: a request goes in, an answer or a promise of one comes out. The routes stand in
`routes.py`.
"""

from collections.abc import Sequence

from services.simulator.answers import NOT_FOUND, UNAUTHORIZED, Answer, Held
from services.simulator.document_form import respell
from services.simulator.edge import Request
from services.simulator.keys import READONLY_HEADER, Keys
from services.simulator.routes import PrivateRoute, PublicRoute, Table
from shared.units import NS_PER_S, Instant
from shared.venue.auth import Credentials


class Api:
    """Routes requests."""

    def __init__(
        self,
        keys: Keys,
        public: Sequence[PublicRoute],
        private: Sequence[PrivateRoute],
        *,
        as_openapi: bool = False,
    ) -> None:
        """Set who may ask what; a public route comes before a private one."""
        self._as_openapi = as_openapi
        self._keys = keys
        self._public = Table(public)
        self._private = Table(private)

    def handle(self, request: Request, now: Instant) -> Answer | Held:
        """Answer a request."""
        answer = self._route(request, now)
        return respell(request, answer) if self._as_openapi else answer

    def _route(self, request: Request, now: Instant) -> Answer | Held:
        public = self._public.find(request.method, request.path)
        if public is not None:
            return public(request, now)
        private = self._private.find(request.method, request.path)
        if private is None:
            return NOT_FOUND
        who = self._who(request, now)
        return UNAUTHORIZED if who is None else private(request, who, now)

    def _who(self, request: Request, now: Instant) -> Credentials | None:
        """Return whose request this is; a read-only key authenticates reads, without an HMAC."""
        if READONLY_HEADER in request.headers and request.method == "GET":
            return self._keys.check_readonly(request.headers)
        return self._keys.check_request(
            request.headers, request.method, request.path, request.body, now.wall_ns // NS_PER_S
        )
