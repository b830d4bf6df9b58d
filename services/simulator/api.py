"""The venue's REST surface: which handler answers a request, and who may ask.

Pure: a request goes in, an answer or a promise of one comes out. The routes stand in
`routes.py`.
"""

from collections.abc import Sequence

from services.simulator.answers import NOT_FOUND, UNAUTHORIZED, Answer, Held
from services.simulator.edge import Request
from services.simulator.keys import Keys
from services.simulator.routes import PrivateRoute, PublicRoute, Table
from shared.units import NS_PER_S, Instant


class Api:
    """Routes requests."""

    def __init__(
        self, keys: Keys, public: Sequence[PublicRoute], private: Sequence[PrivateRoute]
    ) -> None:
        """Set who may ask what; a public route comes before a private one."""
        self._keys = keys
        self._public = Table(public)
        self._private = Table(private)

    def handle(self, request: Request, now: Instant) -> Answer | Held:
        """Answer a request."""
        public = self._public.find(request.method, request.path)
        if public is not None:
            return public(request, now)
        private = self._private.find(request.method, request.path)
        if private is None:
            return NOT_FOUND
        who = self._keys.check_request(
            request.headers, request.method, request.path, request.body, now.wall_ns // NS_PER_S
        )
        return UNAUTHORIZED if who is None else private(request, who, now)
